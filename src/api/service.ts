import { z } from 'zod';
import {
  clusterReferenceSchema,
  launchTypeSchema,
  tagsSchema,
  taskDefinitionReferenceSchema,
} from './common-fields.ts';
import {
  deploymentConfigurationSchema,
  deploymentControllerRule,
  deploymentControllerSchema,
} from './deployment-configuration.ts';
import { kubernetesOptionsSchema } from './kubernetes-options.ts';
import { loadBalancersSchema } from './load-balancer.ts';
import { networkConfigurationSchema } from './network-configuration.ts';
import { parseWith } from './parse.ts';
import { placementFields, placementRules } from './placement.ts';
import { percentagesOf, schedulingStrategyRules } from './scheduling-strategy.ts';
import { awsName, flag, immutable, integer, type Parsed, timestamp, withRules } from './schema.ts';
import { serviceConnectConfigurationSchema } from './service-connect.ts';
import { serviceRegistriesSchema } from './service-registry.ts';
import { commonStatus, count } from './status.ts';
import { volumeConfigurationsSchema } from './volume-configuration.ts';
import { availabilityZoneRebalancingSchema, zoneRebalancingRules } from './zone-rebalancing.ts';

/** `spec` of a Service: the input of CreateService (`ecs-semantics` §3.1). */
export const serviceSpecSchema = withRules(
  z.strictObject({
    serviceName: immutable(awsName(), 'serviceName cannot be changed')
      .optional()
      .describe(
        "Name of the service: at most 255 letters, digits, - and _. Default: the object's name. Cannot be changed.",
      ),
    cluster: clusterReferenceSchema(),
    taskDefinition: taskDefinitionReferenceSchema().describe(
      'What the tasks run: family:revision pins a revision, family follows the newest ACTIVE one. The ARN and task-definition/family:revision are taken as well.',
    ),
    desiredCount: integer(0)
      .optional()
      .describe(
        'Tasks to keep running, from 0. Required for REPLICA, as for CreateService, and not taken for DAEMON. kubectl scale changes it.',
      ),
    schedulingStrategy: immutable(z.enum(['REPLICA', 'DAEMON']), 'schedulingStrategy cannot be changed')
      .default('REPLICA')
      .describe(
        'REPLICA (default): desiredCount tasks anywhere. DAEMON: one task on each node that is ACTIVE and matches the placement constraints. Cannot be changed.',
      ),
    launchType: launchTypeSchema
      .optional()
      .describe('Where tasks run on AWS; on Kubernetes the nodes are chosen by spec.kubernetes.'),
    deploymentConfiguration: deploymentConfigurationSchema.prefault({}),
    deploymentController: deploymentControllerSchema.optional(),
    healthCheckGracePeriodSeconds: integer(0)
      .default(0)
      .describe('Seconds after the start of a task in which failed health checks do not count, from 0. Default: 0.'),
    loadBalancers: loadBalancersSchema(),
    networkConfiguration: networkConfigurationSchema.optional(),
    serviceRegistries: serviceRegistriesSchema(),
    serviceConnectConfiguration: serviceConnectConfigurationSchema.optional(),
    volumeConfigurations: volumeConfigurationsSchema(),
    ...placementFields,
    availabilityZoneRebalancing: availabilityZoneRebalancingSchema,
    platformVersion: z.string().min(1).max(64).optional().describe('Version of the Fargate platform.'),
    role: z.string().min(1).max(2048).optional().describe('Role that registers targets with a load balancer on AWS.'),
    enableExecuteCommand: flag().describe(
      'Whether ECS Exec may enter the containers; here kubectl exec does, as its rights allow. Default: false.',
    ),
    enableECSManagedTags: flag().describe('Whether AWS tags the tasks with cluster and service. Default: false.'),
    propagateTags: z
      .enum(['NONE', 'TASK_DEFINITION', 'SERVICE'])
      .default('NONE')
      .describe('Whose tags the tasks get on AWS. Default: NONE.'),
    clientToken: z.string().max(36).optional().describe('Makes a repeated call of CreateService harmless.'),
    tags: tagsSchema(),
    kubernetes: kubernetesOptionsSchema.optional(),
  }),
  deploymentControllerRule,
  ...placementRules,
  ...schedulingStrategyRules,
  ...zoneRebalancingRules,
).describe('A number of tasks that is kept running: the input of CreateService.');

type GivenServiceSpec = Parsed<typeof serviceSpecSchema>;
export type DeploymentConfiguration = GivenServiceSpec['deploymentConfiguration'] & ReturnType<typeof percentagesOf>;
/** With every default, those that depend on schedulingStrategy included. */
export type ServiceSpec = GivenServiceSpec & { readonly deploymentConfiguration: DeploymentConfiguration };

