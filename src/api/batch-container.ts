/** The container of a Batch job, and what a job changes in it (`ecs-semantics` §5.1, §5.2). */
import { z } from 'zod';
import { environmentSchema, environmentVariableSchema } from './container-environment.ts';
import { flag, integer, keyedList, list, type Parsed, withRules } from './schema.ts';
import { commonVolumeFields, mountPointSchema } from './volume.ts';

const batchEnvironment = () =>
  environmentSchema(
    withRules(environmentVariableSchema, {
      message: 'names of environment variables must not start with AWS_BATCH, which is reserved',
      holds: ({ name }) => !name.startsWith('AWS_BATCH'),
      cel: "!self.name.startsWith('AWS_BATCH')",
      field: 'name',
    }),
  );

const resourceRequirements = () =>
  keyedList(
    withRules(
      z.strictObject({
        type: z.enum(['VCPU', 'MEMORY', 'GPU']).describe('VCPU, MEMORY or GPU.'),
        value: z
          .string()
          .min(1)
          .max(16)
          .describe('VCPU: whole vCPUs, or 0.25 or 0.5. MEMORY: MiB, at least 4. GPU: a whole number.'),
      }),
      {
        message:
          'VCPU takes a whole number from 1, 0.25 or 0.5; MEMORY a whole number from 4 (MiB); GPU a whole number from 1',
        holds: ({ type, value }) =>
          type === 'VCPU'
            ? /^([1-9][0-9]{0,5}(\.0)?|0?\.(25|5))$/.test(value)
            : /^[1-9][0-9]{0,8}$/.test(value) && (type !== 'MEMORY' || Number(value) >= 4),
        cel:
          "self.type == 'VCPU' ? self.value.matches('^([1-9][0-9]{0,5}([.]0)?|0?[.](25|5))$') : " +
          "(self.value.matches('^[1-9][0-9]{0,8}$') && (self.type != 'MEMORY' || int(self.value) >= 4))",
        field: 'value',
      },
    ),
    'type',
    { max: 3 },
  )
    .default([])
    .describe('CPU, memory and GPUs of the container, each type once. AWS: ResourceRequirement[].');

const command = () =>
  list(z.string().max(8192), 1000).describe(
    "Takes the place of the image's CMD; Ref::name is replaced by the parameter of that name. Absent or empty: the image's.",
  );

const volumeSchema = z
  .strictObject({ name: commonVolumeFields.name, host: commonVolumeFields.host })
  .describe('A volume of the job. AWS: Volume.');

export const containerPropertiesSchema = withRules(
  z.strictObject({
    image: z
      .string()
      .min(1)
      .max(512)
      .regex(/^[A-Za-z0-9][A-Za-z0-9_.:/#@-]*$/)
      .describe('Image to run: repository[:tag] or repository@digest.'),
    command: command(),
    vcpus: integer(1, 196608).optional().describe('Whole vCPUs, from 1. Older form of resourceRequirements VCPU.'),
    memory: integer(4).optional().describe('Memory in MiB, at least 4. Older form of resourceRequirements MEMORY.'),
    resourceRequirements: resourceRequirements(),
    environment: batchEnvironment(),
    user: z.string().min(1).max(255).optional().describe("User to run as. Default: the image's."),
    privileged: flag().describe('Whether the container has all rights on the node. Default: false.'),
    readonlyRootFilesystem: flag().describe('Whether the root file system is read-only. Default: false.'),
    volumes: keyedList(volumeSchema, 'name', { max: 30 })
      .default([])
      .describe('Volumes of the job, at most 30. AWS: Volume[].'),
    mountPoints: list(mountPointSchema, 30).describe('Volumes mounted into the container, at most 30.'),
  }),
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
).describe('The container of the job. AWS: ContainerProperties.');

export const containerOverridesSchema = z
  .strictObject({
    command: command(),
    environment: batchEnvironment(),
    resourceRequirements: resourceRequirements(),
  })
  .describe(
    "Takes the place of the definition's command, adds to its environment by name, replaces resourceRequirements by type. AWS: ContainerOverrides.",
  );

export type BatchContainerProperties = Parsed<typeof containerPropertiesSchema>;
export type BatchContainerOverrides = Parsed<typeof containerOverridesSchema>;
export type BatchResourceRequirement = BatchContainerProperties['resourceRequirements'][number];
