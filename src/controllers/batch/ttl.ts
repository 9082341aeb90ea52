/** Deletes a BatchJob some time after its end, as Kubernetes does with its own Jobs (`spec.kubernetes.retention`). */
import { batchJobs } from '../../api/meta.ts';
import { isJobOver } from '../../batch/job.ts';
import type { Requeue } from '../../kube/controller.ts';
import { isConflict, isNotFound } from '../../kube/errors.ts';
import { splitKey } from '../records.ts';
import type { BatchJobRecord, Runtime, Stores } from '../runtime.ts';
import { dependedOn, dependentsOf } from './dependencies.ts';

/** Reconciles one BatchJob; its pods and results are collected with it. */
export async function expireBatchJob({ client, stores, now, logger }: Runtime, key: string): Promise<Requeue> {
  const [namespace, name] = splitKey(key);
  const job = stores.batchJobs.get(namespace, name);
  const dueAt = job && dueAtOf(job);
  if (job === undefined || dueAt === undefined) return {};
  // Looks again when one of them ends or goes.
  if (dependentsOf(stores, job).some((dependent) => !isOverOrGoing(dependent))) return {};
  if (dueAt > now()) return { requeueAfterMs: dueAt - now() };
  logger.info({ job: key }, 'delete: its ttlSecondsAfterFinished is over');
  try {
    const preconditions = { uid: job.uid };
    await client.delete(batchJobs, { namespace, name }, { preconditions, propagationPolicy: 'Background' });
  } catch (error) {
    // Another job has the name meanwhile.
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
  return {};
}

/** Epoch milliseconds; undefined where it is not over, or stays. */
function dueAtOf({ deleting, spec, status }: BatchJobRecord): number | undefined {
  const seconds = spec?.kubernetes?.retention.ttlSecondsAfterFinished;
  if (seconds === undefined || deleting || !isJobOver(status.status) || status.stoppedAt === undefined)
    return undefined;
  return Date.parse(status.stoppedAt) + seconds * 1000;
}

const isOverOrGoing = ({ deleting, status }: BatchJobRecord): boolean => deleting || isJobOver(status.status);

/** The jobs that this one depends on, by whichever name: its end, or its deletion, may let them go. */
export function jobsDependedOn({ batchJobs: jobs }: Pick<Stores, 'batchJobs'>, job: BatchJobRecord): BatchJobRecord[] {
  return dependedOn(job).flatMap((reference) => {
    const uid = reference.slice(job.namespace.length + 1);
    return [...jobs.by('name', reference), ...jobs.by('uid', uid)];
  });
}
