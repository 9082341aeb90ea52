/** Where jobs wait: AWS Batch's job queue, with the scheduling policy that it has (`ecs-semantics` §5.9, §5.10). */
import { z } from 'zod';
import { jobTagsSchema } from './common-fields.ts';
import { isolationSchema } from './isolation.ts';
import { parseWith } from './parse.ts';
import {
  awsName,
  celText,
  immutable,
  integer,
  keyedList,
  type Parsed,
  timestamp,
  withRules,
  withTransitionRule,
} from './schema.ts';
import { commonStatus, count } from './status.ts';

/** Why the job at the head of a queue does not start, in AWS's words. */
export const BLOCKED_REASONS = [
  'CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY',
  'MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE',
  'MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT',
] as const;

const shareAttributesSchema = z
  .strictObject({
    shareIdentifier: z
      .string()
      .min(1)
      .max(256)
      .regex(/^[A-Za-z0-9]{1,255}[*]?$/)
      .describe('Share of jobs: at most 255 letters and digits; with a * behind, each share that begins so.'),
    // The API server compares a whole number with the whole part of a bound, and would take 0.
    weightFactor: withRules(z.number(), {
      message: 'must be from 0.0001 to 999.9999',
      holds: (weight) => weight >= 0.0001 && weight <= 999.9999,
      cel: 'self >= 0.0001 && self <= 999.9999',
    })
      .default(1)
      .describe(
        'What use counts for, 0.0001 to 999.9999: a share of 0.125 gets 8 times what one of 1 gets. Default: 1.',
      ),
  })
  .describe('Weight of a share, or of all that begin alike. AWS: ShareAttributes.');

type ShareAttributes = z.output<typeof shareAttributesSchema>;

const isPrefixOf = (pattern: string, other: string): boolean =>
  pattern.endsWith('*') && other !== pattern && other.startsWith(pattern.slice(0, -1));

const overlapText = (pattern: string): string =>
  `share identifiers must not overlap: others begin as '${pattern}' does`;

/** The first that another of the list falls under. */
const overlapping = (shares: readonly ShareAttributes[]): string | undefined =>
  shares.find((one) => shares.some((other) => isPrefixOf(one.shareIdentifier, other.shareIdentifier)))?.shareIdentifier;

const CEL_OVERLAPS =
  "p.shareIdentifier.endsWith('*') && self.exists(o, o.shareIdentifier != p.shareIdentifier && " +
  'o.shareIdentifier.startsWith(p.shareIdentifier.substring(0, size(p.shareIdentifier) - 1)))';

const fairsharePolicySchema = z
  .strictObject({
    shareDecaySeconds: integer(0, 604800)
      .default(0)
      .describe('Seconds within which past use counts, 0 to 604800 (a week); 0 stands for 600. Default: 0.'),
    computeReservation: integer(0, 99)
      .default(0)
      .describe(
        'Part that is kept free for shares that are not active, 0 to 99: (computeReservation/100)^active of the vCPUs. Default: 0.',
      ),
    shareDistribution: withRules(keyedList(shareAttributesSchema, 'shareIdentifier', { max: 100 }), {
      refuses: (shares) => {
        const pattern = overlapping(shares);
        return pattern === undefined ? undefined : overlapText(pattern);
      },
      cel: `!self.exists(p, ${CEL_OVERLAPS})`,
      celMessage: celText(overlapText, `self.filter(p, ${CEL_OVERLAPS})[0].shareIdentifier`),
    })
      .default([])
      .describe('Weights of shares, at most 100; any other share weighs 1. AWS: ShareAttributes[].'),
  })
  .describe('How the shares of the queue divide what there is. AWS: FairsharePolicy.');

const schedulingPolicySchema = z
  .strictObject({
    name: awsName(128).optional().describe('Name of the policy on AWS, where it is an object of its own.'),
    fairsharePolicy: fairsharePolicySchema.prefault({}),
  })
  .describe(
    'Fair share scheduling, in which each job has a shareIdentifier; without it the first job in is the first out. Can be changed, but neither given to a queue nor taken from it. AWS: CreateSchedulingPolicy.',
  );

