import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { cgroupProcesses, removeCgroup } from './cgroups.ts';
import { stopProcesses } from './processes.ts';
import { run, sleep } from './run.ts';
import type { ClusterState, NodeRecord, ProcessRecord } from './state.ts';
import { restoreSysctls } from './sysctls.ts';

/** Ends the containers of the real nodes. Their kubelets have been stopped already, or they would start them again. */
export async function stopContainers(state: ClusterState, containerd: readonly ProcessRecord[]): Promise<void> {
  await stopProcesses(containerd, 3_000);
  for (const node of state.real?.nodes ?? []) {
    // A shim outlives its containerd on purpose. Both kinds are found by what is only this node's: group and socket.
    await killAll(() => [...cgroupProcesses(node.cgroup), ...shims(node)]);
  }
}

async function killAll(find: () => readonly number[]): Promise<void> {
  for (const end = Date.now() + 10_000; Date.now() < end; await sleep(20)) {
    const pids = find();
    if (pids.length === 0) return;
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
  }
}

function shims(node: NodeRecord): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return args[0]?.includes('containerd-shim') === true && args.includes(node.socket);
      } catch {
        return false; // it ended while we looked
      }
    })
    .map(Number);
}

/** Gives back mounts, network namespaces, interfaces and control groups. */
export async function releaseNodes(state: ClusterState): Promise<void> {
  if (state.real === undefined) return;
  for (const node of state.real.nodes) removeShimSockets(node);
  for (const [position, node] of state.real.nodes.entries()) {
    await removeLink(`${state.real.bridge}p${position + 1}`);
    await unmountBelow(node.dir);
    removeCgroup(node.cgroup);
    removeLogLinks(node);
    removeNetworkRecords(node);
  }
  await removeLink(state.real.bridge);
  // The kubelets of another cluster would miss these settings.
  const others = Object.keys(networkInterfaces()).some((name) => /^lsh\d+$/.test(name));
  if (!others) restoreSysctls(state.real.sysctls);
}

async function removeLink(name: string): Promise<void> {
  if (existsSync(`/sys/class/net/${name}`)) await run('ip', ['link', 'delete', name]);
}

async function unmountBelow(dir: string): Promise<void> {
  const inner = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => (line.split(' ')[4] ?? '').replaceAll('\\040', ' '))
    .filter((path) => path.startsWith(`${dir}/`))
    .reverse(); // the last mounted first
  for (const path of inner) {
    if ((await run('umount', [path])).code !== 0) await run('umount', ['--lazy', path]);
  }
}

/** Shims keep their sockets outside of containerd's own folders; one that was killed leaves it there. */
function removeShimSockets(node: NodeRecord): void {
  const tasks = join(node.dir, 'run', 'io.containerd.runtime.v2.task', 'k8s.io');
  if (!existsSync(tasks)) return;
  for (const id of readdirSync(tasks)) {
    const file = join(tasks, id, 'address');
    if (existsSync(file)) rmSync(readFileSync(file, 'utf8').replace('unix://', ''), { force: true });
  }
}

/** The kubelet links each container's log from /var/log/containers, wherever the log itself is. */
function removeLogLinks(node: NodeRecord): void {
  const links = '/var/log/containers';
  if (!existsSync(links)) return;
  for (const name of readdirSync(links)) {
    const path = join(links, name);
    if (readlinkSync(path).startsWith(`${node.dir}/`)) rmSync(path, { force: true });
  }
}

/** CNI's notes on pods whose interfaces went with the network namespace, not by its own hand. */
function removeNetworkRecords(node: NodeRecord): void {
  const results = '/var/lib/cni/results';
  if (!existsSync(results)) return;
  const prefix = `${node.network}-`;
  const names = readdirSync(results);
  const pods = names
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length).split('-')[0] ?? name);
  for (const name of names) {
    if (pods.some((pod) => name.includes(pod))) rmSync(join(results, name), { force: true });
  }
}
