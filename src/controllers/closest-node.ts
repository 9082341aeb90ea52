/** Names what the scheduler of Kubernetes does not: a node that would do but for a port that is taken there. */
import { closestMatch, portHolder } from '../ecs/placement-failure.ts';
import type { ServicePlan } from '../ecs/service-plan.ts';
import type { ObservedTask } from '../pod/observe.ts';
import type { Runtime } from './runtime.ts';

/** What the closest container instance lacks for the task that none takes, as a sentence; undefined where all are placed. */
export function closestTo(
  { stores }: Pick<Runtime, 'stores'>,
  { unplaceable }: ServicePlan<ObservedTask>,
  tasks: readonly ObservedTask[],
): string | undefined {
  if (unplaceable === undefined) return undefined;
  const waiting = tasks.find((task) => task.unplaceable === unplaceable);
  const users = waiting?.hostPorts?.flatMap((port) => stores.tasks.by('hostPort', port)) ?? [];
  return closestMatch(unplaceable, portHolder(users, waiting?.owner ?? ''));
}
