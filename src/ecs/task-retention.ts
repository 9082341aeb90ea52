/**
 * Which ended tasks of a service stay: for people to read, and since schedulers count them (`design §3.1`: what exists is
 * derived from pods). Planned stops go at once.
 */
import { type CircuitBreaker, failedAt } from './circuit-breaker.ts';
import type { Deployment, ServiceTask } from './service-plan.ts';
import { newestOfSlots } from './slots.ts';
import { throttleMemory } from './start-throttle.ts';
import { stoppedAt } from './task.ts';

export interface RetentionInput<T extends ServiceTask> {
  /** All tasks that exist, in any order. */
  readonly tasks: readonly T[];
  /** The newest deployment. */
  readonly primary: Deployment | undefined;
  readonly circuitBreaker?: CircuitBreaker | undefined;
  /** How many faults stay to be read, and how long. */
  readonly readable: { readonly tasks: number; readonly seconds: number };
  /** Slots of the newest deployment are to have a task again, and the budget of restarts holds them back. */
  readonly restartsWait?: boolean;
  /** Epoch milliseconds. */
  readonly now: number;
}

export interface Retention<T> {
  readonly kept: ReadonlySet<T>;
  /** When the next of them is no longer kept for reading, epoch milliseconds. */
  readonly until?: number;
}

export function retainedTasks<T extends ServiceTask>(input: RetentionInput<T>): Retention<T> {
  const { tasks, primary, circuitBreaker, readable, now } = input;
  const overAt = (task: T): number => stoppedAt(task) + readable.seconds * 1000;
  const isFault = ({ ended, stopCause }: T): boolean => ended && stopCause?.stopCode !== 'ServiceSchedulerInitiated';
  const faults = tasks.filter(isFault).sort((a, b) => stoppedAt(b) - stoppedAt(a));
  const toRead = faults.slice(0, readable.tasks).filter((task) => now < overAt(task));
  const byDeployment = Map.groupBy(tasks, ({ deployment }) => deployment);
  const own = byDeployment.get(primary?.id ?? '') ?? [];
  const rolling = [...byDeployment.values()].filter((of) => of !== own && of.some(({ ended }) => !ended));
  const isWatched = circuitBreaker?.enable === true && primary?.completed === false && primary.failed !== true;
  const oldest = toRead.at(-1);
  return {
    kept: new Set([
      ...toRead,
      ...[...rolling, ...(input.restartsWait ? [own] : [])].flatMap((of) => slotMemory(of, isFault)),
      ...(isWatched ? own.filter((task) => task.ended && failedAt(task, now) !== undefined) : []),
      ...[own, ...rolling].flatMap((of) => throttleMemory(of)).filter(({ ended }) => ended),
    ]),
    ...(oldest !== undefined && { until: overAt(oldest) }),
  };
}

/**
 * An older deployment that still has tasks gets its lost ones back, and a restart that waits counts as one: the last
 * task of each slot is the memory of it. One that was stopped as planned stays only as long as it stands before a fault.
 */
const slotMemory = <T extends ServiceTask>(tasks: readonly T[], isFault: (task: T) => boolean): T[] => {
  const faulty = new Set(tasks.filter(isFault).map(({ slot }) => slot));
  return newestOfSlots(tasks).filter(({ ended, slot }) => ended && faulty.has(slot));
};
