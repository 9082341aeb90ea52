/** What jobs share: AWS Batch's compute environment (`ecs-semantics` §5.9). */
import { z } from 'zod';
import { jobTagsSchema } from './common-fields.ts';
import { nodeSelectorSchema, tolerationsSchema } from './kubernetes-options.ts';
import { parseWith } from './parse.ts';
import { awsName, immutable, integer, list, type Parsed, textMap, withRules } from './schema.ts';
import { commonStatus } from './status.ts';

const text = (max = 2048) => z.string().max(max).optional();

const launchTemplateFields = {
  launchTemplateId: text(255).describe('Id of the launch template.'),
  launchTemplateName: text(255).describe('Name of the launch template.'),
  version: text(255).describe('Its version, $Default or $Latest.'),
  userdataType: z.enum(['EKS_BOOTSTRAP_SH', 'EKS_NODEADM']).optional().describe('How a node of EKS begins.'),
};

const computeResourcesSchema = withRules(
  z.strictObject({
    type: z
      .enum(['EC2', 'SPOT', 'FARGATE', 'FARGATE_SPOT', 'ECS_MANAGED_INSTANCES'])
      .describe('What the jobs run on, on AWS: EC2, SPOT, FARGATE, FARGATE_SPOT or ECS_MANAGED_INSTANCES.'),
    maxvCpus: integer(0).describe('vCPUs that the jobs may have at a time, from 0.'),
    minvCpus: integer(0).optional().describe('vCPUs that AWS keeps, from 0.'),
    desiredvCpus: integer(0).optional().describe('vCPUs that AWS begins with, from 0.'),
    allocationStrategy: z
      .enum([
        'BEST_FIT',
        'BEST_FIT_PROGRESSIVE',
        'BEST_FIT_PROGRESSIVE_ORDERED',
        'SPOT_CAPACITY_OPTIMIZED',
        'SPOT_PRICE_CAPACITY_OPTIMIZED',
        'SPOT_CAPACITY_OPTIMIZED_PRIORITIZED',
      ])
      .optional()
      .describe('How AWS chooses instances.'),
    instanceTypes: list(z.string().max(255), 200).describe('Instance types.'),
    imageId: text(255).describe('AMI.'),
    subnets: list(z.string().max(255), 200).describe('Subnets of the instances.'),
    securityGroupIds: list(z.string().max(255), 200).describe('Security groups of the instances.'),
    ec2KeyPair: text(255).describe('Key pair of the instances.'),
    instanceRole: text().describe('Instance profile.'),
    tags: textMap(50, 256).describe('Tags of the instances, at most 50.'),
    placementGroup: text(255).describe('Placement group of the instances.'),
    bidPercentage: integer(0).optional().describe('Price of SPOT, in percent of EC2.'),
    spotIamFleetRole: text().describe('Role of the Spot Fleet.'),
    launchTemplate: z
      .strictObject({
        ...launchTemplateFields,
        overrides: list(
          z
            .strictObject({
              ...launchTemplateFields,
              targetInstanceTypes: list(z.string().max(255), 200).describe('Instance types that it is for.'),
            })
            .describe('AWS: LaunchTemplateSpecificationOverride.'),
          10,
        ).describe('Others for some instance types, at most 10.'),
      })
      .optional()
      .describe('Launch template of the instances. AWS: LaunchTemplateSpecification.'),
    ec2Configuration: list(
      z
        .strictObject({
          imageType: z.string().min(1).max(256).describe('Kind of AMI, such as ECS_AL2023.'),
          imageIdOverride: text(256).describe('AMI instead of the newest of that kind.'),
          batchImageStatus: text(64).describe('What AWS says of the AMI.'),
          imageKubernetesVersion: text(256).describe('Version of Kubernetes.'),
        })
        .describe('AWS: Ec2Configuration.'),
      2,
    ).describe('AMIs of the instances, at most 2.'),
    scalingPolicy: z
      .strictObject({
        minScaleDownDelayMinutes: integer().optional().describe('Minutes that an instance stays after its last job.'),
      })
      .optional()
      .describe('How AWS scales in. AWS: ComputeScalingPolicy.'),
  }),
  {
    message: 'minvCpus must not be greater than maxvCpus',
    holds: ({ minvCpus = 0, maxvCpus }) => minvCpus <= maxvCpus,
    cel: '!has(self.minvCpus) || self.minvCpus <= self.maxvCpus',
    field: 'minvCpus',
  },
  {
    message: 'desiredvCpus must not be greater than maxvCpus',
    holds: ({ desiredvCpus = 0, maxvCpus }) => desiredvCpus <= maxvCpus,
    cel: '!has(self.desiredvCpus) || self.desiredvCpus <= self.maxvCpus',
    field: 'desiredvCpus',
  },
).describe('What a MANAGED compute environment has. AWS: ComputeResource.');

