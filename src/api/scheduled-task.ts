import { z } from 'zod';
import { batchJobSpecSchema } from './batch-job.ts';
import { parseWith } from './parse.ts';
import { isTimeZone, scheduleExpressionSchema } from './schedule-expression.ts';
import { integer, mutable, type Parsed, timestamp, withControllerRule, withRules } from './schema.ts';
import { commonStatus, count } from './status.ts';
import { taskSpecSchema } from './task.ts';

const flexibleTimeWindowSchema = withRules(
  z.strictObject({
    mode: z.enum(['OFF', 'FLEXIBLE']).describe('OFF: at the time. FLEXIBLE: within a window after it.'),
    maximumWindowInMinutes: integer(1, 1440).optional().describe('Length of the window, 1 to 1440 minutes.'),
  }),
  {
    message: 'maximumWindowInMinutes is for the mode FLEXIBLE, which needs it',
    holds: ({ mode, maximumWindowInMinutes }) => (mode === 'FLEXIBLE') === (maximumWindowInMinutes !== undefined),
    cel: "(self.mode == 'FLEXIBLE') == has(self.maximumWindowInMinutes)",
    field: 'maximumWindowInMinutes',
  },
);

const targetSchema = withRules(
  z.strictObject({
    runTask: mutable(taskSpecSchema)
      .optional()
      .describe(
        'Runs tasks: the input of RunTask, as it is the spec of a Task. AWS: arn:aws:scheduler:::aws-sdk:ecs:runTask.',
      ),
    submitJob: mutable(batchJobSpecSchema)
      .optional()
      .describe(
        'Runs a job: the input of SubmitJob, as it is the spec of a BatchJob. AWS: arn:aws:scheduler:::aws-sdk:batch:submitJob.',
      ),
  }),
  {
    message: 'exactly one of runTask and submitJob must be given',
    holds: ({ runTask, submitJob }) => (runTask === undefined) !== (submitJob === undefined),
    cel: 'has(self.runTask) != has(self.submitJob)',
  },
).describe(
  'What a run does. In its texts <aws.scheduler.scheduled-time> and <aws.scheduler.execution-id> stand for those of the run. AWS: Target.',
);

/** RFC 3339, as a text for the rules to compare. */
const date = () =>
  z
    .string()
    .max(64)
    .regex(
      /^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$/,
    );

const fields = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(64)
    .regex(/^[0-9a-zA-Z_.-]+$/)
    .optional()
    .describe("Name of the schedule: at most 64 letters, digits and - _ . Default: the object's name."),
  description: z.string().max(512).optional().describe('What it is for, at most 512 characters.'),
  scheduleExpression: scheduleExpressionSchema().describe(
    'When it runs: cron(minutes hours day-of-month month day-of-week year), rate(value unit) or at(yyyy-mm-ddThh:mm:ss).',
  ),
  scheduleExpressionTimezone: withControllerRule(z.string().min(1).max(50), (name) =>
    isTimeZone(name)
      ? undefined
      : `"${name}" is no time zone; allowed: a name of the IANA database, such as Europe/Berlin`,
  )
    .default('UTC')
    .describe('Time zone of cron() and at(): a name of the IANA database, such as Europe/Berlin. Default: UTC.'),
  startDate: date()
    .optional()
    .describe('No run before it, and the first one of rate() (RFC 3339). at() does not know it.'),
  endDate: date().optional().describe('No run from then on (RFC 3339). at() does not know it.'),
  state: z
    .enum(['ENABLED', 'DISABLED'])
    .default('ENABLED')
    .describe('ENABLED, or DISABLED: no run, not even later. Default: ENABLED.'),
  flexibleTimeWindow: flexibleTimeWindowSchema
    .prefault({ mode: 'OFF' })
    .describe(
      'How exactly the times are kept; seconds are, with mode OFF. Default: mode OFF. AWS: FlexibleTimeWindow.',
    ),
  target: targetSchema,
  kubernetes: z
    .strictObject({
      concurrencyPolicy: z
        .enum(['Allow', 'Forbid', 'Replace'])
        .default('Allow')
        .describe(
          'When the last run is not over yet: Allow starts the next beside it, Forbid once it is over, Replace instead of it. Default: Allow, as on AWS.',
        ),
      startingDeadlineSeconds: integer(0)
        .optional()
        .describe('Seconds after its time within which a run that was held up may still start. Default: no limit.'),
      successfulJobsHistoryLimit: integer(0, 1000)
        .default(3)
        .describe('Runs that succeeded whose objects are kept, 0 to 1000. Default: 3.'),
      failedJobsHistoryLimit: integer(0, 1000)
        .default(1)
        .describe('Runs that failed whose objects are kept, 0 to 1000. Default: 1.'),
    })
    .prefault({})
    .describe('What AWS has no word for, in those of batch/v1 CronJob.'),
});

