/** `npm run queues -- [--queues 20] [--jobs 1000]`: jobs that wait in queues, how fast they start, and an operator that is killed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { KubeApi } from '../../test/support/kube-api.ts';
import { Operator } from '../../test/support/operator.ts';
import { cpuSeconds, peakRssMiB } from '../../test/support/process-usage.ts';
import { runQueues } from '../../test/support/queue-run.ts';
import { down, up } from '../cluster/index.ts';
import { installKinds } from '../cluster/kinds.ts';
import { parseQueueOptions } from './options.ts';

const NAMESPACE = 'queues';

const options = parseQueueOptions(process.argv);
const dir = mkdtempSync(join(tmpdir(), 'lsh-queues-'));
const began = Date.now();
const say = (line: string): void => console.log(`${((Date.now() - began) / 1000).toFixed(0).padStart(5)} s  ${line}`);
let operator: Operator | undefined;
let api: KubeApi | undefined;

async function takeDown(): Promise<void> {
  await operator?.kill('SIGTERM');
  api?.close();
  await down(dir);
  rmSync(dir, { recursive: true, force: true });
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => void takeDown().finally(() => process.exit(130)));
}

const quantile = (sorted: readonly number[], part: number): string =>
  (sorted[Math.min(Math.floor(sorted.length * part), sorted.length - 1)] ?? NaN).toFixed(0);

function spread(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  return `p50 ${quantile(sorted, 0.5)} ms, p99 ${quantile(sorted, 0.99)} ms, most ${quantile(sorted, 1)} ms of ${times.length}`;
}

async function run(): Promise<readonly string[]> {
  const { queues, jobs, room, ends, probes, kills, minutes } = options;
  say(`${queues} queues of ${jobs} jobs, two environments of ${room} vCPU, ${kills} kills`);
  const cluster = await up({ dir, nodes: 'kwok=3', onProgress: say });
  await installKinds(cluster);
  api = new KubeApi(cluster.kubeconfig);
  await api.call('POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE } });
  await cluster.kubectl(['wait', '--for=create', '--timeout=60s', 'serviceaccount/default', '-n', NAMESPACE]);
  // Just after they were installed the API server may say that it is not ready for them: kubectl asks again.
  await cluster.kubectl(['get', 'batchjobs,jobqueues,computeenvironments', '-A']);

  const start = async (): Promise<void> => {
    operator = new Operator({ kubeconfig: cluster.kubeconfig, log: join(dir, 'logs', 'operator.log') });
    await operator.ready();
  };
  /** Until it has looked at every job again that it wrote the status of: what is measured then is a start, and not a backlog. */
  const settled = async (): Promise<void> => {
    while (operator !== undefined) {
      const metrics = await (await fetch(`http://127.0.0.1:${operator.healthPort}/metrics`)).text();
      const depth = /^workqueue_depth\{name="batchjob"\} (\d+)$/m.exec(metrics)?.[1];
      if (depth === '0') return;
      await delay(200);
    }
  };
  const usage = (): string =>
    operator === undefined
      ? ''
      : `peak RSS ${peakRssMiB(operator.pid).toFixed(0)} MiB, CPU ${cpuSeconds(operator.pid).toFixed(1)} s`;
  const { record, created, freed, violations } = await runQueues({
    api,
    namespace: NAMESPACE,
    queues,
    jobs,
    ceilings: [room, room],
    ends,
    kills,
    probes,
    restart: async () => {
      say(`operator: ${usage()}`);
      await operator?.kill('SIGKILL');
      await start();
    },
    submitted: start,
    waiting: async () => {
      say(`operator: ${usage()}`);
      await settled();
    },
    timeoutMs: minutes * 60_000,
    say,
  });
  say(`job asked for → its pod, with room: ${spread(created)}`);
  say(`pod ended → the next pod: ${spread(freed)}`);
  say(`operator: ${usage()}`);
  say(`most vCPUs in use at any resourceVersion: ${JSON.stringify(Object.fromEntries(record.most))}`);
  return violations;
}

try {
  const violations = await run();
  for (const violation of violations) say(`✗ ${violation}`);
  if (violations.length === 0) say('✓ no environment ever had more than its vCPUs, and no job started twice');
  process.exitCode = violations.length === 0 ? 0 : 1;
} catch (error) {
  console.error(error);
  console.error(operator?.describe().slice(-4000));
  process.exitCode = 1;
} finally {
  await takeDown();
}
