/**
 * What a client loses while what answers it is rolled: `npm run bench -- traffic [--rolls 20] [--replicas 3] [--delay 15]`, on two
 * real nodes of this machine. A stream of requests comes through the core Service from a network namespace of its own.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { up } from '../../dev/cluster/index.ts';
import { ensureTrafficServer } from '../../dev/cluster/traffic-server.ts';
import { type Failure, type Summary, TrafficStream } from '../support/traffic.ts';
import { applyDeployment, clusterIpOf, kubectlOf, rollDeployment } from '../support/traffic-deployment.ts';

const { values } = parseArgs({
  options: {
    rolls: { type: 'string', default: '20' },
    replicas: { type: 'string', default: '3' },
    delay: { type: 'string', default: '15' },
  },
});
const [rolls, replicas, delay] = [Number(values.rolls), Number(values.replicas), Number(values.delay)];
const MOST_SECONDS = 3600;

interface Outcome {
  readonly subject: string;
  readonly summary: Summary;
  readonly failures: readonly Failure[];
}

const dir = mkdtempSync(join(tmpdir(), 'lsh-'));
await ensureTrafficServer();
const cluster = await up({ dir, nodes: 'real=2', onProgress: (line) => console.error(line) });
const kubectl = kubectlOf(cluster, 'default');

async function deployment(subject: string, name: string, preStopSeconds: number): Promise<Outcome> {
  await applyDeployment(kubectl, { name, replicas, preStopSeconds, environment: { START_AFTER_MS: '500' } });
  const host = await clusterIpOf(kubectl, name);
  const stream = await TrafficStream.start(dir, { host, port: 80, seconds: MOST_SECONDS });
  for (let roll = 1; roll <= rolls; roll += 1) {
    await rollDeployment(kubectl, name);
    console.error(`${subject}: roll ${roll} of ${rolls}, ${stream.failures.length} failures so far`);
  }
  const summary = await stream.end();
  await kubectl(['delete', `deployment/${name}`]);
  return { subject, summary, failures: stream.failures };
}

function print(outcomes: readonly Outcome[]): void {
  const titles = ['', 'rolls', 'requests', 'failures', 'repeats', 'p50 (ms)', 'p99 (ms)', 'slowest (ms)', 'tasks'];
  const rows = outcomes.map(({ subject, summary }) => [
    subject,
    rolls,
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
  print([
    await deployment('Deployment without preStop', 'bare', 0),
    await deployment(`Deployment, preStop sleep of ${delay} s`, 'sleeps', delay),
  ]);
} finally {
  await cluster.down();
  rmSync(dir, { recursive: true, force: true });
}
