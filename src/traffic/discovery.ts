/** Under which names the tasks of a service are found: the core Services of its registry and of its Service Connect aliases. */
import type { ClusterSpec } from '../api/cluster.ts';
import type { PortMapping } from '../api/port-mapping.ts';
import type { ServiceConnectConfiguration } from '../api/service-connect.ts';
import type { ServiceRegistry } from '../api/service-registry.ts';
import type { TaskDefinitionSpec } from '../api/task-definition.ts';
import { portNameOf } from '../pod/port-names.ts';
import type { TaskProblem } from '../pod/problems.ts';
import { aliasName, discoveredName, registryName } from './discovery-names.ts';
import type { Registration } from './registration.ts';

/** A port of a core Service, and what is behind it. */
export interface DiscoveryPort {
  /** Of the core Service's port: SRV records have it. */
  readonly name: string;
  readonly port: number;
  readonly protocol: PortMapping['protocol'];
  readonly appProtocol?: string;
  /** Name of the pod's port; absent where the task definition does not map it. */
  readonly portName?: string;
  readonly containerPort: number;
  /** AWS name; absent where the task definition does not map the port. */
  readonly container?: string;
}

/** A core Service behind which the tasks stand. */
export interface DiscoveryName {
  /** Of the core Service. */
  readonly name: string;
  /** Without an address of its own: its name gives those of the tasks. */
  readonly headless: boolean;
  readonly ports: readonly DiscoveryPort[];
}

export interface Discovery {
  readonly registrations: readonly Registration[];
  readonly names: readonly DiscoveryName[];
  readonly problems: readonly TaskProblem[];
}

export interface DiscoveryInput {
  readonly serviceRegistries: readonly ServiceRegistry[];
  readonly serviceConnectConfiguration?: ServiceConnectConfiguration | undefined;
  readonly definition: TaskDefinitionSpec;
  readonly cluster: ClusterSpec;
  readonly namespace: string;
}

const mismatch = (message: string): TaskProblem => ({ reason: 'ServiceDiscoveryMismatch', message, blocks: true });

interface Found {
  /** Each with the path of what asks for it. */
  readonly names: (DiscoveryName & { readonly field: string })[];
  readonly problems: TaskProblem[];
}

/** Pure; what has no meaning here is among the problems and not among the names. */
export function discoveryOf(input: DiscoveryInput): Discovery {
  const found: Found = { names: [], problems: [] };
  for (const [index, registry] of input.serviceRegistries.entries())
    addRegistry(found, input, registry, `spec.serviceRegistries[${index}]`);
  addServiceConnect(found, input);
  const { names, problems } = found;
  return {
    registrations: names.flatMap(registrationsOf),
    names: names.map(({ field, ...name }) => name),
    problems,
  };
}

/**
 * On AWS the proxy of a client tries another task where one has gone. Here nothing does: a task goes on until the rules of
 * all nodes are without it, as kubelets and kube-proxies take a second or two for that.
 */
const ALIAS_PAUSE_SECONDS = 5;

const registrationsOf = ({ name, field, headless, ports }: Found['names'][number]): Registration[] =>
  ports.flatMap(({ container, containerPort, protocol, portName, name: servicePort }) =>
    container === undefined || portName === undefined
      ? []
      : [
          {
            field,
            service: name,
            container,
            containerPort,
            protocol,
            portName,
            servicePort,
            ...(!headless && { pauseSeconds: ALIAS_PAUSE_SECONDS }),
          },
        ],
  );

function addRegistry(found: Found, input: DiscoveryInput, registry: ServiceRegistry, path: string): void {
  const resolved = registryName(registry.registryArn, input.cluster);
  if ('unresolved' in resolved) {
    found.problems.push({
      reason: 'MappingMissing',
      message: `${path}.registryArn: ${resolved.unresolved}`,
      blocks: true,
    });
    return;
  }
  const ports = portsOfRegistry(registry, input.definition);
  if ('problem' in ports) {
    found.problems.push(mismatch(`${path}${ports.problem}`));
    return;
  }
  found.names.push({ name: resolved.name, field: path, headless: true, ports: distinct(ports) });
}

/** Container and mapping of each port that the task definition maps. */
const mapped = ({ containerDefinitions }: TaskDefinitionSpec) =>
  containerDefinitions.flatMap(({ name, portMappings }) =>
    portMappings.map((mapping) => ({ container: name, mapping })),
  );

type Mapped = ReturnType<typeof mapped>[number];

/** Data planes that read it speak HTTP/2 without TLS to `kubernetes.io/h2c`, which is what gRPC needs (KEP 3726). */
const APP_PROTOCOLS = { http: 'http', http2: 'kubernetes.io/h2c', grpc: 'kubernetes.io/h2c' } as const;

