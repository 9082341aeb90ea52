import type { V1PodSpec } from '@kubernetes/client-node';
import type { KubernetesOptions } from '../api/kubernetes-options.ts';

/** Seconds a task on a node that is gone is waited for before it is given up (`kubernetes-mapping §2.6`). */
const NODE_LOSS_SECONDS = 60;

const nodeLost = (condition: 'not-ready' | 'unreachable') => ({
  key: `node.kubernetes.io/${condition}`,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: NODE_LOSS_SECONDS,
});

/** Which nodes the task may run on. */
export function placement(options: KubernetesOptions): Pick<V1PodSpec, 'nodeSelector' | 'tolerations'> {
  return {
    ...(Object.keys(options.nodeSelector).length > 0 && { nodeSelector: { ...options.nodeSelector } }),
    tolerations: [
      ...options.tolerations.map((toleration) => ({ ...toleration })),
      nodeLost('not-ready'),
      nodeLost('unreachable'),
    ],
  };
}
