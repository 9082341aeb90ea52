import type { V1Container, V1EnvFromSource, V1EnvVar } from '@kubernetes/client-node';
import type { ContainerDefinition } from '../api/container-definition.ts';
import { literal } from './literal.ts';
import { type ExternalSecret, externalSecret, resolveFile, resolveSecret } from './references.ts';
import type { TaskContext } from './task-context.ts';

/** The text of an environment file: a key of a ConfigMap. */
export interface FileKey {
  readonly name: string;
  readonly key: string;
}

/**
 * The variables of a container: secrets win over environment, which wins over environment files; of two with one name the
 * last counts. Files that are the text in a ConfigMap are read when a task starts (`environment-files`).
 */
export function environment(container: ContainerDefinition, task: TaskContext): Pick<V1Container, 'env' | 'envFrom'> {
  const variables = new Map<string, V1EnvVar>();
  for (const { name, value } of container.environment) variables.set(name, { name, value: literal(value) });
  for (const { name, valueFrom } of container.secrets) {
    const resolved = resolveSecret(valueFrom, task.cluster);
    if ('unresolved' in resolved) continue;
    variables.set(name, { name, valueFrom: { secretKeyRef: { name: resolved.secretName, key: resolved.key } } });
  }
  const envFrom = wholeFiles(container, task);
  return { env: [...variables.values()], ...(envFrom.length > 0 && { envFrom }) };
}

/** ECS takes a variable from the first file that has it, Kubernetes from the last. */
function wholeFiles(container: ContainerDefinition, task: TaskContext): V1EnvFromSource[] {
  return container.environmentFiles
    .flatMap(({ value }): V1EnvFromSource[] => {
      const file = resolveFile(value, task.cluster);
      if ('unresolved' in file) return [];
      if (file.configMapRef !== undefined) return [{ configMapRef: { name: file.configMapRef.name } }];
      return file.secretRef === undefined ? [] : [{ secretRef: { name: file.secretRef.name } }];
    })
    .reverse();
}

/** What a store of the Cluster is to fetch before a task starts, each once. */
export function externalSecrets({ containers, cluster }: TaskContext): ExternalSecret[] {
  const references = new Set(containers.flatMap(({ secrets }) => secrets.map(({ valueFrom }) => valueFrom)));
  return [...references].map((text) => externalSecret(text, cluster)).filter((secret) => secret !== undefined);
}

/** Pod container → the files whose text is read when a task starts, in their order. */
export function fileKeys(task: TaskContext): Map<string, FileKey[]> {
  return new Map(
    task.containers.flatMap((container) => {
      const keys = container.environmentFiles.flatMap(({ value }) => {
        const file = resolveFile(value, task.cluster);
        return 'unresolved' in file || file.configMapKeyRef === undefined ? [] : [file.configMapKeyRef];
      });
      return keys.length === 0 ? [] : [[task.containerNames.get(container.name) ?? container.name, keys] as const];
    }),
  );
}
