/** How the pod keeps ECS's start order (`ecs-semantics §1.5`, design §3, decision 4): each edge by the cheapest exact means. */
import type { ContainerDefinition } from '../api/container-definition.ts';
import type { Dependency } from '../ecs/task.ts';

export interface StartPlan {
  /** One-shot containers that everything else waits for: init containers, in this order. */
  readonly init: readonly ContainerDefinition[];
  /** The kubelet starts them in this order; a barrier holds some back. */
  readonly regular: readonly ContainerDefinition[];
  /** Names of the regular containers with a start barrier. */
  readonly barriers: ReadonlySet<string>;
}

/** What a container waits for: dependsOn and, implicitly, links and volumesFrom. */
export function dependenciesOf({ dependsOn, links, volumesFrom }: ContainerDefinition): Dependency[] {
  const own = dependsOn.map(({ containerName, condition }): Dependency => ({ container: containerName, condition }));
  const implied = [
    ...links.map((link) => link.split(':')[0] as string),
    ...volumesFrom.map(({ sourceContainer }) => sourceContainer),
  ].filter((name) => own.every(({ container }) => container !== name));
  return [...own, ...[...new Set(implied)].map((container): Dependency => ({ container, condition: 'START' }))];
}

/** A cycle cannot occur: registration refuses it. */
export function startPlan(containers: readonly ContainerDefinition[]): StartPlan {
  const init = initContainers(containers);
  const isInit = new Set(init.map(({ name }) => name));
  const regular = inOrder(containers.filter(({ name }) => !isInit.has(name)));
  const barriers = new Set<string>();
  for (const container of regular) {
    const waits = dependenciesOf(container).some(
      (edge) =>
        !isInit.has(edge.container) &&
        (edge.condition !== 'START' ||
          barriers.has(edge.container) ||
          mayFailAlone(container, edge.container, regular)),
    );
    if (waits) barriers.add(container.name);
  }
  return { init, regular, barriers };
}

/**
 * The kubelet goes on to the next container where one does not start, or waits at a barrier: the order of the list is a
 * gate only behind an essential container, whose failure ends the task. For volumesFrom its source need not start.
 */
function mayFailAlone(
  { dependsOn, links }: ContainerDefinition,
  target: string,
  among: readonly ContainerDefinition[],
): boolean {
  const mustStart =
    dependsOn.some(({ containerName }) => containerName === target) ||
    links.some((link) => link.split(':')[0] === target);
  return mustStart && among.some(({ name, essential }) => name === target && !essential);
}

/**
 * An init container holds back every other container and fails the pod: exact for a one-shot container that all others
 * wait for with SUCCESS, directly or through each other. All others would start later than on ECS, or never.
 */
function initContainers(containers: readonly ContainerDefinition[]): ContainerDefinition[] {
  const init: ContainerDefinition[] = [];
  for (;;) {
    const done = new Set(init.map(({ name }) => name));
    const rest = containers.filter(({ name }) => !done.has(name));
    const next = rest.find((container) => {
      const others = rest.filter((other) => other !== container);
      return (
        isOneShot(container) &&
        others.length > 0 &&
        dependenciesOf(container).every((edge) => done.has(edge.container)) &&
        others.every((other) => waitsForSuccessOf(other, container.name, others)) &&
        others.every((other) =>
          dependenciesOf(other).every((edge) => edge.container !== container.name || edge.condition === 'SUCCESS'),
        )
      );
    });
    if (next === undefined) return init;
    init.push(next);
  }
}

const isOneShot = ({ essential, healthCheck, startTimeout, restartPolicy }: ContainerDefinition): boolean =>
  !essential && healthCheck === undefined && startTimeout === undefined && restartPolicy === undefined;

function waitsForSuccessOf(
  container: ContainerDefinition,
  name: string,
  among: readonly ContainerDefinition[],
): boolean {
  return dependenciesOf(container).some((edge) => {
    if (edge.container === name) return edge.condition === 'SUCCESS';
    const target = among.find((other) => other.name === edge.container);
    return target !== undefined && waitsForSuccessOf(target, name, among);
  });
}

/** Each after what it depends on, otherwise as given. */
function inOrder(containers: readonly ContainerDefinition[]): ContainerDefinition[] {
  const byName = new Map(containers.map((container) => [container.name, container]));
  const ordered = new Set<ContainerDefinition>();
  const visit = (container: ContainerDefinition): void => {
    if (ordered.has(container)) return;
    for (const { container: name } of dependenciesOf(container)) {
      const before = byName.get(name);
      if (before !== undefined) visit(before);
    }
    ordered.add(container);
  };
  for (const container of containers) visit(container);
  return [...ordered];
}
