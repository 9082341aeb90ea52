/**
 * What a pod may use that not every supported cluster serves: an API server drops a field whose feature gate is off
 * without a word (`kubernetes-mapping §2.1`).
 */
export interface ClusterFeatures {
  /** `spec.resources` of a pod; beta and on since Kubernetes 1.34. */
  readonly podLevelResources: boolean;
  /** `restartPolicy` and `restartPolicyRules` of a container; beta and on since Kubernetes 1.35. */
  readonly containerRestartRules: boolean;
}

export const ALL_FEATURES: ClusterFeatures = { podLevelResources: true, containerRestartRules: true };
