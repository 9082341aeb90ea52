/** What a volume that is configured at launch is (`ecs-semantics` §1.8, §3.1). */
import { z } from 'zod';
import { tagsSchema } from './common-fields.ts';
import { awsName, celText, integer, list, type Parsed, type Rule, withRules } from './schema.ts';

type VolumeType = 'gp2' | 'gp3' | 'io1' | 'io2' | 'st1' | 'sc1' | 'standard';
type Bounds = readonly [least: number, most: number];

/** Sizes in GiB, of each type of EBS volumes. AWS: ServiceManagedEBSVolumeConfiguration. */
const SIZES: Readonly<Record<VolumeType, Bounds>> = {
  gp2: [1, 16384],
  gp3: [1, 16384],
  io1: [4, 16384],
  io2: [4, 16384],
  st1: [125, 16384],
  sc1: [125, 16384],
  standard: [1, 1024],
};
const IOPS: Partial<Readonly<Record<VolumeType, Bounds>>> = {
  gp3: [3000, 16000],
  io1: [100, 64000],
  io2: [100, 256000],
};
const NEED_IOPS: readonly VolumeType[] = ['io1', 'io2'];
/** Of gp2 AWS says what iops means, and takes it. */
const WITH_IOPS: readonly VolumeType[] = ['gp2', 'gp3', 'io1', 'io2'];

interface Volume {
  readonly volumeType: VolumeType;
  readonly sizeInGiB?: number | undefined;
  readonly snapshotId?: string | undefined;
  readonly volumeInitializationRate?: number | undefined;
  readonly iops?: number | undefined;
  readonly throughput?: number | undefined;
}

const celIn = (types: readonly VolumeType[]): string =>
  `self.volumeType in [${types.map((type) => `'${type}'`).join(', ')}]`;

/** A number lies within the bounds that its volume type has, if it has some. */
function bounded(field: 'sizeInGiB' | 'iops', bounds: Partial<Readonly<Record<VolumeType, Bounds>>>): Rule<Volume> {
  const text = (type: string, value: string, least: string, most: string): string =>
    `${field} of a volume of type ${type} must be ${least} to ${most}, got ${value}`;
  const map = `{${Object.entries(bounds)
    .map(([type, [least, most]]) => `'${type}': [${least}, ${most}]`)
    .join(', ')}}`;
  const ofType = `${map}[self.volumeType]`;
  return {
    refuses: ({ volumeType, [field]: value }) => {
      const [least, most] = bounds[volumeType] ?? [];
      if (value === undefined || least === undefined || most === undefined) return undefined;
      return value >= least && value <= most ? undefined : text(volumeType, `${value}`, `${least}`, `${most}`);
    },
    cel: `!has(self.${field}) || !(self.volumeType in ${map}) || (self.${field} >= ${ofType}[0] && self.${field} <= ${ofType}[1])`,
    celMessage: celText(text, 'self.volumeType', `self.${field}`, `${ofType}[0]`, `${ofType}[1]`),
    field,
  };
}

function supportedOnly(field: 'iops' | 'throughput', types: readonly VolumeType[]): Rule<Volume> {
  // Text: AWS, EC2's CreateVolume (hashicorp/packer#2201).
  const text = (type: string): string => `The parameter ${field} is not supported for ${type} volumes.`;
  return {
    refuses: ({ volumeType, [field]: value }) =>
      value === undefined || types.includes(volumeType) ? undefined : text(volumeType),
    cel: `!has(self.${field}) || ${celIn(types)}`,
    celMessage: celText(text, 'self.volumeType'),
    field,
  };
}

const needsIops = (type: string): string => `iops is required for volumes of type ${type}`;

