import type { V1Container, V1PodSpec } from '@kubernetes/client-node';
import type { ContainerDefinition } from '../api/container-definition.ts';
import { cpuQuantity, cpuUnits, memoryMib, memoryQuantity } from './amounts.ts';
import type { TaskContext } from './task-context.ts';

/** Soft limits become requests, hard memory a limit; CPU is a share and never a limit (`ecs-semantics §1.4`). */
export function containerResources({
  cpu,
  memory,
  memoryReservation,
}: ContainerDefinition): Pick<V1Container, 'resources'> {
  const reserved = memoryReservation ?? memory;
  return {
    resources: {
      requests: {
        ...(cpu > 0 && { cpu: cpuQuantity(cpu) }),
        ...(reserved !== undefined && { memory: memoryQuantity(reserved) }),
      },
      ...(memory !== undefined && { limits: { memory: memoryQuantity(memory) } }),
    },
  };
}

/** Task cpu and memory are ceilings for the sum of the containers: pod-level resources (Kubernetes 1.34 and later). */
export function taskResources({ definition }: TaskContext): Pick<V1PodSpec, 'resources'> {
  const { cpu, memory } = definition;
  if (cpu === undefined && memory === undefined) return {};
  const amounts = {
    ...(cpu !== undefined && { cpu: cpuQuantity(cpuUnits(cpu)) }),
    ...(memory !== undefined && { memory: memoryQuantity(memoryMib(memory)) }),
  };
  return { resources: { requests: amounts, limits: amounts } };
}
