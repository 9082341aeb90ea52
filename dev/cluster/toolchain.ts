import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureGoPrograms, type GoPrograms } from './go-programs.ts';

/** Where go.mod is: the pinned versions of everything that is built. */
const moduleDir = import.meta.dirname;

/** The programs of a cluster, by the names they are called here. The etcd server's main package builds as `server`. */
const programs = {
  etcd: 'server',
  'kube-apiserver': 'kube-apiserver',
  'kube-controller-manager': 'kube-controller-manager',
  'kube-scheduler': 'kube-scheduler',
  'kube-proxy': 'kube-proxy',
  kubelet: 'kubelet',
  kubectl: 'kubectl',
  kwok: 'kwok',
} as const;

export type ProgramName = keyof typeof programs;
export type Toolchain = Readonly<Record<ProgramName, string>>;

const kubernetesVersion = /^\tk8s\.io\/kubernetes (v\d+\.\d+\.\d+)|^require k8s\.io\/kubernetes (v\d+\.\d+\.\d+)/m;

/** Kubernetes takes its version from the linker; without it the API server calls itself v0.0.0. */
function buildFlags(goMod: string): string[] {
  const match = kubernetesVersion.exec(goMod);
  const version = match?.[1] ?? match?.[2];
  if (version === undefined) throw new Error('dev/cluster/go.mod does not require k8s.io/kubernetes');
  const [major, minor] = version.slice(1).split('.');
  const set = (name: string, value: string) => `-X k8s.io/component-base/version.${name}=${value}`;
  const ldflags = [set('gitVersion', version), set('gitMajor', `${major}`), set('gitMinor', `${minor}`)].join(' ');
  return [`-ldflags=${ldflags}`];
}

/** The programs of a cluster, built when they are not in the cache. A cold build takes 6 to 7 minutes on two cores. */
export async function ensureToolchain(onProgress: (line: string) => void): Promise<Toolchain> {
  const source: GoPrograms = {
    moduleDir,
    what: 'etcd, Kubernetes and KWOK',
    minutes: 7,
    files: Object.values(programs),
    flags: buildFlags(readFileSync(join(moduleDir, 'go.mod'), 'utf8')),
  };
  const bin = await ensureGoPrograms(source, onProgress);
  return Object.fromEntries(Object.entries(programs).map(([name, file]) => [name, join(bin, file)])) as Toolchain;
}
