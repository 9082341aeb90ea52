import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A process that belongs to the cluster. A pid alone is not enough to kill by: the kernel gives it to others later. */
export interface ProcessRecord {
  readonly name: string;
  readonly pid: number;
  /** What the system says of the process's start; the same pid with another start is another process. */
  readonly start: string;
  readonly log: string;
}

/** What of the machine a real node occupies, for `down` to give back. */
export interface NodeRecord {
  readonly name: string;
  /** Everything of the node is below this folder: mounts, sockets, container file systems. */
  readonly dir: string;
  readonly cgroup: string;
  /** containerd's socket, which is in the command line of each of its shims. */
  readonly socket: string;
  /** The name of its pods' network. */
  readonly network: string;
}

/** `<dir>/state.json`: written before and after each step, so that a half-made cluster can be taken down too. */
export interface ClusterState {
  readonly nodes: string;
  readonly server: string;
  readonly kubectl: string;
  /** False until `up` saw everything ready. */
  readonly complete: boolean;
  /** The `up` that started it. */
  readonly starter: ProcessRecord;
  /** In the order of their start; stopped in the reverse order. */
  readonly processes: readonly ProcessRecord[];
  readonly real?: {
    readonly bridge: string;
    readonly nodes: readonly NodeRecord[];
    readonly sysctls: Record<string, string>;
  };
}

const file = (dir: string) => join(dir, 'state.json');

export function readState(dir: string): ClusterState | undefined {
  if (!existsSync(file(dir))) return undefined;
  return JSON.parse(readFileSync(file(dir), 'utf8')) as ClusterState;
}

export function writeState(dir: string, state: ClusterState): void {
  mkdirSync(dir, { recursive: true });
  const half = `${file(dir)}.${process.pid}`;
  writeFileSync(half, `${JSON.stringify(state, null, 2)}\n`);
  renameSync(half, file(dir));
}

export function removeState(dir: string): void {
  rmSync(file(dir), { force: true });
}
