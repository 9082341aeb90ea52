import type { V1Container, V1PodSpec } from '@kubernetes/client-node';
import type { ContainerDefinition } from '../api/container-definition.ts';
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
  const listed = portMappings.flatMap(({ containerPort, hostPort, protocol }) => {
    if (containerPort === undefined) return [];
    const onNode = mode === 'awsvpc' ? 0 : mode === 'host' ? containerPort : (hostPort ?? 0);
    return [{ containerPort, protocol: protocol.toUpperCase(), ...(onNode > 0 && { hostPort: onNode }) }];
  });
  return listed.length === 0 ? {} : { ports: listed };
}
