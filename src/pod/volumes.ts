import type { V1Container, V1PodSpec, V1Volume, V1VolumeMount } from '@kubernetes/client-node';
import type { ContainerDefinition } from '../api/container-definition.ts';
import type { Volume } from '../api/volume.ts';
import type { TaskContext } from './task-context.ts';

/** The volumes of the task. */
export function volumes({ definition, volumeNames }: TaskContext): Pick<V1PodSpec, 'volumes'> {
  if (definition.volumes.length === 0) return {};
  return { volumes: definition.volumes.map((volume) => compileVolume(volume, volumeNames)) };
}

function compileVolume(volume: Volume, names: ReadonlyMap<string, string>): V1Volume {
  const name = names.get(volume.name) ?? volume.name;
  const path = volume.host?.sourcePath ?? '';
  return path === '' ? { name, emptyDir: {} } : { name, hostPath: { path, type: 'DirectoryOrCreate' } };
}

/** What a container mounts: its own mount points and, below them, those it takes over with volumesFrom. */
export function mounts(container: ContainerDefinition, task: TaskContext): Pick<V1Container, 'volumeMounts'> {
  const own = container.mountPoints.map((mount) => ({ ...mount, forcedReadOnly: false }));
  const taken = container.volumesFrom.flatMap(({ sourceContainer, readOnly }) => {
    const source = task.containers.find(({ name }) => name === sourceContainer);
    return (source?.mountPoints ?? []).map((mount) => ({ ...mount, forcedReadOnly: readOnly }));
  });
  const byPath = new Map([...taken, ...own].map((mount) => [mount.containerPath, mount]));
  const volumeMounts: V1VolumeMount[] = [...byPath.values()].map((mount) => ({
    name: task.volumeNames.get(mount.sourceVolume) ?? mount.sourceVolume,
    mountPath: mount.containerPath,
    ...((mount.readOnly || mount.forcedReadOnly) && { readOnly: true }),
  }));
  return volumeMounts.length === 0 ? {} : { volumeMounts };
}
