/**
 * RunTask as one pure function: tasks seen in, tasks to start and to stop and the record of all out (`ecs-semantics §4`).
 * Each task is started once and never replaced. What is recorded of it stays true even when its pod is gone.
 */

import { isForWantOfNodes, placementFailure } from './placement-failure.ts';
import {
  type Container,
  ESSENTIAL_EXITED,
  everRan,
  type LastStatus,
  lastStatus,
  runningSince,
  type StopCause,
  type StopCode,
  stopCauseOf,
  stopDue,
  stoppedAt,
  type Task,
} from './task.ts';
import { containerHealth, type HealthStatus, healthView, taskHealth } from './task-health.ts';

export interface RunTask extends Task {
  /** Of its pod: the lock that keeps it from being started twice. */
  readonly name: string;
  /** No node gets it before it is released. */
  readonly gated?: true;
}

export interface RecordedContainer {
  readonly name: string;
  readonly essential: boolean;
  readonly lastStatus: Container['status'];
  readonly exitCode?: number;
  readonly reason?: string;
  readonly healthStatus: HealthStatus;
}

/** What DescribeTasks says of a task. Times are epoch milliseconds. */
export interface TaskRecord {
  readonly task: string;
  readonly pod: string;
  readonly lastStatus: LastStatus;
  readonly desiredStatus: 'RUNNING' | 'STOPPED';
  readonly healthStatus: HealthStatus;
  readonly stopCode?: StopCode;
  readonly stoppedReason?: string;
  readonly containers: readonly RecordedContainer[];
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly stoppingAt?: number;
  readonly stoppedAt?: number;
}

export interface RunTaskInput<T extends RunTask> {
  /** Names of the pods that are to run, one a task. */
  readonly pods: readonly string[];
  /** What the status already says. */
  readonly record: readonly TaskRecord[];
  readonly tasks: readonly T[];
  /** A task that finds no room waits for it, as with capacity providers; without, it has failed. */
  readonly waitsForRoom: boolean;
  /** Epoch milliseconds. */
  readonly now: number;
}

export type RunTaskAction<T extends RunTask> =
  | { readonly kind: 'start'; readonly pod: string; readonly because: string }
  | { readonly kind: 'release'; readonly task: T; readonly because: string }
  | ({ readonly kind: 'stop'; readonly task: T; readonly because: string } & StopCause);

export interface Outcome {
  readonly succeeded: boolean;
  /** CamelCase. */
  readonly reason: string;
  readonly message: string;
}

export interface RunTaskPlan<T extends RunTask> {
  readonly actions: readonly RunTaskAction<T>[];
  /** Of each task that was started, in the order of `pods`. */
  readonly record: readonly TaskRecord[];
  /** Of the task that is least far. */
  readonly lastStatus: LastStatus;
  /** Once every task is STOPPED. */
  readonly outcome?: Outcome;
  /** When time alone changes the plan, epoch milliseconds. */
  readonly wakeAt?: number;
}

/** Its pod went between two looks: deleted by force, or with its node. ECS has no text for it. */
const LOST: StopCause = {
  stopCode: 'InfrastructureHealth',
  stoppedReason: 'The pod of the task was deleted before its end was seen.',
};

const ORDER: readonly LastStatus[] = ['PROVISIONING', 'PENDING', 'RUNNING', 'STOPPING', 'STOPPED'];

export function planRunTask<T extends RunTask>({
  pods,
  record,
  tasks,
  waitsForRoom,
  now,
}: RunTaskInput<T>): RunTaskPlan<T> {
  const actions: RunTaskAction<T>[] = [];
  const seen = new Map(tasks.map((task) => [task.name, task]));
  const recorded = new Map(record.map((known) => [known.pod, known]));
  const all = pods.flatMap((pod): TaskRecord[] => {
    const task = seen.get(pod);
    const known = recorded.get(pod);
    if (known?.lastStatus === 'STOPPED') return [known];
    if (task !== undefined) {
      const due = stopDue(task) ?? (waitsForRoom ? undefined : unplaced(task));
      if (due !== undefined) actions.push({ kind: 'stop', task, ...due });
      else if (task.gated && known?.task === task.id && !task.stopRequested && !task.ended)
        actions.push({ kind: 'release', task, because: 'it is recorded' });
      return [observed(task, due, known, now)];
    }
    if (known !== undefined) return [gone(known, now)];
    actions.push({ kind: 'start', pod, because: 'it has not been started' });
    return [];
  });
  const least = ORDER.find((status) => all.some((task) => task.lastStatus === status)) ?? 'PROVISIONING';
  const lastOfAll = all.length < pods.length ? 'PROVISIONING' : least;
  const changes = tasks.flatMap((task) => healthChangesAt(task, now) ?? []);
  return {
    actions,
    record: all,
    lastStatus: lastOfAll,
    ...(lastOfAll === 'STOPPED' && { outcome: outcomeOf(all) }),
    ...(changes.length > 0 && { wakeAt: Math.min(...changes) }),
  };
}