const deploymentSchema = z
  .object({
    id: z.string().max(64).describe('ecs-svc/ and 19 digits.'),
    status: z
      .enum(['PRIMARY', 'ACTIVE', 'INACTIVE'])
      .describe('PRIMARY: the newest. ACTIVE: being replaced, still has tasks. INACTIVE: replaced.'),
    taskDefinition: z.string().max(512).describe('family:revision that its tasks run.'),
    desiredCount: count().describe('Tasks it is to have; of an ACTIVE deployment it falls to 0.'),
    pendingCount: count().describe('Tasks that are starting.'),
    runningCount: count().describe('Tasks that are RUNNING.'),
    failedTasks: count().describe(
      'Failures in a row: never started, or stopped for a failed health check. 0 once a task runs well.',
    ),
    rolloutState: z.enum(['IN_PROGRESS', 'COMPLETED', 'FAILED']).describe('IN_PROGRESS, COMPLETED or FAILED.'),
    rolloutStateReason: z.string().max(1024).describe("Why, in AWS's words."),
    blockedBy: z
      .string()
      .max(1024)
      .optional()
      .describe('The rule that holds the next step back; absent when none does.'),
    createdAt: timestamp().describe('When it was made (RFC 3339).'),
    updatedAt: timestamp().describe('When it last changed (RFC 3339).'),
  })
  .describe('One deployment of the service. AWS: Deployment.');

export const stoppedTaskSchema = z
  .object({
    task: z.string().max(64).describe('ECS task id, 32 hex digits.'),
    revision: integer(1).optional().describe('Revision of the task definition that it ran.'),
    stopCode: z
      .enum([
        'TaskFailedToStart',
        'EssentialContainerExited',
        'UserInitiated',
        'ServiceSchedulerInitiated',
        'SpotInterruption',
        'TerminationNotice',
        'InfrastructureHealth',
      ])
      .describe('AWS: TaskStopCode.'),
    stoppedReason: z.string().max(1024).describe("Why it stopped, in AWS's words."),
    containers: z
      .array(
        z.object({
          name: z.string().max(255).describe('Name of the container in the task definition.'),
          exitCode: integer().optional().describe('Exit code; absent when the container never ran.'),
          reason: z.string().max(1024).optional().describe('What went wrong; absent for a plain exit.'),
        }),
      )
      .max(10)
      .describe('How each container ended.'),
    createdAt: timestamp().optional().describe('When its pod was made (RFC 3339).'),
    startedAt: timestamp().optional().describe('When it was RUNNING (RFC 3339); absent when it never was.'),
    stoppingAt: timestamp()
      .optional()
      .describe('When its stop was asked for (RFC 3339); absent when it ended by itself.'),
    stoppedAt: timestamp().describe('When it stopped (RFC 3339).'),
  })
  .describe('A task that has stopped.');

export const serviceStatusSchema = z
  .object({
    ...commonStatus,
    status: z
      .enum(['ACTIVE', 'DRAINING', 'INACTIVE'])
      .optional()
      .describe('DRAINING: deleted, its tasks are stopping.'),
    desiredCount: count().optional().describe('Tasks to keep running.'),
    pendingCount: count().optional().describe('Tasks that are starting.'),
    runningCount: count().optional().describe('Tasks that are RUNNING.'),
    taskDefinition: z.string().max(512).optional().describe('family:revision of the PRIMARY deployment.'),
    deployments: z.array(deploymentSchema).max(20).optional().describe('Deployments, newest first, at most 20.'),
    events: z
      .array(
        z.object({
          id: z.string().max(64).optional().describe('Identity of the event, a UUID.'),
          createdAt: timestamp().describe('When it happened (RFC 3339).'),
          message: z.string().max(4096).describe("What happened, in AWS's words."),
        }),
      )
      .max(20)
      .optional()
      .describe('What happened, newest first, at most 20. AWS: ServiceEvent[].'),
    stoppedTasks: z
      .array(stoppedTaskSchema)
      .max(10)
      .optional()
      .describe('Tasks that stopped, newest first, at most 10.'),
    selector: z
      .string()
      .max(1024)
      .optional()
      .describe('Label selector of the running tasks, for the scale subresource.'),
  })
  .describe('What DescribeServices shows.');

export type ServiceStatus = Parsed<typeof serviceStatusSchema>;
export type ServiceDeploymentStatus = Parsed<typeof deploymentSchema>;
export type ServiceEvent = NonNullable<ServiceStatus['events']>[number];
export type StoppedTask = Parsed<typeof stoppedTaskSchema>;
export type StopCode = StoppedTask['stopCode'];

/**
 * Checks and compiles the `spec` of a Service.
 * @throws InvalidSpecError
 */
export function parseService(raw: unknown): ServiceSpec {
  const given = parseWith(serviceSpecSchema, raw);
  return { ...given, deploymentConfiguration: { ...given.deploymentConfiguration, ...percentagesOf(given) } };
}
