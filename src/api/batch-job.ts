import { z } from 'zod';
import { dependencyTypesOfArrays, dependsOnSchema } from './batch-depends-on.ts';
import { jobDefinitionFields } from './batch-job-fields.ts';
import { jobControllerRules, jobDefinitionRules } from './batch-job-rules.ts';
import { retryStrategySchema } from './batch-retry.ts';
import { kubernetesOptionsSchema } from './kubernetes-options.ts';
import { parseWith } from './parse.ts';
import { immutable, integer, type Parsed, timestamp, withControllerRule, withRules } from './schema.ts';
import { commonStatus, count } from './status.ts';

/** Pods of ended attempts that stay readable, where nothing is said. */
export const STOPPED_TASKS = 100;

const retentionSchema = z
  .strictObject({
    ttlSecondsAfterFinished: integer(0)
      .optional()
      .describe(
        'Seconds after the end of the job until it is deleted, with its pods and results; not before the jobs that depend on it have ended. Absent: it stays.',
      ),
    stoppedTasks: integer(0, 10000)
      .default(STOPPED_TASKS)
      .describe('Pods of ended attempts that stay readable at most, failed ones first, 0 to 10000. Default: 100.'),
    stoppedTaskSeconds: integer(0, 2592000)
      .optional()
      .describe(
        "Seconds that the pod of an ended attempt stays readable, 0 to 2592000 (30 days). Default: the Cluster's retention.stoppedTaskSeconds.",
      ),
  })
  .prefault({})
  .describe('How long what is over stays.');

const jobOptionsSchema = kubernetesOptionsSchema
  .extend({
    accounting: z
      .enum(['Relaxed', 'Strict'])
      .default('Relaxed')
      .describe(
        'Relaxed (default): an attempt whose pod is gone before its end was seen counts as failed. Strict: a finalizer keeps each pod until its exit is in the status; one more write a pod.',
      ),
    retention: retentionSchema,
  })
  .describe('What AWS has no word for. The only part of the spec that is not an AWS field.');

const fields = z.strictObject({
  jobName: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/)
    .optional()
    .describe(
      "Name of the job: at most 128 letters, digits, - and _, the first a letter or digit. Default: the object's name.",
    ),
  jobQueue: z.string().min(1).max(2048).optional().describe('Name or ARN of the queue.'),
  ...jobDefinitionFields,
  arrayProperties: z
    .strictObject({ size: integer(2, 10000).describe('Number of children, 2 to 10000.') })
    .optional()
    .describe('Makes the job an array of children that differ by AWS_BATCH_JOB_ARRAY_INDEX. AWS: ArrayProperties.'),
  retryStrategy: retryStrategySchema.prefault({}),
  dependsOn: dependsOnSchema(),
  timeout: z
    .strictObject({
      attemptDurationSeconds: integer(60).describe(
        'Seconds an attempt may run, from 60; then the job fails and is not tried again.',
      ),
    })
    .optional()
    .describe('How long an attempt may run; of an array, each child by itself. AWS: JobTimeout.'),
  kubernetes: jobOptionsSchema.optional(),
});

/** `spec` of a BatchJob: the input of SubmitJob and the properties of its job definition (`ecs-semantics` §5). */
export const batchJobSpecSchema = immutable(
  jobControllerRules.reduce(
    (schema, { refuses, field }) => withControllerRule(schema, refuses, field),
    withRules(fields, ...jobDefinitionRules, dependencyTypesOfArrays),
  ),
  'the spec of a BatchJob cannot be changed; delete the job and make a new one',
).describe(
  'A job, or an array of jobs: the input of SubmitJob with the properties of the job definition. Cannot be changed.',
);

export type BatchJobSpec = Parsed<typeof batchJobSpecSchema>;

/** States of a job in their order (`ecs-semantics` §5.3). */
export const JOB_STATUSES = ['SUBMITTED', 'PENDING', 'RUNNABLE', 'STARTING', 'RUNNING', 'SUCCEEDED', 'FAILED'] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

