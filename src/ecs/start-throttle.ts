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
/** More failures than these make the delay no longer. */
const COUNTED_FAILURES = FREE_FAILURES + Math.ceil(Math.log2(LONGEST_DELAY_MS / FIRST_DELAY_MS));

export interface StartThrottle {
  /** Tasks in a row, the newest included, that never ran. */
  readonly failures: number;
  /** No start before this time, epoch milliseconds; absent below three failures. */
  readonly until?: number;
}

/** @param tasks all tasks of one deployment, in any order; one that is being stopped since it cannot start has failed. */
export function startThrottle(tasks: readonly Task[]): StartThrottle {
  const failed = failuresInARow(tasks);
  const failures = failed.length;
  if (failures < FREE_FAILURES) return { failures };
  const last = Math.max(...failed.map(stoppedAt));
  return { failures, until: last + Math.min(FIRST_DELAY_MS * 2 ** (failures - FREE_FAILURES), LONGEST_DELAY_MS) };
}

/** The ended tasks that the throttle is counted from: as long as they are there, it is not forgotten. */
export const throttleMemory = <T extends Task>(tasks: readonly T[]): T[] =>
  failuresInARow(tasks).slice(0, COUNTED_FAILURES);

/** Newest first. */
function failuresInARow<T extends Task>(tasks: readonly T[]): T[] {
  const byAge = [...tasks].sort((a, b) => b.createdAt - a.createdAt);
  const ran = byAge.findIndex(everRan);
  return (ran === -1 ? byAge : byAge.slice(0, ran)).filter(failedToStart);
}

/** A task that was taken back before it ran, or whose node was lost, says nothing about whether tasks can start. */
function failedToStart({ ended, stopCause }: Task): boolean {
  if (stopCause === undefined) return ended;
  return stopCause.stopCode === 'TaskFailedToStart' || stopCause.stopCode === 'EssentialContainerExited';
}
