import type { V1Container, V1EnvVar } from '@kubernetes/client-node';
import { mergeEnvironmentFiles, parseEnvironmentFile } from '../ecs/environment-file.ts';
import type { PodTemplate } from './compile.ts';
import type { FileKey } from './environment.ts';
import { literal } from './literal.ts';

/** An environment file that ECS would not start a task with. */
export class EnvironmentFileError extends Error {
  constructor({ name, key }: FileKey, problem: unknown) {
    const text = problem instanceof Error ? problem.message : String(problem);
    super(`environment file ${key} of ConfigMap ${name}: ${text}`);
    this.name = 'EnvironmentFileError';
  }
}

/**
 * The template with what its environment files say now.
 * @param read the text of a file; undefined where it does not exist.
 * @throws EnvironmentFileError
 */
export function withEnvironmentFiles(template: PodTemplate, read: (file: FileKey) => string | undefined): PodTemplate {
  if (template.files.size === 0) return template;
  const fill = (container: V1Container): V1Container => {
    const files = template.files.get(container.name);
    return files === undefined ? container : { ...container, env: environmentOf(container.env ?? [], files, read) };
  };
  const { initContainers, containers } = template.spec;
  return {
    ...template,
    spec: {
      ...template.spec,
      ...(initContainers !== undefined && { initContainers: initContainers.map(fill) }),
      containers: containers.map(fill),
    },
  };
}

function environmentOf(
  own: readonly V1EnvVar[],
  files: readonly FileKey[],
  read: (file: FileKey) => string | undefined,
): V1EnvVar[] {
  const texts = files.map((file) => ({ file, text: read(file) }));
  const missing = texts.find(({ text }) => text === undefined)?.file;
  if (missing !== undefined) return [...own, ...unreadable(missing)];
  const variables = mergeEnvironmentFiles(texts.map(({ file, text = '' }) => parse(file, text)));
  const taken = new Set(own.map(({ name }) => name));
  return [
    ...[...variables].filter(([name]) => !taken.has(name)).map(([name, value]) => ({ name, value: literal(value) })),
    ...own,
  ];
}

function parse(file: FileKey, text: string): Map<string, string> {
  try {
    return parseEnvironmentFile(text);
  } catch (error) {
    throw new EnvironmentFileError(file, error);
  }
}

/**
 * Variables that keep the container from starting, as ECS would (`ecs-semantics §1.9`): the kubelet names the file that is
 * not there. Should it appear before the kubelet looks, the second one still holds: nothing may start without its variables.
 */
const unreadable = ({ name, key }: FileKey): V1EnvVar[] => [
  { name: 'ENVIRONMENT_FILE', valueFrom: { configMapKeyRef: { name, key } } },
  { name: 'ENVIRONMENT_FILE', valueFrom: { configMapKeyRef: { name, key: `${key}.was-missing` } } },
];
