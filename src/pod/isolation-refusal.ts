/** What a job of an isolated queue may not ask for: it would never start, and is to say so before it is tried. */
import type { BatchJobSpec } from '../api/batch-job.ts';
import type { ClusterSpec } from '../api/cluster.ts';
import type { ContainerDefinition } from '../api/container-definition.ts';
import type { Isolation } from '../api/isolation.ts';
import type { TaskDefinitionSpec } from '../api/task-definition.ts';
import { cpuUnits, memoryMib } from './amounts.ts';
import { mergeOptions } from './options.ts';
import { userIds } from './security.ts';
import { resolveVolume } from './volume-sources.ts';

export interface IsolatedJob {
  readonly spec: BatchJobSpec;
  /** What it runs, with its overrides: `jobDefinition`. */
  readonly definition: TaskDefinitionSpec;
  /** Of the namespace. */
  readonly cluster: ClusterSpec;
  readonly isolation: Isolation;
  /** AWS name of the queue. */
  readonly queue: string;
}

/** Field path, value, and what is allowed. */
type Refusal = readonly [path: string, value: string | number, allowed: string];

/** A status has room for a sentence. */
const MAX_VALUE = 200;

/** @returns the first of what the job asks for and does not get, in one sentence; undefined where it may start. */
export function isolationRefusal(job: IsolatedJob): string | undefined {
  const [first] = refusals(job);
  if (first === undefined) return undefined;
  const [path, value, allowed] = first;
  const shown = String(value);
  const text = shown.length > MAX_VALUE ? `${shown.slice(0, MAX_VALUE)}…` : shown;
  return `${path}: ${text} is not allowed: queue "${job.queue}" isolates its jobs, ${allowed}`;
}

function refusals({ spec, definition, cluster, isolation }: IsolatedJob): Refusal[] {
  const at = placesOf(spec);
  return [
    ...ofTask(definition, cluster, at),
    ...definition.containerDefinitions.flatMap((container, index) =>
      ofContainer(container).map(([field, ...rest]): Refusal => [`${at.container(index)}.${field}`, ...rest]),
    ),
    ...ofOptions(spec, definition, isolation),
    ...ofAmounts(spec, definition, isolation, at),
  ];
}

interface Places {
  readonly role: string;
  readonly containers: string;
  readonly task: (field: string) => string;
  readonly container: (index: number) => string;
}

/** Where a user wrote what has become the definition. */
function placesOf({ taskDefinition, ecsProperties }: BatchJobSpec): Places {
  if (taskDefinition !== undefined) {
    const of = `of task definition ${taskDefinition}`;
    return {
      role: `taskRoleArn ${of}`,
      containers: `containerDefinitions ${of}`,
      task: (field) => `${field} ${of}`,
      container: (index) => `task definition ${taskDefinition}, containerDefinitions[${index}]`,
    };
  }
  if (ecsProperties === undefined) {
    const root = 'spec.containerProperties';
    return { role: `${root}.jobRoleArn`, containers: root, task: (field) => `${root}.${field}`, container: () => root };
  }
  const root = 'spec.ecsProperties.taskProperties[0]';
  return {
    role: `${root}.taskRoleArn`,
    containers: `${root}.containers`,
    task: (field) => `${root}.${field}`,
    container: (index) => `${root}.containers[${index}]`,
  };
}

function ofTask(definition: TaskDefinitionSpec, cluster: ClusterSpec, at: Places): Refusal[] {
  const { networkMode, pidMode, ipcMode, taskRoleArn, volumes, runtimePlatform } = definition;
  const { operatingSystemFamily = '' } = runtimePlatform ?? {};
  const own = (kind: string) => `each with ${kind} of its own`;
  return [
    ...when(
      operatingSystemFamily.startsWith('WINDOWS'),
      at.task('runtimePlatform.operatingSystemFamily'),
      operatingSystemFamily,
      'on Linux alone',
    ),
    ...when(networkMode === 'host', at.task('networkMode'), 'host', own('a network')),
    ...when(pidMode === 'host', at.task('pidMode'), 'host', own('processes')),
    ...when(ipcMode === 'host', at.task('ipcMode'), 'host', own('shared memory')),
    ...when(taskRoleArn !== undefined, at.role, taskRoleArn, 'without any role'),
    ...volumes.flatMap((volume, index): Refusal[] => {
      const resolved = resolveVolume(volume, cluster);
      const { hostPath, nfs } = 'source' in resolved ? resolved.source : {};
      const value = hostPath?.path ?? nfs?.server;
      const path = at.task(`volumes[${index}]`);
      return when(value !== undefined, path, value, 'whose volumes are empty directories and claims');
    }),
  ];
}

