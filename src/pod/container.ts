import type { V1Container } from '@kubernetes/client-node';
import type { ContainerDefinition } from '../api/container-definition.ts';
import { environment } from './environment.ts';
import { health } from './health.ts';
import { linkVariables } from './links.ts';
import { literal } from './literal.ts';
import { memoryMounts } from './memory-volumes.ts';
import { ports } from './network.ts';
import { resolveImage } from './references.ts';
import { containerResources } from './resources.ts';
import { restart } from './restart-policy.ts';
import { securityContext } from './security.ts';
import type { TaskContext } from './task-context.ts';
import { mounts } from './volumes.ts';

/** One container definition as a pod's container. */
export function compileContainer(container: ContainerDefinition, task: TaskContext): V1Container {
  const defined = mounts(container, task).volumeMounts ?? [];
  const volumeMounts = [...defined, ...memoryMounts(container, task, defined)];
  return {
    name: task.containerNames.get(container.name) ?? container.name,
    image: resolveImage(container.image, task.cluster),
    ...(container.entryPoint.length > 0 && { command: container.entryPoint.map(literal) }),
    ...(container.command.length > 0 && { args: container.command.map(literal) }),
    ...(container.workingDirectory !== undefined && { workingDir: container.workingDirectory }),
    ...variables(container, task),
    ...ports(container, task),
    ...containerResources(container, task),
    ...(volumeMounts.length > 0 && { volumeMounts }),
    ...health(container, task),
    ...restart(container, task),
    ...securityContext(container),
    ...(container.interactive && { stdin: true }),
    ...(container.pseudoTerminal && { tty: true }),
  };
}

/** The container's own, and below them those of its links. */
function variables(container: ContainerDefinition, task: TaskContext): Pick<V1Container, 'env' | 'envFrom'> {
  const { env = [], ...rest } = environment(container, task);
  const own = new Set(env.map(({ name }) => name));
  return { env: [...linkVariables(container, task).filter(({ name }) => !own.has(name)), ...env], ...rest };
}
