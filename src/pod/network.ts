import type { V1Container, V1PodSpec } from '@kubernetes/client-node';
import type { ContainerDefinition } from '../api/container-definition.ts';
import { portNameOf } from './port-names.ts';
import type { TaskContext } from './task-context.ts';

/**
 * The network of the task: with networkMode host the node's, otherwise one of its own that its containers share
 * (`ecs-semantics §1.7`). A pod cannot be without one, as `none` and disableNetworking ask.
 */
export const network = ({ definition }: TaskContext): Pick<V1PodSpec, 'hostNetwork'> =>
  definition.networkMode === 'host' ? { hostNetwork: true } : {};

/**
 * On the node's network every port is the node's; on the pod's a fixed hostPort is mapped. A hostPort of 0, a range and
 * awsvpc need none: all ports of the pod's own address are open.
 */
export function ports({ portMappings }: ContainerDefinition, { definition }: TaskContext): Pick<V1Container, 'ports'> {
  const mode = definition.networkMode;
  const named = new Set<string>();
  const listed = portMappings.flatMap((mapping) => {
    const { containerPort, hostPort, protocol } = mapping;
    if (containerPort === undefined) return [];
    const onNode = mode === 'awsvpc' ? 0 : mode === 'host' ? containerPort : (hostPort ?? 0);
    const name = portNameOf(mapping);
    // One port may be mapped to several of the node: Kubernetes wants each name once.
    const isNew = name !== undefined && !named.has(name);
    if (isNew) named.add(name);
    return [
      {
        containerPort,
        protocol: protocol.toUpperCase(),
        ...(isNew && { name }),
        ...(onNode > 0 && { hostPort: onNode }),
      },
    ];
  });
  return listed.length === 0 ? {} : { ports: listed };
}
