/** The operator as a process of its own: it outlives the demo where that is asked for. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning, logEnd, startProcess, stopProcesses } from '../cluster/processes.ts';
import type { ProcessRecord } from '../cluster/state.ts';
import type { Environment, Say } from './environment.ts';

export interface OperatorProcess {
  readonly pid: number;
  readonly log: string;
  /** Rejects, with the end of its log, when the operator ends by itself. */
  readonly ended: Promise<never>;
  stop(): Promise<void>;
}

const WATCHDOG_MS = 500;

/** Starts the operator of this work tree, in place of one that an earlier demo has left. */
export async function startOperator({ cluster }: Environment, root: string, say: Say): Promise<OperatorProcess> {
  const file = join(cluster.dir, 'operator.json');
  if (existsSync(file)) {
    const earlier = JSON.parse(readFileSync(file, 'utf8')) as ProcessRecord;
    if (isRunning(earlier)) say(`stopping the operator of an earlier demo (pid ${earlier.pid})`);
    await stopProcesses([earlier], 10_000);
  }
  const record = startProcess({
    name: 'operator',
    program: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', join(root, 'src', 'main.ts'), '--health-port', '0'],
    log: join(cluster.dir, 'logs', 'operator.log'),
    env: { ...process.env, KUBECONFIG: cluster.kubeconfig },
  });
  writeFileSync(file, JSON.stringify(record));
  let watchdog: NodeJS.Timeout | undefined;
  const ended = new Promise<never>((_, reject) => {
    watchdog = setInterval(() => {
      if (isRunning(record)) return;
      clearInterval(watchdog);
      reject(new Error(`the operator has ended; the end of ${record.log}:\n${logEnd(record.log)}`));
    }, WATCHDOG_MS);
    watchdog.unref();
  });
  ended.catch(() => {}); // whoever waits for something races with it; nobody may wait just now
  return {
    pid: record.pid,
    log: record.log,
    ended,
    stop: async () => {
      clearInterval(watchdog);
      await stopProcesses([record], 10_000);
      rmSync(file, { force: true });
    },
  };
}
