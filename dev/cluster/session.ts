import { join } from 'node:path';
import { ownRecord, startProcess } from './processes.ts';
import type { ClusterState, ProcessRecord } from './state.ts';
import { writeState } from './state.ts';
import type { Toolchain } from './toolchain.ts';

/** One run of `up`: starts processes and writes each into the state file at once, so that nothing started is ever forgotten. */
export class Session {
  readonly dir: string;
  readonly tools: Toolchain;
  #state: ClusterState;

  constructor(dir: string, tools: Toolchain, nodes: string) {
    this.dir = dir;
    this.tools = tools;
    this.#state = {
      nodes,
      server: '',
      kubectl: tools.kubectl,
      complete: false,
      starter: ownRecord('up'),
      processes: [],
    };
    writeState(dir, this.#state);
  }

  get state(): ClusterState {
    return this.#state;
  }

  get processes(): readonly ProcessRecord[] {
    return this.#state.processes;
  }

  update(change: Partial<ClusterState>): void {
    this.#state = { ...this.#state, ...change };
    writeState(this.dir, this.#state);
  }

  start(
    name: string,
    program: string,
    args: readonly string[],
    where: { readonly netns?: string; readonly env?: NodeJS.ProcessEnv } = {},
  ): ProcessRecord {
    const record = startProcess({ name, program, args, log: join(this.dir, 'logs', `${name}.log`), ...where });
    this.update({ processes: [...this.#state.processes, record] });
    return record;
  }
}
