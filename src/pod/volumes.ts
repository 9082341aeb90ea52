import type { V1Container, V1PodSpec, V1VolumeMount } from '@kubernetes/client-node';
import type { ContainerDefinition } from '../api/container-definition.ts';
import type { TaskContext } from './task-context.ts';
import { type Claim, resolveVolume } from './volume-sources.ts';

/** The volumes of the task. */
export function volumes({
  definition,
  volumeNames,
  cluster,
  volumeConfigurations,
}: TaskContext): Pick<V1PodSpec, 'volumes'> {
  if (definition.volumes.length === 0) return {};
  return {
    volumes: definition.volumes.map((volume) => {
      const resolved = resolveVolume(volume, cluster, volumeConfigurations);
      const name = volumeNames.get(volume.name) ?? volume.name;
      return 'unresolved' in resolved ? { name, emptyDir: {} } : { name, ...resolved.source };
    }),
  };
}

/** The claims that the task's volumes need and that Longshore makes. */
export const claims = ({ definition, cluster }: TaskContext): Claim[] =>
  definition.volumes.flatMap((volume) => {
    const resolved = resolveVolume(volume, cluster);
    return 'claim' in resolved && resolved.claim !== undefined ? [resolved.claim] : [];
  });

interface TaskMount {
  readonly volume: string;
  readonly readOnly: boolean;
}

/** What a container mounts: its own mount points and, below them, those it takes over with volumesFrom. */
export function mounts(container: ContainerDefinition, task: TaskContext): Pick<V1Container, 'volumeMounts'> {
  const volumeMounts: V1VolumeMount[] = [...mountsByPath(container, task)].map(([mountPath, { volume, readOnly }]) => {
    const subPath = subPathOf(volume, task);
    return {
      name: task.volumeNames.get(volume) ?? volume,
      mountPath,
      ...(subPath !== undefined && { subPath }),
      ...(readOnly && { readOnly: true }),
    };
  });
  return volumeMounts.length === 0 ? {} : { volumeMounts };
}

/** As Docker: a source has what it took over itself as well; what was read-only stays so; cycles are refused before. */
function mountsByPath(container: ContainerDefinition, task: TaskContext): Map<string, TaskMount> {
  const byPath = new Map<string, TaskMount>();
  for (const { sourceContainer, readOnly } of container.volumesFrom) {
    const source = task.containers.find(({ name }) => name === sourceContainer);
    if (source === undefined) continue;
    for (const [path, mount] of mountsByPath(source, task))
      byPath.set(path, { ...mount, readOnly: mount.readOnly || readOnly });
  }
  for (const { sourceVolume, containerPath, readOnly } of container.mountPoints)
    byPath.set(containerPath.replace(/(?<=.)\/+$/, ''), { volume: sourceVolume, readOnly });
  return byPath;
}

function subPathOf(name: string, { definition, cluster }: TaskContext): string | undefined {
  const volume = definition.volumes.find((known) => known.name === name);
  const resolved = volume === undefined ? undefined : resolveVolume(volume, cluster);
  return resolved !== undefined && 'source' in resolved ? resolved.subPath : undefined;
}