/** `spec` of a ScheduledTask: the input of EventBridge Scheduler's CreateSchedule. */
export const scheduledTaskSpecSchema = withRules(fields, {
  message: 'endDate must be later than startDate',
  holds: ({ startDate, endDate }) =>
    startDate === undefined || endDate === undefined || Date.parse(startDate) < Date.parse(endDate),
  cel: '!has(self.startDate) || !has(self.endDate) || timestamp(self.startDate) < timestamp(self.endDate)',
  field: 'endDate',
}).describe("Runs tasks or a job at set times: the input of EventBridge Scheduler's CreateSchedule.");

export type ScheduledTaskSpec = Parsed<typeof scheduledTaskSpecSchema>;

export const RUN_RESULTS = ['SUCCEEDED', 'FAILED', 'REPLACED', 'DELETED'] as const;
export type RunResult = (typeof RUN_RESULTS)[number];

const runFields = {
  name: z.string().max(253).describe('Name of the object that was made for it.'),
  kind: z.enum(['Task', 'BatchJob']).describe('Kind of that object: Task or BatchJob.'),
  scheduleTime: timestamp().describe('Time that the schedule has for it (RFC 3339).'),
};

export const scheduledTaskStatusSchema = z
  .object({
    ...commonStatus,
    schedule: z
      .string()
      .max(1024)
      .optional()
      .describe('Everything that the times of runs hang on, as it was when scheduledSince was set.'),
    scheduledSince: timestamp()
      .optional()
      .describe('Since when that holds; no run is for a time before it (RFC 3339).'),
    decidedUntil: timestamp()
      .optional()
      .describe('Of runs up to this time it was decided: they were started, or were missed (RFC 3339).'),
    lastScheduleTime: timestamp().optional().describe('Time of the last run that was started (RFC 3339).'),
    lastSuccessfulTime: timestamp().optional().describe('When a run last succeeded (RFC 3339).'),
    nextScheduleTime: timestamp()
      .optional()
      .describe('When the next run is to start; absent where none is (RFC 3339).'),
    missedRuns: z.int().min(0).optional().describe('Runs that were never started, since their time had passed.'),
    activeCount: count().optional().describe('Runs that are not over.'),
    active: z.array(z.object(runFields).describe('A run.')).max(100).optional().describe('Of these, the 100 newest.'),
    history: z
      .array(
        z
          .object({
            ...runFields,
            result: z
              .enum(RUN_RESULTS)
              .describe(
                'SUCCEEDED, FAILED, REPLACED by the next one, or DELETED by somebody else while it was active.',
              ),
            reason: z.string().max(1024).optional().describe('Why, in the words of the object.'),
            finishedAt: timestamp().describe('When it was over, or gone (RFC 3339).'),
          })
          .describe('A run that is over.'),
      )
      .max(20)
      .optional()
      .describe('The last 20 runs that are over, newest first; the objects of most are gone.'),
  })
  .describe('What the schedule has done, and will do.');

export type ScheduledTaskStatus = Parsed<typeof scheduledTaskStatusSchema>;
export type RunRecord = NonNullable<ScheduledTaskStatus['history']>[number];

/**
 * Checks and compiles the `spec` of a ScheduledTask.
 * @throws InvalidSpecError
 */
export function parseScheduledTask(raw: unknown): ScheduledTaskSpec {
  return parseWith(scheduledTaskSpecSchema, raw);
}
