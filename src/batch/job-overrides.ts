/** SubmitJob's overrides on the containers of a job (`ecs-semantics §5.2`). */
import type { BatchResourceRequirement } from '../api/batch-container.ts';
import type { BatchJobSpec } from '../api/batch-job.ts';
import type { BatchContainerOverrides } from '../api/batch-overrides.ts';
import type { ContainerDefinition } from '../api/container-definition.ts';
import type { EnvironmentVariable } from '../api/container-environment.ts';
import { InvalidSpecError } from '../api/parse.ts';
import type { TaskDefinitionSpec } from '../api/task-definition.ts';

export const amountOf = (
  requirements: readonly BatchResourceRequirement[],
  type: BatchResourceRequirement['type'],
): number | undefined => {
  const value = requirements.find((requirement) => requirement.type === type)?.value;
  return value === undefined ? undefined : Number(value);
};

export const cpuUnits = (vcpus: number): number => Math.round(vcpus * 1024);

/** GPUs as a container of a task definition asks for them; none where there are none. */
export const gpusOf = (requirements: readonly BatchResourceRequirement[]) =>
  requirements.flatMap(({ type, value }) => (type === 'GPU' ? [{ type, value }] : []));

const byName = (variables: readonly EnvironmentVariable[]): EnvironmentVariable[] => [
  ...new Map(variables.map((variable) => [variable.name, variable])).values(),
];

/**
 * `containerOverrides` are about the first essential container, `ecsPropertiesOverride` about those that it names.
 * @throws InvalidSpecError where it names a container that the task definition has not
 */
export function withJobOverrides(definition: TaskDefinitionSpec, spec: BatchJobSpec): TaskDefinitionSpec {
  const { containerOverrides, containerProperties, ecsPropertiesOverride } = spec;
  const all = definition.containerDefinitions;
  const byContainer = ecsPropertiesOverride?.taskProperties[0]?.containers ?? [];
  refuseUnknown(
    byContainer.map(({ name }) => name),
    all.map(({ name }) => name),
  );
  const main = all.find(({ essential }) => essential);
  return {
    ...definition,
    containerDefinitions: all.map((container) => {
      const isMain = container === main && containerOverrides !== undefined;
      const own = isMain ? overridden(container, withOlderForm(containerOverrides, containerProperties)) : container;
      const named = byContainer.find(({ name }) => name === container.name);
      return named === undefined ? own : overridden(own, named);
    }),
  };
}

/** Of ecsProperties the schema says it. */
function refuseUnknown(named: readonly string[], known: readonly string[]): void {
  const index = named.findIndex((name) => !known.includes(name));
  if (index === -1) return;
  const path = `spec.ecsPropertiesOverride.taskProperties[0].containers[${index}].name`;
  const message = `the task definition has no container named ${named[index]}; it has: ${known.join(', ')}`;
  throw new InvalidSpecError([{ path, message }]);
}

/** AWS: vcpus and memory take the place of their like in the definition, never of its resourceRequirements. */
function withOlderForm(
  overrides: BatchContainerOverrides,
  definition: BatchJobSpec['containerProperties'],
): BatchContainerOverrides {
  const { resourceRequirements } = overrides;
  const older = (['vcpus', 'memory'] as const).flatMap((field) => {
    const type = field === 'vcpus' ? 'VCPU' : 'MEMORY';
    const value = overrides[field];
    const isTaken = definition === undefined || definition[field] !== undefined;
    const isGiven = resourceRequirements.some((requirement) => requirement.type === type);
    return value === undefined || !isTaken || isGiven ? [] : [{ type, value: String(value) } as const];
  });
  return { ...overrides, resourceRequirements: [...resourceRequirements, ...older] };
}

/** What may differ in one container. */
type Overrides = Pick<BatchContainerOverrides, 'command' | 'environment' | 'resourceRequirements'>;

function overridden(container: ContainerDefinition, overrides: Overrides): ContainerDefinition {
  const { command, environment, resourceRequirements } = overrides;
  const vcpus = amountOf(resourceRequirements, 'VCPU');
  const memory = amountOf(resourceRequirements, 'MEMORY');
  const gpus = gpusOf(resourceRequirements);
  return {
    ...container,
    ...(command.length > 0 && { command }),
    environment: byName([...container.environment, ...environment]),
    ...(vcpus !== undefined && { cpu: cpuUnits(vcpus) }),
    // MEMORY of a job is what it reserves, and its limit.
    ...(memory !== undefined && { memory, memoryReservation: undefined }),
    ...(gpus.length > 0 && { resourceRequirements: gpus }),
  };
}
