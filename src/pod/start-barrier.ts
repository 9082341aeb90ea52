/**
 * A start barrier: the container takes its environment from an empty ConfigMap that does not exist until its dependencies
 * are met. The kubelet waits for it, and nothing of it can be seen in the container.
 */
import type { V1Container } from '@kubernetes/client-node';

/** What the operator has decided for a pod's barriers; AWS container names. */
export interface StartBarriers {
  readonly opened: readonly string[];
  /** Container → why it never starts. */
  readonly failed: Readonly<Record<string, string>>;
  /** When the kubelet was last made to look, RFC 3339: any change of the pod does it. */
  readonly nudgedAt?: string;
}

/** The task id keeps it from being that of an earlier pod of the same name. */
export const barrierName = (task: string, podContainer: string): string => `${task}-${podContainer}`;

export const withBarrier = (container: V1Container, task: string): V1Container => ({
  ...container,
  envFrom: [{ configMapRef: { name: barrierName(task, container.name) } }, ...(container.envFrom ?? [])],
});

/** The kubelet's message of a container whose barrier is closed. */
export const isBarrierMessage = (message: string): boolean =>
  /^configmap "[0-9a-f]{32}-[^"]*" not found$/.test(message);
