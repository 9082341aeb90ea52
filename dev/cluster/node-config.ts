import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyPairFiles } from './certificates.ts';
import type { NodePlace } from './network.ts';

/** Below the node's folder: the longest decides how long the cluster's folder may be (options.ts). */
export const socketOf = (place: NodePlace): string => join(place.dir, 'containerd.sock');

/** The name of the pods' network: CNI keeps what it did for each pod under it, for the whole machine. */
export const networkOf = (place: NodePlace): string => `longshore-${place.podCidr.replaceAll(/[./]/g, '-')}`;

const cniPlugins = '/usr/lib/cni';

export function writeContainerdConfig(place: NodePlace, registry: string): string {
  const at = (name: string) => join(place.dir, name);
  for (const name of ['cni', 'registry/_default']) mkdirSync(at(name), { recursive: true });
  writeFileSync(
    at('registry/_default/hosts.toml'),
    `server = "${registry}"\n\n[host."${registry}"]\n  capabilities = ["pull", "resolve"]\n`,
  );
  // ptp and not bridge: with a bridge, an answer between two pods of one node never passes the rules that undo the
  // Service's address, unless the module br_netfilter is there.
  writeFileSync(
    at('cni/10-longshore.conflist'),
    JSON.stringify({
      cniVersion: '0.4.0',
      name: networkOf(place),
      plugins: [
        {
          type: 'ptp',
          ipMasq: false,
          ipam: {
            type: 'host-local',
            dataDir: at('ipam'),
            ranges: [[{ subnet: place.podCidr }]],
            routes: [{ dst: '0.0.0.0/0' }],
          },
        },
        { type: 'portmap', capabilities: { portMappings: true } },
      ],
    }),
  );
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  const config = `version = 2
root = "${at('containerd')}"
state = "${at('run')}"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]

[grpc]
  address = "${socketOf(place)}"

[plugins."io.containerd.internal.v1.opt"]
  path = "${at('opt')}"

[${cri}]
  sandbox_image = "longshore.local/pause:1"
  # A machine that is itself a container may not lower a process's OOM score.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true

[${cri}.cni]
  bin_dir = "${cniPlugins}"
  conf_dir = "${at('cni')}"

[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[${cri}.containerd.runtimes.runc.options]
  Root = "${at('runc')}"
  SystemdCgroup = false

[${cri}.registry]
  config_path = "${at('registry')}"
`;
  writeFileSync(at('containerd.toml'), config);
  return at('containerd.toml');
}

export interface KubeletFiles {
  readonly clientCa: string;
  readonly serving: KeyPairFiles;
  readonly cgroup: string;
  /** The machine's own address in the cluster's network. */
  readonly machine: string;
  /** How long the controller manager waits for a word of it; absent: Kubernetes' own time. */
  readonly graceSeconds?: number | undefined;
}

export function writeKubeletConfig(place: NodePlace, files: KubeletFiles): string {
  const at = (name: string) => join(place.dir, name);
  writeFileSync(at('resolv.conf'), '');
  const config = {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: place.address,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: files.clientCa },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: files.serving.cert,
    tlsPrivateKeyFile: files.serving.key,
    containerRuntimeEndpoint: `unix://${socketOf(place)}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${files.cgroup}`,
    failCgroupV1: false,
    failSwapOn: false,
    oomScoreAdj: 0,
    clusterDomain: 'cluster.local',
    // There is no DNS server. The machine refuses at once on this address; with none the kubelet warns at each pod.
    clusterDNS: [files.machine],
    resolvConf: at('resolv.conf'),
    podLogsDir: at('pod-logs'),
    volumePluginDir: at('volume-plugins'),
    syncFrequency: '10s',
    // A developer's disk may be nearly full; that is not what is tested here.
    evictionHard: {
      'memory.available': '0%',
      'nodefs.available': '0%',
      'nodefs.inodesFree': '0%',
      'imagefs.available': '0%',
    },
    imageGCHighThresholdPercent: 100,
    serializeImagePulls: false,
    maxPods: 250,
    kubeAPIQPS: 500,
    kubeAPIBurst: 1000,
    eventRecordQPS: 100,
    // The kubelet renews its lease four times in this long.
    ...(files.graceSeconds !== undefined && { nodeLeaseDurationSeconds: files.graceSeconds }),
  };
  writeFileSync(at('kubelet.json'), JSON.stringify(config, null, 2));
  return at('kubelet.json');
}

export function writeKubeProxyConfig(place: NodePlace, kubeconfig: string, podCidr: string): string {
  const path = join(place.dir, 'kube-proxy.json');
  const config = {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    clientConnection: { kubeconfig, qps: 100, burst: 200 },
    mode: 'iptables',
    clusterCIDR: podCidr,
    hostnameOverride: place.name,
    oomScoreAdj: 0,
    // These sysctls are the machine's, not the namespace's: left as they are.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  };
  writeFileSync(path, JSON.stringify(config, null, 2));
  return path;
}