function portOf({ container, mapping }: Mapped, port?: number): DiscoveryPort | undefined {
  const { containerPort, protocol, appProtocol } = mapping;
  const portName = portNameOf(mapping);
  if (containerPort === undefined || portName === undefined) return undefined;
  return {
    name: portName,
    port: port ?? containerPort,
    protocol,
    ...(appProtocol !== undefined && { appProtocol: APP_PROTOCOLS[appProtocol] }),
    portName,
    containerPort,
    container,
  };
}

function portsOfRegistry(
  { containerName, containerPort, port }: ServiceRegistry,
  definition: TaskDefinitionSpec,
): DiscoveryPort[] | { readonly problem: string } {
  const all = mapped(definition);
  if (containerName !== undefined) {
    if (!definition.containerDefinitions.some(({ name }) => name === containerName))
      return { problem: `.containerName: The container ${containerName} does not exist in the task definition.` };
    const named = all.find(
      ({ container, mapping }) => container === containerName && mapping.containerPort === containerPort,
    );
    const found = named && portOf(named);
    // Text: AWS (pulumi/pulumi-aws#3095, of a load balancer).
    if (found === undefined)
      return {
        problem: `.containerPort: The container ${containerName} did not have a container port ${containerPort} defined.`,
      };
    return [found];
  }
  // AWS: "If the task definition … uses the bridge or host network mode, you must specify a containerName and containerPort".
  if (definition.networkMode === 'bridge' || definition.networkMode === 'host')
    return { problem: `: with networkMode=${definition.networkMode} you must specify containerName and containerPort` };
  if (port === undefined) return all.flatMap((each) => portOf(each) ?? []);
  const known = all.find(({ mapping }) => mapping.containerPort === port);
  return [(known && portOf(known)) ?? { name: `tcp-${port}`, port, protocol: 'tcp', containerPort: port }];
}

function addServiceConnect(found: Found, input: DiscoveryInput): void {
  const { serviceConnectConfiguration: connect, definition, cluster } = input;
  if (connect?.enabled !== true) return;
  const all = mapped(definition);
  const names = all.flatMap(({ mapping }) => mapping.name ?? []);
  const where = {
    namespace: input.namespace,
    cloudMap: connect.namespace ?? cluster.serviceConnectDefaults?.namespace,
  };
  for (const [index, { portName, discoveryName, clientAliases }] of connect.services.entries()) {
    const path = `spec.serviceConnectConfiguration.services[${index}]`;
    const named = all.find(({ mapping }) => mapping.name === portName);
    const [alias] = clientAliases;
    if (alias === undefined) continue;
    const port = named && portOf(named, alias.port);
    if (port === undefined) {
      const are = names.length === 0 ? 'none has a name' : `there are ${names.join(', ')}`;
      const what = named === undefined ? are : 'this one is a range of ports';
      found.problems.push(
        mismatch(
          `${path}.portName: "${portName}" must match the name of one of the portMappings of the task definition: ${what}`,
        ),
      );
      continue;
    }
    const resolved =
      alias.dnsName === undefined ? discoveredName(discoveryName ?? portName, where) : aliasName(alias.dnsName, where);
    const at =
      alias.dnsName !== undefined
        ? '.clientAliases[0].dnsName'
        : discoveryName === undefined
          ? '.portName'
          : '.discoveryName';
    if ('unresolved' in resolved) {
      found.problems.push(mismatch(`${path}${at}: ${resolved.unresolved}`));
      continue;
    }
    if (resolved.note !== undefined)
      found.problems.push({ ...mismatch(`${path}${at}: ${resolved.note}`), blocks: false });
    addAlias(found, resolved.name, port, path);
  }
}

/** Aliases of one name share a core Service, which has an address of its own: a port of it may lead to another. */
function addAlias({ names, problems }: Found, name: string, port: DiscoveryPort, path: string): void {
  const position = names.findIndex((known) => known.name === name);
  const known = names[position];
  if (known === undefined) {
    names.push({ name, field: path, headless: false, ports: [port] });
    return;
  }
  const same = known.ports.find((other) => other.port === port.port && other.protocol === port.protocol);
  if (same !== undefined && same.portName !== port.portName) {
    problems.push(
      mismatch(
        `${path}: "${name}:${port.port}" leads to port "${same.portName ?? same.name}" already; each name:port must be unique`,
      ),
    );
    return;
  }
  names[position] = {
    ...known,
    headless: false,
    ports: same === undefined ? distinct([...known.ports, port]) : known.ports,
  };
}

/** Ports of a core Service need names of their own, though two may lead to one port of the pod. */
function distinct(ports: readonly DiscoveryPort[]): DiscoveryPort[] {
  return ports.map((port, index) => {
    const isTaken = ports.slice(0, index).some(({ name }) => name === port.name);
    return isTaken ? { ...port, name: `${port.name}-${port.port}` } : port;
  });
}
