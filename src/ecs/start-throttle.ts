/**
 * ECS slows a service whose tasks go from PENDING to STOPPED without ever running (`ecs-semantics §3.7`); AWS does not
 * publish the steps. Ours (design §3, decision 10): 10 s after three such tasks, doubling to 27 minutes; a task that
 * ran ends it. The count is read from the tasks that ended, so a restart of the operator changes nothing.
 */
import { everRan, stoppedAt, type Task } from './task.ts';

/** So many tasks in a row that never ran, and starts are throttled. */
export const FREE_FAILURES = 3;
const FIRST_DELAY_MS = 10_000;
const LONGEST_DELAY_MS = 27 * 60_000;

export interface StartThrottle {
  /** Tasks in a row, the newest included, that never ran. */
  readonly failures: number;
  /** No start before this time, epoch milliseconds; absent below three failures. */
  readonly until?: number;
}

/** @param tasks all tasks of one deployment, in any order; one that is being stopped since it cannot start has failed. */
export function startThrottle(tasks: readonly Task[]): StartThrottle {
  const byAge = [...tasks].sort((a, b) => b.createdAt - a.createdAt);
  let failures = 0;
  let last = 0;
  for (const task of byAge) {
    if (everRan(task)) break;
    if (!failedToStart(task)) continue;
    failures++;
    last = Math.max(last, stoppedAt(task));
  }
  if (failures < FREE_FAILURES) return { failures };
  return { failures, until: last + Math.min(FIRST_DELAY_MS * 2 ** (failures - FREE_FAILURES), LONGEST_DELAY_MS) };
}

/** A task that the scheduler or the user took back before it ran says nothing about whether tasks can start. */
function failedToStart({ ended, stopCause }: Task): boolean {
  if (stopCause === undefined) return ended;
  return stopCause.stopCode !== 'ServiceSchedulerInitiated' && stopCause.stopCode !== 'UserInitiated';
}
