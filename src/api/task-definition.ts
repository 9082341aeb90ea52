import { z } from 'zod';
import { launchTypeSchema, tagsSchema } from './common-fields.ts';
import { containerDefinitionSchema } from './container-definition.ts';
import { kubernetesOptionsSchema } from './kubernetes-options.ts';
import { parseWith } from './parse.ts';
import {
  awsName,
  flag,
  integer,
  keyedList,
  list,
  type Parsed,
  timestamp,
  withControllerRule,
  withRules,
} from './schema.ts';
import { commonStatus } from './status.ts';
import {
  ephemeralStorageSchema,
  inferenceAcceleratorSchema,
  placementConstraintSchema,
  proxyConfigurationSchema,
  runtimePlatformSchema,
  trustedExecutionConfigurationSchema,
} from './task-definition-fields.ts';
import { containerRules, MAX_CONTAINERS, refuseCycles } from './task-definition-rules.ts';
import { volumeSchema } from './volume.ts';

const fields = z.strictObject({
  family: awsName()
    .optional()
    .describe("Name that the revisions share: at most 255 letters, digits, - and _. Default: the object's name."),
  containerDefinitions: keyedList(containerDefinitionSchema, 'name', { min: 1, max: MAX_CONTAINERS }).describe(
    'Containers of the task, 1 to 10; at least one essential.',
  ),
  networkMode: z
    .enum(['bridge', 'host', 'awsvpc', 'none'])
    .default('bridge')
    .describe(
      'Network of the containers: bridge (default), host (the network of the node), awsvpc (an address for the task) or none. Fargate requires awsvpc.',
    ),
  cpu: z
    .string()
    .max(32)
    .regex(/^([0-9]{1,6}|([0-9]{1,3}(\.[0-9]{1,3})?|\.[0-9]{1,3}) ?[vV][cC][pP][uU])$/)
    .optional()
    .describe('Hard CPU limit of the task: units such as "1024" (1024 are one vCPU) or "1 vCPU". Fargate requires it.'),
  memory: z
    .string()
    .max(32)
    .regex(/^([0-9]{1,7}|([0-9]{1,4}(\.[0-9]{1,3})?|\.[0-9]{1,3}) ?[gG][bB])$/)
    .optional()
    .describe('Hard memory limit of the task: MiB such as "512", or "1GB". Fargate requires it.'),
  requiresCompatibilities: list(launchTypeSchema, 4).describe(
    'Launch types that the definition is checked against: EC2, FARGATE, EXTERNAL, MANAGED_INSTANCES.',
  ),
  executionRoleArn: z.string().min(1).max(2048).optional().describe('Role of the platform: image pull, logs, secrets.'),
  taskRoleArn: z.string().min(1).max(2048).optional().describe('Role of the code in the containers.'),
  volumes: keyedList(volumeSchema, 'name', { max: 30 })
    .default([])
    .describe('Volumes that the containers share, at most 30. AWS: Volume[].'),
  placementConstraints: list(placementConstraintSchema, 10).describe(
    'Where tasks may be placed, at most 10. Not on Fargate. AWS: TaskDefinitionPlacementConstraint[].',
  ),
  pidMode: z
    .enum(['host', 'task'])
    .optional()
    .describe(
      'Processes that the containers see: host (those of the node) or task (those of the task). Absent: each container its own. On Fargate only task.',
    ),
  ipcMode: z
    .enum(['host', 'task', 'none'])
    .optional()
    .describe(
      'Shared memory, semaphores and message queues of the containers: host (those of the node), task (those of the task) or none (each container its own). Not on Fargate.',
    ),
  ephemeralStorage: ephemeralStorageSchema.optional(),
  runtimePlatform: runtimePlatformSchema.optional(),
  proxyConfiguration: proxyConfigurationSchema.optional(),
  inferenceAccelerators: list(inferenceAcceleratorSchema, 10).describe(
    'Elastic Inference accelerators, which AWS no longer offers, at most 10. AWS: InferenceAccelerator[].',
  ),
  enableFaultInjection: flag().describe(
    'Whether the containers may ask for faults (network and so on) through the task metadata endpoint. Default: false.',
  ),
  trustedExecutionConfiguration: trustedExecutionConfigurationSchema.optional(),
  tags: tagsSchema(),
  kubernetes: kubernetesOptionsSchema.optional(),
});

/** `spec` of a TaskDefinition: the input of RegisterTaskDefinition (`ecs-semantics` §1). */
export const taskDefinitionSpecSchema = withControllerRule(
  withRules(fields, ...containerRules),
  refuseCycles,
  'containerDefinitions',
).describe('What runs as one task: the input of RegisterTaskDefinition. Every change makes a new revision.');

export type TaskDefinitionSpec = Parsed<typeof taskDefinitionSpecSchema>;
export type NetworkMode = TaskDefinitionSpec['networkMode'];

export const taskDefinitionStatusSchema = z
  .object({
    ...commonStatus,
    family: z.string().max(255).optional().describe('Family, with the AWS name.'),
    latestRevision: integer(1).optional().describe('Newest revision. Numbers are never reused.'),
    revisions: z
      .array(
        z.object({
          revision: integer(1).describe('Number of the revision.'),
          status: z
            .enum(['ACTIVE', 'INACTIVE', 'DELETE_IN_PROGRESS'])
            .describe('INACTIVE revisions start nothing new.'),
          registeredAt: timestamp().describe('When the revision was made (RFC 3339).'),
          deregisteredAt: timestamp().optional().describe('When it became INACTIVE (RFC 3339).'),
        }),
      )
      .max(20)
      .optional()
      .describe('The newest revisions, newest first, at most 20.'),
    compatibilities: z
      .array(launchTypeSchema)
      .max(4)
      .optional()
      .describe('Launch types that the definition satisfies.'),
  })
  .describe('What the controller found and made.');

export type TaskDefinitionStatus = Parsed<typeof taskDefinitionStatusSchema>;

/**
 * Checks and compiles the `spec` of a TaskDefinition.
 * @throws InvalidSpecError
 */
export function parseTaskDefinition(raw: unknown): TaskDefinitionSpec {
  return parseWith(taskDefinitionSpecSchema, raw);
}
