/** What the containers of a Batch job have in common, whichever properties describe them (`ecs-semantics` §5.1). */
import { z } from 'zod';
import { containerFields, repositoryCredentialsSchema } from './container-definition.ts';
import { environmentSchema, environmentVariableSchema, secretsSchema } from './container-environment.ts';
import { commonLinuxParameters, deviceSchema, ulimitSchema } from './linux-parameters.ts';
import { logConfigurationSchema } from './log-configuration.ts';
import { keyedList, list, type Parsed, withRules } from './schema.ts';
import { commonVolumeFields, mountPointSchema } from './volume.ts';

export const batchEnvironment = () =>
  environmentSchema(
    withRules(environmentVariableSchema, {
      message: 'names of environment variables must not start with AWS_BATCH, which is reserved',
      holds: ({ name }) => !name.startsWith('AWS_BATCH'),
      cel: "!self.name.startsWith('AWS_BATCH')",
      field: 'name',
    }),
  );

export const resourceRequirements = () =>
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

export type BatchResourceRequirement = Parsed<ReturnType<typeof resourceRequirements>>[number];

export const batchCommand = () =>
  list(z.string().max(8192), 1000).describe(
    "Takes the place of the image's CMD; Ref::name is replaced by the parameter of that name. Absent or empty: the image's.",
  );

/** As of ECS, but in capitals. */
const permissions = list(z.enum(['READ', 'WRITE', 'MKNOD']), 3).describe(
  'What the container may do with the device: READ, WRITE, MKNOD. Default: all of them.',
);

/** As of ECS, without capabilities. */
const linuxParametersSchema = z
  .strictObject({
    ...commonLinuxParameters,
    devices: list(deviceSchema.extend({ permissions }), 100).describe(
      'Devices of the node that the container gets, at most 100. Not on Fargate. AWS: Device[].',
    ),
  })
  .describe('Options of Linux containers. AWS: LinuxParameters.');

const { user, privileged, readonlyRootFilesystem } = containerFields.shape;

export const commonContainerFields = {
  image: z
    .string()
    .min(1)
    .max(512)
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.:/#@-]*$/)
    .describe('Image to run: repository[:tag] or repository@digest.'),
  command: batchCommand(),
  environment: batchEnvironment(),
  secrets: secretsSchema(),
  resourceRequirements: resourceRequirements(),
  repositoryCredentials: repositoryCredentialsSchema.optional(),
  user,
  privileged,
  readonlyRootFilesystem,
  ulimits: list(ulimitSchema, 20).describe('Resource limits of the processes, at most 20. AWS: Ulimit[].'),
  linuxParameters: linuxParametersSchema.optional(),
  mountPoints: list(mountPointSchema, 30).describe('Volumes mounted into the container, at most 30.'),
  logConfiguration: logConfigurationSchema.optional(),
};

const volumeSchema = z.strictObject(commonVolumeFields).describe('A volume of the job. AWS: Volume.');

export const batchVolumes = () =>
  keyedList(volumeSchema, 'name', { max: 30 }).default([]).describe('Volumes of the job, at most 30. AWS: Volume[].');

export const batchNetworkConfigurationSchema = z
  .strictObject({
    assignPublicIp: z
      .enum(['ENABLED', 'DISABLED'])
      .default('DISABLED')
      .describe('Whether the job gets a public address on AWS. Default: DISABLED.'),
  })
  .describe('Network of a job on Fargate. AWS: NetworkConfiguration.');

export const roleArn = () => z.string().min(1).max(2048).optional();
