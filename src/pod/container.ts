import type { V1Container, V1EnvVar, V1Probe, V1SecurityContext, V1VolumeMount } from '@kubernetes/client-node';
import type { ContainerDefinition, EnvironmentVariable, HealthCheck } from '../api/container-definition.ts';
import type { NetworkMode } from '../api/task-definition.ts';
import { cpuQuantity, memoryQuantity } from './amounts.ts';

/** What the containers of one task share while they are compiled. */
export interface TaskContext {
  readonly networkMode: NetworkMode;
  readonly containers: readonly ContainerDefinition[];
  /** AWS volume name → pod volume name. */
  readonly volumeNames: ReadonlyMap<string, string>;
  /** AWS container name → pod container name. */
  readonly containerNames: ReadonlyMap<string, string>;
}

/** One container definition as a pod's container. */
export function compileContainer(container: ContainerDefinition, task: TaskContext): V1Container {
  const name = task.containerNames.get(container.name) ?? container.name;
  return {
    name,
    image: container.image,
    ...(container.entryPoint.length > 0 && { command: container.entryPoint.map(literal) }),
    ...(container.command.length > 0 && { args: container.command.map(literal) }),
    ...(container.workingDirectory !== undefined && { workingDir: container.workingDirectory }),
    env: environment(container.environment),
    ...ports(container, task.networkMode),
    resources: resources(container),
    ...mounts(container, task),
    ...(container.healthCheck !== undefined && { readinessProbe: readiness(container.healthCheck) }),
    ...securityContext(container),
    ...(container.interactive && { stdin: true }),
    ...(container.pseudoTerminal && { tty: true }),
  };
}

/** ECS expands nothing; Kubernetes would replace `$(NAME)`, so it is escaped. */
const literal = (text: string): string => text.replaceAll('$(', '$$$$(');

function environment(variables: readonly EnvironmentVariable[]): V1EnvVar[] {
  const last = new Map(variables.map(({ name, value }) => [name, value]));
  return [...last].map(([name, value]) => ({ name, value: literal(value) }));
}

/** A fixed hostPort is mapped on the node; 0, absent and awsvpc need none: the pod has its own address. */
function ports(container: ContainerDefinition, mode: NetworkMode): Pick<V1Container, 'ports'> {
  if (container.portMappings.length === 0) return {};
  return {
    ports: container.portMappings.map(({ containerPort, hostPort, protocol }) => {
      const onNode = mode === 'awsvpc' ? 0 : mode === 'host' ? containerPort : (hostPort ?? 0);
      return { containerPort, protocol: protocol.toUpperCase(), ...(onNode > 0 && { hostPort: onNode }) };
    }),
  };
}

/** Soft limits become requests, hard memory a limit; CPU is a share and never a limit (`ecs-semantics §1.4`). */
function resources(container: ContainerDefinition): V1Container['resources'] {
  const { cpu, memory, memoryReservation } = container;
  const reserved = memoryReservation ?? memory;
  return {
    requests: {
      ...(cpu > 0 && { cpu: cpuQuantity(cpu) }),
      ...(reserved !== undefined && { memory: memoryQuantity(reserved) }),
    },
    ...(memory !== undefined && { limits: { memory: memoryQuantity(memory) } }),
  };
}

function mounts(container: ContainerDefinition, task: TaskContext): Pick<V1Container, 'volumeMounts'> {
  const own = container.mountPoints.map((mount) => ({ ...mount, forcedReadOnly: false }));
  const taken = container.volumesFrom.flatMap(({ sourceContainer, readOnly }) => {
    const source = task.containers.find(({ name }) => name === sourceContainer);
    return (source?.mountPoints ?? []).map((mount) => ({ ...mount, forcedReadOnly: readOnly }));
  });
  const byPath = new Map([...taken, ...own].map((mount) => [mount.containerPath, mount]));
  const volumeMounts: V1VolumeMount[] = [...byPath.values()].map((mount) => ({
    name: task.volumeNames.get(mount.sourceVolume) ?? mount.sourceVolume,
    mountPath: mount.containerPath,
    ...((mount.readOnly || mount.forcedReadOnly) && { readOnly: true }),
  }));
  return volumeMounts.length === 0 ? {} : { volumeMounts };
}

/** The ECS check as a readiness probe: nothing is killed for being unhealthy (design §3, decision 4). */
function readiness({ command, interval, timeout, retries }: HealthCheck): V1Probe {
  const [form, ...rest] = command;
  return {
    exec: { command: form === 'CMD-SHELL' ? ['/bin/sh', '-c', rest.join(' ')] : rest },
    periodSeconds: interval,
    timeoutSeconds: timeout,
    failureThreshold: retries,
    successThreshold: 1,
  };
}

function securityContext(container: ContainerDefinition): Pick<V1Container, 'securityContext'> {
  const [uid, gid] = container.user?.split(':') ?? [];
  const context: V1SecurityContext = {
    ...(container.privileged && { privileged: true }),
    ...(container.readonlyRootFilesystem && { readOnlyRootFilesystem: true }),
    ...(isId(uid) && { runAsUser: Number(uid) }),
    ...(isId(gid) && { runAsGroup: Number(gid) }),
  };
  return Object.keys(context).length === 0 ? {} : { securityContext: context };
}

const isId = (text: string | undefined): boolean => text !== undefined && /^\d+$/.test(text);