const fields = z.strictObject({
  jobQueueName: immutable(awsName(128), 'jobQueueName cannot be changed')
    .optional()
    .describe(
      "Name of the queue: at most 128 letters, digits, - and _. Default: the object's name. Cannot be changed.",
    ),
  state: z
    .enum(['ENABLED', 'DISABLED'])
    .default('ENABLED')
    .describe('ENABLED, or DISABLED: takes no more jobs, and finishes those that it has. Default: ENABLED.'),
  priority: integer(0, 1000).describe(
    'Of queues that share a compute environment, the one with the highest goes first, 0 to 1000.',
  ),
  computeEnvironmentOrder: keyedList(
    z
      .strictObject({
        order: integer().describe('The lowest is tried first; each once.'),
        computeEnvironment: z.string().min(1).max(2048).describe('Name or ARN of the ComputeEnvironment.'),
      })
      .describe('A compute environment of the queue. AWS: ComputeEnvironmentOrder.'),
    'order',
    { min: 1, max: 3 },
  ).describe('Where the jobs may run, 1 to 3: the next one where the one before has no room.'),
  schedulingPolicy: schedulingPolicySchema.optional(),
  schedulingPolicyArn: z
    .string()
    .max(2048)
    .optional()
    .describe('ARN of a scheduling policy on AWS. Refused: schedulingPolicy says what it says.'),
  jobQueueType: z
    .enum(['EKS', 'ECS', 'ECS_FARGATE', 'ECS_MANAGED_INSTANCES'])
    .optional()
    .describe('What the jobs run on, on AWS: EKS, ECS, ECS_FARGATE or ECS_MANAGED_INSTANCES.'),
  jobStateTimeLimitActions: keyedList(
    z
      .strictObject({
        reason: z
          .enum(BLOCKED_REASONS)
          .describe(`Why the job does not start: ${BLOCKED_REASONS.join(', ')}; each once.`),
        state: z.literal('RUNNABLE').describe('RUNNABLE is the only state.'),
        maxTimeSeconds: integer(600, 86400).describe('Seconds after which the action is taken, 600 to 86400.'),
        action: z.literal('CANCEL').describe('CANCEL is the only action.'),
      })
      .describe(
        'What becomes of a job that is the first of the queue and does not start. AWS: JobStateTimeLimitAction.',
      ),
    'reason',
    { max: 10 },
  )
    .default([])
    .describe('What becomes of a job that stands at the head of the queue for too long.'),
  tags: jobTagsSchema('Tags of the queue, at most 50.'),
  kubernetes: z
    .strictObject({ isolation: isolationSchema.optional() })
    .prefault({})
    .describe('What AWS has no word for. The only part of the spec that is not an AWS field.'),
});

/** `spec` of a JobQueue: the input of CreateJobQueue, with the scheduling policy in it. */
export const jobQueueSpecSchema = withTransitionRule(
  withRules(fields, {
    message: 'schedulingPolicyArn names what is not in this cluster; write the policy into schedulingPolicy',
    holds: ({ schedulingPolicyArn }) => schedulingPolicyArn === undefined,
    cel: '!has(self.schedulingPolicyArn)',
    field: 'schedulingPolicyArn',
  }),
  'has(self.schedulingPolicy) == has(oldSelf.schedulingPolicy)',
  'a schedulingPolicy can be changed, but neither given to a queue nor taken from it',
).describe('Where jobs wait for room in compute environments: the input of CreateJobQueue.');

export type JobQueueSpec = Parsed<typeof jobQueueSpecSchema>;

export const jobQueueStatusSchema = z
  .object({
    ...commonStatus,
    status: z.enum(['VALID', 'INVALID']).optional().describe('VALID, or INVALID: no job of it starts.'),
    statusReason: z.string().max(1024).optional().describe('Why it is INVALID, or what else is to be known.'),
    runnable: count().optional().describe('Attempts that wait for room.'),
    starting: count().optional().describe('Attempts that have a pod which does not run yet.'),
    running: count().optional().describe('Attempts that run.'),
    frontOfQueue: z
      .object({
        jobs: z
          .array(
            z
              .object({
                job: z.string().max(128).describe('UID of the BatchJob: its jobId.'),
                name: z.string().max(253).describe('Name of the BatchJob.'),
                earliestTimeAtPosition: timestamp().describe('Since when it has this place (RFC 3339).'),
              })
              .describe('A job that waits.'),
          )
          .max(100)
          .describe(
            'The first jobs that wait, in their order: at most 100, and of a queue with shares those among the next 1000 attempts.',
          ),
        lastUpdatedAt: timestamp().describe('When that was so; what has changed is shown 10 seconds later (RFC 3339).'),
      })
      .optional()
      .describe('What GetJobQueueSnapshot shows.'),
    blocked: z
      .object({
        job: z.string().max(128).describe('UID of the BatchJob: its jobId.'),
        name: z.string().max(253).describe('Name of the BatchJob.'),
        reason: z.string().max(128).describe("Why, in AWS's word."),
        message: z.string().max(1024).describe('Why, in one sentence.'),
        since: timestamp().describe('Since when it is so (RFC 3339).'),
      })
      .optional()
      .describe('The job at the head of the queue that nothing has room for.'),
    shares: keyedList(
      z
        .object({
          shareIdentifier: z.string().max(255).describe('Share, as its jobs name it.'),
          averageVcpus: z.number().min(0).describe('vCPUs, averaged over the time that counts.'),
          activeVcpus: z.number().min(0).describe('vCPUs in use.'),
          updatedAt: timestamp().describe('When that was so (RFC 3339).'),
        })
        .describe('Use of a share.'),
      'shareIdentifier',
      { max: 500 },
    )
      .optional()
      .describe('Shares that are active, with what they have used.'),
  })
  .describe('What DescribeJobQueues and GetJobQueueSnapshot show.');

export type JobQueueStatus = Parsed<typeof jobQueueStatusSchema>;

/**
 * Checks and compiles the `spec` of a JobQueue.
 * @throws InvalidSpecError
 */
export function parseJobQueue(raw: unknown): JobQueueSpec {
  return parseWith(jobQueueSpecSchema, raw);
}
