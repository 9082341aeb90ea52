/** Rules over several fields of one container, each as zod check and CEL. Where texts come from: `task-definition-rules.ts`. */
import type { ContainerFields } from './container-definition.ts';
import { overlap, PORT_RANGE, type PortMapping, portsOf } from './port-mapping.ts';
import { celFirst, celHasKey, celText, type Rule } from './schema.ts';

// Text: AWS (measured 2026-09).
const lessThanReserved = (name: string) =>
  `Invalid setting for container '${name}'. 'memory' must be greater than or equal to 'memoryReservation'.`;
const memoryCoversReservation: Rule<ContainerFields> = {
  refuses: ({ name, memory, memoryReservation }) =>
    memory !== undefined && memoryReservation !== undefined && memory < memoryReservation
      ? lessThanReserved(name)
      : undefined,
  cel: '!has(self.memory) || !has(self.memoryReservation) || self.memory >= self.memoryReservation',
  celMessage: celText(lessThanReserved, 'self.name'),
  field: 'memory',
};

const notItself: readonly Rule<ContainerFields>[] = [
  {
    message: 'a container cannot depend on itself',
    holds: ({ name, dependsOn }) => dependsOn.every(({ containerName }) => containerName !== name),
    cel: '!has(self.dependsOn) || self.dependsOn.all(d, d.containerName != self.name)',
    field: 'dependsOn',
  },
  {
    message: 'a container cannot link to itself',
    holds: ({ name, links }) => links.every((link) => link !== name && !link.startsWith(`${name}:`)),
    cel: "!has(self.links) || self.links.all(l, l != self.name && !l.startsWith(self.name + ':'))",
    field: 'links',
  },
  {
    message: 'a container cannot take volumes from itself',
    holds: ({ name, volumesFrom }) => volumesFrom.every(({ sourceContainer }) => sourceContainer !== name),
    cel: '!has(self.volumesFrom) || self.volumesFrom.all(v, v.sourceContainer != self.name)',
    field: 'volumesFrom',
  },
];

// Text: AWS (ecs-semantics §1.3).
const sharedName = (name: string) =>
  `The secret name must be unique and not shared with any new or existing environment variables set on the container, such as '${name}'.`;
const celSecretNames = 'self.secrets.map(s, s.name)';
const celVariableNames = '(has(self.environment) ? self.environment.map(e, e.name) : [])';
/** Of a container of AWS Batch as well. */
export const secretNamesUnique: Rule<Pick<ContainerFields, 'secrets' | 'environment'>> = {
  refuses: ({ secrets, environment }) => {
    const names = secrets.map(({ name }) => name);
    const shared = names.find(
      (name) =>
        names.indexOf(name) !== names.lastIndexOf(name) || environment.some((variable) => variable.name === name),
    );
    return shared === undefined ? undefined : sharedName(shared);
  },
  cel: `!has(self.secrets) || [${celVariableNames}].all(v, [${celSecretNames}].all(n, n.all(s, !(s in v) && n.exists_one(o, o == s))))`,
  celMessage: celText(
    sharedName,
    `self.secrets[${celFirst('self.secrets', 's', `s.name in ${celVariableNames} || !self.secrets.exists_one(o, o.name == s.name)`)}].name`,
  ),
  field: 'secrets',
};

// Text: AWS (measured 2026-09, and klothoplatform/klotho#892 for both).
const missingOptions = (options: string) => `Log driver awslogs requires options: ${options}`;
const REQUIRED = ['awslogs-region', 'awslogs-group'] as const;
const celHasOption = (option: string) => celHasKey('self.logConfiguration.options', option);
const awslogsOptions: Rule<ContainerFields> = {
  refuses: ({ logConfiguration }) => {
    if (logConfiguration?.logDriver !== 'awslogs') return undefined;
    const missing = REQUIRED.filter((option) => logConfiguration.options[option] === undefined);
    return missing.length === 0 ? undefined : missingOptions(missing.join(', '));
  },
  cel: `!has(self.logConfiguration) || self.logConfiguration.logDriver != 'awslogs' || (${REQUIRED.map(celHasOption).join(' && ')})`,
  celMessage: celText(
    missingOptions,
    `(${celHasOption(REQUIRED[0])} ? '${REQUIRED[1]}' : ${celHasOption(REQUIRED[1])} ? '${REQUIRED[0]}' : '${REQUIRED.join(', ')}')`,
  ),
  field: 'logConfiguration',
};

