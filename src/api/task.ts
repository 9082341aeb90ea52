import { z } from 'zod';
import { capacityProviderStrategySchema } from './capacity-provider-strategy.ts';
import {
  clusterReferenceSchema,
  launchTypeSchema,
  tagsSchema,
  taskDefinitionReferenceSchema,
} from './common-fields.ts';
import { kubernetesOptionsSchema } from './kubernetes-options.ts';
import { networkConfigurationSchema } from './network-configuration.ts';
import { parseWith } from './parse.ts';
import { placementFields, placementRules } from './placement.ts';
import { flag, immutable, integer, type Parsed, timestamp, withRules } from './schema.ts';
import { stoppedTaskSchema } from './service.ts';
import { commonStatus, count } from './status.ts';
import { taskOverridesSchema } from './task-overrides.ts';
import { taskVolumeConfigurationsSchema } from './volume-configuration.ts';

/** Tasks that one RunTask starts at most (`ecs-semantics` §4). */
const MAX_TASKS = 10;

const fields = z.strictObject({
  taskDefinition: taskDefinitionReferenceSchema().describe(
    'What the tasks run: family:revision, or family for the newest ACTIVE revision at the time the Task is made. The ARN and task-definition/family:revision are taken as well.',
  ),
  cluster: clusterReferenceSchema(),
  count: integer(1, MAX_TASKS).default(1).describe('Tasks to run, 1 to 10. Default: 1.'),
  overrides: taskOverridesSchema.optional(),
  group: z
    .string()
    .min(1)
    .max(255)
    .optional()
    .describe('Group of the tasks, which placement spreads and keeps apart. Default: family:<family>.'),
  startedBy: z
    .string()
    .max(128)
    .regex(/^[A-Za-z0-9_/-]*$/)
    .optional()
    .describe(
      'Who or what starts the tasks: at most 128 letters, digits, - _ and /. In the annotation longshore.dev/started-by of the pods.',
    ),
  launchType: launchTypeSchema
    .optional()
    .describe('Where tasks run on AWS; on Kubernetes the nodes are chosen by spec.kubernetes.'),
  capacityProviderStrategy: capacityProviderStrategySchema().describe(
    'Capacity providers that the tasks run on, on AWS, at most 20. Not with launchType. AWS: CapacityProviderStrategyItem[].',
  ),
  platformVersion: z.string().min(1).max(64).optional().describe('Version of the Fargate platform.'),
  networkConfiguration: networkConfigurationSchema.optional(),
  ...placementFields,
  volumeConfigurations: taskVolumeConfigurationsSchema(),
  enableExecuteCommand: flag().describe(
    'Whether ECS Exec may enter the containers; here kubectl exec does, as its rights allow. Default: false.',
  ),
  enableECSManagedTags: flag().describe('Whether the tasks are tagged with the cluster. Default: false.'),
  propagateTags: z
    .enum(['TASK_DEFINITION', 'NONE'])
    .default('NONE')
    .describe('Whose tags the tasks get besides their own: TASK_DEFINITION or NONE. Default: NONE.'),
  tags: tagsSchema(),
  referenceId: z.string().max(1024).optional().describe('Reference of the caller, at most 1024 characters.'),
  clientToken: z.string().max(64).optional().describe('Makes a repeated call of RunTask harmless.'),
  kubernetes: kubernetesOptionsSchema.optional(),
});

/** `spec` of a Task: the input of RunTask (`ecs-semantics` §4). */
export const taskSpecSchema = immutable(
  withRules(
    fields,
    {
      // Text: AWS (terraform-linters/tflint-ruleset-aws#349).
      message:
        'Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.',
      holds: (task) => task.launchType === undefined || task.capacityProviderStrategy.length === 0,
      cel: '!has(self.launchType) || !has(self.capacityProviderStrategy) || size(self.capacityProviderStrategy) == 0',
    },
    ...placementRules,
  ),
  'the spec of a Task cannot be changed; delete the task and make a new one',
).describe('A number of tasks that are run once: the input of RunTask. Cannot be changed.');

export type TaskSpec = Parsed<typeof taskSpecSchema>;

