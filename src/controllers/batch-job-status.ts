/** What `kubectl get` and `describe` show of a job: DescribeJobs' fields from the plan. */
import type { BatchJobStatus } from '../api/batch-job.ts';
import { ArrayLedger, type LedgerText } from '../batch/array-ledger.ts';
import type { JobAttempt } from '../batch/attempt.ts';
import { isJobOver, type JobPlan, type JobRecord } from '../batch/job.ts';
import { jobFieldSupport } from '../pod/field-support.ts';
import type { ObservedTask } from '../pod/observe.ts';
import type { TaskProblem } from '../pod/problems.ts';
import { attemptStatus } from './batch/ended-attempt.ts';
import type { QueueOfJob } from './batch/queues.ts';
import { type ConditionInput, kstatus, rfc3339, withTimes } from './conditions.ts';
import { jobQueueNameOf } from './queue-names.ts';
import { resolvedRefs } from './references.ts';
import type { BatchJobRecord } from './runtime.ts';
import type { Trouble } from './service-revision.ts';

const optionalTime = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Date.parse(text);

/** Records do not change: each is read once. */
const records = new WeakMap<BatchJobRecord, JobRecord>();

/** The part of the status that the plan builds on. */
export function jobRecord(job: BatchJobRecord): JobRecord {
  const known = records.get(job);
  if (known !== undefined) return known;
  const record = readRecord(job);
  records.set(job, record);
  return record;
}

/** The status, as the API server has it, knows all that is to be known of the attempt: its pod may go. */
export function isRecorded(job: BatchJobRecord, { index = 0, attempt }: { index?: number; attempt: number }): boolean {
  const { status, ledger, attempts } = jobRecord(job);
  if (isJobOver(status)) return true;
  if (job.spec?.arrayProperties !== undefined) return ledger.isRecorded(index, attempt);
  return attempts.some((known) => known.attempt === attempt);
}

function readRecord({ status, spec }: BatchJobRecord): JobRecord {
  const attempts = (status.attempts ?? []).map(attemptOf);
  return {
    status: status.status,
    statusReason: status.statusReason ?? '',
    ledger: ArrayLedger.of(
      spec?.arrayProperties?.size ?? 1,
      spec?.arrayProperties === undefined ? singleLedger(status, attempts.at(-1)?.attempt ?? 0) : arrayLedger(status),
    ),
    attempts,
    failedAttempts: (status.failedAttempts ?? []).map(({ index, ...attempt }) => ({ index, ...attemptOf(attempt) })),
    startedAt: optionalTime(status.startedAt),
    stoppedAt: optionalTime(status.stoppedAt),
    isCancelled: status.isCancelled ?? false,
    isTerminated: status.isTerminated ?? false,
  };
}

const arrayLedger = ({
  succeededIndexes = '',
  failedIndexes = '',
  childAttempts = [],
}: Partial<BatchJobStatus>): LedgerText => ({
  succeededIndexes,
  failedIndexes,
  childAttempts,
});

/** A job that is STARTING or RUNNING has an attempt besides those that have ended. */
function singleLedger({ status }: Partial<BatchJobStatus>, ended: number): LedgerText {
  const made = status === 'STARTING' || status === 'RUNNING' ? ended + 1 : ended;
  return {
    succeededIndexes: status === 'SUCCEEDED' ? '0' : '',
    failedIndexes: status === 'FAILED' ? '0' : '',
    childAttempts: made === 0 ? [] : [{ attempts: made, indexes: '0' }],
  };
}

type AttemptStatus = NonNullable<BatchJobStatus['attempts']>[number];

const attemptOf = ({
  attempt,
  task,
  exitCode,
  reason,
  statusReason,
  startedAt,
  stoppedAt,
}: AttemptStatus): JobAttempt => ({
  attempt,
  task: task ?? '',
  exitCode,
  reason,
  statusReason: statusReason ?? '',
  startedAt: optionalTime(startedAt),
  stoppedAt: optionalTime(stoppedAt) ?? 0,
});

/** As the schema of the status bounds it. */
const bounded = (text: string): string => text.slice(0, 1024);

