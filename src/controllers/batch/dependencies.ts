/** Jobs as those that depend on them see them. */
import { type Dependencies, type DependencyView, resolveDependencies } from '../../batch/dependencies.ts';
import { jobRecord } from '../batch-job-status.ts';
import type { BatchJobRecord, Stores } from '../runtime.ts';

export const jobNameOf = (job: BatchJobRecord): string => job.spec?.jobName ?? job.name;

/** `<namespace>/<name or UID>` of the jobs that it depends on, for finding who waits for a job. */
export const dependedOn = ({ namespace, spec }: BatchJobRecord): string[] =>
  (spec?.dependsOn ?? []).flatMap(({ jobId }) => (jobId === undefined ? [] : [`${namespace}/${jobId.split(':')[0]}`]));

/** The jobs that depend on this one, by whichever name. */
export function dependentsOf(stores: Stores, job: BatchJobRecord): readonly BatchJobRecord[] {
  const waiting = [jobNameOf(job), job.uid].flatMap((reference) =>
    stores.batchJobs.by('dependsOn', `${job.namespace}/${reference}`),
  );
  return [...new Set(waiting)];
}

/** @param hasBegun an attempt was made: what the job as a whole depends on was there, and may be gone by now. */
export function dependenciesOf(stores: Stores, job: BatchJobRecord, hasBegun: boolean): Dependencies | undefined {
  const { namespace, uid, spec } = job;
  const dependsOn = (spec?.dependsOn ?? []).filter(({ type }) => !hasBegun || type !== undefined);
  if (dependsOn.length === 0) return undefined;
  const find = (reference: string): readonly DependencyView[] => {
    const named = stores.batchJobs.by('name', `${namespace}/${reference}`);
    const jobs =
      named.length > 0 ? named : stores.batchJobs.by('uid', reference).filter((found) => found.namespace === namespace);
    return jobs.map(viewOf);
  };
  return resolveDependencies({ name: jobNameOf(job), uid, size: spec?.arrayProperties?.size, dependsOn }, find);
}

function viewOf(job: BatchJobRecord): DependencyView {
  const { spec, status } = job;
  const { ledger } = jobRecord(job);
  return {
    name: jobNameOf(job),
    uid: job.uid,
    status: status.status ?? 'SUBMITTED',
    size: spec?.arrayProperties?.size,
    succeeded: { has: (index) => ledger.hasSucceeded(index) },
    failed: { has: (index) => ledger.hasFailed(index) },
    dependsOn: spec?.dependsOn ?? [],
  };
}
