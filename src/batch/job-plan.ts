/**
 * A Batch job as one pure function: attempts seen in, next attempts and the job's status out (`ecs-semantics §5.3 to §5.6`).
 * What is recorded in the job's status stays true even when its pods are gone; pods add to it.
 */
import {
  ESSENTIAL_EXITED,
  lastStatus,
  runningSince,
  type StopCause,
  stopCauseOf,
  stopDue,
  stoppedAt,
  type Task,
} from '../ecs/task.ts';
import { formatIntervals, parseIntervals } from './intervals.ts';

export type JobStatus = 'SUBMITTED' | 'PENDING' | 'RUNNABLE' | 'STARTING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED';

export interface JobTask extends Task {
  /** Child of an array, from 0; absent for a single job. */
  readonly index?: number;
  /** From 1. */
  readonly attempt: number;
}

export interface JobAttempt {
  readonly attempt: number;
  readonly task: string;
  readonly exitCode?: number;
  readonly reason?: string;
  readonly statusReason: string;
  /** Epoch milliseconds. */
  readonly startedAt?: number;
  readonly stoppedAt: number;
}

/** What the job's status already says; it outlives the pods. */
export interface JobRecord {
  readonly status?: JobStatus;
  readonly statusReason?: string;
  readonly succeededIndexes: string;
  readonly failedIndexes: string;
  /** Ended attempts of a single job. */
  readonly attempts: readonly JobAttempt[];
  readonly startedAt?: number;
  readonly stoppedAt?: number;
}

export interface JobPlanInput<T extends JobTask> {
  /** arrayProperties.size; absent for a single job. */
  readonly size?: number;
  /** retryStrategy.attempts: attempts in all. */
  readonly attempts: number;
  /** timeout.attemptDurationSeconds, counted from RUNNING. */
  readonly timeoutSeconds?: number;
  readonly record: JobRecord;
  readonly tasks: readonly T[];
  /** Epoch milliseconds. */
  readonly now: number;
}

export type JobAction<T extends JobTask> =
  | { readonly kind: 'start'; readonly index?: number; readonly attempt: number; readonly because: string }
  | ({ readonly kind: 'stop'; readonly task: T; readonly because: string } & StopCause);

export interface JobPlan<T extends JobTask> {
  readonly actions: readonly JobAction<T>[];
  readonly record: JobRecord & { readonly status: JobStatus; readonly statusReason: string };
  /** Children by status; absent for a single job. */
  readonly statusSummary?: Readonly<Record<JobStatus, number>>;
  /** When time alone changes the plan, epoch milliseconds. */
  readonly wakeAt?: number;
}

const TIMED_OUT: StopCause = { stopCode: 'UserInitiated', stoppedReason: 'Job attempt duration exceeded timeout' };

/** Is the attempt's outcome success: the essential container that ended first decides. */
function succeeded(task: Task): boolean {
  if (task.stopCause !== undefined && task.stopCause.stopCode !== ESSENTIAL_EXITED.stopCode) return false;
  const ended = task.containers.filter((container) => container.essential && container.exitCode !== undefined);
  const [first] = ended.sort((a, b) => (a.finishedAt ?? 0) - (b.finishedAt ?? 0));
  return first?.exitCode === 0;
}

/** Timed out and terminated attempts are final; everything else may be tried again (`ecs-semantics §5.4`). */
const mayRetry = (task: Task): boolean => task.stopCause?.stopCode !== 'UserInitiated';

function attemptRecord(task: JobTask): JobAttempt {
  const ended = task.containers.find((container) => container.essential && container.exitCode !== undefined);
  const failed = task.containers.find((container) => container.reason !== undefined);
  return {
    attempt: task.attempt,
    task: task.id,
    exitCode: ended?.exitCode,
    reason: failed?.reason,
    statusReason: stopCauseOf(task).stoppedReason,
    startedAt: runningSince(task),
    stoppedAt: stoppedAt(task),
  };
}

const LIVE_STATUS = {
  PROVISIONING: 'RUNNABLE',
  PENDING: 'STARTING',
  RUNNING: 'RUNNING',
  STOPPING: 'RUNNING',
  STOPPED: 'FAILED',
} as const;

