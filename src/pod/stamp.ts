import type { V1Container } from '@kubernetes/client-node';
import type { EnvironmentVariable } from '../api/container-environment.ts';
import { LABELS, type OwnerReference } from '../api/meta.ts';
import type { PodTemplate } from './compile.ts';
import { onlyOn } from './daemon.ts';
import { withBarrier } from './start-barrier.ts';
import { inZone } from './zone.ts';

/** Holds a pod that must be on record before it may run: one that goes before that has run nothing, and may be made again. */
export const RECORDED_GATE = 'longshore.dev/recorded';

/** Keeps a pod that is deleted until its exit is on record: Strict accounting (`kubernetes-mapping §2.7`). */
export const TRACKED = 'longshore.dev/tracked';

export interface TaskPod {
  readonly namespace: string;
  readonly name: string;
  /** 32 hex digits. */
  readonly task: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly owner: OwnerReference;
  /** The only node that it may run on; absent where its template says all that there is to say. */
  readonly node?: string | undefined;
  /** The only zone that it may run in; absent where its template says all that there is to say. */
  readonly zone?: string | undefined;
  /** Variables of this task alone, for all its containers. */
  readonly environment?: readonly EnvironmentVariable[];
  /** Whether no node gets it before {@link RECORDED_GATE} is taken away. */
  readonly gated?: true;
  /** Whether {@link TRACKED} keeps it. */
  readonly tracked?: boolean;
}

/** One task's pod from its template. */
export function stampPod(template: PodTemplate, pod: TaskPod): object {
  const containers = template.spec.containers.map((container) => stamped(container, template, pod));
  const init = template.spec.initContainers?.map((container) => stamped(container, template, pod));
  const spec = {
    ...template.spec,
    ...(init !== undefined && { initContainers: init }),
    containers,
    ...(pod.node !== undefined && { affinity: onlyOn(pod.node, template.spec.affinity) }),
    ...(pod.zone !== undefined && { affinity: inZone(pod.zone, template.spec.affinity) }),
    ...(pod.gated && { schedulingGates: [{ name: RECORDED_GATE }] }),
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: pod.name,
      namespace: pod.namespace,
      labels: { ...template.labels, ...pod.labels, [LABELS.task]: pod.task },
      annotations: { ...template.annotations, ...pod.annotations },
      ownerReferences: [pod.owner],
      ...(pod.tracked && { finalizers: [TRACKED] }),
    },
    spec,
  };
}

function stamped(container: V1Container, template: PodTemplate, pod: TaskPod): V1Container {
  const own = template.barriers.has(container.name) ? withBarrier(container, pod.task) : container;
  const injected = pod.environment ?? [];
  if (injected.length === 0) return own;
  const kept = (own.env ?? []).filter(({ name }) => injected.every((variable) => variable.name !== name));
  return { ...own, env: [...kept, ...injected] };
}
