/** A Batch job: what is recorded of it, what a plan is made from, and the plan. */
import type { JobStatus } from '../api/batch-job.ts';
import type { StopCause } from '../ecs/task.ts';
import type { ArrayLedger } from './array-ledger.ts';
import type { ChildAttempt, JobAttempt, JobTask } from './attempt.ts';
import type { Dependencies } from './dependencies.ts';
import type { RetryStrategy } from './retry.ts';

/** What the job's status says; it outlives the pods. */
export interface JobRecord {
  /** Absent before the first plan. */
  readonly status?: JobStatus | undefined;
  readonly statusReason: string;
  /** Of a single job, that of its one child. */
  readonly ledger: ArrayLedger;
  /** Ended attempts of a single job. */
  readonly attempts: readonly JobAttempt[];
  /** The last of an array, newest first. */
  readonly failedAttempts: readonly ChildAttempt[];
  readonly startedAt?: number | undefined;
  readonly stoppedAt?: number | undefined;
  readonly isCancelled: boolean;
  readonly isTerminated: boolean;
}

export interface JobPlanInput<T extends JobTask> {
  /** arrayProperties.size; absent for a single job. */
  readonly size?: number | undefined;
  readonly retryStrategy: RetryStrategy;
  /** timeout.attemptDurationSeconds, counted from RUNNING. */
  readonly timeoutSeconds?: number | undefined;
  readonly record: JobRecord;
  readonly tasks: readonly T[];
  /** Tasks whose pods are gone, as they were seen last. */
  readonly departed?: readonly T[];
  /** What the jobs it depends on allow; absent where nothing can hold it back. */
  readonly dependencies?: Dependencies | undefined;
  /** Reason of CancelJob. */
  readonly cancel?: string | undefined;
  /** Reason of TerminateJob. */
  readonly terminate?: string | undefined;
  /** Children for which TerminateJob was asked, with its reason. */
  readonly terminateChildren?: { readonly has: (index: number) => boolean; readonly reason: string } | undefined;
  /** Epoch milliseconds. */
  readonly now: number;
}

export interface JobStart {
  readonly index?: number;
  readonly attempt: number;
  readonly because: string;
}

export type JobStop<T extends JobTask> = { readonly task: T; readonly because: string } & StopCause;

export interface JobPlan<T extends JobTask> {
  readonly stops: readonly JobStop<T>[];
  /** Retries first: a failed attempt goes back to the front of the queue. */
  readonly starts: readonly JobStart[];
  readonly record: JobRecord & { readonly status: JobStatus };
  /** Ended attempts that the job's status does not know yet. */
  readonly results: readonly ChildAttempt[];
  /** Children by status. */
  readonly statusSummary: Readonly<Record<JobStatus, number>>;
  /** A child is over by what only the operator's memory has: to be recorded before anything is started. */
  readonly isUrgent: boolean;
  /** When time alone changes the plan, epoch milliseconds. */
  readonly wakeAt?: number | undefined;
}

export const isJobOver = (status: string | undefined): status is 'SUCCEEDED' | 'FAILED' =>
  status === 'SUCCEEDED' || status === 'FAILED';
