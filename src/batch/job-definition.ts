/** A job's containers as a task definition, so that one compiler makes every pod. */
import type { BatchContainerProperties } from '../api/batch-container-properties.ts';
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

function ownDefinition({ containerProperties: container }: BatchJobSpec): TaskDefinitionSpec {
  if (container === undefined) throw new Error('a job says what it runs: its schema says so');
  const { volumes, jobRoleArn, executionRoleArn, ephemeralStorage, runtimePlatform, vcpus, memory } = container;
  return {
    ...PLAIN,
    networkMode: 'awsvpc',
    volumes: volumes.map((volume) => ({ ...volume, configuredAtLaunch: false })),
    taskRoleArn: jobRoleArn,
    executionRoleArn,
    ephemeralStorage,
    runtimePlatform,
    containerDefinitions: [containerOf(container, { vcpus, memory })],
  };
}

type Container = Omit<
  BatchContainerProperties,
  'vcpus' | 'memory' | 'volumes' | 'jobRoleArn' | 'executionRoleArn' | 'ephemeralStorage' | 'runtimePlatform'
>;

/** @param older what the fields say that resourceRequirements have taken the place of */
function containerOf(
  container: Container,
  older: { readonly vcpus?: number | undefined; readonly memory?: number | undefined },
): ContainerDefinition {
  const { image, command, environment, secrets, repositoryCredentials, user, privileged } = container;
  const { readonlyRootFilesystem, ulimits, mountPoints, logConfiguration, resourceRequirements } = container;
  return {
    ...(PLAIN.containerDefinitions[0] as ContainerDefinition),
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

function linuxParametersOf({ linuxParameters }: Container): ContainerDefinition['linuxParameters'] {
  if (linuxParameters === undefined) return undefined;
  const devices = linuxParameters.devices.map((device) => ({
    ...device,
    permissions: device.permissions.map((permission) => PERMISSIONS[permission]),
  }));
  return { ...linuxParameters, devices };
}
