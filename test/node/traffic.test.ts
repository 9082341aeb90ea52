/** What clients lose while what answers them comes and goes: a constant stream of requests to real containers on two nodes. */
import { beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { realNodePossible } from '../../dev/cluster/index.ts';
import { ensureTrafficServer } from '../../dev/cluster/traffic-server.ts';
import { shell } from '../support/containers.ts';
import type { Operator } from '../support/operator.ts';
import type { Pod } from '../support/recorder.ts';
import { runningPods, stoppedTaskOf, untilSteady } from '../support/services.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';
import { type Failure, TrafficStream } from '../support/traffic.ts';
import { applyDeployment, clusterIpOf } from '../support/traffic-deployment.ts';
import {
  applyTraffic,
  crashTask,
  deletePod,
  drainNode,
  evictWithoutOperator,
  failCheck,
  roll,
  rollWithoutOperator,
  scale,
  stopByHand,
  type TrafficService,
  type TrafficWorld,
} from '../support/traffic-service.ts';

const { possible, why } = realNodePossible();
const title = possible ? 'a stream of requests' : `a stream of requests (skipped: ${why})`;

/** The longest that a stream goes on where a test does not end it. */
const MOST_SECONDS = 600;
/** As far as several streams at a time leave room for what they are about. */
const LANES = { 'keep-alive': 2, 'new connection': 2, 'slow keep-alive': 1, 'slow new connection': 1, websocket: 1 };
const WEB: TrafficService = { name: 'web', desiredCount: 2, delay: 8, environment: { START_AFTER_MS: '500' } };
/** Of waits that a slow machine makes long. */
const WAIT_MS = 300_000;

describe.skipIf(!possible).concurrent(title, { timeout: 900_000 }, () => {
  const suite = useSuite({ nodes: 'real=2', operator: false });
  beforeAll(async () => {
    await ensureTrafficServer();
  });

  async function streamTo(context: TestContext, ns: TestNamespace, service: string): Promise<TrafficStream> {
    const host = await clusterIpOf((args) => ns.kubectl(args), service);
    const options = { host, port: 80, seconds: MOST_SECONDS, lanes: LANES };
    const stream = await TrafficStream.start(suite().cluster.dir, options);
    context.onTestFinished(async () => {
      await stream.end();
    });
    return stream;
  }

  /**
   * A steady service behind a TargetGroup, a stream to it, and an operator.
   * @param seesNodes which an operator of the namespace alone does not.
   */
  async function worldOf(context: TestContext, options: TrafficService, seesNodes = false) {
    const ns = await suite().namespace(context);
    let operator: Operator | undefined;
    const start = async (): Promise<void> => {
      operator = suite().newOperator(['--no-leader-elect', ...(seesNodes ? [] : ['--namespace', ns.name])]);
      await operator.ready();
    };
    const kill = async (): Promise<void> => operator?.kill('SIGKILL');
    context.onTestFinished(async () => {
      await kill();
      // The namespace would wait for the whole grace of each.
      await ns.kubectl(['delete', 'pods', '--all', '--grace-period=1']);
    });
    await start();
    const kubectl: TestNamespace['kubectl'] = (args, input) => ns.kubectl(args, input);
    await applyTraffic(kubectl, options);
    const { name, desiredCount } = options;
    await untilSteady(ns.history, name, desiredCount, WAIT_MS);
    const stream = await streamTo(context, ns, name);
    const clusterDir = suite().cluster.dir;
    const world: TrafficWorld = { namespace: ns.name, clusterDir, history: ns.history, service: name, stream, kubectl };
    return { world, operator: { kill, start } };
  }

  async function loseNothing(
    { stream }: TrafficWorld,
    steps: Readonly<Record<string, () => Promise<unknown>>>,
  ): Promise<void> {
    for (const [what, step] of Object.entries(steps)) {
      await step();
      expect(stream.failures, what).toEqual([]);
    }
  }

  it('loses nothing while a service is rolled and scaled', async (context) => {
    const { world, operator } = await worldOf(context, WEB);
    await loseNothing(world, {
      'rolled once': () => roll(world, 'one'),
      'rolled again while its operator is killed': () => rollWithoutOperator(world, operator, 'two'),
      'scaled out': () => scale(world, 3),
      'scaled in': () => scale(world, 2),
    });
  });

  it('loses nothing while a task is stopped by hand and pods are deleted and evicted; a crash costs what was on its way', async (context) => {
    const { world, operator } = await worldOf(context, WEB);
    await loseNothing(world, {
      'a task stopped by hand': () => stopByHand(world),
      'a pod deleted': () => deletePod(world),
      'a pod evicted while no operator runs': () => evictWithoutOperator(world, operator),
    });

    const { history, stream } = world;
    const before = new Set(runningPods(history, 'web').map(({ metadata }) => metadata.uid));
    const crashed = await crashTask(world);
    const [replacement] = runningPods(history, 'web').filter(({ metadata }) => !before.has(metadata.uid));
    // It is among the endpoints later than the crashed one is out of them.
    const { answeredAt: outSince } = await stream.answerOf(replacement as Pod);
    const summary = await stream.end();
    const wereOnTheirWay = ({ task, startedAt }: Failure): boolean =>
      task === undefined ? startedAt < outSince : task === crashed.metadata.name;
    expect(stream.failures.filter((failure) => !wereOnTheirWay(failure))).toEqual([]);
    expect(summary.failures).toBe(stream.failures.length);
    const record = await history.until('its record', () => stoppedTaskOf(history.get('services', 'web'), crashed));
    expect(record).toMatchObject({
      stopCode: 'EssentialContainerExited',
      containers: [{ name: 'app', exitCode: 137 }],
    });
  });

  it('loses nothing of tasks whose one-shot container has ended, nor where a drain is longer than a pod waits by itself', async (context) => {
    const { world, operator } = await worldOf(context, {
      name: 'api',
      desiredCount: 2,
      delay: 18,
      containers: [shell('seed', 'exit 0', { essential: false })],
    });
    await loseNothing(world, {
      'rolled while its operator is killed': () => rollWithoutOperator(world, operator, 'one'),
      'a pod deleted': () => deletePod(world),
      "a task that fails its target group's check": () => failCheck(world),
    });
  });

  it('shows what is lost where a server ends at once on SIGTERM and its pod has no preStop sleep', async (context) => {
    const ns = await suite().namespace(context);
    const kubectl: TestNamespace['kubectl'] = (args, input) => ns.kubectl(args, input);
    await applyDeployment(kubectl, {
      name: 'hasty',
      replicas: 1,
      preStopSeconds: 0,
      environment: { GRACEFUL: 'no', START_AFTER_MS: '500' },
    });
    const stream = await streamTo(context, ns, 'hasty');
    expect(stream.failures).toEqual([]);
    const task = stream.servers[0]?.task;
    await ns.kubectl(['scale', 'deployment/hasty', '--replicas=0']);
    const cut = await Promise.race([stream.failureOf('slow keep-alive'), stream.failureOf('slow new connection')]);
    expect(cut).toMatchObject({ task, error: expect.stringContaining('cut off within the answer') });
    await Promise.all([stream.failureOf('new connection'), stream.failureOf('websocket')]);
    const summary = await stream.end();
    expect(summary.failures).toBe(stream.failures.length);
    expect(summary.answeredBy).toEqual({ [task ?? '']: summary.requests - summary.failures });
  });

  // After the others: its operator is one of all namespaces.
  it.sequential('loses nothing while a node is drained whose tasks may not go before others are healthy', async (context) => {
    const { world } = await worldOf(context, { ...WEB, minimumHealthyPercent: 100 }, true);
    await loseNothing(world, { 'a node drained': () => drainNode(world) });
    const reasons = world.history
      .get('services', 'web')
      ?.status?.stoppedTasks?.map(({ stoppedReason }) => stoppedReason);
    expect(new Set(reasons)).toEqual(new Set(['Task stopped because its container instance is in DRAINING state']));
  });
});
