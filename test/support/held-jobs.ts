/** BatchJobs whose containers run until the test ends them. */
import type { BatchJobStatus } from '../../src/api/batch-job.ts';
import { isEnded } from './invariants.ts';
import { kwok } from './manifests.ts';
import type { Pod } from './recorder.ts';
import type { Manifest, TestNamespace } from './suite.ts';

export const heldJob = (name: string, spec: object = {}): Manifest => ({
  kind: 'BatchJob',
  name,
  spec: {
    containerProperties: {
      image: 'busybox:1.36',
      resourceRequirements: [
        { type: 'VCPU', value: '0.25' },
        { type: 'MEMORY', value: '16' },
      ],
    },
    kubernetes: { podAnnotations: kwok({ exitAfter: '1h' }) },
    ...spec,
  },
});

export const array = (size: number): object => ({ arrayProperties: { size } });

export const indexOf = ({ metadata }: Pod): number => Number(metadata.labels?.['longshore.dev/array-index']);
export const attemptOf = ({ metadata }: Pod): number => Number(metadata.labels?.['longshore.dev/attempt']);

export const podsOf = (ns: TestNamespace, job: string): Pod[] =>
  ns.history.all('pods').filter(({ metadata }) => metadata.labels?.['longshore.dev/batch-job'] === job);

/** Numbers of the children that ever had a pod. */
export const begun = (ns: TestNamespace, job: string): number[] => {
  const pods = ns.history.entries.flatMap(({ kind, object }) => (kind === 'pods' ? [object as Pod] : []));
  const own = pods.filter(({ metadata }) => metadata.labels?.['longshore.dev/batch-job'] === job);
  return [...new Set(own.map(indexOf))].sort((a, b) => a - b);
};

export const statusOf = (ns: TestNamespace, job: string): Partial<BatchJobStatus> =>
  ns.history.get('batchjobs', job)?.status ?? {};

export const untilStatus = (
  ns: TestNamespace,
  job: string,
  what: string,
  is: (status: Partial<BatchJobStatus>) => boolean,
): Promise<Partial<BatchJobStatus>> =>
  ns.until(`${job}: ${what}`, () => {
    const status = statusOf(ns, job);
    return is(status) && status;
  });

export const untilIs = (ns: TestNamespace, job: string, status: BatchJobStatus['status']) =>
  untilStatus(ns, job, `to be ${status}`, (now) => now.status === status);

/** A running pod of the job. */
export const untilRuns = (ns: TestNamespace, job: string, is: (pod: Pod) => boolean = () => true): Promise<Pod> =>
  ns.until(`a pod of ${job} to run`, () =>
    podsOf(ns, job).find((pod) => !isEnded(pod) && pod.status?.phase === 'Running' && is(pod)),
  );

export const end = (ns: TestNamespace, pod: Pod, exitCode: number): Promise<unknown> =>
  ns.patch('pods', pod.metadata.name, { metadata: { annotations: kwok({ exitAfter: '1ms', exitCode }) } });

/** Ends the pod of that attempt, of that child, once it runs. */
export async function endNext(ns: TestNamespace, job: string, exitCode: number, index?: number): Promise<void> {
  await end(ns, await untilRuns(ns, job, (pod) => index === undefined || indexOf(pod) === index), exitCode);
}

export const annotate = (ns: TestNamespace, job: string, annotation: string, value: string): Promise<unknown> =>
  ns.patch('batchjobs', job, { metadata: { annotations: { [`longshore.dev/${annotation}`]: value } } });
