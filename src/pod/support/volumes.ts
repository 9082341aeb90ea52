/** Volumes and what mounts them. */
import { ECS } from '../../aws-model/model.ts';
import { approximated, BY_ITS_FIELDS, exact, ignored, type Topic, whole } from './entry.ts';
import { VOLUMES } from './proofs.ts';

const empty = ignored('only host volumes are made yet: this one is an empty directory');

export const volumes: Topic = {
  RegisterTaskDefinitionRequest: { volumes: BY_ITS_FIELDS, ephemeralStorage: BY_ITS_FIELDS },
  ContainerDefinition: { mountPoints: BY_ITS_FIELDS, volumesFrom: BY_ITS_FIELDS },
  Volume: {
    name: exact(VOLUMES),
    host: BY_ITS_FIELDS,
    dockerVolumeConfiguration: empty,
    efsVolumeConfiguration: empty,
    s3filesVolumeConfiguration: empty,
    fsxWindowsFileServerVolumeConfiguration: empty,
    configuredAtLaunch: empty,
  },
  HostVolumeProperties: { sourcePath: exact(VOLUMES) },
  MountPoint: { sourceVolume: exact(VOLUMES), containerPath: exact(VOLUMES), readOnly: exact(VOLUMES) },
  VolumeFrom: { sourceContainer: exact(VOLUMES), readOnly: exact(VOLUMES) },
  ...whole(
    ECS,
    empty,
    'DockerVolumeConfiguration',
    'EFSVolumeConfiguration',
    'EFSAuthorizationConfig',
    'S3FilesVolumeConfiguration',
    'FSxWindowsFileServerVolumeConfiguration',
    'FSxWindowsFileServerAuthorizationConfig',
  ),
  EphemeralStorage: {
    sizeInGiB: approximated(
      'reserved on the node, and a limit: the kubelet evicts a task that has written more, where on AWS its disk is full',
    ),
  },
};
