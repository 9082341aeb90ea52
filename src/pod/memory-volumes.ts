import type { V1Volume, V1VolumeMount } from '@kubernetes/client-node';
import type { ContainerDefinition } from '../api/container-definition.ts';
import { memoryQuantity } from './amounts.ts';
import type { TaskContext } from './task-context.ts';

interface MemoryVolume {
  readonly name: string;
  readonly path: string;
  readonly mib: number;
  readonly readOnly: boolean;
}

/** sharedMemorySize and tmpfs of one container: directories in memory that are its own. */
function memoryOf(container: ContainerDefinition, { containers }: TaskContext): MemoryVolume[] {
  const { sharedMemorySize, tmpfs = [] } = container.linuxParameters ?? {};
  const at = containers.indexOf(container);
  const shm =
    sharedMemorySize === undefined
      ? []
      : [{ name: `longshore-shm-${at}`, path: '/dev/shm', mib: sharedMemorySize, readOnly: false }];
  const wanted = [
    ...shm,
    ...tmpfs.map(({ containerPath, size, mountOptions }, index) => ({
      name: `longshore-tmpfs-${at}-${index}`,
      path: containerPath,
      mib: size,
      readOnly: mountOptions.includes('ro'),
    })),
  ];
  return [...new Map(wanted.map((volume) => [volume.path, volume])).values()];
}

export const memoryVolumes = (task: TaskContext): V1Volume[] =>
  task.containers
    .flatMap((container) => memoryOf(container, task))
    .map(({ name, mib }) => ({ name, emptyDir: { medium: 'Memory', sizeLimit: memoryQuantity(mib) } }));

/** @param taken what else the container mounts: that wins where the paths are equal. */
export const memoryMounts = (
  container: ContainerDefinition,
  task: TaskContext,
  taken: readonly V1VolumeMount[],
): V1VolumeMount[] =>
  memoryOf(container, task)
    .filter(({ path }) => taken.every(({ mountPath }) => mountPath !== path))
    .map(({ name, path, readOnly }) => ({ name, mountPath: path, ...(readOnly && { readOnly: true }) }));
