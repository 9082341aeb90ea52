/** `npm test`: types, lint, generated files, then every suite; prints one closing line. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, createReadStream, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { idleRights, readReports } from '../test/support/audited-rights.ts';
import { realNodePossible } from './cluster/index.ts';
import { ensureToolchain } from './cluster/toolchain.ts';
import { traefikProgram } from './gateway/index.ts';

const root = resolve(import.meta.dirname, '..');
const bin = (name: string): string => join(root, 'node_modules', '.bin', name);
/** Which rights the operators of each suite have used. */
const rights = mkdtempSync(join(tmpdir(), 'longshore-rights-'));
const total = { passed: 0, failed: 0, skipped: 0 };

function heading(text: string): void {
  console.log(`\n== ${text}`);
}

function run(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { cwd: root, stdio: 'inherit' }).status === 0;
}

/** A step of one verdict. */
function check(name: string, command: string, args: readonly string[]): void {
  heading(name);
  if (run(command, args)) total.passed++;
  else total.failed++;
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numFailedTestSuites: number;
}

interface Suites {
  readonly title: string;
  readonly folder: string;
  readonly process: ChildProcess;
  /** Where its output waits for its turn; absent where it is shown at once. */
  readonly output?: string;
}

const running = new Set<ChildProcess>();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    for (const child of running) child.kill(signal);
    process.exit(130);
  });
}

/** One run of Vitest. */
function start(title: string, selected: readonly string[], shown: boolean): Suites {
  const folder = mkdtempSync(join(tmpdir(), 'longshore-test-'));
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${join(folder, 'report.json')}`];
  const output = shown ? undefined : join(folder, 'output');
  const fd = output === undefined ? undefined : openSync(output, 'w');
  const child = spawn(bin('node'), [bin('vitest'), 'run', ...selected, ...reporters], {
    cwd: root,
    stdio: fd === undefined ? 'inherit' : ['ignore', fd, fd],
    env: { ...process.env, LONGSHORE_RIGHTS_REPORT: rights },
  });
  if (fd !== undefined) closeSync(fd);
  running.add(child);
  child.once('exit', () => running.delete(child));
  return { title, folder, process: child, ...(output !== undefined && { output }) };
}

async function ended({ process: child }: Suites): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/** A file that fails before its first test counts as one failure. */
async function finish(suites: Suites): Promise<void> {
  await ended(suites);
  const { title, folder, process: child, output } = suites;
  if (output !== undefined) {
    heading(title);
    for await (const chunk of createReadStream(output)) process.stdout.write(chunk);
  }
  try {
    const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as VitestReport;
    total.passed += report.numPassedTests;
    total.skipped += report.numPendingTests;
    total.failed += child.exitCode === 0 ? report.numFailedTests : Math.max(report.numFailedTests, 1);
  } catch {
    console.error(`${title}: no report was written`);
    total.failed++;
  }
  rmSync(folder, { recursive: true, force: true });
}

/** The role has no right that no test uses. */
function checkRights(): void {
  heading("rights of the operator's role");
  const idle = idleRights(readReports(rights));
  if (idle.length === 0) total.passed++;
  else {
    total.failed++;
    console.error(
      `no test has used these; take them out of dev/generate/rights.ts, or test what they are for:\n${idle.join('\n')}`,
    );
  }
}

const started = performance.now();
check('types', bin('tsc'), ['--noEmit']);
check('lint', bin('biome'), ['check', '--error-on-warnings', '.']);
check('generated files', bin('node'), [join(root, 'dev', 'generate', 'main.ts'), '--check']);
heading('unit, conformance, chaos');
const pure = ['unit', 'conformance', 'chaos'].flatMap((project) => ['--project', project]);
await finish(start('unit, conformance, chaos', pure, true));

heading('control plane');
await ensureToolchain((line) => console.log(line));
const { possible, why } = realNodePossible();
if (!possible) console.log(`\nThe tests on a real node are skipped: ${why}`);
const traefik = possible ? await traefikProgram((line) => console.log(line)) : undefined;
if (traefik !== undefined && 'why' in traefik) console.log(`\nThe tests through a gateway are skipped: ${traefik.why}`);
// These wait more than they compute, each on a cluster of its own: side by side they take as long as the longer one.
const IDLE = 'test/cluster/idle.test.ts';
const besides = async (): Promise<Suites[]> => {
  const runs: Suites[] = [];
  for (const [title, ...selected] of [
    ['node (real kubelet)', '--project', 'node'],
    ['cluster (KWOK), idle', '--project', 'cluster', IDLE],
  ] as const) {
    const suites = start(title, selected, false);
    await ended(suites);
    runs.push(suites);
  }
  return runs;
};
heading('cluster (KWOK); beside it, and shown after it, node (real kubelet)');
const beside = besides();
await finish(start('cluster (KWOK)', ['--project', 'cluster', '--exclude', IDLE], true));
for (const suites of await beside) await finish(suites);
if (possible && total.failed === 0) checkRights();
rmSync(rights, { recursive: true, force: true });

console.log(`\n${((performance.now() - started) / 60_000).toFixed(1)} minutes`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed === 0 ? 0 : 1);
