import type { ContainerDefinition } from './container-definition.ts';
import type { Rule } from './schema.ts';

/** What the rules below look at; the parsed TaskDefinition has it. */
interface TaskShape {
  readonly containerDefinitions: readonly ContainerDefinition[];
  readonly networkMode: string;
  readonly cpu?: string | undefined;
  readonly memory?: string | undefined;
  readonly requiresCompatibilities: readonly string[];
  readonly volumes: readonly { readonly name: string }[];
}

/** Containers of one task (`ecs-semantics` §1.1). */
export const MAX_CONTAINERS = 10;

const field = 'containerDefinitions';
const linkTarget = (link: string) => link.split(':')[0] ?? link;
const named = (task: TaskShape, name: string) => task.containerDefinitions.find((container) => container.name === name);

const someEssential: Rule<TaskShape> = {
  message:
    'at least one container must be essential: leave essential out or set it to true on one of containerDefinitions',
  holds: (task) => task.containerDefinitions.some(({ essential }) => essential),
  cel: 'self.containerDefinitions.exists(c, c.essential)',
  field,
};

const lacksMemory = (container: string) => `!has(${container}.memory) && !has(${container}.memoryReservation)`;

/** CEL: name of the first of the containers that `applies`. A filter would do, but its cost has no bound. */
const firstName = (applies: (container: string) => string) =>
  Array.from({ length: MAX_CONTAINERS }, (_, index) => `self.containerDefinitions[${index}]`).reduceRight(
    (rest, container, index) =>
      `(size(self.containerDefinitions) > ${index} && ${applies(container)} ? ${container}.name : ${rest})`,
    "''",
  );

// Text: ecs-semantics §1.3.
const memoryGiven: Rule<TaskShape> = {
  refuses: (task) => {
    if (task.memory !== undefined) return undefined;
    const without = task.containerDefinitions.find((c) => c.memory === undefined && c.memoryReservation === undefined);
    return (
      without &&
      `Invalid setting for container '${without.name}'. At least one of 'memory' or 'memoryReservation' must be specified.`
    );
  },
  cel: `has(self.memory) || !self.containerDefinitions.exists(c, ${lacksMemory('c')})`,
  celMessage: `"Invalid setting for container '" + ${firstName(lacksMemory)} + "'. At least one of 'memory' or 'memoryReservation' must be specified."`,
  field,
};

// Text: ecs-semantics §1.3; the rule holds for host as well (§1.7).
const hostPortsMatch: Rule<TaskShape> = {
  refuses: (task) =>
    (task.networkMode === 'awsvpc' || task.networkMode === 'host') &&
    task.containerDefinitions.some((c) =>
      c.portMappings.some((p) => p.hostPort !== undefined && p.hostPort !== p.containerPort),
    )
      ? `When networkMode=${task.networkMode}, the host ports and container ports in port mappings must match.`
      : undefined,
  cel:
    "!(self.networkMode in ['awsvpc', 'host']) || self.containerDefinitions.all(c, !has(c.portMappings) || " +
    'c.portMappings.all(p, !has(p.hostPort) || p.hostPort == p.containerPort))',
  celMessage:
    "'When networkMode=' + self.networkMode + ', the host ports and container ports in port mappings must match.'",
  field,
};

const noPortsWithoutNetwork: Rule<TaskShape> = {
  message: 'portMappings are not allowed with networkMode none',
  holds: (task) => task.networkMode !== 'none' || task.containerDefinitions.every((c) => c.portMappings.length === 0),
  cel: "self.networkMode != 'none' || self.containerDefinitions.all(c, !has(c.portMappings) || size(c.portMappings) == 0)",
  field,
};

const dependenciesExist: Rule<TaskShape> = {
  message: 'every dependsOn[].containerName must be the name of a container of this task definition',
  holds: (task) =>
    task.containerDefinitions.every((c) => c.dependsOn.every((d) => named(task, d.containerName) !== undefined)),
  cel:
    'self.containerDefinitions.all(c, !has(c.dependsOn) || c.dependsOn.all(d, ' +
    'self.containerDefinitions.exists(t, t.name == d.containerName)))',
  field,
};

// Text: ecs-semantics §1.3, rule §1.5.
const endingDependenciesNotEssential: Rule<TaskShape> = {
  message: 'A dependency container with SUCCESS or COMPLETE condition cannot be an essential container',
  holds: (task) =>
    task.containerDefinitions.every((c) =>
      c.dependsOn.every(
        (d) =>
          (d.condition !== 'SUCCESS' && d.condition !== 'COMPLETE') || named(task, d.containerName)?.essential !== true,
      ),
    ),
  cel:
    "self.containerDefinitions.all(c, !has(c.dependsOn) || c.dependsOn.all(d, !(d.condition in ['SUCCESS', 'COMPLETE']) || " +
    'self.containerDefinitions.all(t, t.name != d.containerName || !t.essential)))',
  field,
};

