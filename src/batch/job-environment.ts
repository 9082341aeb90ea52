import type { EnvironmentVariable } from '../api/container-environment.ts';

/** Variables that Batch gives every attempt (`ecs-semantics §5.11`); a child's job id is `<parent>:<index>`. */
export function jobEnvironment(job: {
  readonly jobId: string;
  readonly jobQueue?: string;
  readonly index?: number;
  readonly attempt: number;
}): EnvironmentVariable[] {
  const { jobId, jobQueue, index, attempt } = job;
  const variables: [string, string | undefined][] = [
    ['AWS_BATCH_JOB_ID', index === undefined ? jobId : `${jobId}:${index}`],
    ['AWS_BATCH_JOB_ATTEMPT', String(attempt)],
    ['AWS_BATCH_JQ_NAME', jobQueue?.split('/').at(-1)],
    ['AWS_BATCH_JOB_ARRAY_INDEX', index?.toString()],
  ];
  return variables.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
}