/** RunTask looks for room once (`ecs-semantics §4`). */
function unplaced({ unplaceable, ended, stopRequested }: RunTask): (StopCause & { because: string }) | undefined {
  if (unplaceable === undefined || ended || stopRequested || !isForWantOfNodes(unplaceable)) return undefined;
  const stoppedReason = `${placementFailure(unplaceable)}: ${unplaceable}`;
  return { stopCode: 'TaskFailedToStart', stoppedReason, because: 'no node has room for it' };
}

function observed(task: RunTask, due: StopCause | undefined, known: TaskRecord | undefined, now: number): TaskRecord {
  const status = lastStatus(task);
  const stopping = task.ended || task.stopRequested || due !== undefined;
  const cause = due ?? stopCauseOf(task);
  // What was decided first stands: a pod that is deleted for it looks as if somebody else had.
  const { stopCode = cause.stopCode, stoppedReason = cause.stoppedReason } = known ?? {};
  const startedAt = known?.startedAt ?? (status === 'RUNNING' || everRan(task) ? runningSince(task) : undefined);
  const stoppingAt = known?.stoppingAt ?? stopBegan(task);
  return {
    task: task.id,
    pod: task.name,
    lastStatus: status,
    desiredStatus: stopping ? 'STOPPED' : 'RUNNING',
    healthStatus: taskHealth(task, now),
    ...(stopping && (task.ended || !task.ending) && { stopCode, stoppedReason }),
    containers: task.containers.map((container) => recordedContainer(container, now)),
    createdAt: task.createdAt,
    ...(startedAt !== undefined && { startedAt }),
    ...(stopping && stoppingAt !== undefined && { stoppingAt }),
    ...(task.ended && { stoppedAt: stoppedAt(task) }),
  };
}

/** When its stop was asked for, or an essential container ended before: the reason of such an end is written down later. */
function stopBegan({ stoppingAt, containers }: RunTask): number | undefined {
  const ends = containers.flatMap(({ essential, finishedAt }) =>
    essential && finishedAt !== undefined ? [finishedAt] : [],
  );
  const began = Math.min(...ends, stoppingAt ?? Number.POSITIVE_INFINITY);
  return Number.isFinite(began) ? began : undefined;
}

const recordedContainer = (container: Container, now: number): RecordedContainer => ({
  name: container.name,
  essential: container.essential,
  lastStatus: container.status,
  ...(container.exitCode !== undefined && { exitCode: container.exitCode }),
  ...(container.reason !== undefined && { reason: container.reason }),
  healthStatus: containerHealth(container, now),
});

/** STOPPED with what was known last; why, where its stop was under way, is known as well. */
const gone = (known: TaskRecord, now: number): TaskRecord => ({
  ...LOST,
  ...known,
  lastStatus: 'STOPPED',
  desiredStatus: 'STOPPED',
  healthStatus: 'UNKNOWN',
  containers: known.containers.map((container) => ({ ...container, lastStatus: 'STOPPED', healthStatus: 'UNKNOWN' })),
  stoppingAt: known.stoppingAt ?? now,
  stoppedAt: now,
});

/** A check that has not passed yet turns into UNHEALTHY by time alone. */
function healthChangesAt(task: RunTask, now: number): number | undefined {
  if (lastStatus(task) !== 'RUNNING') return undefined;
  const isChecked = task.containers.some(({ essential, healthCheck }) => essential && healthCheck !== undefined);
  return isChecked ? healthView(task, now).changesAt : undefined;
}

/** The first thing that was wrong with a task; undefined where it ended by itself and every essential container with 0. */
function failureOf({ task, stopCode, stoppedReason, containers }: TaskRecord): Omit<Outcome, 'succeeded'> | undefined {
  if (stopCode !== undefined && stopCode !== ESSENTIAL_EXITED.stopCode)
    return { reason: stopCode, message: `task ${task}: ${stoppedReason}` };
  const failed = containers.find(({ essential, exitCode }) => essential && exitCode !== 0);
  if (failed === undefined) return undefined;
  const code = failed.exitCode === undefined ? 'no exit code' : `exit code ${failed.exitCode}`;
  const why = failed.reason === undefined ? '' : ` (${failed.reason})`;
  return {
    reason: 'NonZeroExitCode',
    message: `task ${task}: essential container ${failed.name} ended with ${code}${why}`,
  };
}

function outcomeOf(all: readonly TaskRecord[]): Outcome {
  const failures = all.flatMap((task) => failureOf(task) ?? []);
  const [first] = failures;
  if (first === undefined) {
    const message = 'in every task each essential container ended with exit code 0';
    return { succeeded: true, reason: 'TasksSucceeded', message };
  }
  return {
    succeeded: false,
    reason: first.reason,
    message: `${failures.length} of ${all.length} tasks failed: ${first.message}`,
  };
}
