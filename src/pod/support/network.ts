/** Addresses, ports and names. */
import type { ContainerDefinition } from '../../api/container-definition.ts';
import type { TaskDefinitionSpec } from '../../api/task-definition.ts';
import { ECS } from '../../aws-model/model.ts';
import { approximated, BY_ITS_FIELDS, conditional, exact, ignored, type Topic, whole } from './entry.ts';
import { EXAMPLE, HOST_NETWORK, NETWORK } from './proofs.ts';

const notYet = ignored('not honoured yet');
const shared = 'containers of a task share one network, so two of them cannot listen on one port';

export const network: Topic = {
  RegisterTaskDefinitionRequest: {
    networkMode: conditional(
      {
        awsvpc: exact(NETWORK),
        'bridge, with one container': exact(NETWORK),
        'bridge, with several containers': approximated(shared),
        host: exact(HOST_NETWORK),
        none: ignored('pods always have a network; a NetworkPolicy can close it'),
      },
      ({ networkMode, containerDefinitions }: TaskDefinitionSpec) => {
        if (networkMode !== 'bridge') return networkMode;
        return containerDefinitions.length === 1 ? 'bridge, with one container' : 'bridge, with several containers';
      },
    ),
    proxyConfiguration: notYet,
  },
  ContainerDefinition: {
    links: approximated(`the name resolves to 127.0.0.1, unless it has a _: ${shared}`, EXAMPLE),
    portMappings: BY_ITS_FIELDS,
    hostname: conditional(
      {
        'it is the first of the task': approximated(
          'a pod has one host name, in lower case and without dots, for all its containers',
        ),
        'another container set one before': ignored(
          'a pod has one host name: that of the first container that sets one',
        ),
        'networkMode is host': ignored("the containers have the node's host name"),
      },
      (container: ContainerDefinition, { containerDefinitions, networkMode }: TaskDefinitionSpec) => {
        if (networkMode === 'host') return 'networkMode is host';
        return containerDefinitions.find(({ hostname }) => hostname !== undefined)?.name === container.name
          ? 'it is the first of the task'
          : 'another container set one before';
      },
    ),
    disableNetworking: notYet,
    dnsServers: notYet,
    dnsSearchDomains: notYet,
    extraHosts: notYet,
  },
  PortMapping: {
    containerPort: exact(NETWORK),
    hostPort: conditional(
      {
        'a port is named': exact(NETWORK, EXAMPLE),
        'it is 0': approximated(
          'the task has an address of its own, where the container port answers: no port of the node is taken',
        ),
      },
      ({ hostPort }: ContainerDefinition['portMappings'][number]) => (hostPort === 0 ? 'it is 0' : 'a port is named'),
    ),
    protocol: exact(NETWORK),
    name: ignored('only service meshes look at it, and none is there'),
    appProtocol: ignored('only service meshes look at it, and none is there'),
    containerPortRange: notYet,
  },
  ...whole(ECS, notYet, 'HostEntry', 'ProxyConfiguration'),
};
