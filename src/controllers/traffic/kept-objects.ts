/** Objects of Kubernetes that follow from one of Longshore's: made, brought up to date, and deleted with nothing written in vain. */
import type { ResourceDescriptor } from '../../api/meta.ts';
import { LABELS, MANAGED_BY } from '../../api/meta.ts';
import { isAlreadyExists, isForbidden, isNotFound } from '../../kube/errors.ts';
import { apiVersion, type KubeObject, type Resource, resourceName } from '../../kube/resource.ts';
import type { Store, Stored } from '../../kube/store.ts';
import type { WriteBarrier } from '../../kube/write-barrier.ts';
import type { Runtime } from '../runtime.ts';
import { ownerReference } from '../tasks.ts';

/** Of a kind that has a `spec`. */
export interface KeptRecord extends Stored {
  /** UID of what it follows from. */
  readonly owner: string;
  /** Somebody has asked for its end, which finalizers hold up. */
  readonly deleting?: true;
  readonly spec: object;
}

export interface KeptJson extends KubeObject {
  readonly spec?: object;
}

export function keptRecord({ metadata, spec = {} }: KeptJson): KeptRecord {
  const { uid, namespace = '', name, resourceVersion, ownerReferences } = metadata;
  const owner = ownerReferences?.find(({ controller }) => controller)?.uid ?? '';
  const isDeleted = metadata.deletionTimestamp !== undefined;
  return { uid, namespace, name, resourceVersion, owner, ...(isDeleted && { deleting: isDeleted }), spec };
}

/** What the objects follow from. */
export interface Keeper {
  readonly kind: ResourceDescriptor;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface Kept {
  readonly name: string;
  readonly spec: object;
}

/** The cache of a kind, and the barrier of what is written of it. */
export interface KeptKind {
  readonly resource: Resource;
  readonly store: Store<KeptRecord>;
  readonly barrier: WriteBarrier;
  /** Of the keeper's objects, those that are deleted when they are not wanted. Default: all. */
  readonly isKept?: (record: KeptRecord) => boolean;
}

/**
 * Makes the keeper's objects of one kind what they are to be; those that are not wanted any more are deleted. Call it once the
 * barrier shows the keeper's own writes.
 * @returns what is in the way: a text for a condition.
 */
export async function keepObjects(
  runtime: Runtime,
  kind: KeptKind,
  keeper: Keeper,
  wanted: readonly Kept[],
): Promise<string | undefined> {
  const { client } = runtime;
  const { resource, store, isKept = () => true } = kind;
  try {
    for (const one of store.by('owner', keeper.uid).filter(isKept)) {
      if (wanted.some(({ name }) => name === one.name)) continue;
      await client
        .delete(resource, { namespace: one.namespace, name: one.name }, { preconditions: { uid: one.uid } })
        .catch(unless(isNotFound));
    }
    let problem: string | undefined;
    for (const one of wanted) {
      const found = await keepObject(runtime, kind, keeper, one);
      problem ??= found;
    }
    return problem;
  } catch (error) {
    if (isForbidden(error)) return `${resourceName(resource)} may not be written: ${error.message}`;
    throw error;
  }
}

async function keepObject(
  { client }: Runtime,
  { resource, store, barrier }: KeptKind,
  keeper: Keeper,
  { name, spec }: Kept,
): Promise<string | undefined> {
  const { namespace } = keeper;
  const taken = `${resource.kind} "${name}" exists and does not belong to this ${keeper.kind.kind}: delete or rename it`;
  const known = store.get(namespace, name);
  if (known !== undefined) {
    if (known.owner !== keeper.uid) return taken;
    if (includes(known.spec, spec)) return undefined;
    const written = await client.patch<KubeObject>(
      resource,
      { namespace, name },
      { metadata: { uid: known.uid }, spec },
    );
    barrier.note(keeper.uid, written.metadata.resourceVersion);
    return undefined;
  }
  try {
    const created = await client.create<KubeObject>(
      resource,
      { namespace },
      {
        apiVersion: apiVersion(resource),
        kind: resource.kind,
        metadata: {
          name,
          namespace,
          labels: { [LABELS.managedBy]: MANAGED_BY },
          ownerReferences: [ownerReference(keeper.kind, keeper)],
        },
        spec,
      },
    );
    barrier.note(keeper.uid, created.metadata.resourceVersion);
    return undefined;
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const { owner, resourceVersion } = keptRecord(await client.get<KeptJson>(resource, { namespace, name }));
    if (owner !== keeper.uid) return taken;
    barrier.note(keeper.uid, resourceVersion);
    return undefined;
  }
}

const unless =
  (isHarmless: (error: unknown) => boolean) =>
  (error: unknown): void => {
    if (!isHarmless(error)) throw error;
  };

/** Whether an object has all that is wanted of it; what the API server adds to it is its own. */
export function includes(actual: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted))
    return (
      Array.isArray(actual) &&
      actual.length === wanted.length &&
      wanted.every((value, index) => includes(actual[index], value))
    );
  if (typeof wanted === 'object' && wanted !== null)
    return (
      typeof actual === 'object' &&
      actual !== null &&
      Object.entries(wanted).every(([key, value]) => includes(Reflect.get(actual, key), value))
    );
  return Object.is(actual, wanted);
}
