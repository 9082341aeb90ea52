/**
 * What a client loses while what answers it is rolled: `npm run bench -- traffic [--rolls 20] [--replicas 3] [--delay 15]`, on two
 * real nodes of this machine. A stream of requests comes through the core Service from a network namespace of its own.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { up } from '../../dev/cluster/index.ts';
import { installKinds } from '../../dev/cluster/kinds.ts';
import { ensureTrafficServer } from '../../dev/cluster/traffic-server.ts';
import { KubeApi } from '../support/kube-api.ts';
import { Operator } from '../support/operator.ts';
import { Recorder } from '../support/recorder.ts';
import { untilSteady } from '../support/services.ts';
import { takingDown } from '../support/take-down.ts';
import { type Failure, type Summary, TrafficStream } from '../support/traffic.ts';
import { applyDeployment, clusterIpOf, kubectlOf, rollDeployment } from '../support/traffic-deployment.ts';
import {
  applyTraffic,
  crashTask,
  deletePod,
  drainNode,
  evictWithoutOperator,
  failCheck,
  type OperatorSwitch,
  roll,
  rollWithoutOperator,
  scale,
  stopByHand,
  type TrafficWorld,
} from '../support/traffic-service.ts';

const { values } = parseArgs({
  options: {
    rolls: { type: 'string', default: '20' },
    replicas: { type: 'string', default: '3' },
    delay: { type: 'string', default: '15' },
  },
});
const [rolls, replicas, delay] = [Number(values.rolls), Number(values.replicas), Number(values.delay)];
const MOST_SECONDS = 3600;
const NAMESPACE = 'default';
const SERVICE = 'longshore';
const environment = { START_AFTER_MS: '500' };

interface Outcome {
  readonly subject: string;
  readonly times: number;
  readonly summary: Summary;
  readonly failures: readonly Failure[];
}

const dir = mkdtempSync(join(tmpdir(), 'lsh-'));
const say = (line: string): void => console.error(line);
await ensureTrafficServer();
const cluster = await up({ dir, nodes: 'real=2', onProgress: say });
const kubectl = kubectlOf(cluster, NAMESPACE);
const api = new KubeApi(cluster.kubeconfig);
let operator: Operator | undefined;

const { takeDown, isEnding } = takingDown(async () => {
  await operator?.kill('SIGTERM');
  api.close();
  await cluster.down();
  rmSync(dir, { recursive: true, force: true });
});

/** A stream of its own while something is done so many times. */
async function during(
  subject: string,
  service: string,
  times: number,
  act: (stream: TrafficStream, time: number) => Promise<unknown>,
): Promise<Outcome> {
  const host = await clusterIpOf(kubectl, service);
  const stream = await TrafficStream.start(dir, { host, port: 80, seconds: MOST_SECONDS });
  for (let time = 1; time <= times; time += 1) {
    await act(stream, time);
    say(`${subject}: ${time} of ${times}, ${stream.failures.length} failures so far`);
  }
  return { subject, times, summary: await stream.end(), failures: stream.failures };
}

async function deployment(what: string, name: string, preStopSeconds: number): Promise<Outcome> {
  await applyDeployment(kubectl, { name, replicas, preStopSeconds, environment });
  const outcome = await during(`${what}: rolled`, name, rolls, () => rollDeployment(kubectl, name));
  await kubectl(['delete', `deployment/${name}`]);
  return outcome;
}

async function startOperator(): Promise<void> {
  operator = new Operator({ kubeconfig: cluster.kubeconfig, log: join(dir, 'logs', 'operator.log') });
  await operator.ready();
}

const operatorSwitch: OperatorSwitch = { kill: async () => operator?.kill('SIGKILL'), start: startOperator };

async function longshore(): Promise<Outcome[]> {
  await installKinds(cluster);
  const recorder = await Recorder.start(api);
  const history = recorder.in(NAMESPACE);
  await startOperator();
  await applyTraffic(kubectl, { name: SERVICE, desiredCount: replicas, delay, environment });
  await untilSteady(history, SERVICE, replicas, 300_000);
  const outcomes: Outcome[] = [];
  const run = async (what: string, times: number, act: (world: TrafficWorld, time: number) => Promise<unknown>) => {
    const world = { namespace: NAMESPACE, clusterDir: dir, history, service: SERVICE, kubectl };
    const outcome = await during(`Longshore: ${what}`, SERVICE, times, (stream, time) =>
      act({ ...world, stream }, time),
    );
    outcomes.push(outcome);
  };
  const few = Math.ceil(rolls / 4);
  await run('rolled', rolls, (world, time) => roll(world, `bench-${time}`));
  await run('scaled in and out', few, async (world) => {
    await scale(world, replicas - 1);
    await scale(world, replicas);
  });
  await run('a task stopped by hand', few, stopByHand);
  await run('a pod deleted', few, deletePod);
  await run('a pod evicted while no operator runs', few, (world) => evictWithoutOperator(world, operatorSwitch));
  await run('rolled, its operator killed meanwhile', few, (world, time) =>
    rollWithoutOperator(world, operatorSwitch, `killed-${time}`),
  );
  await run("a task fails its target group's check", few, failCheck);
  await run('a node drained', few, drainNode);
  await run('a task crashed', few, crashTask);
  return outcomes;
}

function print(outcomes: readonly Outcome[]): void {
  const titles = ['', 'times', 'requests', 'failures', 'repeats', 'p50 (ms)', 'p99 (ms)', 'slowest (ms)', 'tasks'];
  const rows = outcomes.map(({ subject, times, summary }) => [
    subject,
    times,
    summary.requests,
    summary.failures,
    summary.repeats,
    summary.p50,
    summary.p99,
    summary.slowest,
    Object.keys(summary.answeredBy).length,
  ]);
  for (const line of [titles, titles.map((title) => (title === '' ? '---' : '---:')), ...rows])
    console.log(`| ${line.join(' | ')} |`);
  for (const { subject, failures } of outcomes) {
    const kinds = Map.groupBy(failures, ({ kind, error }) => `${kind}: ${error}`);
    for (const [what, own] of kinds) console.log(`${subject}: ${own.length} × ${what}`);
  }
}

try {
  // Side by side: what slows one down slows all.
  const [compared, own] = await Promise.all([
    Promise.all([
      deployment('Deployment without preStop', 'bare', 0),
      deployment(`Deployment, preStop sleep of ${delay} s`, 'sleeps', delay),
    ]),
    longshore(),
  ]);
  print([...compared, ...own]);
} catch (error) {
  if (!isEnding()) throw error;
} finally {
  await takeDown();
}
