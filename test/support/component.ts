import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { isRunning, startProcess } from '../../dev/cluster/processes.ts';
import { sleep } from '../../dev/cluster/run.ts';
import { type ProcessRecord, readState, writeState } from '../../dev/cluster/state.ts';

/** A process of a local cluster's control plane, to be killed and started again as it was. */
export class Component {
  readonly #dir: string;
  readonly #name: string;
  /** Program and arguments, none of which has a space in it. */
  readonly #command: readonly string[];

  constructor(dir: string, name: string) {
    this.#dir = dir;
    this.#name = name;
    this.#command = execFileSync('ps', ['-ww', '-o', 'args=', '-p', `${this.#record.pid}`], { encoding: 'utf8' })
      .trim()
      .split(' ');
  }

  /** Returns once it is gone. */
  async kill(): Promise<void> {
    const record = this.#record;
    process.kill(record.pid, 'SIGKILL');
    while (isRunning(record)) await sleep(10);
  }

  /** Starts it again; `down` of the cluster will end it. */
  start(): void {
    const record = this.#run(this.#name, this.#command);
    this.#update((processes) => processes.map((one) => (one.name === this.#name ? record : one)));
  }

  /** Another one beside it with some flags of its own, `--flag=value` each; `down` of the cluster will end it. */
  startTwin(name: string, flags: readonly string[]): void {
    const replaced = flags.map((flag) => flag.replace(/=.*/, '='));
    const kept = this.#command.filter((argument) => !replaced.some((flag) => argument.startsWith(flag)));
    const record = this.#run(name, [...kept, ...flags]);
    this.#update((processes) => [...processes, record]);
  }

  get #record(): ProcessRecord {
    const record = readState(this.#dir)?.processes.find(({ name }) => name === this.#name);
    if (record === undefined) throw new Error(`${this.#dir} has no ${this.#name}`);
    return record;
  }

  #run(name: string, [program = '', ...args]: readonly string[]): ProcessRecord {
    return startProcess({ name, program, args, log: join(this.#dir, 'logs', `${name}.log`) });
  }

  #update(change: (processes: readonly ProcessRecord[]) => readonly ProcessRecord[]): void {
    const state = readState(this.#dir);
    if (state !== undefined) writeState(this.#dir, { ...state, processes: change(state.processes) });
  }
}
