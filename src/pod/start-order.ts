import type { ContainerDefinition } from '../api/container-definition.ts';

/** Containers that must be started before this one: dependsOn and, implicitly, links and volumesFrom (`ecs-semantics §1.5`). */
export function startsAfter(container: ContainerDefinition): string[] {
  return [
    ...container.dependsOn.map(({ containerName }) => containerName),
    ...container.links.map((link) => link.split(':')[0] as string),
    ...container.volumesFrom.map(({ sourceContainer }) => sourceContainer),
  ];
}

/**
 * The order in which a kubelet is to start them: each after what it depends on, otherwise as given.
 * A cycle cannot occur: registration refuses it.
 */
export function startOrder(containers: readonly ContainerDefinition[]): ContainerDefinition[] {
  const byName = new Map(containers.map((container) => [container.name, container]));
  const ordered = new Set<ContainerDefinition>();
  const visit = (container: ContainerDefinition): void => {
    if (ordered.has(container)) return;
    for (const name of startsAfter(container)) {
      const before = byName.get(name);
      if (before !== undefined) visit(before);
    }
    ordered.add(container);
  };
  for (const container of containers) visit(container);
  return [...ordered];
}
