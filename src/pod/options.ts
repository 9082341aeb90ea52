import type { KubernetesOptions } from '../api/kubernetes-options.ts';

const NO_OPTIONS: KubernetesOptions = {
  nodeSelector: {},
  tolerations: [],
  imagePullSecrets: [],
  podLabels: {},
  podAnnotations: {},
};

/** The owner's options win over the definition's; lists and maps add up. */
export function mergeOptions(
  definition: KubernetesOptions = NO_OPTIONS,
  owner: KubernetesOptions = NO_OPTIONS,
): KubernetesOptions {
  return {
    ...definition,
    ...owner,
    nodeSelector: { ...definition.nodeSelector, ...owner.nodeSelector },
    tolerations: [...definition.tolerations, ...owner.tolerations],
    imagePullSecrets: [...definition.imagePullSecrets, ...owner.imagePullSecrets],
    podLabels: { ...definition.podLabels, ...owner.podLabels },
    podAnnotations: { ...definition.podAnnotations, ...owner.podAnnotations },
  };
}
