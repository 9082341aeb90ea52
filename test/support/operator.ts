import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { type Source, until } from './until.ts';

const root = resolve(import.meta.dirname, '..', '..');

export interface OperatorOptions {
  readonly kubeconfig: string;
  /** File that its log is added to. */
  readonly log: string;
  /** Besides `--health-port 0`; default `--no-leader-elect`. */
  readonly args?: readonly string[];
  /** Of Node itself, such as `--cpu-prof`. */
  readonly nodeArgs?: readonly string[];
  /** Another checkout of this repository whose operator it is. */
  readonly checkout?: string;
  /** What Node runs; default: src/main.ts of the checkout. */
  readonly program?: string;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** The operator as users run it: a process of its own. */
export class Operator implements Source {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #closed: Promise<unknown>;
  #ended = false;

  constructor({
    kubeconfig,
    log,
    args = ['--no-leader-elect'],
    nodeArgs = [],
    checkout = root,
    program,
  }: OperatorOptions) {
    const file = createWriteStream(log, { flags: 'a' });
    this.#child = spawn(
      join(root, 'node_modules', '.bin', 'node'),
      [
        '--disable-warning=ExperimentalWarning',
        ...nodeArgs,
        program ?? join(checkout, 'src', 'main.ts'),
        '--kubeconfig',
        kubeconfig,
        '--health-port',
        '0',
        ...args,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    running.add(this.#child);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        this.#lines.push(line);
        file.write(`${line}\n`);
        for (const listener of this.#listeners) listener();
      });
    }
    this.#closed = once(this.#child, 'close').then(() => {
      this.#ended = true;
      running.delete(this.#child);
      file.end();
      for (const listener of this.#listeners) listener();
    });
  }

  /** Returns once its caches are complete and it reconciles. */
  ready(): Promise<void> {
    return this.logged('caches are complete');
  }

  /** Returns once a line of its log has the text. @throws Error where it ends before. */
  async logged(text: string, timeoutMs = 60_000): Promise<void> {
    await until(
      this,
      `the operator to log "${text}"`,
      () => {
        if (this.#lines.some((line) => line.includes(text))) return true;
        if (this.#ended) throw new Error(`the operator has ended:\n${this.describe()}`);
        return false;
      },
      timeoutMs,
    );
  }

  /** Returns once the process is gone. */
  async kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.#child.kill(signal);
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 20_000);
    await this.#closed;
    clearTimeout(late);
  }

  /** Stops the process where it stands, or lets it go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal);
  }

  /** @returns its exit code once it has ended; null where a signal ended it. */
  async ended(): Promise<number | null> {
    await this.#closed;
    return this.#child.exitCode;
  }

  /** When it began to reconcile, once it has: epoch milliseconds. */
  get readyAt(): number {
    const line = this.#lines.find((text) => text.includes('caches are complete')) ?? '{}';
    return Date.parse((JSON.parse(line) as { time?: string }).time ?? '');
  }

  get pid(): number {
    return this.#child.pid ?? Number.NaN;
  }

  /** Where it serves /livez, /readyz and /metrics, once it has said so. */
  get healthPort(): number {
    const line = this.#lines.find((text) => text.includes('longshore starts')) ?? '{}';
    const { healthPort } = JSON.parse(line) as { healthPort?: number };
    if (healthPort === undefined) throw new Error(`the operator has not started:\n${this.describe()}`);
    return healthPort;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The end of its log, of the lines that name `about` if given. */
  describe(about = ''): string {
    return this.#lines
      .filter((line) => line.includes(about))
      .slice(-25)
      .map((line) => line.slice(0, 500))
      .join('\n');
  }
}
