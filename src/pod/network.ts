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
export function ports(
  { name: container, portMappings }: ContainerDefinition,
  { definition, registrations }: TaskContext,
): Pick<V1Container, 'ports'> {
  const mode = definition.networkMode;
  const named = new Set<string>();
  const listed = portMappings.flatMap((mapping) => {
    const { containerPort, hostPort, protocol } = mapping;
    if (containerPort === undefined) return [];
    const onNode = mode === 'awsvpc' ? 0 : mode === 'host' ? containerPort : (hostPort ?? 0);
    const own = portNameOf(mapping);
    const names = [
      ...(own === undefined ? [] : [own]),
      ...registrations
        .filter(
          (one) => one.container === container && one.containerPort === containerPort && one.protocol === protocol,
        )
        .map(({ portName }) => portName),
    ];
    // One port may be mapped to several of the node: Kubernetes wants each name once.
    const fresh = [...new Set(names)].filter((name) => !named.has(name));
    for (const name of fresh) named.add(name);
    const port = { containerPort, protocol: protocol.toUpperCase() };
    const first = { ...port, ...(onNode > 0 && { hostPort: onNode }) };
    // On the node's network each entry takes the port of the node, which it can do once: the name for the traffic wins.
    if (fresh.length === 0) return [first];
    if (mode === 'host') return [{ ...first, name: fresh.at(-1) }];
    return fresh.map((name, index) => ({ ...(index === 0 ? first : port), name }));
  });
  return listed.length === 0 ? {} : { ports: listed };
}
