/** `npm run soak -- --minutes N`: random work for one operator, an idle end, and what all of it left behind. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writesOf } from '../../test/support/audit.ts';
import { KubeApi } from '../../test/support/kube-api.ts';
import { Operator } from '../../test/support/operator.ts';
import { randomFrom } from '../../test/support/random.ts';
import { Recorder } from '../../test/support/recorder.ts';
import { takingDown } from '../../test/support/take-down.ts';
import { down, up } from '../cluster/index.ts';
import { installKinds } from '../cluster/kinds.ts';
import { sleep } from '../cluster/run.ts';
import { type Reading, readMetrics } from './metrics.ts';
import { parseSoakOptions } from './options.ts';
import { problemsOf, type Row, readingText, rowText, spreadOf, tableOf } from './table.ts';
import { Round } from './work.ts';

const USER = 'soaking-operator';
/** Of each minute; the rest is for ends, and for a look at the operator at rest. */
const WORK_MS = 40_000;
const REST_MS = 5_000;
/** Counts of events are written by then. */
const SETTLE_MS = 15_000;
const MINUTE_MS = 60_000;
const MOST_IDLE_MINUTES = 10;

const options = parseSoakOptions(process.argv);
const dir = mkdtempSync(join(tmpdir(), 'lsh-soak-'));
let operator: Operator | undefined;
let api: KubeApi | undefined;

const { takeDown } = takingDown(async () => {
  await operator?.kill('SIGTERM');
  api?.close();
  await down(dir);
  rmSync(dir, { recursive: true, force: true });
});

const say = (line: string): void => console.log(line);

async function soak(): Promise<string[]> {
  const { minutes, seed } = options;
  say(`${minutes} minutes; --seed ${seed} repeats the choices`);
  const cluster = await up({ dir, nodes: 'kwok=3', audit: true, onProgress: say });
  await installKinds(cluster);
  api = new KubeApi(cluster.kubeconfig);
  const recorder = await Recorder.start(api);
  const kubeconfig = await cluster.userKubeconfig(USER, ['system:masters']);
  const running = new Operator({ kubeconfig, log: join(dir, 'logs', 'operator.log'), args: [] });
  operator = running;
  await running.ready();
  const read = (): Promise<Reading> => readMetrics(running.healthPort);

  const random = randomFrom(seed);
  const idleMs = Math.min(MOST_IDLE_MINUTES, minutes / 3) * MINUTE_MS;
  const began = Date.now();
  const workEnd = began + minutes * MINUTE_MS - idleMs;
  const rows: Row[] = [];
  const round = (name: string): Round => new Round(api as KubeApi, name, recorder.in(name), random);
  for (let number = 1; Date.now() < workEnd; number += 1) {
    const start = Date.now();
    const before = await read();
    const outcome = await round(`soak-${number}`).run(Math.min(WORK_MS, workEnd - start));
    const emptied = await read();
    await sleep(REST_MS);
    const after = await read();
    const row = { minute: (Date.now() - began) / MINUTE_MS, outcome, before, emptied, after };
    rows.push(row);
    say(rowText(row));
    const rest = Math.min(start + MINUTE_MS, workEnd) - Date.now();
    if (rest > 0) await sleep(rest);
  }

  const idle = round('soak-idle');
  await idle.open();
  await idle.settle();
  await sleep(SETTLE_MS);
  const from = Date.now();
  const before = await read();
  const atRest: Reading[] = [];
  for (const end = from + idleMs; Date.now() < end; ) {
    await sleep(Math.min(MINUTE_MS, end - Date.now()));
    const now = await read();
    atRest.push(now);
    const seconds = Math.round((Date.now() - from) / 1000);
    say(`idle: ${now.writes - before.writes} writes in ${seconds} s, ${readingText(now)}`);
  }
  const written = writesOf(join(dir, 'logs', 'audit.log'), USER, 'soak-idle').filter(({ at }) => at >= from);
  await idle.close();
  say(`\n${tableOf(rows)}\n`);
  say(`${spreadOf({ work: rows.map(({ after }) => after), idle: atRest })}\n`);
  say(`idle for ${(idleMs / MINUTE_MS).toFixed(1)} minutes beside 2 services and a job: ${written.length} writes`);
  return [...problemsOf(rows), ...written.map(({ verb, what }) => `${verb} ${what} while idle`)];
}

try {
  const problems = await soak();
  for (const problem of problems) say(`✗ ${problem}`);
  if (problems.length === 0) say('✓ nothing left behind, nothing grew, nothing written without cause');
  process.exitCode = problems.length === 0 ? 0 : 1;
} catch (error) {
  console.error(error);
  console.error(operator?.describe());
  process.exitCode = 1;
} finally {
  await takeDown();
}
