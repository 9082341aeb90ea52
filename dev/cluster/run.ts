import { type ChildProcess, spawn } from 'node:child_process';

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  /** The exit code; 127 when the program could not be started, 124 when it ran out of time. */
  readonly code: number;
}

export interface RunOptions {
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Milliseconds; default 60,000. */
  readonly timeout?: number;
  /** Called with each complete line of standard error as it arrives. */
  readonly onErrorLine?: (line: string) => void;
}

const running = new Set<ChildProcess>();
// A build must not go on when the one that asked for it is stopped.
process.on('exit', () => {
  for (const child of running) child.kill('SIGTERM');
});

/** Runs a program to its end and never throws: the caller judges the exit code. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    running.add(child);
    let stdout = '';
    let stderr = '';
    let rest = '';
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, options.timeout ?? 60_000);
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
      if (options.onErrorLine === undefined) return;
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) options.onErrorLine(line);
    });
    child.stdin.on('error', () => {}); // the program may end without reading its input
    child.stdin.end(options.input ?? '');
    child.on('error', (error) => {
      running.delete(child);
      clearTimeout(timer);
      resolve({ stdout, stderr: `${stderr}${error.message}`, code: 127 });
    });
    child.on('close', (code) => {
      running.delete(child);
      clearTimeout(timer);
      resolve({ stdout, stderr, code: timedOut ? 124 : (code ?? 1) });
    });
  });
}

/** Runs a program that must succeed; the error of one that does not carries its own words. */
export async function mustRun(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await run(program, args, options);
  if (result.code !== 0) {
    throw new Error(`${program} ${args.join(' ')} failed (${result.code}): ${(result.stderr || result.stdout).trim()}`);
  }
  return result.stdout;
}

export const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Asks again and again until the answer is neither undefined nor false; `what` names it in the error of a wait that ran out. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  options: { readonly timeout: number; readonly interval?: number },
): Promise<T> {
  const end = Date.now() + options.timeout;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > end) throw new Error(`${what}: not within ${Math.round(options.timeout / 1000)} s`);
    await sleep(options.interval ?? 50);
  }
}
