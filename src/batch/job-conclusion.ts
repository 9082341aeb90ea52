/** What was found of the attempts of a job, as its plan and its next status. */
import type { JobStatus } from '../api/batch-job.ts';
import { runningSince } from '../ecs/task.ts';
import type { ArrayLedger } from './array-ledger.ts';
import { type ChildAttempt, type JobTask, newestFirst } from './attempt.ts';
import { DEPENDENT_JOB_FAILED } from './dependencies.ts';
import { isJobOver, type JobPlan, type JobPlanInput, type JobStart, type JobStop } from './job.ts';

/** Text: AWS (`ecs-semantics §5.14`). */
const CHILD_FAILED = 'Array Child Job failed';

export interface Findings<T extends JobTask> {
  readonly ledger: ArrayLedger;
  /** Children that are not over, by status. */
  readonly summary: Readonly<Record<JobStatus, number>>;
  readonly stops: readonly JobStop<T>[];
  /** Retries first. */
  readonly starts: readonly JobStart[];
  readonly results: readonly ChildAttempt[];
  /** Those of the results that have not succeeded. */
  readonly failures: readonly ChildAttempt[];
  /** Epoch milliseconds. */
  readonly wakeAt: number | undefined;
  readonly isCancelled: boolean;
  readonly isTerminated: boolean;
  /** Why a child waits, for the first that does. */
  readonly waitsFor: string | undefined;
  /** How many do. */
  readonly waiting: number;
  /** Why the child of a single job is over, or its last attempt was. */
  readonly reason: string;
}

type Outcome = Pick<JobPlan<JobTask>['record'], 'status' | 'statusReason' | 'attempts'>;

export function conclude<T extends JobTask>(input: JobPlanInput<T>, found: Findings<T>): JobPlan<T> {
  const { size, record, departed = [], now } = input;
  const { ledger, results } = found;
  const isUrgent = departed.some(({ index = 0 }) => ledger.isOver(index) && !record.ledger.isOver(index));
  const summary = { ...found.summary };
  for (let index = 0; index < ledger.size; index++) {
    if (ledger.hasSucceeded(index)) summary.SUCCEEDED++;
    else if (ledger.hasFailed(index)) summary.FAILED++;
  }
  const over = summary.SUCCEEDED + summary.FAILED === ledger.size;
  const ends = results.map(({ stoppedAt }) => stoppedAt);
  const stoppedAt = ends.length > 0 ? ends.reduce((a, b) => Math.max(a, b)) : now;
  return {
    stops: found.stops,
    starts: isUrgent ? [] : found.starts,
    results,
    isUrgent,
    statusSummary: summary,
    wakeAt: found.wakeAt,
    record: {
      ledger,
      ...(size === undefined ? ofSingle(input, found, summary) : ofArray(input, found, summary, over)),
      failedAttempts: size === undefined ? [] : newestFirst([...found.failures, ...record.failedAttempts]),
      startedAt: startedAt(input),
      stoppedAt: over ? stoppedAt : undefined,
      isCancelled: found.isCancelled,
      isTerminated: found.isTerminated,
    },
  };
}

function ofSingle(
  { record }: JobPlanInput<JobTask>,
  { results, reason, waitsFor }: Findings<JobTask>,
  summary: Readonly<Record<JobStatus, number>>,
): Outcome {
  const status = (Object.keys(summary) as JobStatus[]).find((each) => summary[each] > 0) ?? 'SUBMITTED';
  const ended = results.filter(({ attempt }) => attempt > 0).map(({ index: _, ...attempt }) => attempt);
  const attempts = [...record.attempts, ...ended].sort((a, b) => a.attempt - b.attempt);
  const statusReason = (isJobOver(status) ? reason : waitsFor) ?? '';
  return { status, attempts, statusReason: statusReason || (attempts.at(-1)?.statusReason ?? '') };
}

function ofArray(
  input: JobPlanInput<JobTask>,
  found: Findings<JobTask>,
  summary: Readonly<Record<JobStatus, number>>,
  over: boolean,
): Outcome {
  if (over && summary.FAILED === 0) return { status: 'SUCCEEDED', statusReason: '', attempts: [] };
  if (over) return { status: 'FAILED', statusReason: failureOfArray(input, found), attempts: [] };
  const { waitsFor, waiting } = found;
  const others = waiting > 1 ? ` (${waiting} children wait)` : '';
  return { status: 'PENDING', statusReason: waitsFor === undefined ? '' : waitsFor + others, attempts: [] };
}

function failureOfArray(
  { cancel, terminate, dependencies }: JobPlanInput<JobTask>,
  { isTerminated, isCancelled }: Findings<JobTask>,
): string {
  if (terminate !== undefined && isTerminated) return terminate;
  if (cancel !== undefined && isCancelled) return cancel;
  return dependencies?.kind === 'failed' ? DEPENDENT_JOB_FAILED : CHILD_FAILED;
}

/** Of a single job its latest attempt's, of an array its first. */
function startedAt({ size, record, tasks }: JobPlanInput<JobTask>): number | undefined {
  const started = tasks.map(runningSince).filter((at) => at !== undefined);
  if (started.length === 0) return record.startedAt;
  if (size === undefined) return started.reduce((a, b) => Math.max(a, b), record.startedAt ?? 0);
  return record.startedAt ?? started.reduce((a, b) => Math.min(a, b));
}
