import { z } from 'zod';
import { awsName, flag, integer, type Parsed, textMap } from './schema.ts';

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

const dockerVolumeConfiguration = z
  .strictObject({
    scope: z
      .enum(['task', 'shared'])
      .default('task')
      .describe('task (default): made when the task starts, deleted when it stops. shared: outlives the task.'),
    autoprovision: flag().describe(
      'Whether the volume is made when it does not exist yet; only with scope shared. Default: false.',
    ),
    driver: z.string().min(1).max(255).default('local').describe('Docker volume driver. Default: local.'),
    driverOpts: textMap(100).describe('Options of the driver, at most 100.'),
    labels: textMap(100).describe('Labels of the Docker volume, at most 100.'),
  })
  .describe('A Docker volume. Not on Fargate. AWS: DockerVolumeConfiguration.');

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

const switchedOff = () => z.enum(['ENABLED', 'DISABLED']).default('DISABLED');

const efsVolumeConfiguration = z
  .strictObject({
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
  })
  .describe('An Amazon EFS file system. AWS: EFSVolumeConfiguration.');

const s3filesVolumeConfiguration = z
  .strictObject({
    fileSystemArn: z.string().min(1).max(2048).describe('ARN of the Amazon S3 Files file system.'),
    rootDirectory: rootDirectory('file system'),
    transitEncryptionPort: transitEncryptionPort(),
    accessPointArn: z.string().min(1).max(2048).optional().describe('ARN of the Amazon S3 Files access point.'),
  })
  .describe('An Amazon S3 Files file system; the task needs a taskRoleArn. AWS: S3FilesVolumeConfiguration.');

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

/** A volume of a task definition (`ecs-semantics` §1.8). */
export const volumeSchema = z
  .strictObject({
    ...commonVolumeFields,
    dockerVolumeConfiguration: dockerVolumeConfiguration.optional(),
    fsxWindowsFileServerVolumeConfiguration: fsxWindowsFileServerVolumeConfiguration.optional(),
    configuredAtLaunch: flag().describe(
      'Whether the service or task that runs the definition says in volumeConfigurations what the volume is; at most one such volume. Default: false.',
    ),
  })
  .describe(
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