export const TASK_LAST_STATUSES = ['PROVISIONING', 'PENDING', 'RUNNING', 'STOPPING', 'STOPPED'] as const;

const lastStatus = () => z.enum(TASK_LAST_STATUSES);
const healthStatus = () => z.enum(['HEALTHY', 'UNHEALTHY', 'UNKNOWN']);

const taskContainerSchema = z
  .object({
    name: z.string().max(255).describe('Name of the container in the task definition.'),
    essential: z.boolean().describe('Whether its end ends the task; the exit codes of these decide on Complete.'),
    lastStatus: z.enum(['PENDING', 'RUNNING', 'STOPPED']).describe('PENDING, RUNNING or STOPPED.'),
    exitCode: integer().optional().describe('Exit code; absent when the container never ran, or its end was not seen.'),
    reason: z.string().max(1024).optional().describe('What went wrong; absent for a plain exit.'),
    healthStatus: healthStatus().describe('HEALTHY, UNHEALTHY or UNKNOWN.'),
  })
  .describe('A container of the task. AWS: Container.');

const taskSchema = z
  .object({
    task: z.string().max(64).describe('ECS task id, 32 hex digits.'),
    pod: z.string().max(253).describe('Name of its pod, which may be gone.'),
    lastStatus: lastStatus().describe(`One of ${TASK_LAST_STATUSES.join(', ')}.`),
    desiredStatus: z.enum(['RUNNING', 'STOPPED']).describe('RUNNING, or STOPPED once it is to end.'),
    healthStatus: healthStatus().describe('HEALTHY, UNHEALTHY or UNKNOWN: that of its essential containers.'),
    stopCode: stoppedTaskSchema.shape.stopCode.optional().describe('AWS: TaskStopCode; absent while it is to run.'),
    stoppedReason: z.string().max(1024).optional().describe("Why it stopped, in AWS's words."),
    containers: z.array(taskContainerSchema).max(10).describe('Its containers.'),
    createdAt: timestamp().describe('When its pod was made (RFC 3339).'),
    startedAt: timestamp().optional().describe('When it was RUNNING (RFC 3339); absent when it never was.'),
    stoppingAt: timestamp().optional().describe('When its stop began (RFC 3339).'),
    stoppedAt: timestamp().optional().describe('When it stopped (RFC 3339).'),
  })
  .describe('One of the tasks. AWS: Task.');

const failureSchema = z
  .object({
    task: z.string().max(64).optional().describe('ECS task id of the task; absent where none was made.'),
    reason: z.string().max(255).describe('RESOURCE:CPU, RESOURCE:MEMORY, ATTRIBUTE and so on, as RunTask has it.'),
    detail: z.string().max(1024).describe('The same in words of the cluster.'),
  })
  .describe('A task that does not start now, or that was given up for want of room. AWS: Failure.');

export const taskStatusSchema = z
  .object({
    ...commonStatus,
    taskDefinition: z
      .string()
      .max(512)
      .optional()
      .describe('family:revision that the tasks run; chosen once, before the first is started.'),
    group: z.string().max(255).optional().describe('Group of the tasks.'),
    lastStatus: lastStatus().optional().describe('Of the task that is least far: STOPPED once every task is STOPPED.'),
    desiredCount: count().optional().describe('Tasks to run.'),
    pendingCount: count().optional().describe('Tasks that are starting, or could not be started yet.'),
    runningCount: count().optional().describe('Tasks that are RUNNING.'),
    stoppedCount: count().optional().describe('Tasks that are STOPPED.'),
    tasks: z.array(taskSchema).max(MAX_TASKS).optional().describe('The tasks, at most 10; also of pods that are gone.'),
    failures: z
      .array(failureSchema)
      .max(MAX_TASKS)
      .optional()
      .describe('Tasks that cannot start now or never could, and why, at most 10.'),
  })
  .describe('What RunTask and DescribeTasks show.');

export type TaskStatus = Parsed<typeof taskStatusSchema>;
export type TaskRecordStatus = NonNullable<TaskStatus['tasks']>[number];

/**
 * Checks and compiles the `spec` of a Task.
 * @throws InvalidSpecError
 */
export function parseTask(raw: unknown): TaskSpec {
  return parseWith(taskSpecSchema, raw);
}
