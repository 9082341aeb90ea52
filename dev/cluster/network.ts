import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import { mustRun, run } from './run.ts';
import type { Session } from './session.ts';

/**
 * The network of a cluster with real nodes. Every node has a network namespace of its own, so that its pods' interfaces
 * and kube-proxy's rules never touch the machine's, and go with it. A bridge joins the nodes and the machine:
 *
 *   10.n.255.1      the machine, on the bridge lsh<n>; the API server listens here
 *   10.n.255.1x     node x's eth0
 *   10.n.255.1xx    a client that joined
 *   10.n.x.0/24     the pods of node x
 *   10.n.128.0/18   Services; from the machine too, by way of node 1
 */
export interface NodeNetwork {
  readonly bridge: string;
  readonly address: string;
  readonly serviceCidr: string;
  readonly podCidr: string;
  readonly index: number;
}

export interface NodePlace {
  readonly name: string;
  readonly dir: string;
  readonly address: string;
  readonly podCidr: string;
  /** The file that holds the node's network namespace. */
  readonly netns: string;
}

const first = 200;
const last = 249;

/** Takes a range that nothing on this machine uses; making its bridge is what decides between two clusters. */
export async function claimNetwork(session: Session): Promise<NodeNetwork> {
  const used = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  for (let index = first; index <= last; index += 1) {
    if (used.some(({ address }) => address.startsWith(`10.${index}.`))) continue;
    const bridge = `lsh${index}`;
    if ((await run('ip', ['link', 'add', bridge, 'type', 'bridge'])).code !== 0) continue;
    session.update({ real: { bridge, nodes: [], sysctls: {} } });
    const address = `10.${index}.255.1`;
    await mustRun('ip', ['address', 'add', `${address}/24`, 'dev', bridge]);
    await mustRun('ip', ['link', 'set', bridge, 'up']);
    return { bridge, address, serviceCidr: `10.${index}.128.0/18`, podCidr: `10.${index}.0.0/17`, index };
  }
  throw new Error(`no free address range from 10.${first}.0.0/16 to 10.${last}.0.0/16, or no right to make a bridge`);
}

/** The longest path below a node's folder is a socket, and the kernel allows 107 characters for one. */
const LONGEST_CLUSTER_DIR = 72;

/** A node's folder: below the cluster's, or beside the machine's other state where that path is too long for sockets. */
function nodeDir(clusterDir: string, number: number): string {
  if (clusterDir.length <= LONGEST_CLUSTER_DIR) return join(clusterDir, `node-${number}`);
  const hash = createHash('sha256').update(clusterDir).digest('hex').slice(0, 8);
  return `/var/lib/longshore-${hash}-node-${number}`;
}

export function placeOf(session: Session, network: NodeNetwork, number: number): NodePlace {
  const dir = nodeDir(session.dir, number);
  return {
    name: `real-${number}`,
    dir,
    address: `10.${network.index}.255.${10 + number}`,
    podCidr: `10.${network.index}.${number}.0/24`,
    netns: join(dir, 'netns'),
  };
}

/** Makes the nodes' network namespaces and joins them. */
export async function connectNodes(network: NodeNetwork, places: readonly NodePlace[]): Promise<void> {
  for (const [position, { netns, address }] of places.entries()) {
    mkdirSync(dirname(netns), { recursive: true });
    writeFileSync(netns, '');
    // A file below the cluster's folder, not `ip netns add`: that would leave a mount of /run/netns behind for ever.
    await mustRun('unshare', [`--net=${netns}`, 'true']);
    const port = `${network.bridge}p${position + 1}`;
    await mustRun('ip', ['link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', netns]);
    await mustRun('ip', ['link', 'set', port, 'master', network.bridge, 'up']);
    const inside = (...args: string[]) => mustRun('nsenter', [`--net=${netns}`, '--', ...args]);
    await inside('ip', 'link', 'set', 'lo', 'up');
    await inside('ip', 'address', 'add', `${address}/24`, 'dev', 'eth0');
    await inside('ip', 'link', 'set', 'eth0', 'up');
    await inside('ip', 'route', 'add', 'default', 'via', network.address);
    await inside('sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward');
  }
  for (const place of places) {
    await mustRun('ip', ['route', 'add', place.podCidr, 'via', place.address]);
    for (const other of places) {
      if (other === place) continue;
      await mustRun('nsenter', [
        `--net=${other.netns}`,
        '--',
        'ip',
        'route',
        'add',
        place.podCidr,
        'via',
        place.address,
      ]);
    }
  }
  const [one] = places;
  if (one !== undefined) await mustRun('ip', ['route', 'add', network.serviceCidr, 'via', one.address]);
}

const firstClient = 100;
const lastClient = 199;

/**
 * Gives a process that has a network namespace of its own (`unshare --net`) an interface in the network of a cluster: a
 * machine beside the nodes, which reaches Services by way of node 1. It goes with the process.
 * @param bridge of the cluster's network.
 * @returns its address.
 */
export async function joinNetwork(bridge: string, pid: number): Promise<string> {
  const index = Number(bridge.slice('lsh'.length));
  for (let client = firstClient; client <= lastClient; client += 1) {
    const port = `${bridge}c${client}`;
    const made = await run('ip', ['link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', `${pid}`]);
    if (made.code !== 0 && existsSync(`/sys/class/net/${port}`)) continue;
    if (made.code !== 0) throw new Error(`no interface for process ${pid}: ${made.stderr.trim()}`);
    await mustRun('ip', ['link', 'set', port, 'master', bridge, 'up']);
    const address = `10.${index}.255.${client}`;
    const inside = (...args: string[]) => mustRun('nsenter', [`--net=/proc/${pid}/ns/net`, '--', 'ip', ...args]);
    await inside('link', 'set', 'lo', 'up');
    await inside('address', 'add', `${address}/24`, 'dev', 'eth0');
    await inside('link', 'set', 'eth0', 'up');
    await inside('route', 'add', `10.${index}.128.0/18`, 'via', `10.${index}.255.11`);
    return address;
  }
  throw new Error(`${bridge} has ${lastClient - firstClient + 1} clients already`);
}
