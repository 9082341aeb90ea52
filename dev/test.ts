/** `npm test`: types, lint, generated files, then every suite; prints one closing line. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { realNodePossible } from './cluster/index.ts';
import { ensureToolchain } from './cluster/toolchain.ts';

const root = resolve(import.meta.dirname, '..');
const bin = (name: string): string => join(root, 'node_modules', '.bin', name);
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

/** Vitest projects in one run. A file that fails before its first test counts as one failure. */
function suites(title: string, ...projects: readonly string[]): void {
  heading(title);
  const folder = mkdtempSync(join(tmpdir(), 'longshore-test-'));
  const file = join(folder, 'report.json');
  const selected = projects.flatMap((project) => ['--project', project]);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const succeeded = run(bin('node'), [bin('vitest'), 'run', ...selected, ...reporters]);
  try {
    const report = JSON.parse(readFileSync(file, 'utf8')) as VitestReport;
    total.passed += report.numPassedTests;
    total.skipped += report.numPendingTests;
    total.failed += succeeded ? report.numFailedTests : Math.max(report.numFailedTests, 1);
  } catch {
    console.error(`${title}: no report was written`);
    total.failed++;
  }
  rmSync(folder, { recursive: true, force: true });
}

const started = performance.now();
check('types', bin('tsc'), ['--noEmit']);
check('lint', bin('biome'), ['check', '--error-on-warnings', '.']);
check('generated files', bin('node'), [join(root, 'dev', 'generate', 'main.ts'), '--check']);
suites('unit, conformance, chaos', 'unit', 'conformance', 'chaos');

heading('control plane');
await ensureToolchain((line) => console.log(line));
suites('cluster (KWOK)', 'cluster');
const { possible, why } = realNodePossible();
if (!possible) console.log(`\nThe tests on a real node are skipped: ${why}`);
suites('node (real kubelet)', 'node');

console.log(`\n${((performance.now() - started) / 60_000).toFixed(1)} minutes`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed === 0 ? 0 : 1);