const fields = z.strictObject({
  encrypted: z.boolean().optional().describe('Whether the volume is encrypted; here its StorageClass says so.'),
  kmsKeyId: z.string().min(1).max(2048).optional().describe('Key that it is encrypted with on AWS.'),
  volumeType: z
    .enum(['gp2', 'gp3', 'io1', 'io2', 'st1', 'sc1', 'standard'])
    .default('gp2')
    .describe(
      "gp2, gp3, io1, io2, st1, sc1 or standard. Here the Cluster's mappings.storageClasses say which StorageClass that is. Default: gp2, as for CreateVolume.",
    ),
  sizeInGiB: integer(1, 16384)
    .optional()
    .describe(
      'Size in GiB: 1 to 16384; io1 and io2 from 4, st1 and sc1 from 125, standard to 1024. Absent: that of the snapshot.',
    ),
  snapshotId: z
    .string()
    .min(1)
    .max(253)
    .optional()
    .describe('Snapshot that the volume is made from; here the VolumeSnapshot of this name in the namespace.'),
  volumeInitializationRate: integer(100, 300)
    .optional()
    .describe('MiB per second that are read from the snapshot at first, 100 to 300. Only with snapshotId.'),
  iops: integer(100, 256000)
    .optional()
    .describe('I/O operations per second: gp3 3000 to 16000, io1 100 to 64000, io2 100 to 256000.'),
  throughput: integer(125, 1000).optional().describe('MiB per second, 125 to 1000. Only for gp3.'),
  tagSpecifications: list(
    z.strictObject({
      resourceType: z.enum(['volume']).describe('volume.'),
      tags: tagsSchema(),
      propagateTags: z
        .enum(['TASK_DEFINITION', 'SERVICE', 'NONE'])
        .optional()
        .describe('Whose tags the volume gets on AWS. Absent: none.'),
    }),
    10,
  ).describe('Tags of the volume on AWS, at most 10 lists. AWS: EBSTagSpecification.'),
  roleArn: z.string().min(1).max(2048).describe('Role that manages the volume on AWS. Required, as for AWS.'),
  filesystemType: z
    .enum(['ext3', 'ext4', 'xfs', 'ntfs'])
    .optional()
    .describe('File system: ext3, ext4, xfs or ntfs; here the StorageClass says. Default: xfs.'),
});

const rules: readonly Rule<Volume>[] = [
  {
    message: 'You must specify either sizeInGiB or snapshotId.',
    holds: ({ sizeInGiB, snapshotId }) => sizeInGiB !== undefined || snapshotId !== undefined,
    cel: 'has(self.sizeInGiB) || has(self.snapshotId)',
  },
  bounded('sizeInGiB', SIZES),
  bounded('iops', IOPS),
  supportedOnly('iops', WITH_IOPS),
  {
    refuses: ({ volumeType, iops }) =>
      iops === undefined && NEED_IOPS.includes(volumeType) ? needsIops(volumeType) : undefined,
    cel: `has(self.iops) || !(${celIn(NEED_IOPS)})`,
    celMessage: celText(needsIops, 'self.volumeType'),
    field: 'iops',
  },
  supportedOnly('throughput', ['gp3']),
  {
    message: 'volumeInitializationRate can be specified only with a snapshotId',
    holds: ({ volumeInitializationRate, snapshotId }) =>
      volumeInitializationRate === undefined || snapshotId !== undefined,
    cel: '!has(self.volumeInitializationRate) || has(self.snapshotId)',
    field: 'volumeInitializationRate',
  },
];

const managedEbsVolume = withRules(fields, ...rules).describe(
  'An EBS volume of each task: here a PersistentVolumeClaim that is deleted with its pod. AWS: ServiceManagedEBSVolumeConfiguration.',
);

/** Of a run of tasks; those of a service always go with their task. */
const managedEbsVolumeOfTask = withRules(
  fields.extend({
    terminationPolicy: z
      .strictObject({
        deleteOnTermination: z
          .boolean()
          .describe('Whether the volume is deleted when its task has ended. Default of RunTask: true.'),
      })
      .optional()
      .describe('What becomes of the volume when its task has ended. AWS: TaskManagedEBSVolumeTerminationPolicy.'),
  }),
  ...rules,
).describe(
  'An EBS volume of each task: here a PersistentVolumeClaim that is deleted with its pod. AWS: TaskManagedEBSVolumeConfiguration.',
);

const nameOfVolume = () =>
  awsName().describe('Name of the volume: one of the task definition with configuredAtLaunch.');

/** `volumeConfigurations` of a Service; AWS takes one. */
export const volumeConfigurationsSchema = () =>
  list(
    z.strictObject({
      name: nameOfVolume(),
      managedEBSVolume: managedEbsVolume,
    }),
    1,
  ).describe(
    'What the volume that the task definition leaves to the launch (configuredAtLaunch) is, at most 1. A change starts a deployment.',
  );

/** `volumeConfigurations` of a Task; AWS takes one. */
export const taskVolumeConfigurationsSchema = () =>
  list(z.strictObject({ name: nameOfVolume(), managedEBSVolume: managedEbsVolumeOfTask }), 1).describe(
    'What the volume that the task definition leaves to the launch (configuredAtLaunch) is, at most 1. AWS: TaskVolumeConfiguration[].',
  );

export type VolumeConfiguration = Parsed<ReturnType<typeof volumeConfigurationsSchema>>[number];
