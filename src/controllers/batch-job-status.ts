/** What `kubectl get` and `describe` show of a job: DescribeJobs' fields from the plan. */
import type { BatchJobStatus } from '../api/batch-job.ts';
import type { JobAttempt, JobPlan, JobRecord } from '../batch/job-plan.ts';
import { jobFieldSupport } from '../pod/field-support.ts';
import type { ObservedTask } from '../pod/observe.ts';
import type { TaskProblem } from '../pod/problems.ts';
import { type ConditionInput, kstatus, rfc3339, withTimes } from './conditions.ts';
import { resolvedRefs } from './references.ts';
import type { BatchJobRecord } from './runtime.ts';

const optionalTime = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Date.parse(text);

/** The part of the status that the plan builds on. */
export function jobRecord(status: Partial<BatchJobStatus>): JobRecord {
  return {
    ...(status.status !== undefined && { status: status.status }),
    ...(status.statusReason !== undefined && { statusReason: status.statusReason }),
    succeededIndexes: status.succeededIndexes ?? '',
    failedIndexes: status.failedIndexes ?? '',
    attempts: (status.attempts ?? []).map(
      ({ attempt, task, exitCode, reason, statusReason, startedAt, stoppedAt }) => ({
        attempt,
        task: task ?? '',
        exitCode,
        reason,
        statusReason: statusReason ?? '',
        startedAt: optionalTime(startedAt),
        stoppedAt: optionalTime(stoppedAt) ?? 0,
      }),
    ),
    startedAt: optionalTime(status.startedAt),
    stoppedAt: optionalTime(status.stoppedAt),
  };
}

const attemptStatus = ({ attempt, task, exitCode, reason, statusReason, startedAt, stoppedAt }: JobAttempt) => ({
  attempt,
  task,
  ...(exitCode !== undefined && { exitCode }),
  ...(reason !== undefined && { reason: reason.slice(0, 1024) }),
  statusReason: statusReason.slice(0, 1024),
  ...(startedAt !== undefined && { startedAt: rfc3339(startedAt) }),
  stoppedAt: rfc3339(stoppedAt),
});

export interface JobStatusInput {
  readonly job: BatchJobRecord;
  readonly plan?: JobPlan<ObservedTask> | undefined;
  readonly problem?: { readonly reason: string; readonly message: string; readonly stalled: boolean } | undefined;
  /** What of what it names means nothing here; absent where nothing was to be started. */
  readonly problems?: readonly TaskProblem[] | undefined;
  readonly now: number;
}

export function jobStatus({ job, plan, problem, problems, now }: JobStatusInput): BatchJobStatus {
  const record = plan?.record;
  const status = record?.status ?? 'SUBMITTED';
  return {
    observedGeneration: job.generation,
    status,
    ...(record?.statusReason && { statusReason: record.statusReason.slice(0, 1024) }),
    ...(plan !== undefined && childrenOrAttempts(plan, job.spec?.arrayProperties?.size)),
    createdAt: rfc3339(job.createdAt),
    ...(record?.startedAt !== undefined && { startedAt: rfc3339(record.startedAt) }),
    ...(record?.stoppedAt !== undefined && { stoppedAt: rfc3339(record.stoppedAt) }),
    fieldSupport: job.spec === undefined ? [] : jobFieldSupport(job.spec),
    conditions: [
      ...withTimes(
        [...conditions(status, record, problem), ...(problems === undefined ? [] : [resolvedRefs(problems)])],
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
  if (size === undefined || plan.statusSummary === undefined) {
    // A single job counts as one, so that the columns of `kubectl get` say the same for both.
    const arrayProperties = { size: 1, statusSummary: { [plan.record.status]: 1 } };
    return { attempts: plan.record.attempts.map(attemptStatus), arrayProperties };
  }
  const { succeededIndexes, failedIndexes } = plan.record;
  return { arrayProperties: { size, statusSummary: plan.statusSummary }, succeededIndexes, failedIndexes };
}

function conditions(
  status: string,
  record: JobRecord | undefined,
  problem: JobStatusInput['problem'],
): ConditionInput[] {
  const complete = status === 'SUCCEEDED';
  const failed = status === 'FAILED';
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
      message: failed ? (record?.statusReason ?? '') : `status ${status}`,
    },
  ];
  if (problem !== undefined)
    return [...kstatus(problem.stalled ? 'stalled' : 'reconciling', problem.reason, problem.message), ...ends];
  if (complete) return [...kstatus('ready', 'JobSucceeded', 'the job has succeeded'), ...ends];
  if (failed) return [...kstatus('stalled', 'JobFailed', record?.statusReason ?? 'the job has failed'), ...ends];
  return [...kstatus('reconciling', 'JobRunning', `status ${status}`), ...ends];
}
