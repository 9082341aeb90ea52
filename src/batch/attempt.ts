/** Attempts of a job: a task each, and what is kept of them when the tasks are gone. */
import {
  ESSENTIAL_EXITED,
  hostTerminated,
  runningSince,
  type StopCause,
  type StopCode,
  stopCauseOf,
  stoppedAt,
  type Task,
} from '../ecs/task.ts';

export interface JobTask extends Task {
  /** Child of an array, from 0; absent for a single job. */
  readonly index?: number;
  /** From 1. */
  readonly attempt: number;
}

export interface JobAttempt {
  /** From 1; 0 for a child that is over without one. */
  readonly attempt: number;
  /** Empty where no task of it was ever seen. */
  readonly task: string;
  readonly exitCode?: number | undefined;
  readonly reason?: string | undefined;
  readonly statusReason: string;
  /** Epoch milliseconds. */
  readonly startedAt?: number | undefined;
  readonly stoppedAt: number;
}

export interface ChildAttempt extends JobAttempt {
  /** From 0; 0 for a single job. */
  readonly index: number;
}

/** An attempt that is over. */
export interface EndedAttempt extends JobAttempt {
  readonly succeeded: boolean;
  /** Of a stop that was asked for. */
  readonly stopCode?: StopCode | undefined;
}

/**
 * Success is the exit code of the essential container that ended first. One that exits with 0 after it was told to stop
 * has not done its work.
 */
function succeeded(task: Task): boolean {
  if (task.stopCause !== undefined && task.stopCause.stopCode !== ESSENTIAL_EXITED.stopCode) return false;
  const first = firstEssential(task);
  if (first?.exitCode !== 0) return false;
  const told = task.stopCause === undefined ? task.stoppingAt : undefined;
  return told === undefined || (first.finishedAt ?? 0) <= told;
}

function firstEssential(task: Task) {
  const ended = task.containers.filter((container) => container.essential && container.exitCode !== undefined);
  return ended.sort((a, b) => (a.finishedAt ?? 0) - (b.finishedAt ?? 0))[0];
}

/** Text: AWS (`ecs-semantics §5.14`); why it did not is the reason of its container. */
const NEVER_STARTED = 'Task failed to start';

/** @param task has ended, or is gone whatever was seen of it last. */
export function endedAttempt(task: JobTask, now: number): EndedAttempt {
  const cause = task.ended ? stopCauseOf(task) : causeOfLoss(task);
  const failed = task.containers.find((container) => container.reason !== undefined);
  const neverStarted = cause.stopCode === 'TaskFailedToStart' && cause.stoppedReason !== NEVER_STARTED;
  return {
    attempt: task.attempt,
    task: task.id,
    exitCode: firstEssential(task)?.exitCode,
    reason: failed?.reason ?? (neverStarted ? cause.stoppedReason : undefined),
    statusReason: neverStarted ? NEVER_STARTED : cause.stoppedReason,
    startedAt: runningSince(task),
    stoppedAt: task.ended ? stoppedAt(task) : now,
    succeeded: task.ended && succeeded(task),
    stopCode: task.ended ? task.stopCause?.stopCode : cause.stopCode,
  };
}

/** Its pod is gone, and nobody saw it end: as if its host were gone, unless somebody had asked for its stop. */
function causeOfLoss(task: Task): StopCause {
  if (task.stopCause !== undefined) return task.stopCause;
  if (task.userStop !== undefined) return { stopCode: 'UserInitiated', stoppedReason: task.userStop };
  return hostTerminated(task.node ?? 'unknown');
}

/** An attempt that was made and of which nothing is left. */
export const lostAttempt = (attempt: number, now: number): EndedAttempt => {
  const { stopCode, stoppedReason } = hostTerminated('unknown');
  return { attempt, task: '', statusReason: stoppedReason, stoppedAt: now, succeeded: false, stopCode };
};

/** How many failed attempts of children the status lists. */
const LISTED_FAILURES = 20;

/** One of each, the last to stop first. */
export function newestFirst(attempts: readonly ChildAttempt[]): ChildAttempt[] {
  const byName = new Map(attempts.map((attempt) => [`${attempt.index}-${attempt.attempt}`, attempt]));
  return [...byName.values()]
    .sort((a, b) => b.stoppedAt - a.stoppedAt || a.index - b.index || b.attempt - a.attempt)
    .slice(0, LISTED_FAILURES);
}
