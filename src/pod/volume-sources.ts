/** What a volume of a task definition is here: a directory, a claim, an export. */
import type { V1Volume } from '@kubernetes/client-node';
import type { ClusterSpec } from '../api/cluster.ts';
import { ANNOTATIONS, LABELS, MANAGED_BY } from '../api/meta.ts';
import { dnsName } from '../api/names.ts';
import type { DockerVolumeConfiguration, Volume } from '../api/volume.ts';
import type { VolumeConfiguration } from '../api/volume-configuration.ts';
import { resolveFileSystem, type Unresolved } from './references.ts';

/** What a volume is in a pod, and the directory in it that is the volume's root. */
export interface ResolvedVolume {
  readonly source: Omit<V1Volume, 'name'>;
  readonly subPath?: string;
  /** A claim that is to be made where it does not exist, and that outlives the tasks that mount it. */
  readonly claim?: Claim;
}

/** A PersistentVolumeClaim. */
export interface Claim {
  readonly name: string;
  /** AWS name of the volume. */
  readonly volume: string;
  readonly storageClassName?: string;
  readonly accessMode: string;
  readonly sizeInGiB: number;
  /** VolumeSnapshot that it is made from. */
  readonly snapshot?: string;
}

/**
 * @param atLaunch what the owner of the task says of the volumes that the definition leaves to the launch
 * @returns what stands for a volume (`ecs-semantics §1.8`), or why nothing does.
 */
export function resolveVolume(
  volume: Volume,
  cluster: ClusterSpec,
  atLaunch: readonly VolumeConfiguration[] = [],
): ResolvedVolume | Unresolved {
  const { dockerVolumeConfiguration: docker, efsVolumeConfiguration: efs, s3filesVolumeConfiguration: s3 } = volume;
  const fsx = volume.fsxWindowsFileServerVolumeConfiguration;
  if (docker !== undefined) return dockerVolume(volume.name, docker, cluster);
  if (efs !== undefined)
    return fileSystem(efs.fileSystemId, efs.authorizationConfig?.accessPointId, efs.rootDirectory, cluster);
  if (s3 !== undefined) return fileSystem(s3.fileSystemArn, s3.accessPointArn, s3.rootDirectory, cluster);
  if (fsx !== undefined) return fileSystem(fsx.fileSystemId, undefined, fsx.rootDirectory, cluster);
  if (volume.configuredAtLaunch) return launchVolume(volume.name, atLaunch, cluster);
  const path = hostPathOf(volume);
  // Without a type the container runtime makes a missing path a directory, and takes a file or socket as it is: as Docker.
  return { source: path === undefined ? { emptyDir: {} } : { hostPath: { path } } };
}

/** The path of the node that a volume is, if it is one. */
export function hostPathOf({ host, dockerVolumeConfiguration: docker }: Volume): string | undefined {
  if (docker !== undefined) return localOptions(docker)?.bind;
  const path = host?.sourcePath ?? '';
  return path === '' ? undefined : path;
}

function fileSystem(
  id: string,
  accessPoint: string | undefined,
  rootDirectory: string,
  cluster: ClusterSpec,
): ResolvedVolume | Unresolved {
  const found = resolveFileSystem(id, accessPoint, cluster);
  if ('unresolved' in found) return found;
  const directory = rootDirectory.replaceAll('\\', '/').split('/').filter(Boolean);
  if (found.nfs !== undefined) {
    const path = `/${[...found.nfs.path.split('/').filter(Boolean), ...directory].join('/')}`;
    return { source: { nfs: { server: found.nfs.server, path } } };
  }
  return {
    source: { persistentVolumeClaim: { claimName: found.claimName ?? '' } },
    ...(directory.length > 0 && { subPath: directory.join('/') }),
  };
}

function dockerVolume(
  name: string,
  docker: DockerVolumeConfiguration,
  cluster: ClusterSpec,
): ResolvedVolume | Unresolved {
  const { driver, scope, autoprovision } = docker;
  const options = localOptions(docker);
  if (options?.bind !== undefined) return { source: { hostPath: { path: options.bind } } };
  if (options?.nfs !== undefined) return { source: { nfs: options.nfs } };
  if (options?.tmpfs !== undefined) return { source: { emptyDir: { medium: 'Memory', ...options.tmpfs } } };
  const mapped = cluster.mappings.storageClasses.find(({ volumeType }) => volumeType === driver);
  const claimed = {
    ...(mapped !== undefined && { storageClassName: mapped.storageClassName }),
    accessMode: mapped?.accessMode ?? 'ReadWriteOnce',
    sizeInGiB: mapped?.sizeInGiB ?? 1,
  };
  const unknownDriver = {
    unresolved: `volume driver "${driver}" has no mapping: add {volumeType, storageClassName} to spec.mappings.storageClasses of the namespace's Cluster`,
  };
  if (scope === 'shared') {
    const claimName = dnsName(name);
    const source = { persistentVolumeClaim: { claimName } };
    if (!autoprovision) return { source };
    if (driver !== 'local' && mapped === undefined) return unknownDriver;
    return { source, claim: { name: claimName, volume: name, ...claimed } };
  }
  if (mapped === undefined) return driver === 'local' ? { source: { emptyDir: {} } } : unknownDriver;
  return { source: ephemeralClaim({ volume: name, ...claimed }) };
}

