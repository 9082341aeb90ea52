/** An ended attempt as DescribeJobs shows it, in a job's status and in the results of an array. */
import type { JobAttempt } from '../../batch/attempt.ts';
import { rfc3339 } from '../conditions.ts';

/** @param bounded cuts a reason to what there is room for. */
export const attemptStatus = (
  { attempt, task, exitCode, reason, statusReason, startedAt, stoppedAt }: JobAttempt,
  bounded: (text: string) => string,
) => ({
  attempt,
  task,
  ...(exitCode !== undefined && { exitCode }),
  ...(reason !== undefined && { reason: bounded(reason) }),
  statusReason: bounded(statusReason),
  ...(startedAt !== undefined && { startedAt: rfc3339(startedAt) }),
  stoppedAt: rfc3339(stoppedAt),
});
