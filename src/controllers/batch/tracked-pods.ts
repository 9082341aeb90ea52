/** The finalizer of Strict accounting: taken off the pods whose exit is on record, and off those that nobody counts any more. */
import type { Requeue } from '../../kube/controller.ts';
import { isNotFound } from '../../kube/errors.ts';
import { type KubeObject, pods } from '../../kube/resource.ts';
import { slowStart } from '../../kube/slow-start.ts';
import type { ObservedTask } from '../../pod/observe.ts';
import { TRACKED } from '../../pod/stamp.ts';
import type { Runtime, Stores } from '../runtime.ts';

/** Takes Longshore's own finalizer off these pods, and leaves those of others. Does nothing for one that has none. */
export async function releaseTracked(
  { client, barriers }: Pick<Runtime, 'client' | 'barriers'>,
  tasks: readonly ObservedTask[],
): Promise<void> {
  const tracked = tasks.filter((task) => task.tracked);
  await slowStart(tracked, async ({ namespace, name, uid, owner }) => {
    // The API server takes the one item off the list that it has, whatever else was written there meanwhile.
    const change = { metadata: { uid, '$deleteFromPrimitiveList/finalizers': [TRACKED] } };
    try {
      const written = await client.patch<KubeObject>(pods, { namespace, name }, change, 'strategic');
      barriers.tasks.note(owner, written.metadata.resourceVersion);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  });
}

/** Whether no BatchJob will count the pod: its owner is gone or going, or has been taken from it. */
export function isUncounted({ batchJobs }: Pick<Stores, 'batchJobs'>, { tracked, owner }: ObservedTask): boolean {
  if (!tracked) return false;
  const [job] = batchJobs.by('uid', owner);
  return job === undefined || job.deleting;
}

/**
 * Lets the pods of a BatchJob go that is deleted, so that they hold up neither it nor their namespace.
 * @param owner its UID; '' for pods that have no owner.
 */
export async function releaseUncounted(runtime: Runtime, owner: string): Promise<Requeue> {
  const { stores, barriers, logger } = runtime;
  const unseen = barriers.tasks.pending(owner);
  if (unseen !== undefined) return { requeueWhen: unseen };
  const uncounted = stores.tasks.by('owner', owner).filter((task) => isUncounted(stores, task));
  const [first] = uncounted;
  if (first === undefined) return {};
  if (stores.batchJobs.by('uid', owner).length === 0) {
    // A job is older than its pods: once the cache has all that was there at the time of one of them, it is gone.
    const oldest = uncounted.reduce((a, b) => (BigInt(a.resourceVersion) < BigInt(b.resourceVersion) ? a : b));
    const behind = barriers.batchJobs.behind(owner, oldest.resourceVersion);
    if (behind !== undefined) return { requeueWhen: behind };
    barriers.batchJobs.forget(owner);
  }
  logger.info({ owner, tasks: uncounted.length }, 'their BatchJob is deleted: nobody counts these tasks');
  await releaseTracked(runtime, uncounted);
  // Comes back once the cache shows what was written, so that nothing is remembered of an owner that is gone.
  const written = barriers.tasks.pending(owner);
  return written === undefined ? {} : { requeueWhen: written };
}

/** The owners of pods with the finalizer. */
export function ownersOfTracked({ tasks }: Pick<Stores, 'tasks'>): ReadonlySet<string> {
  const owners = new Set<string>();
  for (const { tracked, owner } of tasks.values()) if (tracked) owners.add(owner);
  return owners;
}
