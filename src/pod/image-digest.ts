/** Which image a tag meant when the first task of a deployment had pulled it: all later tasks run that one (`ecs-semantics §3.5`). */
import type { V1Container } from '@kubernetes/client-node';
import type { ContainerDefinition } from '../api/container-definition.ts';
import type { PodTemplate } from './compile.ts';
import { completeImage } from './references.ts';

/** Pod container → its image by tag, and the same by digest. */
export type ImageDigests = Readonly<Record<string, readonly [tagged: string, pinned: string]>>;

/** Pod container → its image as the pod names it, and what the node says that it runs; empty before it has pulled it. */
export type RunningImages = Readonly<Record<string, readonly [image: string, imageID: string]>>;

/** A tag may move, and the definition wants one image a deployment. */
export const isPinnable = ({ versionConsistency, image }: ContainerDefinition): boolean =>
  versionConsistency !== 'disabled' && !image.includes('@');

/**
 * The image by digest. Undefined where the node knows none of this repository: an image that was built or loaded there
 * has the digest of its configuration alone (`sha256:…`), which no registry serves.
 * @param imageID `docker.io/library/httpd@sha256:…` of containerd and CRI-O, with `docker-pullable://` before it of dockerd.
 */
export function pinnedImage(image: string, imageID: string): string | undefined {
  const [, found, digest] = /^(?:docker-pullable:\/\/)?([^@]+)@(sha256:[0-9a-f]{64})$/.exec(imageID) ?? [];
  const repository = image.replace(/:[^:/]+$/, '');
  if (found === undefined || image.includes('@') || completeImage(found) !== completeImage(repository))
    return undefined;
  return `${repository}@${digest}`;
}

interface PulledTask {
  readonly createdAt: number;
  readonly name: string;
  readonly images?: RunningImages;
}

/** So many tasks that fail before any image is known, and the deployment goes on by tag (developer guide, deployment-type-ecs). */
const TRIES = 3;

/**
 * What the oldest task says that has pulled all its images.
 * @param failures tasks of the deployment that have failed.
 * @returns undefined where nothing is known yet, or nothing is to be known; empty where it is to go on by tag.
 */
export function resolveDigests(
  { pinnable, spec }: PodTemplate,
  tasks: readonly PulledTask[],
  failures: number,
): ImageDigests | undefined {
  const wanted = [...(spec.initContainers ?? []), ...spec.containers].filter(({ name }) => pinnable.has(name));
  if (wanted.length === 0) return undefined;
  const hasPulled = ({ images }: PulledTask): boolean =>
    wanted.every(({ name, image }) => images?.[name]?.[0] === image && images?.[name]?.[1] !== '');
  const isOlder = (a: PulledTask, b: PulledTask): boolean =>
    a.createdAt < b.createdAt || (a.createdAt === b.createdAt && a.name < b.name);
  const pulled = tasks.filter(hasPulled);
  const [any] = pulled;
  if (any === undefined) return failures >= TRIES ? {} : undefined;
  const first = pulled.reduce((oldest, task) => (isOlder(task, oldest) ? task : oldest), any);
  const found = wanted.flatMap(({ name, image = '' }) => {
    const pinned = pinnedImage(image, first.images?.[name]?.[1] ?? '');
    return pinned === undefined ? [] : [[name, [image, pinned] as const] as const];
  });
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

/** An image that the Cluster maps to another by now is not the one that was resolved. */
export function withDigests(template: PodTemplate, digests: ImageDigests): PodTemplate {
  const pin = (container: V1Container): V1Container => {
    const [tagged, pinned] = digests[container.name] ?? [];
    return pinned !== undefined && container.image === tagged ? { ...container, image: pinned } : container;
  };
  const { initContainers, containers } = template.spec;
  return {
    ...template,
    spec: {
      ...template.spec,
      ...(initContainers !== undefined && { initContainers: initContainers.map(pin) }),
      containers: containers.map(pin),
    },
  };
}