/** A managed EBS volume: a claim of the task's own, deleted with its pod. */
function launchVolume(
  name: string,
  atLaunch: readonly VolumeConfiguration[],
  cluster: ClusterSpec,
): ResolvedVolume | Unresolved {
  const ebs = atLaunch.find((configuration) => configuration.name === name)?.managedEBSVolume;
  if (ebs === undefined)
    return {
      unresolved: `volume "${name}" of the task definition is configured at launch: add {name, managedEBSVolume} for it to spec.volumeConfigurations of the Service`,
    };
  const { volumeType, sizeInGiB, snapshotId } = ebs;
  if (sizeInGiB === undefined)
    return {
      unresolved: `volume "${name}" has no sizeInGiB in spec.volumeConfigurations: beside snapshotId "${snapshotId}" it is needed here, as the size of a VolumeSnapshot is not looked up`,
    };
  const mapped = cluster.mappings.storageClasses.find((known) => known.volumeType === volumeType);
  return {
    source: ephemeralClaim({
      volume: name,
      ...(mapped !== undefined && { storageClassName: mapped.storageClassName }),
      accessMode: mapped?.accessMode ?? 'ReadWriteOnce',
      sizeInGiB,
      ...(snapshotId !== undefined && { snapshot: dnsName(snapshotId, 253) }),
    }),
  };
}

/** A claim that kube-controller-manager makes for the pod, and that goes with it. */
const ephemeralClaim = (claim: Omit<Claim, 'name'>): Pick<V1Volume, 'ephemeral'> => ({
  ephemeral: { volumeClaimTemplate: { metadata: claimMetadata(claim), spec: claimSpec(claim) } },
});

export const claimMetadata = ({ volume }: Pick<Claim, 'volume'>) => ({
  labels: { [LABELS.managedBy]: MANAGED_BY },
  annotations: { [ANNOTATIONS.volume]: volume },
});

export const claimSpec = ({ storageClassName, accessMode, sizeInGiB, snapshot }: Omit<Claim, 'name' | 'volume'>) => ({
  accessModes: [accessMode],
  ...(storageClassName !== undefined && { storageClassName }),
  resources: { requests: { storage: `${sizeInGiB}Gi` } },
  ...(snapshot !== undefined && {
    dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: snapshot },
  }),
});

interface LocalOptions {
  readonly bind?: string;
  readonly nfs?: { readonly server: string; readonly path: string; readonly readOnly?: boolean };
  readonly tmpfs?: { readonly sizeLimit?: string };
}

/** Docker's local driver mounts what its options say, as mount(8) would. */
function localOptions({ driver, driverOpts }: DockerVolumeConfiguration): LocalOptions | undefined {
  if (driver !== 'local') return undefined;
  const { type = '', o = '', device = '' } = driverOpts;
  const flags = o.split(',');
  const value = (name: string): string | undefined =>
    flags.find((flag) => flag.startsWith(`${name}=`))?.slice(name.length + 1);
  if (flags.includes('bind') || flags.includes('rbind')) return { bind: device };
  if (/^nfs4?$/.test(type)) {
    const [, host = '', path = device] = /^([^/]*):(\/.*)$/.exec(device) ?? [];
    return { nfs: { server: value('addr') ?? host, path, ...(flags.includes('ro') && { readOnly: true }) } };
  }
  if (type === 'tmpfs') {
    const sizeLimit = quantity(value('size') ?? '');
    return { tmpfs: sizeLimit === undefined ? {} : { sizeLimit } };
  }
  return {};
}

/** `100m` of mount(8) is `100Mi`; a share of the node's memory cannot be said. */
function quantity(size: string): string | undefined {
  const [, number, unit = ''] = /^(\d+)([kmg]?)$/i.exec(size) ?? [];
  return number === undefined ? undefined : `${number}${unit === '' ? '' : `${unit.toUpperCase()}i`}`;
}