const statusSummarySchema = z
  .object({
    SUBMITTED: count().optional().describe('Children that are SUBMITTED.'),
    PENDING: count().optional().describe('Children that are PENDING.'),
    RUNNABLE: count().optional().describe('Children that are RUNNABLE.'),
    STARTING: count().optional().describe('Children that are STARTING.'),
    RUNNING: count().optional().describe('Children that are RUNNING.'),
    SUCCEEDED: count().optional().describe('Children that are SUCCEEDED.'),
    FAILED: count().optional().describe('Children that are FAILED.'),
  })
  .describe('How many children are in each state.');

const attemptSchema = z
  .object({
    attempt: integer(1).describe('Number of the attempt, from 1.'),
    task: z.string().max(64).optional().describe('ECS task id, 32 hex digits.'),
    exitCode: integer().optional().describe('Exit code of the container; absent when it never ran.'),
    reason: z.string().max(1024).optional().describe('What went wrong with the container; absent for a plain exit.'),
    statusReason: z.string().max(1024).optional().describe('Why the attempt ended.'),
    startedAt: timestamp().optional().describe('When it was RUNNING (RFC 3339); absent when it never ran.'),
    stoppedAt: timestamp().optional().describe('When it ended (RFC 3339).'),
  })
  .describe('One attempt to run the job. AWS: AttemptDetail.');

const indexes = () => z.string().max(65536).optional();

const childAttemptsSchema = z
  .object({
    attempts: integer(1).describe('How many attempts, 1 to 10.'),
    indexes: z.string().max(65536).describe('Children with that many, e.g. 0-41,43.'),
  })
  .describe('Children by the number of attempts that were made of them.');

export const batchJobStatusSchema = z
  .object({
    ...commonStatus,
    status: z
      .enum(JOB_STATUSES)
      .optional()
      .describe(`One of ${JOB_STATUSES.join(', ')}.`),
    statusReason: z.string().max(1024).optional().describe("Why, in AWS's words."),
    jobQueue: z
      .string()
      .max(128)
      .optional()
      .describe('AWS name of the queue that has taken the job; absent where its namespace has none.'),
    attempts: z
      .array(attemptSchema)
      .max(10)
      .optional()
      .describe('Attempts, oldest first, at most 10; none for an array.'),
    arrayProperties: z
      .object({
        size: count().optional().describe('Number of children.'),
        statusSummary: statusSummarySchema.optional(),
      })
      .optional()
      .describe('State of the children. AWS: ArrayPropertiesDetail.'),
    succeededIndexes: indexes().describe('Children that succeeded, e.g. 0-41,43.'),
    failedIndexes: indexes().describe('Children that failed, e.g. 0-41,43.'),
    childAttempts: z
      .array(childAttemptsSchema)
      .max(10)
      .optional()
      .describe('How many attempts of each child of an array have been made, fewest first.'),
    failedAttempts: z
      .array(attemptSchema.extend({ index: count().describe('Number of the child, from 0.') }))
      .max(20)
      .optional()
      .describe('Failed attempts of the children of an array, newest first, at most 20.'),
    isCancelled: z.boolean().optional().describe('The job was cancelled.'),
    isTerminated: z.boolean().optional().describe('The job was terminated.'),
    createdAt: timestamp().optional().describe('When the job was seen first (RFC 3339).'),
    startedAt: timestamp().optional().describe('When the latest attempt was RUNNING (RFC 3339).'),
    stoppedAt: timestamp().optional().describe('When the job ended (RFC 3339).'),
  })
  .describe('What DescribeJobs shows.');

export type BatchJobStatus = Parsed<typeof batchJobStatusSchema>;

/**
 * Checks and compiles the `spec` of a BatchJob.
 * @throws InvalidSpecError
 */
export function parseBatchJob(raw: unknown): BatchJobSpec {
  return parseWith(batchJobSpecSchema, raw);
}
