import type { EnvironmentVariable } from '../api/container-environment.ts';
import { arnName } from '../api/names.ts';

/** Variables that Batch gives every attempt (`ecs-semantics §5.11`); a child's job id is `<parent>:<index>`. */
export function jobEnvironment(job: {
  readonly jobId: string;
  /** AWS name or ARN. */
  readonly jobQueue?: string | undefined;
  /** AWS name; of a job without a queue, its namespace. */
  readonly computeEnvironment: string;
  readonly index?: number;
  readonly attempt: number;
}): EnvironmentVariable[] {
  const { jobId, jobQueue, computeEnvironment, index, attempt } = job;
  const variables: [string, string | undefined][] = [
    ['AWS_BATCH_JOB_ID', index === undefined ? jobId : `${jobId}:${index}`],
    ['AWS_BATCH_JOB_ATTEMPT', String(attempt)],
    ['AWS_BATCH_JQ_NAME', jobQueue === undefined ? undefined : arnName(jobQueue)],
    ['AWS_BATCH_CE_NAME', computeEnvironment],
    ['AWS_BATCH_JOB_ARRAY_INDEX', index?.toString()],
  ];
  return variables.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
}
