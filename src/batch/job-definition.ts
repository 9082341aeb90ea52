/** A job's container as a task definition, so that one compiler makes every pod. */
import type { BatchContainerOverrides, BatchResourceRequirement } from '../api/batch-container.ts';
import type { BatchJobSpec } from '../api/batch-job.ts';
import type { ContainerDefinition } from '../api/container-definition.ts';
import type { EnvironmentVariable } from '../api/container-environment.ts';
import { parseTaskDefinition, type TaskDefinitionSpec } from '../api/task-definition.ts';

/** Batch names the container of `containerProperties` so. */
const CONTAINER = 'default';

/** `Ref::name` in a command becomes the parameter's value; without one it stays as it is (`ecs-semantics §5.2`). */
export function substitute(command: readonly string[], parameters: Readonly<Record<string, string>>): string[] {
  return command.map((token) =>
    token.replaceAll(/Ref::([A-Za-z0-9_-]+)/g, (whole, name: string) => parameters[name] ?? whole),
  );
}

const amount = (
  requirements: readonly BatchResourceRequirement[],
  type: BatchResourceRequirement['type'],
): number | undefined => {
  const value = requirements.find((requirement) => requirement.type === type)?.value;
  return value === undefined ? undefined : Number(value);
};

/** GPUs as a container of a task definition asks for them; none where there are none. */
const gpusOf = (requirements: readonly BatchResourceRequirement[]) =>
  requirements.flatMap(({ type, value }) => (type === 'GPU' ? [{ type, value }] : []));

const byName = (variables: readonly EnvironmentVariable[]): EnvironmentVariable[] => [
  ...new Map(variables.map((variable) => [variable.name, variable])).values(),
];

/**
 * @param definition the task definition that `spec.taskDefinition` resolved to; absent with containerProperties.
 */
export function jobDefinition(spec: BatchJobSpec, definition?: TaskDefinitionSpec): TaskDefinitionSpec {
  const base = definition ?? ownDefinition(spec);
  const [main, ...others] = mainFirst(base.containerDefinitions);
  const changed = main === undefined ? [] : [override(main, spec.containerOverrides, spec.parameters), ...others];
  return {
    ...base,
    containerDefinitions: base.containerDefinitions.map(
      (container) => changed.find(({ name }) => name === container.name) ?? container,
    ),
  };
}

/** Overrides and the job's outcome are about the first essential container. */
function mainFirst(containers: readonly ContainerDefinition[]): ContainerDefinition[] {
  const main = containers.find(({ essential }) => essential);
  return main === undefined ? [] : [main, ...containers.filter((container) => container !== main)];
}

function ownDefinition({ containerProperties: container }: BatchJobSpec): TaskDefinitionSpec {
  if (container === undefined) throw new Error('a job has containerProperties or a taskDefinition: its schema says so');
  const { image, command, environment, user, privileged, readonlyRootFilesystem, volumes, mountPoints } = container;
  const vcpus = amount(container.resourceRequirements, 'VCPU') ?? container.vcpus;
  const memory = amount(container.resourceRequirements, 'MEMORY') ?? container.memory;
  return parseTaskDefinition({
    volumes,
    containerDefinitions: [
      {
        name: CONTAINER,
        image,
        command,
        environment,
        user,
        privileged,
        readonlyRootFilesystem,
        mountPoints,
        memory,
        resourceRequirements: gpusOf(container.resourceRequirements),
        cpu: Math.round((vcpus ?? 0) * 1024),
      },
    ],
  });
}

function override(
  container: ContainerDefinition,
  overrides: BatchContainerOverrides | undefined,
  parameters: Readonly<Record<string, string>>,
): ContainerDefinition {
  const vcpus = amount(overrides?.resourceRequirements ?? [], 'VCPU');
  const memory = amount(overrides?.resourceRequirements ?? [], 'MEMORY');
  const gpus = gpusOf(overrides?.resourceRequirements ?? []);
  const command = overrides?.command.length ? overrides.command : container.command;
  return {
    ...container,
    command: substitute(command, parameters),
    environment: byName([...container.environment, ...(overrides?.environment ?? [])]),
    ...(vcpus !== undefined && { cpu: Math.round(vcpus * 1024) }),
    ...(memory !== undefined && { memory }),
    ...(gpus.length > 0 && { resourceRequirements: gpus }),
  };
}
