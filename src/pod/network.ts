import type { V1Container, V1PodSpec } from '@kubernetes/client-node';
import type { ContainerDefinition } from '../api/container-definition.ts';
import { dnsName } from '../api/names.ts';
import type { TaskContext } from './task-context.ts';

/** A fixed hostPort is mapped on the node; 0, absent and awsvpc need none: the pod has its own address. */
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

/** Links resolve to the task's own address: its containers share one network. */
export function hostNames({ definition }: TaskContext): Pick<V1PodSpec, 'hostAliases' | 'hostname'> {
  const names = definition.containerDefinitions.flatMap(({ links }) => links.flatMap((link) => link.split(':')));
  const hostname = definition.containerDefinitions.find((container) => container.hostname !== undefined)?.hostname;
  return {
    ...(names.length > 0 && { hostAliases: [{ ip: '127.0.0.1', hostnames: [...new Set(names)] }] }),
    ...(hostname !== undefined && { hostname: dnsName(hostname) }),
  };
}