const healthyNeedsHealthCheck: Rule<TaskShape> = {
  message: 'a dependency with condition HEALTHY needs a healthCheck on the container that it waits for',
  holds: (task) =>
    task.containerDefinitions.every((c) =>
      c.dependsOn.every((d) => {
        const target = named(task, d.containerName);
        return d.condition !== 'HEALTHY' || target === undefined || target.healthCheck !== undefined;
      }),
    ),
  cel:
    "self.containerDefinitions.all(c, !has(c.dependsOn) || c.dependsOn.all(d, d.condition != 'HEALTHY' || " +
    'self.containerDefinitions.all(t, t.name != d.containerName || has(t.healthCheck))))',
  field,
};

const linksExist: Rule<TaskShape> = {
  message: 'every link must name a container of this task definition, as name or name:alias',
  holds: (task) => task.containerDefinitions.every((c) => c.links.every((link) => named(task, linkTarget(link)))),
  cel:
    'self.containerDefinitions.all(c, !has(c.links) || c.links.all(l, ' +
    "self.containerDefinitions.exists(t, t.name == l || l.startsWith(t.name + ':'))))",
  field,
};

const linksOnlyInBridge: Rule<TaskShape> = {
  refuses: (task) =>
    task.networkMode !== 'bridge' && task.containerDefinitions.some((c) => c.links.length > 0)
      ? `Links are not supported when networkMode=${task.networkMode}.`
      : undefined,
  cel: "self.networkMode == 'bridge' || self.containerDefinitions.all(c, !has(c.links) || size(c.links) == 0)",
  celMessage: "'Links are not supported when networkMode=' + self.networkMode + '.'",
  field,
};

const onFargate = (task: TaskShape) => task.requiresCompatibilities.includes('FARGATE');
const notOnFargate = "!has(self.requiresCompatibilities) || !('FARGATE' in self.requiresCompatibilities)";

const fargateNetwork: Rule<TaskShape> = {
  message: "Fargate only supports network mode 'awsvpc'.",
  holds: (task) => !onFargate(task) || task.networkMode === 'awsvpc',
  cel: `${notOnFargate} || self.networkMode == 'awsvpc'`,
  field: 'networkMode',
};

const fargateCpu: Rule<TaskShape> = {
  message: "Fargate requires that 'cpu' be defined at the task level.",
  holds: (task) => !onFargate(task) || task.cpu !== undefined,
  cel: `${notOnFargate} || has(self.cpu)`,
  field: 'cpu',
};

const fargateMemory: Rule<TaskShape> = {
  message: "Fargate requires that 'memory' be defined at the task level.",
  holds: (task) => !onFargate(task) || task.memory !== undefined,
  cel: `${notOnFargate} || has(self.memory)`,
  field: 'memory',
};

const volumesFromExist: Rule<TaskShape> = {
  message: 'every volumesFrom[].sourceContainer must be the name of a container of this task definition',
  holds: (task) => task.containerDefinitions.every((c) => c.volumesFrom.every((v) => named(task, v.sourceContainer))),
  cel:
    'self.containerDefinitions.all(c, !has(c.volumesFrom) || c.volumesFrom.all(v, ' +
    'self.containerDefinitions.exists(t, t.name == v.sourceContainer)))',
  field,
};

const mountPointsExist: Rule<TaskShape> = {
  message: 'every mountPoints[].sourceVolume must be the name of one of volumes',
  holds: (task) =>
    task.containerDefinitions.every((c) =>
      c.mountPoints.every((m) => task.volumes.some((volume) => volume.name === m.sourceVolume)),
    ),
  cel:
    'self.containerDefinitions.all(c, !has(c.mountPoints) || c.mountPoints.all(m, ' +
    'has(self.volumes) && self.volumes.exists(v, v.name == m.sourceVolume)))',
  field,
};

/** Rules over the containers of one task (`ecs-semantics` §1.3 to §1.8), each as zod check and CEL. */
export const containerRules: Rule<TaskShape>[] = [
  someEssential,
  memoryGiven,
  hostPortsMatch,
  noPortsWithoutNetwork,
  dependenciesExist,
  endingDependenciesNotEssential,
  healthyNeedsHealthCheck,
  linksExist,
  linksOnlyInBridge,
  volumesFromExist,
  mountPointsExist,
  fargateNetwork,
  fargateCpu,
  fargateMemory,
];

/**
 * Refuses containers that wait for each other, over dependsOn, links and volumesFrom together (`ecs-semantics` §1.5).
 * CEL has no recursion: the API server lets a cycle pass, the controller reports it.
 */
export function refuseCycles(task: TaskShape): string | undefined {
  const waitsFor = new Map(
    task.containerDefinitions.map((c) => [
      c.name,
      [
        ...c.dependsOn.map((d) => d.containerName),
        ...c.links.map(linkTarget),
        ...c.volumesFrom.map((v) => v.sourceContainer),
      ],
    ]),
  );
  const done = new Set<string>();
  const search = (name: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
    if (done.has(name)) return undefined;
    for (const next of waitsFor.get(name) ?? []) {
      const cycle = search(next, [...path, name]);
      if (cycle !== undefined) return cycle;
    }
    done.add(name);
    return undefined;
  };
  for (const name of waitsFor.keys()) {
    const cycle = search(name, []);
    if (cycle !== undefined) return `containers wait for each other in a cycle: ${cycle.join(' → ')}`;
  }
  return undefined;
}
