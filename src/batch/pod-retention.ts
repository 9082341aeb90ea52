/** Which pods of ended attempts go: all that is to be known of them is recorded, and nobody reads them any more. */

import { stoppedAt } from '../ecs/task.ts';
import { endedAttempt, type JobTask } from './attempt.ts';

/**
 * As long as the job goes on, so many of them are there beside those that stay: the server deletes a collection's pods one
 * by one, which takes from it what starts and ends need.
 */
const SURPLUS = 1000;

export interface PodRetentionInput<T extends JobTask> {
  /** Recorded ones only, in any order. */
  readonly tasks: readonly T[];
  /** How many stay readable, and how long. */
  readonly readable: { readonly tasks: number; readonly seconds: number };
  readonly isJobOver: boolean;
  /** Epoch milliseconds. */
  readonly now: number;
}

export interface PodRetention<T> {
  readonly over: readonly T[];
  /** When the next of them is no longer kept for reading, epoch milliseconds. */
  readonly until?: number;
}

/** Failed attempts stay first, then the newest. */
export function podRetention<T extends JobTask>({
  tasks,
  readable,
  isJobOver,
  now,
}: PodRetentionInput<T>): PodRetention<T> {
  const overAt = (task: T): number => stoppedAt(task) + readable.seconds * 1000;
  const young = tasks.filter((task) => now < overAt(task));
  const old = tasks.length > young.length ? tasks.filter((task) => now >= overAt(task)) : [];
  const surplus = young.length - readable.tasks;
  const ranked =
    surplus > 0 ? young.map((task) => ({ task, failed: !endedAttempt(task, now).succeeded, at: stoppedAt(task) })) : [];
  ranked.sort((a, b) => Number(b.failed) - Number(a.failed) || b.at - a.at);
  const beyond = ranked.slice(readable.tasks).map(({ task }) => task);
  const over = [...old, ...(isJobOver || beyond.length >= SURPLUS ? beyond : [])];
  const gone = new Set(over);
  const kept = tasks.filter((task) => !gone.has(task)).map(overAt);
  return { over, ...(kept.length > 0 && { until: kept.reduce((a, b) => Math.min(a, b)) }) };
}
