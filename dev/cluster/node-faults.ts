/** What a test does to a real node: takes its network away, kills all that runs on it, starts it again. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupProcesses } from './cgroups.ts';
import { isRunning, startProcess, stopProcesses } from './processes.ts';
import { stopContainers } from './real-node-end.ts';
import { mustRun, until } from './run.ts';
import { type ClusterState, type NodeRecord, type ProcessRecord, readState, writeState } from './state.ts';

function nodeOf(dir: string, name: string): { state: ClusterState; node: NodeRecord; number: number } {
  const state = readState(dir);
  const index = state?.real?.nodes.findIndex((node) => node.name === name) ?? -1;
  const node = state?.real?.nodes[index];
  if (state === undefined || node === undefined) throw new Error(`the cluster in ${dir} has no real node ${name}`);
  return { state, node, number: index + 1 };
}

/** Nothing comes from the node or goes to it any more; its kubelet and its containers run on. */
export const cutOff = (dir: string, name: string): Promise<unknown> => setLink(dir, name, 'down');

export const reconnect = (dir: string, name: string): Promise<unknown> => setLink(dir, name, 'up');

function setLink(dir: string, name: string, to: 'up' | 'down'): Promise<unknown> {
  const { state, number } = nodeOf(dir, name);
  return mustRun('ip', ['link', 'set', `${state.real?.bridge}p${number}`, to]);
}

/** The processes of a pod's containers, its pause container included. */
export function podProcesses(dir: string, name: string, podUid: string): number[] {
  const { node } = nodeOf(dir, name);
  const groups = ['', 'burstable', 'besteffort'].map((quality) => join(node.cgroup, 'kubepods', quality));
  return groups.flatMap((group) => cgroupProcesses(join(group, `pod${podUid}`)));
}

/** Everything on the node is killed at once, as when its power fails, and starts again as it was. */
export async function reboot(dir: string, name: string): Promise<void> {
  const { state, node, number } = nodeOf(dir, name);
  const own = ['containerd', 'kubelet', 'kube-proxy'].map((program) => `${program}-${number}`);
  const records = state.processes.filter((record) => own.includes(record.name) && isRunning(record));
  const commands = records.map((record) => ({ record, ...commandOf(record) }));
  await stopProcesses(records, 0);
  await stopContainers({ ...state, real: { bridge: '', sysctls: {}, nodes: [node] } }, []);
  rmSync(node.socket, { force: true });
  const started: ProcessRecord[] = [];
  for (const { record, program, args } of commands) {
    const again = startProcess({
      name: record.name,
      program,
      args,
      log: record.log,
      netns: join(node.dir, 'netns'),
    });
    started.push(again);
    const processes = state.processes.map((old) => started.find((now) => now.name === old.name) ?? old);
    writeState(dir, { ...state, processes });
    if (record.name.startsWith('containerd'))
      await until(`containerd of ${name}`, () => isRunning(again) && existsSync(node.socket), { timeout: 60_000 });
  }
}

/** As it was started: the kernel keeps it. */
function commandOf({ pid }: ProcessRecord): { program: string; args: string[] } {
  const [program = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  return { program, args };
}

/** Changes what the kubelet was told at its start; it obeys when it is started again. */
export function configureKubelet(dir: string, name: string, change: object): void {
  const file = join(nodeOf(dir, name).node.dir, 'kubelet.json');
  writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), ...change }, null, 2));
}
