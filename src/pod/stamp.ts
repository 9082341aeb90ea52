import type { EnvironmentVariable } from '../api/container-environment.ts';
import { LABELS, type OwnerReference } from '../api/meta.ts';
import type { PodTemplate } from './compile.ts';

export interface TaskPod {
  readonly namespace: string;
  readonly name: string;
  /** 32 hex digits. */
  readonly task: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly owner: OwnerReference;
  /** Variables of this task alone, for all its containers. */
  readonly environment?: readonly EnvironmentVariable[];
}

/** One task's pod from its template. */
export function stampPod(template: PodTemplate, pod: TaskPod): object {
  const injected = pod.environment ?? [];
  const spec =
    injected.length === 0
      ? template.spec
      : {
          ...template.spec,
          containers: template.spec.containers.map((container) => ({
            ...container,
            env: [
              ...(container.env ?? []).filter(({ name }) => !injected.some((own) => own.name === name)),
              ...injected,
            ],
          })),
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
    },
    spec,
  };
}
