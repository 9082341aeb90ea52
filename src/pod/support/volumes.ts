/** Volumes and what mounts them. */
import type {
  DockerVolumeConfiguration,
  EfsVolumeConfiguration,
  S3FilesVolumeConfiguration,
  Volume,
} from '../../api/volume.ts';
import { ECS } from '../../aws-model/model.ts';
import { approximated, BY_ITS_FIELDS, conditional, exact, ignored, type Table, type Topic, whole } from './entry.ts';
import { DOCKER_VOLUMES, FILE_SYSTEMS, HOST_PATHS, LAUNCH_VOLUMES, VOLUMES } from './proofs.ts';

const byStorageClass = ignored('the StorageClass of the claim, and what makes its volumes, say it');
const tagsOfVolume = ignored('the claim has the name of the volume as an annotation, and no tags');
const empty = 'what the image has where it is mounted is not copied into it, as Docker would';
const mapped = approximated(
  "the PersistentVolumeClaim or NFS export that the Cluster's mappings.fileSystems name",
  FILE_SYSTEMS,
);
const byClaim = ignored('how the claim or export of the file system is mounted decides');
const rootDirectory = approximated('of a claim, made where it is not there; AWS refuses the mount', FILE_SYSTEMS);
const fsx = ignored('the claim of the file system brings its own credentials');

/** What Docker's local driver knows to mount, and is known here. */
const LOCAL_TYPES = ['nfs', 'nfs4', 'tmpfs'];
const isMounted = ({ driver, driverOpts }: DockerVolumeConfiguration): boolean =>
  driver === 'local' &&
  (LOCAL_TYPES.includes(driverOpts.type ?? '') || (driverOpts.o ?? '').split(',').includes('bind'));

const docker: Topic[string] = {
  scope: conditional(
    {
      task: approximated(empty, DOCKER_VOLUMES),
      shared: approximated(
        'a PersistentVolumeClaim of its name: shared by the tasks of the namespace, not by those of a node',
        DOCKER_VOLUMES,
      ),
      'driverOpts say what is mounted': exact(DOCKER_VOLUMES),
    },
    (volume: DockerVolumeConfiguration) => (isMounted(volume) ? 'driverOpts say what is mounted' : volume.scope),
  ),
  autoprovision: approximated(
    "a claim is made that is not there, of the StorageClass and size that the Cluster's mappings.storageClasses name for the driver",
    DOCKER_VOLUMES,
  ),
  driver: conditional(
    {
      local: exact(DOCKER_VOLUMES),
      other: approximated("the StorageClass that the Cluster's mappings.storageClasses name for it", DOCKER_VOLUMES),
    },
    ({ driver }: DockerVolumeConfiguration) => (driver === 'local' ? 'local' : 'other'),
  ),
  driverOpts: conditional(
    {
      'they mount NFS, memory or a path': approximated(
        'of the mount options the address and the size count',
        DOCKER_VOLUMES,
      ),
      'they say something else': ignored('the StorageClass has the options of its driver'),
    },
    (volume: DockerVolumeConfiguration) =>
      isMounted(volume) ? 'they mount NFS, memory or a path' : 'they say something else',
  ),
  labels: ignored('nothing uses the labels of a Docker volume here'),
};

/** What is mapped is the access point where one is named, and the file system otherwise. */
const fileSystem = conditional(
  {
    'no access point is named': mapped,
    'an access point is named': ignored('the access point says which file system it is of'),
  },
  (volume: Partial<EfsVolumeConfiguration & S3FilesVolumeConfiguration>) =>
    (volume.authorizationConfig?.accessPointId ?? volume.accessPointArn) === undefined
      ? 'no access point is named'
      : 'an access point is named',
);

/** Of a Service and of RunTask. */
export const managedEbsVolume: Table = {
  encrypted: byStorageClass,
  kmsKeyId: byStorageClass,
  volumeType: approximated(
    "the StorageClass that the Cluster's mappings.storageClasses name for it, or else the default one",
    LAUNCH_VOLUMES,
  ),
  sizeInGiB: exact(LAUNCH_VOLUMES),
  snapshotId: approximated(
    'the VolumeSnapshot of this name in the namespace; sizeInGiB has to be given beside it',
    LAUNCH_VOLUMES,
  ),
  volumeInitializationRate: byStorageClass,
  iops: byStorageClass,
  throughput: byStorageClass,
  tagSpecifications: tagsOfVolume,
  roleArn: ignored('no AWS role is needed to make a volume in this cluster'),
  filesystemType: byStorageClass,
};

export const volumes: Topic = {
  RegisterTaskDefinitionRequest: { volumes: BY_ITS_FIELDS, ephemeralStorage: BY_ITS_FIELDS },
  ContainerDefinition: { mountPoints: BY_ITS_FIELDS, volumesFrom: BY_ITS_FIELDS },
  Volume: {
    name: conditional(
      { 'the volume is an empty directory': approximated(empty, VOLUMES), 'it is something else': exact(VOLUMES) },
      (volume: Volume) =>
        Object.keys(volume).some((kind) => kind.endsWith('Configuration')) ||
        volume.host?.sourcePath ||
        volume.configuredAtLaunch
          ? 'it is something else'
          : 'the volume is an empty directory',
    ),
    host: BY_ITS_FIELDS,
    dockerVolumeConfiguration: BY_ITS_FIELDS,
    efsVolumeConfiguration: BY_ITS_FIELDS,
    s3filesVolumeConfiguration: BY_ITS_FIELDS,
    fsxWindowsFileServerVolumeConfiguration: BY_ITS_FIELDS,
    configuredAtLaunch: exact(LAUNCH_VOLUMES),
  },
  HostVolumeProperties: { sourcePath: exact(HOST_PATHS) },
  MountPoint: { sourceVolume: exact(VOLUMES), containerPath: exact(VOLUMES), readOnly: exact(VOLUMES) },
  VolumeFrom: {
    sourceContainer: approximated('volumes that only the image names (VOLUME) are not taken over', VOLUMES),
    readOnly: exact(VOLUMES),
  },
  DockerVolumeConfiguration: docker,
  EFSVolumeConfiguration: {
    fileSystemId: fileSystem,
    rootDirectory,
    transitEncryption: byClaim,
    transitEncryptionPort: byClaim,
    authorizationConfig: BY_ITS_FIELDS,
  },
  EFSAuthorizationConfig: { accessPointId: mapped, iam: byClaim },
  S3FilesVolumeConfiguration: {
    fileSystemArn: fileSystem,
    rootDirectory,
    transitEncryptionPort: byClaim,
    accessPointArn: mapped,
  },
  FSxWindowsFileServerVolumeConfiguration: {
    fileSystemId: mapped,
    rootDirectory,
    authorizationConfig: fsx,
  },
  ...whole(ECS, fsx, 'FSxWindowsFileServerAuthorizationConfig'),
  ServiceVolumeConfiguration: {
    name: approximated(
      "the volume is a PersistentVolumeClaim of the task, which is deleted with its pod: after a failed task only when the Cluster's retention is over",
      LAUNCH_VOLUMES,
    ),
    managedEBSVolume: BY_ITS_FIELDS,
  },
  ServiceManagedEBSVolumeConfiguration: managedEbsVolume,
  ...whole(ECS, tagsOfVolume, 'EBSTagSpecification'),
  EphemeralStorage: {
    sizeInGiB: approximated(
      'reserved on the node, and a limit: the kubelet evicts a task that has written more, where on AWS its disk is full',
    ),
  },
};
