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
  const { state, node } = nodeOf(dir, name);
  await startAgain(dir, name, ['containerd', 'kubelet', 'kube-proxy'], async () => {
    await stopContainers({ ...state, real: { bridge: '', sysctls: {}, nodes: [node] } }, []);
    rmSync(node.socket, { force: true });
  });
}

/** The kubelet is killed and starts again with a changed configuration; its containers run on. */
export async function reconfigureKubelet(dir: string, name: string, change: object): Promise<void> {
  const file = join(nodeOf(dir, name).node.dir, 'kubelet.json');
  const config = { ...(JSON.parse(readFileSync(file, 'utf8')) as object), ...change };
  await startAgain(dir, name, ['kubelet'], () => writeFileSync(file, JSON.stringify(config, null, 2)));
}

async function startAgain(
  dir: string,
  name: string,
  programs: readonly string[],
  whileStopped: () => Promise<void> | void,
): Promise<void> {
  const { state, node, number } = nodeOf(dir, name);
  const own = programs.map((program) => `${program}-${number}`);
  const records = state.processes.filter((record) => own.includes(record.name));
  const commands = records.map((record) => ({ record, ...commandOf(record) }));
  await stopProcesses(records, 0);
  await whileStopped();
  for (const { record, program, args } of commands) {
    const started = startProcess({ name: record.name, program, args, log: record.log, netns: join(node.dir, 'netns') });
    replaceRecord(dir, started);
    if (record.name.startsWith('containerd'))
      await until(`containerd of ${name}`, () => isRunning(started) && existsSync(node.socket), { timeout: 60_000 });
  }
}

/** Read and written without a pause: tests do this to several nodes at a time. */
function replaceRecord(dir: string, started: ProcessRecord): void {
  const state = readState(dir);
  if (state === undefined) throw new Error(`the cluster in ${dir} was taken down`);
  const processes = state.processes.map((record) => (record.name === started.name ? started : record));
  writeState(dir, { ...state, processes });
}

/** As it was started: the kernel keeps it. */
function commandOf({ pid }: ProcessRecord): { program: string; args: string[] } {
  const [program = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  return { program, args };
}
