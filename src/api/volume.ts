import { z } from 'zod';
import { awsName, flag, integer, type Parsed, textMap, withRules } from './schema.ts';

const name = () =>
  awsName().describe('Name of the volume, unique in the definition; mountPoints[].sourceVolume refers to it.');

const host = z
  .strictObject({
    sourcePath: z
      .string()
      .max(4096)
      .default('')
      .describe('Path on the node; it survives the task. Absent or empty: an empty directory that ends with the task.'),
  })
  .describe('A directory of the node, or an empty directory. AWS: HostVolumeProperties.');

const dockerVolumeConfiguration = withRules(
  z.strictObject({
    scope: z
      .enum(['task', 'shared'])
      .default('task')
      .describe('task (default): made when the task starts, deleted when it stops. shared: outlives the task.'),
    autoprovision: z
      .boolean()
      .optional()
      .describe(
        'With scope shared: whether the volume is made when it does not exist yet; absent says false. With scope task: absent or true.',
      ),
    driver: z.string().min(1).max(255).default('local').describe('Docker volume driver. Default: local.'),
    driverOpts: textMap(100).describe('Options of the driver, at most 100.'),
    labels: textMap(100).describe('Labels of the Docker volume, at most 100.'),
  }),
  {
    // Text: AWS (aws/aws-cdk#26697).
    message: "When 'scope' parameter is 'task', 'autoprovision' must either not be specified or set to 'True'.",
    holds: ({ scope, autoprovision }) => scope !== 'task' || autoprovision !== false,
    cel: "self.scope != 'task' || !has(self.autoprovision) || self.autoprovision",
    field: 'autoprovision',
  },
).describe('A Docker volume. Not on Fargate. AWS: DockerVolumeConfiguration.');

const rootDirectory = (of: string) =>
  z
    .string()
    .min(1)
    .max(4096)
    .default('/')
    .describe(
      `Directory within the ${of} that becomes the root of the volume. Only / with an access point. Default: /.`,
    );

const transitEncryptionPort = () =>
  integer(1, 65535).optional().describe('Port for encrypted data, 1 to 65535. Absent: the mount helper chooses one.');

const celAccessPoint = '(has(self.authorizationConfig) && has(self.authorizationConfig.accessPointId))';

const switchedOff = () => z.enum(['ENABLED', 'DISABLED']).default('DISABLED');

const efsVolumeConfiguration = withRules(
  z.strictObject({
    fileSystemId: z.string().min(1).max(255).describe('Id of the EFS file system, such as fs-1234567890abcdef0.'),
    rootDirectory: rootDirectory('file system'),
    transitEncryption: switchedOff().describe(
      'Whether data is encrypted on its way to the EFS server: ENABLED or DISABLED (default).',
    ),
    transitEncryptionPort: transitEncryptionPort(),
    authorizationConfig: z
      .strictObject({
        accessPointId: z
          .string()
          .min(1)
          .max(255)
          .optional()
          .describe('Id of the EFS access point, such as fsap-1234567890abcdef0. Needs transitEncryption ENABLED.'),
        iam: switchedOff().describe(
          'Whether the task role authorizes the mount: ENABLED or DISABLED (default). ENABLED needs transitEncryption ENABLED.',
        ),
      })
      .optional()
      .describe('How the mount is authorized. AWS: EFSAuthorizationConfig.'),
  }),
  // Texts: AWS (measured 2026-09), but for the encryption that an access point needs.
  {
    message: 'When using an EFS access point, the root directory must either be set to "/" or be omitted.',
    holds: ({ rootDirectory: root, authorizationConfig }) =>
      root === '/' || authorizationConfig?.accessPointId === undefined,
    cel: `self.rootDirectory == '/' || !${celAccessPoint}`,
    field: 'rootDirectory',
  },
  {
    message: 'EFS IAM authorization requires TransitEncryption to be enabled.',
    holds: ({ transitEncryption, authorizationConfig }) =>
      transitEncryption === 'ENABLED' || authorizationConfig?.iam !== 'ENABLED',
    cel: "self.transitEncryption == 'ENABLED' || !has(self.authorizationConfig) || self.authorizationConfig.iam != 'ENABLED'",
    field: 'transitEncryption',
  },
  {
    message: 'an EFS access point requires TransitEncryption to be enabled',
    holds: ({ transitEncryption, authorizationConfig }) =>
      transitEncryption === 'ENABLED' ||
      authorizationConfig?.accessPointId === undefined ||
      authorizationConfig.iam === 'ENABLED',
    cel: `self.transitEncryption == 'ENABLED' || !${celAccessPoint} || self.authorizationConfig.iam == 'ENABLED'`,
    field: 'transitEncryption',
  },
  {
    message: 'TransitEncryptionPort requires that TransitEncryption is enabled.',
    holds: ({ transitEncryption, transitEncryptionPort: port }) =>
      transitEncryption === 'ENABLED' || port === undefined,
    cel: "self.transitEncryption == 'ENABLED' || !has(self.transitEncryptionPort)",
    field: 'transitEncryptionPort',
  },
).describe('An Amazon EFS file system. AWS: EFSVolumeConfiguration.');

