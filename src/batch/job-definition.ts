/** A job's containers as a task definition, so that one compiler makes every pod. */
import type { BatchContainerProperties } from '../api/batch-container-properties.ts';
import type { BatchTaskContainer, BatchTaskProperties } from '../api/batch-ecs-properties.ts';
import type { BatchJobSpec } from '../api/batch-job.ts';
import type { ContainerDefinition } from '../api/container-definition.ts';
import { parseTaskDefinition, type TaskDefinitionSpec } from '../api/task-definition.ts';
import { amountOf, cpuUnits, gpusOf, withJobOverrides } from './job-overrides.ts';

/** Batch names the container of `containerProperties` so. */
const CONTAINER = 'default';

/** What a task definition says where the job says nothing. */
const PLAIN = parseTaskDefinition({ containerDefinitions: [{ name: CONTAINER, image: CONTAINER, memory: 4 }] });

/** `Ref::name` in a command becomes the parameter's value; without one it stays as it is (`ecs-semantics §5.2`). */
export function substitute(command: readonly string[], parameters: Readonly<Record<string, string>>): string[] {
  return command.map((token) =>
    token.replaceAll(/Ref::([A-Za-z0-9_-]+)/g, (whole, name: string) =>
      Object.hasOwn(parameters, name) ? (parameters[name] ?? whole) : whole,
    ),
  );
}

/**
 * @param definition the task definition that `spec.taskDefinition` resolved to; absent where the job has its own.
 * @throws InvalidSpecError where an override names a container that the task definition has not
 */
export function jobDefinition(spec: BatchJobSpec, definition?: TaskDefinitionSpec): TaskDefinitionSpec {
  const { containerDefinitions, ...task } = withJobOverrides(definition ?? ownDefinition(spec), spec);
  const substituted = {
    ...task,
    containerDefinitions: containerDefinitions.map((container) => ({
      ...container,
      command: substitute(container.command, spec.parameters),
    })),
  };
  return spec.platformCapabilities.includes('FARGATE') && definition === undefined ? sized(substituted) : substituted;
}

/** On Fargate the sum of the containers is the size of the task, which they cannot exceed. */
function sized(definition: TaskDefinitionSpec): TaskDefinitionSpec {
  const sum = (amounts: readonly number[]): string => String(amounts.reduce((a, b) => a + b, 0));
  return {
    ...definition,
    cpu: sum(definition.containerDefinitions.map(({ cpu }) => cpu)),
    memory: sum(definition.containerDefinitions.map(({ memory = 0 }) => memory)),
  };
}

function ownDefinition({ containerProperties, ecsProperties }: BatchJobSpec): TaskDefinitionSpec {
  const [task] = ecsProperties?.taskProperties ?? [];
  if (task !== undefined) return definitionOf(task, task.containers.map(taskContainerOf));
  if (containerProperties === undefined) throw new Error('a job says what it runs: its schema says so');
  const { jobRoleArn, vcpus, memory } = containerProperties;
  const container = containerOf(CONTAINER, containerProperties, { vcpus, memory });
  return definitionOf({ ...containerProperties, taskRoleArn: jobRoleArn }, [container]);
}

/** What the task of a job has besides its containers. */
type Task = Pick<
  BatchTaskProperties,
  'volumes' | 'taskRoleArn' | 'executionRoleArn' | 'ephemeralStorage' | 'runtimePlatform'
> &
  Partial<Pick<BatchTaskProperties, 'networkMode' | 'pidMode' | 'ipcMode'>>;

function definitionOf(task: Task, containerDefinitions: readonly ContainerDefinition[]): TaskDefinitionSpec {
  const { volumes, taskRoleArn, executionRoleArn, ephemeralStorage, runtimePlatform, pidMode, ipcMode } = task;
  return {
    ...PLAIN,
    networkMode: task.networkMode ?? 'awsvpc',
    volumes: volumes.map((volume) => ({ ...volume, configuredAtLaunch: false })),
    taskRoleArn,
    executionRoleArn,
    ephemeralStorage,
    runtimePlatform,
    pidMode,
    ipcMode,
    containerDefinitions,
  };
}

function taskContainerOf(container: BatchTaskContainer): ContainerDefinition {
  const { name, essential, dependsOn, startTimeout, stopTimeout, firelensConfiguration } = container;
  const own = { essential, dependsOn, startTimeout, stopTimeout, firelensConfiguration };
  return { ...containerOf(name, container), ...own };
}

/** What containers have in common, whichever properties describe them. */
type Common = Pick<BatchContainerProperties, keyof BatchContainerProperties & keyof BatchTaskContainer>;

/** @param older what the fields say that resourceRequirements have taken the place of */
function containerOf(
  name: string,
  container: Common,
  older: { readonly vcpus?: number | undefined; readonly memory?: number | undefined } = {},
): ContainerDefinition {
  const { image, command, environment, secrets, repositoryCredentials, user, privileged } = container;
  const { readonlyRootFilesystem, ulimits, mountPoints, logConfiguration, resourceRequirements } = container;
  return {
    ...(PLAIN.containerDefinitions[0] as ContainerDefinition),
    name,
    image,
    command,
    environment,
    secrets,
    repositoryCredentials,
    user,
    privileged,
    readonlyRootFilesystem,
    ulimits,
    mountPoints,
    logConfiguration,
    linuxParameters: linuxParametersOf(container),
    cpu: cpuUnits(amountOf(resourceRequirements, 'VCPU') ?? older.vcpus ?? 0),
    memory: amountOf(resourceRequirements, 'MEMORY') ?? older.memory,
    resourceRequirements: gpusOf(resourceRequirements),
  };
}

const PERMISSIONS = { READ: 'read', WRITE: 'write', MKNOD: 'mknod' } as const;

function linuxParametersOf({ linuxParameters }: Common): ContainerDefinition['linuxParameters'] {
  if (linuxParameters === undefined) return undefined;
  const devices = linuxParameters.devices.map((device) => ({
    ...device,
    permissions: device.permissions.map((permission) => PERMISSIONS[permission]),
  }));
  return { ...linuxParameters, devices };
}
