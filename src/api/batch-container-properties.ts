/** A job definition of one container (`ecs-semantics` §5.1). */
import { z } from 'zod';
import { batchNetworkConfigurationSchema, batchVolumes, commonContainerFields, roleArn } from './batch-container.ts';
import { secretNamesUnique } from './container-rules.ts';
import { flag, integer, type Parsed, withRules } from './schema.ts';
import { ephemeralStorageSchema, runtimePlatformSchema } from './task-definition-fields.ts';

const fields = z.strictObject({
  ...commonContainerFields,
  vcpus: integer(1, 196608).optional().describe('Whole vCPUs, from 1. Older form of resourceRequirements VCPU.'),
  memory: integer(4).optional().describe('Memory in MiB, at least 4. Older form of resourceRequirements MEMORY.'),
  volumes: batchVolumes(),
  jobRoleArn: roleArn().describe('Role of the code in the container.'),
  executionRoleArn: roleArn().describe('Role of the platform: image pull, logs, secrets.'),
  networkConfiguration: batchNetworkConfigurationSchema.optional(),
  fargatePlatformConfiguration: z
    .strictObject({ platformVersion: z.string().max(64).default('LATEST').describe('Version. Default: LATEST.') })
    .optional()
    .describe('Platform of a job on Fargate. AWS: FargatePlatformConfiguration.'),
  enableExecuteCommand: flag().describe('Whether ECS Exec may enter the container. Default: false.'),
  ephemeralStorage: ephemeralStorageSchema.optional(),
  runtimePlatform: runtimePlatformSchema.optional(),
});

export const containerPropertiesSchema = withRules(
  fields,
  {
    message: 'VCPU must be given once: in resourceRequirements, or as the older vcpus',
    holds: (c) => (c.vcpus !== undefined) !== c.resourceRequirements.some(({ type }) => type === 'VCPU'),
    cel: "has(self.vcpus) != (has(self.resourceRequirements) && self.resourceRequirements.exists(r, r.type == 'VCPU'))",
    field: 'resourceRequirements',
  },
  {
    message: 'MEMORY must be given once: in resourceRequirements, or as the older memory',
    holds: (c) => (c.memory !== undefined) !== c.resourceRequirements.some(({ type }) => type === 'MEMORY'),
    cel: "has(self.memory) != (has(self.resourceRequirements) && self.resourceRequirements.exists(r, r.type == 'MEMORY'))",
    field: 'resourceRequirements',
  },
  {
    message: 'every mountPoints[].sourceVolume must be the name of one of volumes',
    holds: (c) => c.mountPoints.every((m) => c.volumes.some((volume) => volume.name === m.sourceVolume)),
    cel:
      '!has(self.mountPoints) || self.mountPoints.all(m, ' +
      'has(self.volumes) && self.volumes.exists(v, v.name == m.sourceVolume))',
    field: 'mountPoints',
  },
  secretNamesUnique,
).describe('The container of the job. AWS: ContainerProperties.');

export type BatchContainerProperties = Parsed<typeof containerPropertiesSchema>;
