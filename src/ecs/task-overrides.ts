/** RunTask's overrides on a task definition (`ecs-semantics §4`). */
import type { ContainerDefinition } from '../api/container-definition.ts';
import type { EnvironmentVariable } from '../api/container-environment.ts';
import { InvalidSpecError } from '../api/parse.ts';
import { parseTaskDefinition, type TaskDefinitionSpec } from '../api/task-definition.ts';
import type { ContainerOverride, TaskOverrides } from '../api/task-overrides.ts';

const byName = (variables: readonly EnvironmentVariable[]): EnvironmentVariable[] => [
  ...new Map(variables.map((variable) => [variable.name, variable])).values(),
];

/**
 * The definition as the tasks are to run it.
 * @throws InvalidSpecError where an override names no container, or the outcome breaks a rule of task definitions
 */
export function withOverrides(
  definition: TaskDefinitionSpec,
  overrides: TaskOverrides | undefined,
): TaskDefinitionSpec {
  if (overrides === undefined) return definition;
  const { containerOverrides, ...ofTask } = overrides;
  const { containerDefinitions } = definition;
  const unknown = containerOverrides.findIndex(({ name }) => !containerDefinitions.some((own) => own.name === name));
  if (unknown !== -1) {
    const names = containerDefinitions.map(({ name }) => name).join(', ');
    // Text: AWS (azavea/django-ecsmanage#21).
    const message = `Override for container named ${containerOverrides[unknown]?.name} is not a container in the TaskDefinition. It has: ${names}`;
    throw new InvalidSpecError([{ path: `spec.overrides.containerOverrides[${unknown}].name`, message }]);
  }
  const given = Object.entries(ofTask).filter(([, value]) => value !== undefined);
  const own = (container: ContainerDefinition) => containerOverrides.find(({ name }) => name === container.name);
  return parsed({
    ...definition,
    ...Object.fromEntries(given),
    containerDefinitions: containerDefinitions.map((container) => overridden(container, own(container))),
  });
}

function parsed(definition: TaskDefinitionSpec): TaskDefinitionSpec {
  try {
    return parseTaskDefinition(definition);
  } catch (error) {
    if (!(error instanceof InvalidSpecError)) throw error;
    const problems = error.problems.map(({ path, message }) => `${path.replace(/^spec\./, '')}: ${message}`);
    const message = `the task definition with them breaks a rule: ${problems.join('; ')}`;
    throw new InvalidSpecError([{ path: 'spec.overrides', message }]);
  }
}

function overridden(container: ContainerDefinition, override: ContainerOverride | undefined): ContainerDefinition {
  if (override === undefined) return container;
  const { command, environment, environmentFiles, cpu, memory, memoryReservation, resourceRequirements } = override;
  const replaced = new Set(resourceRequirements.map(({ type }) => type));
  return {
    ...container,
    ...(command.length > 0 && { command }),
    environment: byName([...container.environment, ...environment]),
    ...(environmentFiles.length > 0 && { environmentFiles }),
    ...(cpu !== undefined && { cpu }),
    ...(memory !== undefined && { memory }),
    ...(memoryReservation !== undefined && { memoryReservation }),
    resourceRequirements: [
      ...container.resourceRequirements.filter(({ type }) => !replaced.has(type)),
      ...resourceRequirements,
    ],
  };
}