const celIsRange = (mapping: string) =>
  `has(${mapping}.containerPortRange) && ${mapping}.containerPortRange.matches('${PORT_RANGE.source}')`;
const celFirstPort = (mapping: string) => `int(${mapping}.containerPortRange.find('^[0-9]+'))`;
const celLastPort = (mapping: string) => `int(${mapping}.containerPortRange.find('[0-9]+$'))`;

function portRule(
  breaks: (mapping: PortMapping, all: readonly PortMapping[]) => boolean,
  cel: string,
  message: (name: string, range: string) => string,
): Rule<ContainerFields> {
  const first = `self.portMappings[${celFirst('self.portMappings', 'p', cel)}]`;
  return {
    refuses: ({ name, portMappings }) => {
      const mapping = portMappings.find((candidate) => breaks(candidate, portMappings));
      return mapping && message(name, mapping.containerPortRange ?? '');
    },
    cel: `!has(self.portMappings) || !self.portMappings.exists(p, ${cel})`,
    celMessage: celText(message, 'self.name', `${first}.containerPortRange`),
    field: 'portMappings',
  };
}

const isReversed = (mapping: PortMapping): boolean => {
  const ports = mapping.containerPortRange === undefined ? undefined : portsOf(mapping);
  return ports !== undefined && (ports.first >= ports.last || ports.last > 65535);
};

const portRules: readonly Rule<ContainerFields>[] = [
  // Text: AWS (aws/aws-cli#7288).
  portRule(
    ({ containerPort, containerPortRange }) => containerPort === undefined && containerPortRange === undefined,
    '!has(p.containerPort) && !has(p.containerPortRange)',
    (name) => `Invalid 'containerPort' setting for container '${name}'.`,
  ),
  // Text: AWS (measured 2026-09).
  portRule(
    ({ containerPort, hostPort, containerPortRange }) =>
      containerPortRange !== undefined && (containerPort !== undefined || hostPort !== undefined),
    'has(p.containerPortRange) && (has(p.containerPort) || has(p.hostPort))',
    (name) => `Invalid port mapping for container '${name}', cannot specify both single port and port range.`,
  ),
  // Text: AWS (measured 2026-09).
  portRule(
    isReversed,
    `${celIsRange('p')} && (${celFirstPort('p')} >= ${celLastPort('p')} || ${celLastPort('p')} > 65535)`,
    (name, range) =>
      `Invalid 'containerPortRange' setting for container '${name}'. It takes first-last, from 1 to 65535; got '${range}'.`,
  ),
  portRule(
    (mapping, all) =>
      mapping.containerPortRange !== undefined &&
      !isReversed(mapping) &&
      all.some((other) => other !== mapping && other.protocol === mapping.protocol && overlapping(mapping, other)),
    `${celIsRange('p')} && [[${celFirstPort('p')}, ${celLastPort('p')}]].exists(r, r[0] < r[1] && ` +
      `!self.portMappings.exists_one(q, q.protocol == p.protocol && (${celIsRange('q')} ` +
      `? ${celFirstPort('q')} <= r[1] && r[0] <= ${celLastPort('q')} ` +
      `: has(q.containerPort) && r[0] <= q.containerPort && q.containerPort <= r[1])))`,
    (name, range) => `containerPortRange ${range} overlaps another port mapping of container '${name}'`,
  ),
];

function overlapping(one: PortMapping, other: PortMapping): boolean {
  const [ports, others] = [portsOf(one), portsOf(other)];
  return ports !== undefined && others !== undefined && overlap(ports, others);
}

export const containerRules: readonly Rule<ContainerFields>[] = [
  memoryCoversReservation,
  ...notItself,
  secretNamesUnique,
  awslogsOptions,
  ...portRules,
];
