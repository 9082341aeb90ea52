/** Which containers a task needs, and which of them may wait for each other (`ecs-semantics` §1.3, §1.5). */
import type { ContainerDefinition } from './container-definition.ts';
import { type Containers, noItem, noItemOf, ofTaskDefinition } from './element-rules.ts';
import type { Rule } from './schema.ts';
import type { TaskDefinitionFields } from './task-definition-fields.ts';

const named = (task: TaskDefinitionFields, name: string): ContainerDefinition | undefined =>
  task.containerDefinitions.find((container) => container.name === name);

const linkTarget = (link: string): string => link.split(':')[0] ?? link;

const isLinkTo = (link: string, name: string): string => `(${link} == ${name} || ${link}.startsWith(${name} + ':'))`;

/** A container that may wait for others. */
interface Waiting {
  readonly name: string;
  readonly essential: boolean;
  readonly dependsOn: readonly { readonly containerName: string; readonly condition: string }[];
}

const dependencies = {
  list: 'dependsOn',
  items: ({ dependsOn }: Waiting) => dependsOn,
  value: ({ containerName }: Waiting['dependsOn'][number]) => containerName,
  celValue: (item: string) => `${item}.containerName`,
} as const;

/** What holds of the containers of a task of ECS and of a job of Batch. */
export function startRules<Task, Container extends Waiting>(
  containers: Containers<Task, Container>,
): readonly Rule<Task>[] {
  const all = `self.${containers.field}`;
  const target = (task: Task, name: string) => containers.of(task).find((container) => container.name === name);
  return [
    {
      // Text: AWS (measured 2026-09).
      message:
        "Task definition doesn't have any essential container. Leave essential out, or set it to true on one of them.",
      holds: (task) => containers.of(task).length === 0 || containers.of(task).some(({ essential }) => essential),
      cel: `size(${all}) == 0 || ${all}.exists(c, c.essential)`,
      field: containers.field,
    },
    noItemOf(containers, {
      ...dependencies,
      breaks: ({ containerName }, task) => target(task, containerName) === undefined,
      cel: (item) => `!${all}.exists(t, t.name == ${item}.containerName)`,
      // Text: AWS (measured 2026-09), the + included.
      message: (container, name) =>
        `container '${container}': Cannot depend on container + '${name}' because it does not exist`,
    }),
    noItemOf(containers, {
      ...dependencies,
      breaks: ({ containerName, condition }, task) =>
        (condition === 'SUCCESS' || condition === 'COMPLETE') && target(task, containerName)?.essential === true,
      cel: (item) =>
        `${item}.condition in ['SUCCESS', 'COMPLETE'] && ` +
        `${all}.exists(t, t.name == ${item}.containerName && t.essential)`,
      // Text: AWS (boto/boto3#2436).
      message: (container, name) =>
        `container '${container}' depends on '${name}': A dependency container with SUCCESS or COMPLETE condition cannot be an essential container`,
    }),
  ];
}

// Text: AWS (measured 2026-09).
const healthyNeedsHealthCheck = noItem({
  ...dependencies,
  items: ({ dependsOn }) => dependsOn,
  breaks: ({ containerName, condition }, task) => {
    const target = named(task, containerName);
    return condition === 'HEALTHY' && target !== undefined && target.healthCheck === undefined;
  },
  cel: (item) =>
    `${item}.condition == 'HEALTHY' && ` +
    `self.containerDefinitions.exists(t, t.name == ${item}.containerName && !has(t.healthCheck))`,
  message: (container, target) =>
    `container '${container}' depends on '${target}': A dependency container with HEALTHY condition must have health check configured`,
});

const linksExist = noItem({
  list: 'links',
  items: ({ links }) => links,
  breaks: (link, task) => named(task, linkTarget(link)) === undefined,
  cel: (item) => `!self.containerDefinitions.exists(t, ${isLinkTo(item, 't.name')})`,
  value: (link) => link,
  celValue: (item) => item,
  message: (container, link) => `container '${container}': Invalid 'links' setting. Unknown container: '${link}'.`,
});

// Text: AWS (measured 2026-09).
const volumesFromExist = noItem({
  list: 'volumesFrom',
  items: ({ volumesFrom }) => volumesFrom,
  breaks: ({ sourceContainer }, task) => named(task, sourceContainer) === undefined,
  cel: (item) => `!self.containerDefinitions.exists(t, t.name == ${item}.sourceContainer)`,
  value: ({ sourceContainer }) => sourceContainer,
  celValue: (item) => `${item}.sourceContainer`,
  message: (container, source) =>
    `container '${container}': Invalid 'volumesFrom' setting. Unknown container: '${source}'.`,
});

export const dependencyRules: readonly Rule<TaskDefinitionFields>[] = [
  ...startRules(ofTaskDefinition),
  healthyNeedsHealthCheck,
  linksExist,
  volumesFromExist,
];

/** A cycle among containers, `a → b → a`; undefined when there is none. */
export function cycleOver<Container extends { readonly name: string }>(
  containers: readonly Container[],
  waitsFor: (container: Container) => readonly string[],
): string | undefined {
  // Of a container that waits for itself its own rules tell.
  const edges = new Map(
    containers.map((container) => [container.name, waitsFor(container).filter((name) => name !== container.name)]),
  );
  const done = new Set<string>();
  const search = (name: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
    if (done.has(name)) return undefined;
    for (const next of edges.get(name) ?? []) {
      const cycle = search(next, [...path, name]);
      if (cycle !== undefined) return cycle;
    }
    done.add(name);
    return undefined;
  };
  for (const name of edges.keys()) {
    const cycle = search(name, []);
    if (cycle !== undefined) return cycle.join(' → ');
  }
  return undefined;
}

export const cyclic = (cycle: string) => `containers wait for each other in a cycle: ${cycle}`;

const links = (container: ContainerDefinition) => container.links.map(linkTarget);

/**
 * Refuses containers that wait for each other, over dependsOn, links and volumesFrom together (`ecs-semantics` §1.5).
 * CEL has no recursion: the API server lets a cycle pass, the controller reports it.
 */
export function refuseCycles(task: TaskDefinitionFields): string | undefined {
  const linked = cycleOver(task.containerDefinitions, links);
  // Text: AWS (ecs-semantics §1.3).
  if (linked !== undefined) return `Container links should not have a cycle: ${linked}`;
  const cycle = cycleOver(task.containerDefinitions, (container) => [
    ...container.dependsOn.map(({ containerName }) => containerName),
    ...links(container),
    ...container.volumesFrom.map(({ sourceContainer }) => sourceContainer),
  ]);
  return cycle && cyclic(cycle);
}
