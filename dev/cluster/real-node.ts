import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Authority } from './certificates.ts';
import { cgroupsUsable, makeCgroup } from './cgroups.ts';
import { busyboxPath } from './images.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { connectNodes, type NodeNetwork, type NodePlace, placeOf } from './network.ts';
import { networkOf, socketOf, writeContainerdConfig, writeKubeletConfig, writeKubeProxyConfig } from './node-config.ts';
import type { ClusterOptions } from './options.ts';
import { freePort } from './ports.ts';
import { assertRunning } from './processes.ts';
import { run, until } from './run.ts';
import type { Session } from './session.ts';
import { readSysctls } from './sysctls.ts';

const packages = ['containerd', 'runc', 'containernetworking-plugins', 'busybox-static', 'iptables', 'iproute2'];

const missingPrograms = (): string[] => [
  ...['containerd', 'runc', 'iptables', 'ip', 'nsenter', 'unshare'].filter(
    (name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0,
  ),
  ...(existsSync('/usr/lib/cni/ptp') ? [] : ['/usr/lib/cni/ptp']),
  ...(busyboxPath() === undefined ? ['a static busybox'] : []),
];

let answer: { possible: boolean; why: string } | undefined;

/** Whether containers can run here. `why` says what is missing, and how to get it. */
export function realNodePossible(): { possible: boolean; why: string } {
  answer ??= judge();
  return answer;
}

function judge(): { possible: boolean; why: string } {
  const no = (why: string) => ({ possible: false, why });
  if (process.platform !== 'linux') return no('real nodes need Linux; use --nodes kwok=N, or a Linux virtual machine');
  if (process.getuid?.() !== 0)
    return no('real nodes need root: run the same command with sudo, or use --nodes kwok=N');
  const missing = missingPrograms();
  if (missing.length > 0 && spawnSync('sh', ['-c', 'command -v apt-get']).status !== 0) {
    return no(`real nodes need ${missing.join(', ')}: install what your distribution calls ${packages.join(', ')}`);
  }
  if (spawnSync('unshare', ['--net', '--mount', 'true']).status !== 0) {
    return no('network and mount namespaces cannot be made here; in a container, it has to be a privileged one');
  }
  if (!cgroupsUsable())
    return no('no control group can be made below /sys/fs/cgroup; in a container, it has to be a privileged one');
  return { possible: true, why: '' };
}

/** Installs what Debian packages for a node, saying so. */
export async function installPackages(say: (line: string) => void): Promise<void> {
  const missing = missingPrograms();
  if (missing.length === 0) return;
  say(`real nodes need ${missing.join(', ')}: installing ${packages.join(' ')} with apt-get`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // Another installation may be at work: of a second cluster, or the machine's own.
  const install = ['install', '--yes', '--no-install-recommends', '--option=DPkg::Lock::Timeout=300', ...packages];
  let result = await run('apt-get', install, { env, timeout: 600_000 });
  if (result.code !== 0) {
    await run('apt-get', ['update'], { env, timeout: 300_000 }); // the list may be old, or was never fetched
    result = await run('apt-get', install, { env, timeout: 600_000 });
  }
  if (result.code !== 0) {
    throw new Error(
      `apt-get ${install.join(' ')} failed; its last words:\n${(result.stdout + result.stderr).trim().slice(-2_000)}`,
    );
  }
}

/** Starts the image registry and `count` nodes: containerd, kubelet and kube-proxy each in the node's own network. */
export async function startRealNodes(
  session: Session,
  authority: Authority,
  network: NodeNetwork,
  count: number,
  { programs, nodeMonitorGraceSeconds }: ClusterOptions,
): Promise<void> {
  const places = Array.from({ length: count }, (_, position) => placeOf(session, network, position + 1));
  const cgroup = (place: NodePlace) => `longshore-${network.index}-${place.name}`;
  session.update({
    real: {
      bridge: network.bridge,
      nodes: places.map((place) => ({
        name: place.name,
        dir: place.dir,
        cgroup: cgroup(place),
        socket: socketOf(place),
        network: networkOf(place),
      })),
      sysctls: readSysctls(),
    },
  });
  for (const place of places) mkdirSync(place.dir, { recursive: true });
  await connectNodes(network, places);

  const port = await freePort(network.address);
  const script = join(import.meta.dirname, 'registry.ts');
  session.start('registry', nodeProgram(), [
    '--disable-warning=ExperimentalWarning',
    script,
    network.address,
    `${port}`,
    ...(programs === undefined ? [] : [programs]),
  ]);
  for (const place of places) {
    makeCgroup(cgroup(place));
    const registry = `http://${network.address}:${port}`;
    await startNode(session, authority, network, place, registry, cgroup(place), nodeMonitorGraceSeconds);
  }
}

/** The project's own Node: the one that runs this may be a test runner's, too old for TypeScript. */
function nodeProgram(): string {
  const own = resolve(import.meta.dirname, '..', '..', 'node_modules', '.bin', 'node');
  return existsSync(own) ? own : process.execPath;
}

async function startNode(
  session: Session,
  authority: Authority,
  network: NodeNetwork,
  place: NodePlace,
  registry: string,
  cgroup: string,
  graceSeconds?: number,
): Promise<void> {
  const { name, address, dir, netns } = place;
  const { tools } = session;
  const number = name.slice('real-'.length);
  const server = session.state.server;
  const kubelet = join(session.dir, 'config', `${name}.kubeconfig`);
  const proxy = join(session.dir, 'config', 'kube-proxy.kubeconfig');
  await writeKubeconfig(kubelet, authority, server, { user: `system:node:${name}`, groups: ['system:nodes'] });
  await writeKubeconfig(proxy, authority, server, { user: 'system:kube-proxy' });
  const serving = await authority.issue(name, {
    user: `system:node:${name}`,
    groups: ['system:nodes'],
    hosts: [address, name],
  });

  session.start(`containerd-${number}`, 'containerd', [`--config=${writeContainerdConfig(place, registry)}`], {
    netns,
  });
  await until(
    `containerd of ${name}`,
    () => {
      assertRunning(session.processes);
      return existsSync(socketOf(place));
    },
    { timeout: 20_000 },
  );
  session.start(
    `kubelet-${number}`,
    tools.kubelet,
    [
      `--config=${writeKubeletConfig(place, { clientCa: authority.ca.cert, serving, cgroup, machine: network.address, graceSeconds })}`,
      `--kubeconfig=${kubelet}`,
      `--root-dir=${join(dir, 'kubelet')}`,
      `--cert-dir=${join(dir, 'kubelet-pki')}`,
      `--hostname-override=${name}`,
      `--node-ip=${address}`,
      `--node-labels=longshore.dev/node=real,topology.kubernetes.io/region=local,topology.kubernetes.io/zone=local-${'abcd'[Number(number) - 1]}`,
    ],
    { netns },
  );
  session.start(
    `kube-proxy-${number}`,
    tools['kube-proxy'],
    [`--config=${writeKubeProxyConfig(place, proxy, network.podCidr)}`],
    { netns },
  );
}