function ofContainer(container: ContainerDefinition): Refusal[] {
  const { user, linuxParameters, portMappings, systemControls, resourceRequirements } = container;
  const { capabilities, devices = [] } = linuxParameters ?? {};
  const { uid, gid } = userIds(user ?? '');
  const isRoot = uid === 0 || gid === 0;
  const isName = user !== undefined && (uid === undefined || (user.includes(':') && gid === undefined));
  const port = portMappings.find(({ hostPort }) => (hostPort ?? 0) > 0);
  const option = container.dockerSecurityOptions.find((text) => text !== 'no-new-privileges');
  const [added] = capabilities?.add ?? [];
  return [
    ...when(container.privileged, 'privileged', 'true', 'none of them privileged'),
    ...when(isRoot, 'user', user, 'as a user and a group from 1'),
    ...when(isName && !isRoot, 'user', user, 'as a user and a group given by number, from 1'),
    ...when(added !== undefined, 'linuxParameters.capabilities.add', added, 'without capabilities'),
    ...when(devices.length > 0, 'linuxParameters.devices', devices[0]?.hostPath, 'without devices of the node'),
    ...when(
      resourceRequirements.length > 0,
      'resourceRequirements',
      `${resourceRequirements[0]?.type} ${resourceRequirements[0]?.value}`,
      'without devices of the node',
    ),
    ...when(
      systemControls.length > 0,
      'systemControls',
      systemControls[0]?.namespace,
      'with the kernel parameters as they are',
    ),
    ...when(option !== undefined, 'dockerSecurityOptions', option, 'and sets no-new-privileges alone'),
    ...when(port !== undefined, 'portMappings', `hostPort ${port?.hostPort}`, 'without ports of the node'),
  ];
}

function ofOptions(spec: BatchJobSpec, definition: TaskDefinitionSpec, isolation: Isolation): Refusal[] {
  const at = 'spec.kubernetes';
  const { serviceAccountName, runtimeClassName, podLabels, podAnnotations } = mergeOptions(
    definition.kubernetes,
    spec.kubernetes,
  );
  const [label] = Object.keys(podLabels);
  const [annotation] = Object.keys(podAnnotations);
  const runtime =
    isolation.runtimeClassName === undefined ? 'on the runtime of the node' : `on ${isolation.runtimeClassName}`;
  return [
    ...when(
      serviceAccountName !== undefined,
      `${at}.serviceAccountName`,
      serviceAccountName,
      'as a ServiceAccount of its own',
    ),
    ...when(
      runtimeClassName !== undefined && runtimeClassName !== isolation.runtimeClassName,
      `${at}.runtimeClassName`,
      runtimeClassName,
      `${runtime} (kubernetes.isolation.runtimeClassName)`,
    ),
    // A policy or a Service that selects them would open what is closed, and runtimes obey annotations.
    ...when(label !== undefined, `${at}.podLabels`, label, 'without labels of their own'),
    ...when(annotation !== undefined, `${at}.podAnnotations`, annotation, 'without annotations of their own'),
  ];
}

function ofAmounts(spec: BatchJobSpec, definition: TaskDefinitionSpec, isolation: Isolation, at: Places): Refusal[] {
  const { maxVcpus, maxMemoryMiB, maxEphemeralStorageMiB, maxDurationSeconds } = isolation;
  const { containerDefinitions: containers, cpu, memory, ephemeralStorage } = definition;
  const sum = (amounts: readonly number[]): number => amounts.reduce((a, b) => a + b, 0);
  const units = Math.max(sum(containers.map((each) => each.cpu)), cpu === undefined ? 0 : cpuUnits(cpu));
  const mebibytes = Math.max(
    sum(containers.map((each) => Math.max(each.memory ?? 0, each.memoryReservation ?? 0))),
    memory === undefined ? 0 : memoryMib(memory),
  );
  const storage = (ephemeralStorage?.sizeInGiB ?? 0) * 1024;
  const seconds = spec.timeout?.attemptDurationSeconds ?? 0;
  const most = (field: keyof Isolation, amount: number) => `with at most ${amount} (kubernetes.isolation.${field})`;
  return [
    ...when(units > maxVcpus * 1024, at.containers, `VCPU ${units / 1024}`, most('maxVcpus', maxVcpus)),
    ...when(mebibytes > maxMemoryMiB, at.containers, `MEMORY ${mebibytes}`, most('maxMemoryMiB', maxMemoryMiB)),
    ...when(
      storage > maxEphemeralStorageMiB,
      at.task('ephemeralStorage'),
      `${storage} MiB`,
      most('maxEphemeralStorageMiB', maxEphemeralStorageMiB),
    ),
    ...when(
      seconds > maxDurationSeconds,
      'spec.timeout.attemptDurationSeconds',
      seconds,
      most('maxDurationSeconds', maxDurationSeconds),
    ),
  ];
}

const when = (refused: boolean, path: string, value: string | number | undefined, allowed: string): Refusal[] =>
  refused ? [[path, value ?? '', allowed]] : [];
