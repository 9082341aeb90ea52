/** Tasks that leave their target groups: how long, and their end (design §3, decision 4). */
import { arnName } from '../api/names.ts';
import { drainEndDue, getsRequests } from '../ecs/drain.ts';
import { slowStart } from '../kube/slow-start.ts';
import type { ObservedTask } from '../pod/observe.ts';
import { deregistrationDelay } from '../traffic/target-group.ts';
import type { Runtime } from './runtime.ts';
import { coreServiceOf, targetGroupOf } from './target-group.ts';
import { endDrain } from './tasks.ts';

/** Until when a task that is taken out of its target groups now drains, epoch milliseconds; undefined where it does not. */
export function drainsUntil({ stores, now }: Runtime, task: ObservedTask): number | undefined {
  if (!getsRequests(task)) return undefined;
  const behind = new Set(task.traffic?.map(({ service }) => service));
  const groups = stores.targetGroups
    .by('namespace', task.namespace)
    .filter((group) => behind.has(coreServiceOf(group)));
  const delays = [
    ...groups.flatMap(({ spec }) => (spec === undefined ? [] : deregistrationDelay(spec))),
    ...(task.targetGates ?? [])
      .filter(({ service, health }) => behind.has(service) && health === 'HEALTHY')
      .map(({ arn }) => deregistrationDelay(targetGroupOf(stores, task.namespace, arnName(arn))?.spec)),
  ];
  const longest = Math.max(0, ...delays);
  return longest === 0 ? undefined : now() + longest * 1000;
}

/**
 * Ends the tasks whose drain is over.
 * @returns when the next one is, epoch milliseconds; and the first write that failed.
 */
export async function endDrains(
  runtime: Runtime,
  tasks: readonly ObservedTask[],
): Promise<{ readonly wakeAt?: number; readonly failure?: unknown }> {
  const now = runtime.now();
  const draining = tasks.flatMap((task) => {
    const due = drainEndDue(task, now);
    return due === undefined ? [] : [{ task, due }];
  });
  let failure: unknown;
  try {
    await slowStart(
      draining.filter(({ due }) => due <= now),
      ({ task }) => endDrain(runtime, task),
    );
  } catch (error) {
    failure = error;
  }
  const later = draining.map(({ due }) => due).filter((due) => due > now);
  return { ...(later.length > 0 && { wakeAt: Math.min(...later) }), ...(failure !== undefined && { failure }) };
}
