import type { V1Container, V1PodSpec } from '@kubernetes/client-node';
import type { ContainerDefinition } from '../api/container-definition.ts';
import { gpus } from './accelerators.ts';
import { cpuQuantity, cpuUnits, memoryMib, memoryQuantity, milliCores } from './amounts.ts';
import type { TaskContext } from './task-context.ts';

/** CPU in thousandths of a core, memory in MiB. */
interface Amounts {
  readonly cpu?: number;
  readonly memory?: number;
}

interface Resources {
  readonly requests: Amounts;
  readonly limits: Amounts;
}

const quantities = ({ cpu, memory }: Amounts): Record<string, string> => ({
  ...(cpu !== undefined && { cpu: cpuQuantity(cpu) }),
  ...(memory !== undefined && { memory: memoryQuantity(memory) }),
});

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** Soft limits become requests, hard memory a limit; CPU is a share and never a limit (`ecs-semantics §1.4`). */
function own({ cpu, memory, memoryReservation }: ContainerDefinition): Resources {
  const reserved = memoryReservation ?? memory;
  return {
    requests: { ...(cpu > 0 && { cpu: milliCores(cpu) }), ...(reserved !== undefined && { memory: reserved }) },
    limits: { ...(memory !== undefined && { memory }) },
  };
}

/** The task's own ceilings; never below what its containers reserve, as Kubernetes asks. */
function ceilings({ definition, containers }: TaskContext): Amounts {
  const { cpu, memory } = definition;
  const reserved = containers.map((container) => own(container).requests);
  const hard = containers.map((container) => container.memory ?? 0);
  return {
    ...(cpu !== undefined && { cpu: Math.max(milliCores(cpuUnits(cpu)), sum(reserved.map((r) => r.cpu ?? 0))) }),
    ...(memory !== undefined && {
      memory: Math.max(memoryMib(memory), sum(reserved.map((r) => r.memory ?? 0)), ...hard),
    }),
  };
}

/** What a task takes of a compute environment: its own size, or what its containers ask for. vCPUs and MiB. */
export function taskSize({ definition, containers }: TaskContext): { readonly vcpus: number; readonly memory: number } {
  const { cpu, memory } = definition;
  return {
    vcpus: (cpu === undefined ? sum(containers.map((container) => container.cpu)) : cpuUnits(cpu)) / 1024,
    memory:
      memory === undefined
        ? sum(containers.map((container) => container.memory ?? container.memoryReservation ?? 0))
        : memoryMib(memory),
  };
}

/**
 * Task cpu and memory are ceilings for the sum of the containers, and what is reserved for the task: pod-level
 * resources. Nothing where the cluster has none: `containerResources` spreads them.
 */
export function taskResources(task: TaskContext): Pick<V1PodSpec, 'resources'> {
  const amounts = ceilings(task);
  if (!task.features.podLevelResources || Object.keys(amounts).length === 0) return {};
  return { resources: { requests: quantities(amounts), limits: quantities(amounts) } };
}

export function containerResources(container: ContainerDefinition, task: TaskContext): Pick<V1Container, 'resources'> {
  const { requests, limits } = cpuAndMemory(container, task);
  const storage = ephemeralStorage(container, task);
  const all = {
    requests: { ...quantities(requests), ...storage },
    limits: { ...quantities(limits), ...gpus(container), ...storage },
  };
  return {
    resources: Object.fromEntries(Object.entries(all).filter(([, amounts]) => Object.keys(amounts).length > 0)),
  };
}

function cpuAndMemory(container: ContainerDefinition, task: TaskContext): Resources {
  const { requests, limits } = own(container);
  if (!task.features.podLevelResources) return spread(container, task);
  // Without a request the kubelet would take the task's whole ceiling for the container's share.
  const share = task.definition.cpu === undefined ? {} : { cpu: 0 };
  return { requests: { ...share, ...requests }, limits };
}

/**
 * The kubelet evicts a pod whose layers, logs and empty directories exceed the sum of its containers' limits: one
 * container that stays to the end has the whole.
 */
function ephemeralStorage(container: ContainerDefinition, { definition, containers }: TaskContext) {
  const { ephemeralStorage: storage } = definition;
  if (storage === undefined || container !== containers.find(({ essential }) => essential)) return {};
  return { 'ephemeral-storage': `${storage.sizeInGiB}Gi` };
}

/**
 * A container's part of the task's cpu and memory: reserved in proportion to its share, so that the sum is the task's;
 * limited to the task's whole, which is exact for one container and the nearest bound that ECS never undercuts for more.
 */
function spread(container: ContainerDefinition, task: TaskContext): Resources {
  const { containers } = task;
  const { requests, limits } = own(container);
  const { cpu, memory } = ceilings(task);
  const weight = ({ cpu: units }: ContainerDefinition): number => Math.max(units, 2);
  const unbounded = containers.filter((c) => c.memory === undefined);
  const reserved = sum(containers.map((c) => own(c).requests.memory ?? 0));
  const extra = unbounded.includes(container) ? Math.floor(((memory ?? 0) - reserved) / unbounded.length) : 0;
  return {
    requests: {
      ...requests,
      ...(cpu !== undefined && { cpu: Math.floor((cpu * weight(container)) / sum(containers.map(weight))) }),
      ...(memory !== undefined && { memory: (requests.memory ?? 0) + extra }),
    },
    limits: { ...(cpu !== undefined && { cpu }), ...(memory !== undefined && { memory }), ...limits },
  };
}