export interface JobStatusInput {
  readonly job: BatchJobRecord;
  readonly plan?: JobPlan<ObservedTask> | undefined;
  readonly trouble?: Trouble | undefined;
  /** What of what it names means nothing here; absent where nothing was to be started. */
  readonly problems?: readonly TaskProblem[] | undefined;
  readonly queued?: QueueOfJob | undefined;
  /** Why its queue lets no more of it start. */
  readonly waiting?: string | undefined;
  readonly now: number;
}

export function jobStatus({ job, plan, trouble, problems, queued, waiting, now }: JobStatusInput): BatchJobStatus {
  const record = plan?.record;
  const status = record?.status ?? 'SUBMITTED';
  // What holds it back as a whole is said first; what is over has its reason.
  const reason = (isJobOver(status) ? undefined : (trouble?.message ?? waiting)) ?? record?.statusReason;
  const jobQueue = queued?.kind === 'queue' ? jobQueueNameOf(queued.queue) : job.status.jobQueue;
  return {
    observedGeneration: job.generation,
    status,
    ...(reason && { statusReason: bounded(reason) }),
    ...(jobQueue !== undefined && { jobQueue }),
    ...(plan !== undefined && childrenOrAttempts(plan, job.spec?.arrayProperties?.size)),
    ...(record?.isCancelled && { isCancelled: true }),
    ...(record?.isTerminated && { isTerminated: true }),
    createdAt: rfc3339(job.createdAt),
    ...(record?.startedAt !== undefined && { startedAt: rfc3339(record.startedAt) }),
    ...(record?.stoppedAt !== undefined && { stoppedAt: rfc3339(record.stoppedAt) }),
    fieldSupport: job.spec === undefined ? [] : jobFieldSupport(job.spec),
    conditions: [
      ...withTimes(
        [...conditions(status, record, trouble), ...(problems === undefined ? [] : [resolvedRefs(problems)])],
        job.status.conditions,
        job.generation,
        now,
      ),
      // What was found when a task was started last stays said.
      ...(job.status.conditions ?? []).filter(({ type }) => problems === undefined && type === 'ResolvedRefs'),
    ],
  };
}

function childrenOrAttempts(plan: JobPlan<ObservedTask>, size: number | undefined): Partial<BatchJobStatus> {
  const { record, statusSummary } = plan;
  if (size === undefined) {
    // A single job counts as one, so that the columns of `kubectl get` say the same for both.
    const arrayProperties = { size: 1, statusSummary: { [record.status]: 1 } };
    return { attempts: record.attempts.map((attempt) => attemptStatus(attempt, bounded)), arrayProperties };
  }
  return {
    arrayProperties: { size, statusSummary },
    ...record.ledger.format(),
    failedAttempts: record.failedAttempts.map((attempt) => ({
      index: attempt.index,
      ...attemptStatus(attempt, bounded),
    })),
  };
}

function conditions(status: string, record: JobRecord | undefined, trouble: Trouble | undefined): ConditionInput[] {
  const complete = status === 'SUCCEEDED';
  const failed = status === 'FAILED';
  const { statusReason = '', attempts = [] } = record ?? {};
  const why = [statusReason, failed ? attempts.at(-1)?.reason : undefined].filter(Boolean).join(': ');
  const ends: ConditionInput[] = [
    {
      type: 'Complete',
      status: complete,
      reason: complete ? 'JobSucceeded' : 'JobNotComplete',
      message: complete ? 'every attempt that counts exited with 0' : `status ${status}`,
    },
    {
      type: 'Failed',
      status: failed,
      reason: failed ? 'JobFailed' : 'JobNotFailed',
      message: failed ? why : `status ${status}`,
    },
  ];
  if (complete) return [...kstatus('ready', 'JobSucceeded', 'the job has succeeded'), ...ends];
  if (failed) return [...kstatus('stalled', 'JobFailed', why || 'the job has failed'), ...ends];
  if (trouble !== undefined)
    return [...kstatus(trouble.stalled ? 'stalled' : 'reconciling', trouble.reason, trouble.message), ...ends];
  return [
    ...kstatus('reconciling', 'JobRunning', why === '' ? `status ${status}` : `status ${status}: ${why}`),
    ...ends,
  ];
}
