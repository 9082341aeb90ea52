import { ANNOTATIONS } from '../api/meta.ts';
import type { TaskDefinitionSpec } from '../api/task-definition.ts';
import type { ContainerTraits } from '../ecs/task.ts';
import { dependenciesOf } from './start-order.ts';
import type { TaskContext } from './task-context.ts';

/** What ECS knows of the containers, by pod container name: a task describes itself (`design/`, foundation). */
export function containerTraits({ containers, containerNames, start }: TaskContext): Record<string, ContainerTraits> {
  const traits: Record<string, ContainerTraits> = {};
  for (const container of containers) {
    const { name, essential, healthCheck, startTimeout } = container;
    const dependsOn = dependenciesOf(container);
    const podName = containerNames.get(name) ?? name;
    const barrier = start.barriers.has(name);
    const afterInit = dependsOn.some((edge) => start.init.some((target) => target.name === edge.container));
    traits[podName] = {
      name,
      essential,
      ...(healthCheck !== undefined && {
        healthCheck: {
          interval: healthCheck.interval,
          retries: healthCheck.retries,
          startPeriod: healthCheck.startPeriod,
        },
      }),
      ...((barrier || afterInit) && { dependsOn }),
      ...(barrier && { barrier: podName }),
      ...(startTimeout !== undefined && { startTimeout }),
    };
  }
  return traits;
}

/** What AWS would send elsewhere stays readable where a node's log agent looks: in the pod's annotations. */
export function logAnnotations(definition: TaskDefinitionSpec): Record<string, string> {
  const labels = Object.fromEntries(
    definition.containerDefinitions
      .filter((c) => Object.keys(c.dockerLabels).length > 0)
      .map((c) => [c.name, c.dockerLabels]),
  );
  const logs = Object.fromEntries(
    definition.containerDefinitions
      .filter((c) => c.logConfiguration !== undefined)
      .map((c) => [c.name, c.logConfiguration]),
  );
  return {
    ...(Object.keys(labels).length > 0 && { [ANNOTATIONS.dockerLabels]: JSON.stringify(labels) }),
    ...(Object.keys(logs).length > 0 && { [ANNOTATIONS.logConfiguration]: JSON.stringify(logs) }),
  };
}
