/** Ports of a container and of its task (`ecs-semantics` §1.7). */
import type { ContainerDefinition } from './container-definition.ts';
import { type Condition, networkMode, noContainer, noItem } from './element-rules.ts';
import { overlap, type PortMapping, portsOf } from './port-mapping.ts';
import { celText, type Rule } from './schema.ts';
import type { TaskDefinitionFields } from './task-definition-fields.ts';

const mappings = { list: 'portMappings', items: ({ portMappings }: ContainerDefinition) => portMappings } as const;

const noPortsWithoutNetwork = noContainer({
  when: networkMode('none'),
  breaks: ({ portMappings }) => portMappings.length > 0,
  cel: (c) => `has(${c}.portMappings) && size(${c}.portMappings) > 0`,
  message: (name) => `container '${name}': portMappings are not allowed when networkMode=none`,
});

/** Texts of AWS name the mode; one rule a mode. Text: AWS (ecs-semantics §1.3; for host measured 2026-09). */
const hostPortsMatch = (mode: 'awsvpc' | 'host') =>
  noItem({
    ...mappings,
    when: networkMode(mode),
    breaks: ({ containerPort, hostPort }) =>
      containerPort !== undefined && hostPort !== undefined && hostPort !== containerPort,
    cel: (p) => `has(${p}.containerPort) && has(${p}.hostPort) && ${p}.hostPort != ${p}.containerPort`,
    value: ({ hostPort }) => String(hostPort),
    celValue: (p) => `${p}.hostPort`,
    message: (container, hostPort) =>
      `container '${container}', hostPort ${hostPort}: When networkMode=${mode}, the host ports and container ports in port mappings must match.`,
  });

const noRangesOnHost = noItem({
  ...mappings,
  when: networkMode('host'),
  breaks: ({ containerPortRange }) => containerPortRange !== undefined,
  cel: (p) => `has(${p}.containerPortRange)`,
  value: ({ containerPortRange = '' }) => containerPortRange,
  celValue: (p) => `${p}.containerPortRange`,
  message: (container, range) =>
    `container '${container}', containerPortRange ${range}: port ranges are only supported when networkMode=bridge or awsvpc`,
});

/** TCP and UDP may share a number: two times the port, plus one for UDP; 0 for no port. */
const numberOf = (port: number | undefined, protocol: PortMapping['protocol']): number =>
  port === undefined || port === 0 ? 0 : port * 2 + (protocol === 'udp' ? 1 : 0);

/** One port of a protocol may occur once in the task; of those that occur more often the highest is named. */
function noPortTwice(
  when: Condition,
  field: 'containerPort' | 'hostPort',
  message: (protocol: string, port: string) => string,
): Rule<TaskDefinitionFields> {
  const number = `(has(p.${field}) && p.${field} > 0 ? p.${field} * 2 + (p.protocol == 'udp' ? 1 : 0) : 0)`;
  const all = `self.containerDefinitions.map(c, has(c.portMappings) ? c.portMappings.map(p, ${number}) : [])`;
  const once = 'x.exists_one(m, m.exists_one(o, o == n))';
  const highest = `[${all}].map(x, x.map(l, (l + [0]).map(n, n == 0 || ${once} ? 0 : n).max()).max())[0]`;
  return {
    refuses: (task) => {
      if (!when.holds(task)) return undefined;
      const numbers = task.containerDefinitions
        .flatMap(({ portMappings }) => portMappings.map((mapping) => numberOf(mapping[field], mapping.protocol)))
        .filter((number) => number > 0);
      const twice = numbers.filter((candidate, index) => numbers.indexOf(candidate) !== index);
      if (twice.length === 0) return undefined;
      const found = Math.max(...twice);
      return message(found % 2 === 1 ? 'UDP' : 'TCP', String(Math.floor(found / 2)));
    },
    cel: `!(${when.cel}) || [${all}].all(x, x.all(l, l.all(n, n == 0 || ${once})))`,
    celMessage: `[${highest}].map(n, ${celText(message, "(n % 2 == 1 ? 'UDP' : 'TCP')", 'n / 2')})[0]`,
    field: 'containerDefinitions',
  };
}

// Text: AWS (measured 2026-09).
const containerPortsOnce = noPortTwice(
  networkMode('awsvpc'),
  'containerPort',
  (protocol, port) => `${protocol} container port '${port}' is used multiple times in task when networkMode=awsvpc.`,
);

// Text: AWS (aws/amazon-ecs-agent#1220).
const mappedTwice = (protocol: string, port: string) =>
  `${protocol} host port '${port}' is mapped multiple times in task.`;
const hostPortsOnce = noPortTwice(networkMode('bridge'), 'hostPort', mappedTwice);
const portsOnHostOnce = noPortTwice(networkMode('host'), 'containerPort', mappedTwice);

// Text: AWS (measured 2026-09, for awsvpc).
const portNameTwice = (mode: string) => `When networkMode=${mode}, port mapping name is already used`;
const celNames =
  "self.containerDefinitions.map(c, has(c.portMappings) ? c.portMappings.map(p, has(p.name) ? p.name : '') : [])";
const portNamesOnce: Rule<TaskDefinitionFields> = {
  refuses: (task) => {
    const names = task.containerDefinitions.flatMap(({ portMappings }) =>
      portMappings.flatMap(({ name }) => name ?? []),
    );
    return new Set(names).size === names.length ? undefined : portNameTwice(task.networkMode);
  },
  cel: `[${celNames}].all(x, x.all(l, l.all(n, n == '' || x.exists_one(m, m.exists_one(o, o == n)))))`,
  celMessage: celText(portNameTwice, 'self.networkMode'),
  field: 'containerDefinitions',
};

export const portRules: readonly Rule<TaskDefinitionFields>[] = [
  noPortsWithoutNetwork,
  hostPortsMatch('awsvpc'),
  hostPortsMatch('host'),
  noRangesOnHost,
  containerPortsOnce,
  hostPortsOnce,
  portsOnHostOnce,
  portNamesOnce,
];

/**
 * Refuses ranges of ports that overlap ports of another container at the same address. To compare all with all costs
 * more than the API server allows a rule: it lets them pass, the controller reports them. Text: AWS (measured 2026-09).
 */
export function refuseOverlappingRanges(task: TaskDefinitionFields): string | undefined {
  if (task.networkMode !== 'awsvpc') return undefined;
  const all = task.containerDefinitions.flatMap(({ name, portMappings }) =>
    portMappings.flatMap((mapping) => {
      const ports = portsOf(mapping);
      return ports === undefined ? [] : [{ name, mapping, ports }];
    }),
  );
  for (const one of all) {
    if (one.mapping.containerPortRange === undefined) continue;
    const other = all.find(
      ({ name, mapping, ports }) =>
        name !== one.name && mapping.protocol === one.mapping.protocol && overlap(ports, one.ports),
    );
    if (other === undefined) continue;
    const port = Math.max(one.ports.first, other.ports.first);
    return `${one.mapping.protocol.toUpperCase()} container port '${port}' is used multiple times in task when networkMode=awsvpc.`;
  }
  return undefined;
}
