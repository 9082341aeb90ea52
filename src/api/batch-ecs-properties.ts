/** A job definition of several containers (`ecs-semantics` §5.1). */
import { z } from 'zod';
import { batchNetworkConfigurationSchema, batchVolumes, commonContainerFields, roleArn } from './batch-container.ts';
import { secretNamesUnique } from './container-rules.ts';
import { cycleOver, cyclic, startRules } from './dependency-rules.ts';
import type { Containers } from './element-rules.ts';
import { firelensConfigurationSchema } from './log-configuration.ts';
import { logRules } from './log-rules.ts';
import { awsName, flag, integer, keyedList, list, type Parsed, withControllerRule, withRules } from './schema.ts';
import { MAX_CONTAINERS, taskDefinitionFields } from './task-definition-fields.ts';
import { mountedExist } from './volume-rules.ts';

/** As of ECS, but for HEALTHY: a container of a job has no health check. */
const dependencySchema = z
  .strictObject({
    containerName: awsName().describe('Name of the container that this one waits for.'),
    condition: z
      .enum(['START', 'COMPLETE', 'SUCCESS'])
      .describe('START: it has started. COMPLETE: it has ended, with any code. SUCCESS: it has ended with 0.'),
  })
  .describe('A container that must reach a condition before this one starts. AWS: TaskContainerDependency.');

const containerSchema = withRules(
  z.strictObject({
    name: awsName().describe('Name of the container, unique in the job: at most 255 letters, digits, - and _.'),
    ...commonContainerFields,
    essential: z
      .boolean()
      .default(true)
      .describe('Whether the end of this container ends the job, with its exit code. Default: true.'),
    dependsOn: list(dependencySchema, 10).describe(
      'What this container waits for before it starts, at most 10 entries. AWS: TaskContainerDependency[].',
    ),
    startTimeout: integer(2, 120)
      .optional()
      .describe(
        'Seconds that containers wait for this one to reach COMPLETE or SUCCESS before they give up, 2 to 120. Absent: without end.',
      ),
    stopTimeout: integer(2, 120).default(30).describe('Seconds between SIGTERM and SIGKILL, 2 to 120. Default: 30.'),
    firelensConfiguration: firelensConfigurationSchema.optional(),
  }),
  {
    message: 'a container cannot depend on itself',
    holds: ({ name, dependsOn }) => dependsOn.every(({ containerName }) => containerName !== name),
    cel: '!has(self.dependsOn) || self.dependsOn.all(d, d.containerName != self.name)',
    field: 'dependsOn',
  },
  secretNamesUnique,
).describe('One container of the job. AWS: TaskContainerProperties.');

export type BatchTaskContainer = Parsed<typeof containerSchema>;

const { networkMode, pidMode, ipcMode, ephemeralStorage, runtimePlatform } = taskDefinitionFields.shape;

const taskFields = z.strictObject({
  containers: keyedList(containerSchema, 'name', { min: 1, max: MAX_CONTAINERS }).describe(
    'Containers of the job, 1 to 10; at least one essential. AWS: TaskContainerProperties[].',
  ),
  volumes: batchVolumes(),
  taskRoleArn: roleArn().describe('Role of the code in the containers.'),
  executionRoleArn: roleArn().describe('Role of the platform: image pull, logs, secrets.'),
  networkMode: networkMode
    .unwrap()
    .optional()
    .describe(
      'Network of the containers: host (the network of the node), awsvpc, bridge or none. Absent: an address for the job.',
    ),
  networkConfiguration: batchNetworkConfigurationSchema.optional(),
  platformVersion: z.string().max(64).optional().describe('Version of the platform of a job on Fargate.'),
  pidMode,
  ipcMode,
  ephemeralStorage,
  runtimePlatform,
  enableExecuteCommand: flag().describe('Whether ECS Exec may enter the containers. Default: false.'),
});

type TaskFields = Parsed<typeof taskFields>;

const containers: Containers<TaskFields, BatchTaskContainer> = { field: 'containers', of: (task) => task.containers };

const taskSchema = withControllerRule(
  withRules(taskFields, ...startRules(containers), mountedExist(containers), ...logRules(containers)),
  (task) => {
    const cycle = cycleOver(task.containers, ({ dependsOn }) => dependsOn.map(({ containerName }) => containerName));
    return cycle && cyclic(cycle);
  },
  'containers',
).describe('The task of the job. AWS: EcsTaskProperties.');

export type BatchTaskProperties = Parsed<typeof taskSchema>;

export const ecsPropertiesSchema = z
  .strictObject({
    taskProperties: z.array(taskSchema).length(1).describe('The task of the job, exactly 1. AWS: EcsTaskProperties[].'),
  })
  .describe('The containers of the job, where it has several. AWS: EcsProperties.');

export type BatchEcsProperties = Parsed<typeof ecsPropertiesSchema>;
