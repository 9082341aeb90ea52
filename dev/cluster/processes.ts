import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { sleep } from './run.ts';
import type { ProcessRecord } from './state.ts';

export interface ProcessSpec {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly log: string;
  readonly env?: NodeJS.ProcessEnv;
  /** A file that holds a network namespace to run in. */
  readonly netns?: string;
}

/** Starts a process that outlives this one, its output in a file. */
export function startProcess(spec: ProcessSpec): ProcessRecord {
  mkdirSync(dirname(spec.log), { recursive: true });
  const output = openSync(spec.log, 'a');
  try {
    // nsenter enters the network namespace only: `ip netns exec` would also remount /sys and hide the cgroups.
    const [program, ...args] =
      spec.netns === undefined
        ? [spec.program, ...spec.args]
        : ['nsenter', `--net=${spec.netns}`, '--', spec.program, ...spec.args];
    const child = spawn(program ?? '', args, {
      detached: true,
      stdio: ['ignore', output, output],
      env: spec.env ?? process.env,
    });
    child.on('error', () => {}); // seen below: no pid
    if (child.pid === undefined) throw new Error(`${spec.name}: ${program} could not be started`);
    child.unref();
    return { name: spec.name, pid: child.pid, start: startOf(child.pid) ?? '', log: spec.log };
  } finally {
    closeSync(output);
  }
}

/** When the process started, in the system's own words; undefined when it does not run. A zombie does not run. */
function startOf(pid: number): string | undefined {
  if (existsSync('/proc/self/stat')) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' ? undefined : fields[19];
    } catch {
      return undefined;
    }
  }
  const ps = spawnSync('ps', ['-o', 'lstart=', '-p', `${pid}`], { encoding: 'utf8' });
  return ps.status === 0 ? ps.stdout.trim() : undefined;
}

/** This process, as a record. */
export const ownRecord = (name: string): ProcessRecord => ({
  name,
  pid: process.pid,
  start: startOf(process.pid) ?? '',
  log: '',
});

export const isRunning = (record: ProcessRecord): boolean =>
  startOf(record.pid) === record.start && record.start !== '';

function signal(record: ProcessRecord, name: NodeJS.Signals): void {
  if (!isRunning(record)) return;
  try {
    process.kill(record.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** SIGTERM, then SIGKILL after `grace` milliseconds. Returns when the processes are gone. */
export async function stopProcesses(records: readonly ProcessRecord[], grace: number): Promise<void> {
  for (const record of records) signal(record, 'SIGTERM');
  await gone(records, grace);
  for (const record of records) signal(record, 'SIGKILL');
  await gone(records, 5_000);
}

async function gone(records: readonly ProcessRecord[], timeout: number): Promise<void> {
  for (const end = Date.now() + timeout; Date.now() < end; await sleep(20)) {
    if (!records.some(isRunning)) return;
  }
}

/** The last lines of a log: what a person needs to see why a component ended. */
export function logEnd(path: string, lines = 15): string {
  if (!existsSync(path)) return '(no log)';
  const text = readFileSync(path, 'utf8').trimEnd();
  return text === '' ? '(empty log)' : text.split('\n').slice(-lines).join('\n');
}

/** Throws, with the end of its log, when a component has ended by itself. */
export function assertRunning(records: readonly ProcessRecord[]): void {
  const dead = records.find((record) => !isRunning(record));
  if (dead !== undefined) {
    throw new Error(`${dead.name} (pid ${dead.pid}) has ended; the end of ${dead.log}:\n${logEnd(dead.log)}`);
  }
}