const s3filesVolumeConfiguration = withRules(
  z.strictObject({
    fileSystemArn: z.string().min(1).max(2048).describe('ARN of the Amazon S3 Files file system.'),
    rootDirectory: rootDirectory('file system'),
    transitEncryptionPort: transitEncryptionPort(),
    accessPointArn: z.string().min(1).max(2048).optional().describe('ARN of the Amazon S3 Files access point.'),
  }),
  {
    message: 'when using an S3 Files access point, the root directory must either be set to "/" or be omitted',
    holds: ({ rootDirectory: root, accessPointArn }) => root === '/' || accessPointArn === undefined,
    cel: "self.rootDirectory == '/' || !has(self.accessPointArn)",
    field: 'rootDirectory',
  },
).describe('An Amazon S3 Files file system; the task needs a taskRoleArn. AWS: S3FilesVolumeConfiguration.');

const fsxWindowsFileServerVolumeConfiguration = z
  .strictObject({
    fileSystemId: z.string().min(1).max(255).describe('Id of the FSx for Windows File Server file system.'),
    rootDirectory: z.string().min(1).max(4096).describe('Directory within the file system to mount.'),
    authorizationConfig: z
      .strictObject({
        credentialsParameter: z
          .string()
          .min(1)
          .max(2048)
          .describe('ARN of the Secrets Manager secret or SSM parameter that has the credentials.'),
        domain: z.string().min(1).max(255).describe('Fully qualified name of the Active Directory domain.'),
      })
      .describe('How the mount is authorized. AWS: FSxWindowsFileServerAuthorizationConfig.'),
  })
  .describe('An Amazon FSx for Windows File Server file system. AWS: FSxWindowsFileServerVolumeConfiguration.');

/** The volumes that every AWS service with containers knows; AWS Batch has no others. */
export const commonVolumeFields = {
  name: name(),
  host: host.optional(),
  efsVolumeConfiguration: efsVolumeConfiguration.optional(),
  s3filesVolumeConfiguration: s3filesVolumeConfiguration.optional(),
};

const KINDS = [
  'dockerVolumeConfiguration',
  'efsVolumeConfiguration',
  's3filesVolumeConfiguration',
  'fsxWindowsFileServerVolumeConfiguration',
] as const;

/** A volume of a task definition (`ecs-semantics` §1.8). */
export const volumeSchema = withRules(
  z.strictObject({
    ...commonVolumeFields,
    dockerVolumeConfiguration: dockerVolumeConfiguration.optional(),
    fsxWindowsFileServerVolumeConfiguration: fsxWindowsFileServerVolumeConfiguration.optional(),
    configuredAtLaunch: flag().describe(
      'Whether the service or task that runs the definition says in volumeConfigurations what the volume is; at most one such volume. Default: false.',
    ),
  }),
  {
    // Text: AWS (cloudposse/terraform-aws-ecs-alb-service-task#185).
    message: 'When the volume parameter is specified, only one volume configuration type should be used.',
    holds: (volume) =>
      KINDS.filter((kind) => volume[kind] !== undefined).length +
        (volume.configuredAtLaunch ? 1 : 0) +
        (volume.host !== undefined && volume.host.sourcePath !== '' ? 1 : 0) <=
      1,
    cel:
      `[${KINDS.map((kind) => `has(self.${kind})`).join(', ')}, has(self.configuredAtLaunch) && self.configuredAtLaunch, ` +
      "has(self.host) && has(self.host.sourcePath) && self.host.sourcePath != ''].map(given, given ? 1 : 0).sum() <= 1",
  },
).describe(
  'A volume that containers of the task share: a name and at most one kind; without a kind an empty directory. AWS: Volume.',
);

export type Volume = Parsed<typeof volumeSchema>;
export type DockerVolumeConfiguration = Parsed<typeof dockerVolumeConfiguration>;
export type EfsVolumeConfiguration = Parsed<typeof efsVolumeConfiguration>;
export type S3FilesVolumeConfiguration = Parsed<typeof s3filesVolumeConfiguration>;
export type FsxWindowsFileServerVolumeConfiguration = Parsed<typeof fsxWindowsFileServerVolumeConfiguration>;

export const mountPointSchema = z
  .strictObject({
    sourceVolume: awsName().describe('Name of a volume of the same definition.'),
    containerPath: z.string().min(1).max(4096).describe('Path in the container where the volume is mounted.'),
    readOnly: flag().describe('Whether the container may only read the volume. Default: false.'),
  })
  .describe('A volume mounted into the container. AWS: MountPoint.');

export type MountPoint = Parsed<typeof mountPointSchema>;

export const volumeFromSchema = z
  .strictObject({
    sourceContainer: awsName().describe('Name of the container whose mounts are taken over.'),
    readOnly: flag().describe('Whether this container may only read them. Default: false.'),
  })
  .describe('A container whose mounts this one takes over at the same paths. AWS: VolumeFrom.');

export type VolumeFrom = Parsed<typeof volumeFromSchema>;