export function planJob<T extends JobTask>(input: JobPlanInput<T>): JobPlan<T> {
  const { now, record } = input;
  const actions: JobAction<T>[] = [];
  let wakeAt: number | undefined;

  for (const task of input.tasks) {
    const due = stopDue(task);
    if (due !== undefined) {
      actions.push({ kind: 'stop', task, ...due });
      continue;
    }
    const since = runningSince(task);
    if (input.timeoutSeconds === undefined || lastStatus(task) !== 'RUNNING' || since === undefined) continue;
    const deadline = since + input.timeoutSeconds * 1000;
    if (now >= deadline) {
      const because = `attempt ${task.attempt} ran longer than ${input.timeoutSeconds} s`;
      actions.push({ kind: 'stop', task, ...TIMED_OUT, because });
    } else wakeAt = Math.min(wakeAt ?? deadline, deadline);
  }

  const started = input.tasks.map(runningSince).filter((at) => at !== undefined);
  const startedAt = record.startedAt ?? (started.length > 0 ? started.reduce((a, b) => Math.min(a, b)) : undefined);
  const planned = input.size === undefined ? planSingle(input, actions) : planArray(input, input.size, actions);
  return { ...planned, actions, wakeAt, record: { ...planned.record, startedAt } };
}

function planSingle<T extends JobTask>(input: JobPlanInput<T>, actions: JobAction<T>[]): Pick<JobPlan<T>, 'record'> {
  const { record } = input;
  if (record.status === 'SUCCEEDED' || record.status === 'FAILED') {
    return { record: { ...record, status: record.status, statusReason: record.statusReason ?? '' } };
  }
  const known = new Map(record.attempts.map((attempt) => [attempt.attempt, attempt]));
  for (const task of input.tasks) if (task.ended) known.set(task.attempt, attemptRecord(task));
  const attempts = [...known.values()].sort((a, b) => a.attempt - b.attempt);
  const last = attempts.at(-1);
  const live = input.tasks.find((task) => !task.ended);
  if (live !== undefined) {
    return {
      record: { ...record, attempts, status: LIVE_STATUS[lastStatus(live)], statusReason: last?.statusReason ?? '' },
    };
  }
  const ended = input.tasks.find((task) => task.attempt === last?.attempt);
  if (last !== undefined) {
    const success = ended === undefined ? last.exitCode === 0 : succeeded(ended);
    if (success || last.attempt >= input.attempts || (ended !== undefined && !mayRetry(ended))) {
      const status = success ? 'SUCCEEDED' : 'FAILED';
      return { record: { ...record, attempts, status, statusReason: last.statusReason, stoppedAt: last.stoppedAt } };
    }
  }
  const attempt = (last?.attempt ?? 0) + 1;
  actions.push({
    kind: 'start',
    attempt,
    because: last === undefined ? 'nothing holds it back' : `attempt ${last.attempt} failed`,
  });
  return { record: { ...record, attempts, status: 'RUNNABLE', statusReason: last?.statusReason ?? '' } };
}

function planArray<T extends JobTask>(
  input: JobPlanInput<T>,
  size: number,
  actions: JobAction<T>[],
): Pick<JobPlan<T>, 'record' | 'statusSummary'> {
  const { record } = input;
  const won = parseIntervals(record.succeededIndexes);
  const lost = parseIntervals(record.failedIndexes);
  const newest = new Map<number, T>();
  for (const task of input.tasks) {
    if (task.index !== undefined && (newest.get(task.index)?.attempt ?? 0) < task.attempt) newest.set(task.index, task);
  }
  const summary: Record<JobStatus, number> = {
    SUBMITTED: 0,
    PENDING: 0,
    RUNNABLE: 0,
    STARTING: 0,
    RUNNING: 0,
    SUCCEEDED: 0,
    FAILED: 0,
  };
  let lastEnd = record.stoppedAt ?? 0;
  for (let index = 0; index < size; index++) {
    const task = newest.get(index);
    if (task?.ended) {
      lastEnd = Math.max(lastEnd, stoppedAt(task));
      if (succeeded(task)) won.add(index);
      else if (task.attempt >= input.attempts || !mayRetry(task)) lost.add(index);
    }
    if (won.has(index)) summary.SUCCEEDED++;
    else if (lost.has(index)) summary.FAILED++;
    else if (task !== undefined && !task.ended) summary[LIVE_STATUS[lastStatus(task)]]++;
    else {
      summary.RUNNABLE++;
      const attempt = (task?.attempt ?? 0) + 1;
      actions.push({
        kind: 'start',
        index,
        attempt,
        because: task === undefined ? 'nothing holds it back' : `attempt ${task.attempt} failed`,
      });
    }
  }
  const over = summary.SUCCEEDED + summary.FAILED === size;
  const status = over ? (summary.FAILED > 0 ? 'FAILED' : 'SUCCEEDED') : 'PENDING';
  return {
    statusSummary: summary,
    record: {
      ...record,
      succeededIndexes: formatIntervals(won),
      failedIndexes: formatIntervals(lost),
      status,
      statusReason: status === 'FAILED' ? 'Array Child Job failed' : '',
      stoppedAt: over ? lastEnd : undefined,
    },
  };
}
