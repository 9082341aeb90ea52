/** `npm run array -- [--size 10000] [--kills 10]`: an array job at Batch's limit, its operator killed while it runs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runArray } from '../../test/support/array-run.ts';
import { KubeApi } from '../../test/support/kube-api.ts';
import { Operator } from '../../test/support/operator.ts';
import { cpuSeconds, peakRssMiB } from '../../test/support/process-usage.ts';
import { randomFrom } from '../../test/support/random.ts';
import { takingDown } from '../../test/support/take-down.ts';
import { down, up } from '../cluster/index.ts';
import { installKinds } from '../cluster/kinds.ts';
import { parseArrayOptions } from './options.ts';

const NAMESPACE = 'array';
/** As many simulated nodes as hold all pods at once. */
const PODS_A_NODE = 1000;

const options = parseArrayOptions(process.argv);
const dir = mkdtempSync(join(tmpdir(), 'lsh-array-'));
const say = (line: string): void => console.log(line);
let operator: Operator | undefined;
let api: KubeApi | undefined;

const { takeDown } = takingDown(async () => {
  await operator?.kill('SIGTERM');
  api?.close();
  await down(dir);
  rmSync(dir, { recursive: true, force: true });
});

async function run(): Promise<readonly string[]> {
  const { size, kills, accounting, seed, minutes } = options;
  say(`${size} children, accounting ${accounting}, ${kills} kills; --seed ${seed} repeats the moments`);
  const nodes = Math.max(3, Math.ceil(size / PODS_A_NODE) + 1);
  const cluster = await up({ dir, nodes: `kwok=${nodes}`, onProgress: say });
  await installKinds(cluster);
  api = new KubeApi(cluster.kubeconfig);
  await api.call('POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE } });
  await cluster.kubectl(['wait', '--for=create', '--timeout=60s', 'serviceaccount/default', '-n', NAMESPACE]);

  const usage = { peakRssMiB: 0, cpuSeconds: 0 };
  const start = async (): Promise<void> => {
    operator = new Operator({ kubeconfig: cluster.kubeconfig, log: join(dir, 'logs', 'operator.log') });
    await operator.ready();
  };
  const account = ({ pid }: Operator): void => {
    usage.peakRssMiB = Math.max(usage.peakRssMiB, peakRssMiB(pid));
    usage.cpuSeconds += cpuSeconds(pid);
  };
  const restart = async (): Promise<void> => {
    if (operator !== undefined) account(operator);
    await operator?.kill('SIGKILL');
    await start();
  };
  await start();
  const { record, seconds, violations } = await runArray({
    api,
    namespace: NAMESPACE,
    size,
    accounting,
    kills,
    random: randomFrom(seed),
    restart,
    timeoutMs: minutes * 60_000,
    say,
  });
  if (operator !== undefined) account(operator);
  const { succeededIndexes = '', failedIndexes = '', arrayProperties } = record.status ?? {};
  say(
    [
      '',
      `order → ${record.status?.status}: ${seconds.toFixed(1)} s`,
      `attempts: ${record.attempts.length}, of them failed: ${record.attempts.filter(({ ended }) => ended?.succeeded === false).length}`,
      `statusSummary: ${JSON.stringify(arrayProperties?.statusSummary)}`,
      `succeededIndexes: ${succeededIndexes.length} bytes, failedIndexes: ${failedIndexes.length} bytes`,
      `states of the job that were seen: ${record.statuses}`,
      `pods left: ${record.pods}`,
      `operator, all ${options.kills + 1} lives: peak RSS ${usage.peakRssMiB.toFixed(0)} MiB, CPU ${usage.cpuSeconds.toFixed(1)} s`,
    ].join('\n'),
  );
  return violations;
}

try {
  const violations = await run();
  for (const violation of violations) say(`✗ ${violation}`);
  if (violations.length === 0) say('✓ every child was counted once, as it ended');
  process.exitCode = violations.length === 0 ? 0 : 1;
} catch (error) {
  console.error(error);
  console.error(operator?.describe());
  process.exitCode = 1;
} finally {
  await takeDown();
}