const kubernetesSchema = z
  .strictObject({
    maxMemoryMiB: integer(1).optional().describe('MiB that the jobs may have at a time, from 1. Default: no ceiling.'),
    nodeSelector: nodeSelectorSchema(),
    tolerations: tolerationsSchema(),
    namespaces: list(
      z
        .string()
        .min(1)
        .max(63)
        .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/),
      100,
    ).describe('Namespaces whose queues may use it, at most 100. Default: all.'),
  })
  .prefault({})
  .describe('What AWS has no word for.');

const fields = z.strictObject({
  computeEnvironmentName: immutable(awsName(128), 'computeEnvironmentName cannot be changed')
    .optional()
    .describe(
      "Name of the compute environment: at most 128 letters, digits, - and _. Default: the object's name. Cannot be changed.",
    ),
  type: immutable(z.enum(['MANAGED', 'UNMANAGED']), 'type cannot be changed').describe(
    'MANAGED: computeResources says how much there is; UNMANAGED: whatever the nodes have. Cannot be changed.',
  ),
  state: z
    .enum(['ENABLED', 'DISABLED'])
    .default('ENABLED')
    .describe('ENABLED, or DISABLED: nothing more starts in it, and what runs goes on. Default: ENABLED.'),
  unmanagedvCpus: integer(0)
    .optional()
    .describe('Of an UNMANAGED one: vCPUs that the computeReservation of fair share is a part of, from 0.'),
  computeResources: computeResourcesSchema.optional(),
  serviceRole: text().describe('Role of AWS Batch.'),
  tags: jobTagsSchema('Tags of the compute environment, at most 50.'),
  ecsSettings: z
    .strictObject({
      containerInsights: z
        .enum(['ENABLED', 'ENHANCED', 'DISABLED'])
        .optional()
        .describe('ENABLED, ENHANCED or DISABLED.'),
    })
    .optional()
    .describe('Settings of its cluster of ECS. AWS: EcsSettings.'),
  kubernetes: kubernetesSchema,
});

/** `spec` of a ComputeEnvironment: the input of CreateComputeEnvironment. */
export const computeEnvironmentSpecSchema = withRules(
  fields,
  {
    message: 'a MANAGED compute environment needs computeResources',
    holds: ({ type, computeResources }) => type !== 'MANAGED' || computeResources !== undefined,
    cel: "self.type != 'MANAGED' || has(self.computeResources)",
    field: 'computeResources',
  },
  {
    message: 'an UNMANAGED compute environment has no computeResources',
    holds: ({ type, computeResources }) => type !== 'UNMANAGED' || computeResources === undefined,
    cel: "self.type != 'UNMANAGED' || !has(self.computeResources)",
    field: 'computeResources',
  },
  {
    message: 'unmanagedvCpus is for the type UNMANAGED',
    holds: ({ type, unmanagedvCpus }) => type === 'UNMANAGED' || unmanagedvCpus === undefined,
    cel: "self.type == 'UNMANAGED' || !has(self.unmanagedvCpus)",
    field: 'unmanagedvCpus',
  },
).describe('What the jobs of queues may have at a time, and on which nodes: the input of CreateComputeEnvironment.');

export type ComputeEnvironmentSpec = Parsed<typeof computeEnvironmentSpecSchema>;

export const computeEnvironmentStatusSchema = z
  .object({
    ...commonStatus,
    status: z.enum(['VALID', 'INVALID']).optional().describe('VALID, or INVALID: nothing starts in it.'),
    statusReason: z.string().max(1024).optional().describe('Why it is INVALID, or what else is to be known.'),
    usedVcpus: z.number().min(0).optional().describe('vCPUs that jobs have now.'),
    usedMemoryMiB: z.number().min(0).optional().describe('MiB that jobs have now.'),
  })
  .describe('What DescribeComputeEnvironments shows.');

export type ComputeEnvironmentStatus = Parsed<typeof computeEnvironmentStatusSchema>;

/**
 * Checks and compiles the `spec` of a ComputeEnvironment.
 * @throws InvalidSpecError
 */
export function parseComputeEnvironment(raw: unknown): ComputeEnvironmentSpec {
  return parseWith(computeEnvironmentSpecSchema, raw);
}
