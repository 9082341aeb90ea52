/** What a task that starts takes the place of: for the event of the start, and for the budget of restarts. */
import type { ServiceTask, Start } from './service-plan.ts';
import { isUnhealthy, type ServiceView } from './service-view.ts';
import { stopCauseOf } from './task.ts';
import { isHealthFailure } from './task-health.ts';

/** A task that ended by itself, or one that failed its health checks. */
export type Replaces = 'ended' | 'unhealthy';

/** The starts, each with what it takes the place of; a first start has nothing. */
export function withReplaced<T extends ServiceTask>(view: ServiceView<T>, starts: readonly Start[]): Start[] {
  const newest = new Map<string, T>();
  for (const task of view.tasks) {
    const slot = slotOf(task.deployment, task.slot);
    if (task.generation > (newest.get(slot)?.generation ?? 0)) newest.set(slot, task);
  }
  const own = starts.filter(({ deployment }) => deployment === view.primary.id);
  // A replacement that starts first has a slot of its own: those beyond the missing ones are for the unhealthy.
  const missing = Math.max(view.desiredCount - view.fresh.length, 0);
  const beside = new Set(own.slice(missing, missing + view.fresh.filter(isUnhealthy).length));
  return starts.map((start) => {
    const before = newest.get(slotOf(start.deployment, start.seat.slot));
    const replaces =
      (before === undefined ? undefined : endOf(before)) ?? (beside.has(start) ? 'unhealthy' : undefined);
    return replaces === undefined ? start : { ...start, replaces };
  });
}

const slotOf = (deployment: string, slot: number): string => `${deployment}/${slot}`;

function endOf(task: ServiceTask): Replaces | undefined {
  const cause = stopCauseOf(task);
  if (isHealthFailure(cause)) return 'unhealthy';
  const { stopCode } = cause;
  return stopCode === 'EssentialContainerExited' || stopCode === 'TaskFailedToStart' ? 'ended' : undefined;
}
