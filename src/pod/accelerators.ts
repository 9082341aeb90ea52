import type { ContainerDefinition } from '../api/container-definition.ts';

/** The extended resource of NVIDIA's device plugin; ECS has no other GPUs. */
const GPU = 'nvidia.com/gpu';

/** Whole GPUs of a container. `ALL`, and a part of one, cannot be asked of Kubernetes. */
export function gpus({ resourceRequirements }: ContainerDefinition): Record<string, string> {
  const counts = resourceRequirements
    .filter(({ type, value = '' }) => type === 'GPU' && /^[1-9]\d*$/.test(value))
    .map(({ value }) => Number(value));
  return counts.length === 0 ? {} : { [GPU]: String(counts.reduce((a, b) => a + b)) };
}
