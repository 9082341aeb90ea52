/** Addresses, ports and names. */
import type { ContainerDefinition, ExtraHost } from '../../api/container-definition.ts';
import type { PortMapping } from '../../api/port-mapping.ts';
import type { TaskDefinitionSpec } from '../../api/task-definition.ts';
import { ECS } from '../../aws-model/model.ts';
import { isAddress, isHostName } from '../name-resolution.ts';
import { portNameOf } from '../port-names.ts';
import { approximated, BY_ITS_FIELDS, conditional, exact, ignored, type Topic, whole } from './entry.ts';
import { ALIAS_PORTS, EXAMPLE, HOST_NETWORK, HOST_PORTS, NAMES_GIVEN, NETWORK } from './proofs.ts';

const noProxy = ignored('there is no App Mesh: traffic goes past the container');
const shared = 'containers of a task share one network, so two of them cannot listen on one port';

const hostEntry = conditional(
  {
    'the task has one container': exact(NAMES_GIVEN),
    'the task has several containers': approximated('all containers of the task have the entry', NAMES_GIVEN),
    'it is no DNS name with an IP address': ignored('Kubernetes takes only DNS names and IP addresses'),
  },
  ({ hostname, ipAddress }: ExtraHost, { containerDefinitions }: TaskDefinitionSpec) => {
    if (!isHostName(hostname) || !isAddress(ipAddress)) return 'it is no DNS name with an IP address';
    return containerDefinitions.length === 1 ? 'the task has one container' : 'the task has several containers';
  },
);

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
    proxyConfiguration: noProxy,
  },
  ContainerDefinition: {
    links: approximated(
      `the name resolves to 127.0.0.1, unless it has a _: ${shared}; of Docker's variables those that only the image knows are missing`,
      EXAMPLE,
    ),
    portMappings: BY_ITS_FIELDS,
    hostname: conditional(
      {
        'it is the first of the task': approximated(
          'a pod has one host name, in lower case and without dots, for all its containers',
          NAMES_GIVEN,
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
    disableNetworking: ignored(
      'a pod always has a network, which its containers share; a NetworkPolicy can close it for all of them',
    ),
    dnsServers: conditional(
      {
        'the task has one container, with up to 3': exact(NAMES_GIVEN),
        'the task has several containers, or more than 3': approximated(
          'all containers of the task use the first 3 of all of them, as the C libraries take no more',
          NAMES_GIVEN,
        ),
        'one is no IP address': ignored('what is no IP address is left out'),
      },
      ({ dnsServers }: ContainerDefinition, { containerDefinitions }: TaskDefinitionSpec) => {
        if (!dnsServers.every(isAddress)) return 'one is no IP address';
        return containerDefinitions.length === 1 && dnsServers.length <= 3
          ? 'the task has one container, with up to 3'
          : 'the task has several containers, or more than 3';
      },
    ),
    dnsSearchDomains: conditional(
      {
        'dnsServers are given, for one container': exact(NAMES_GIVEN),
        'dnsServers are given, for several containers': approximated(
          'all containers of the task look into the domains of all of them',
          NAMES_GIVEN,
        ),
        'no dnsServers are given': approximated('they come after the domains of the cluster, for all containers'),
        'one is no DNS name': ignored('what is no DNS name is left out'),
      },
      ({ dnsServers, dnsSearchDomains }: ContainerDefinition, { containerDefinitions }: TaskDefinitionSpec) => {
        if (!dnsSearchDomains.every(isHostName)) return 'one is no DNS name';
        if (dnsServers.length === 0) return 'no dnsServers are given';
        return containerDefinitions.length === 1
          ? 'dnsServers are given, for one container'
          : 'dnsServers are given, for several containers';
      },
    ),
    extraHosts: BY_ITS_FIELDS,
  },
  PortMapping: {
    containerPort: exact(NETWORK),
    hostPort: conditional(
      {
        'a port is named': exact(NETWORK, EXAMPLE, HOST_PORTS),
        'it is 0': approximated(
          'the task has an address of its own, where the container port answers: no port of the node is taken',
          HOST_PORTS,
        ),
      },
      ({ hostPort }: ContainerDefinition['portMappings'][number]) => (hostPort === 0 ? 'it is 0' : 'a port is named'),
    ),
    protocol: exact(NETWORK),
    name: conditional(
      {
        'Kubernetes takes it': exact(ALIAS_PORTS),
        'it is longer than 15, or has a _': approximated(
          'the port of the pod, which SRV records name, is called by a part of it and a short hash',
          ALIAS_PORTS,
        ),
      },
      (mapping: PortMapping) =>
        mapping.name === portNameOf(mapping) ? 'Kubernetes takes it' : 'it is longer than 15, or has a _',
    ),
    appProtocol: approximated(
      'the port of the core Services of Service Connect says it: data planes that read appProtocol heed it, kube-proxy does not',
      ALIAS_PORTS,
    ),
    containerPortRange: approximated(
      'the task has an address of its own, where all its ports are open: none of the node is taken',
    ),
  },
  HostEntry: { hostname: hostEntry, ipAddress: hostEntry },
  ...whole(ECS, noProxy, 'ProxyConfiguration'),
};
