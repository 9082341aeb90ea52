import type { V1Container, V1HostAlias, V1PodSpec } from '@kubernetes/client-node';
import type { ContainerDefinition } from '../api/container-definition.ts';
import { dnsName } from '../api/names.ts';
import type { TaskContext } from './task-context.ts';

/**
 * The network of the task: with networkMode host the node's, otherwise one of its own that its containers share
 * (`ecs-semantics §1.7`). A pod cannot be without one, as `none` and disableNetworking ask.
 */
export function network(task: TaskContext): Pick<V1PodSpec, 'dnsPolicy' | 'hostAliases' | 'hostname' | 'hostNetwork'> {
  const onNode = task.definition.networkMode === 'host';
  return {
    ...(onNode && { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }),
    ...hostAliases(task),
    ...(!onNode && hostname(task)),
  };
}

/** On the node's network every port is the node's; on the pod's a fixed hostPort is mapped, 0, absent and awsvpc are not. */
export function ports({ portMappings }: ContainerDefinition, { definition }: TaskContext): Pick<V1Container, 'ports'> {
  if (portMappings.length === 0) return {};
  return {
    ports: portMappings.flatMap(({ containerPort, hostPort, protocol }) => {
      if (containerPort === undefined) return [];
      const mode = definition.networkMode;
      const onNode = mode === 'awsvpc' ? 0 : mode === 'host' ? containerPort : (hostPort ?? 0);
      return [{ containerPort, protocol: protocol.toUpperCase(), ...(onNode > 0 && { hostPort: onNode }) }];
    }),
  };
}

/** What Kubernetes takes for a name in /etc/hosts; look-ups do not heed case. */
export const isHostName = (name: string): boolean =>
  name.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/i.test(name);

/** Links resolve to the task's own address: its containers share one network. */
function hostAliases({ containers }: TaskContext): { hostAliases?: V1HostAlias[] } {
  const linked = containers.flatMap(({ links }) => links.flatMap((link) => link.split(':')));
  const hostnames = [...new Set(linked.filter(isHostName).map((name) => name.toLowerCase()))];
  return hostnames.length === 0 ? {} : { hostAliases: [{ ip: '127.0.0.1', hostnames }] };
}

/** A pod has one host name. */
function hostname({ definition }: TaskContext): { hostname?: string } {
  const name = definition.containerDefinitions.find((container) => container.hostname !== undefined)?.hostname;
  return name === undefined ? {} : { hostname: dnsName(name) };
}
