import type { V1PodSpec } from '@kubernetes/client-node';
import type { KubernetesOptions } from '../api/kubernetes-options.ts';
import type { RuntimePlatform } from '../api/task-definition-fields.ts';
import type { TaskContext } from './task-context.ts';

/** Seconds a task on a node that is gone is waited for before it is given up (`kubernetes-mapping §2.6`). */
const NODE_LOSS_SECONDS = 60;

const nodeLost = (condition: 'not-ready' | 'unreachable') => ({
  key: `node.kubernetes.io/${condition}`,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: NODE_LOSS_SECONDS,
});

/** Build numbers of Windows, as kubelets label their nodes. */
const WINDOWS_BUILDS: Readonly<Record<string, string>> = {
  '2016': '10.0.14393',
  '2019': '10.0.17763',
  '2004': '10.0.19041',
  '20H2': '10.0.19042',
  '2022': '10.0.20348',
  '2025': '10.0.26100',
};

/** Which nodes the task may run on; `kubernetes.nodeSelector` wins over runtimePlatform. */
export function placement(
  { definition }: TaskContext,
  options: KubernetesOptions,
): Pick<V1PodSpec, 'nodeSelector' | 'tolerations'> {
  const nodeSelector = { ...platform(definition.runtimePlatform ?? {}), ...options.nodeSelector };
  return {
    ...(Object.keys(nodeSelector).length > 0 && { nodeSelector }),
    tolerations: [
      ...options.tolerations.map((toleration) => ({ ...toleration })),
      nodeLost('not-ready'),
      nodeLost('unreachable'),
    ],
  };
}

function platform({ cpuArchitecture, operatingSystemFamily: system }: RuntimePlatform): Record<string, string> {
  const [, version = ''] = /^WINDOWS_SERVER_([^_]+)_/.exec(system ?? '') ?? [];
  const build = WINDOWS_BUILDS[version];
  return {
    ...(cpuArchitecture !== undefined && { 'kubernetes.io/arch': cpuArchitecture === 'ARM64' ? 'arm64' : 'amd64' }),
    ...(system !== undefined && { 'kubernetes.io/os': system === 'LINUX' ? 'linux' : 'windows' }),
    ...(build !== undefined && { 'node.kubernetes.io/windows-build': build }),
  };
}
