/** What a BatchJob has on record of its attempts, beside what its pods showed to the independent record. */
import { splitIntervals } from '../../src/batch/intervals.ts';
import { type KubeApi, type KubeObject, pathOf } from './kube-api.ts';
import type { HistoryEntry, NamespaceHistory, Pod } from './recorder.ts';

export const TRACKED = 'longshore.dev/tracked';

export interface Result {
  readonly attempt: number;
  readonly task: string;
  readonly exitCode?: number;
  readonly reason?: string;
  readonly statusReason: string;
  readonly startedAt?: string;
  readonly stoppedAt: string;
}

type ConfigMap = KubeObject & { readonly data?: Readonly<Record<string, string>> };

/** "0-2,4" as its numbers. */
const numbersOf = (text: string): ReadonlySet<number> =>
  new Set(
    splitIntervals(text).flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, offset) => from + offset)),
  );

/** By `<index>.<attempt>`, from all chunks of the job. */
export async function resultsOf(api: KubeApi, namespace: string, uid: string): Promise<ReadonlyMap<string, Result>> {
  const { items } = await api.call<{ items: ConfigMap[] }>('GET', pathOf('configmaps', namespace));
  const chunks = items.filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.uid === uid));
  const entries = chunks.flatMap(({ data = {} }) => Object.entries(data));
  return new Map(entries.map(([key, text]) => [key, JSON.parse(text) as Result]));
}

const labelOf = ({ metadata }: Pod, label: string): string => metadata.labels?.[`longshore.dev/${label}`] ?? '';
const isOfJob = (pod: Pod, job: string): boolean => labelOf(pod, 'batch-job') === job;
export const seatOf = (pod: Pod): string => `${labelOf(pod, 'array-index')}.${labelOf(pod, 'attempt')}`;

/** The last state of each attempt's pod that was seen, by `<index>.<attempt>`, of those that are gone as well. */
export function podsBySeat(history: NamespaceHistory, job: string): ReadonlyMap<string, Pod> {
  const seats = new Map<string, Pod>();
  for (const { kind, object } of history.entries) {
    if (kind === 'pods' && isOfJob(object, job)) seats.set(seatOf(object), object);
  }
  return seats;
}

const exitCodeOf = ({ status }: Pod): number | undefined => status?.containerStatuses?.[0]?.state?.terminated?.exitCode;

/** I4 of an array: each pod that was there has one result, with the exit code that it showed; and there are no others. */
export function miscounted(history: NamespaceHistory, job: string, results: ReadonlyMap<string, Result>): string[] {
  const pods = podsBySeat(history, job);
  const unfounded = [...results.keys()].filter((seat) => !pods.has(seat));
  return [
    ...unfounded.map((seat) => `I4: there is a result of ${job} ${seat}, and was no pod`),
    ...[...pods].flatMap(([seat, pod]) => {
      const result = results.get(seat);
      if (result === undefined) return [`I4: ${pod.metadata.name} has no result`];
      const [seen, told] = [exitCodeOf(pod), result.exitCode];
      return seen === told ? [] : [`I4: ${pod.metadata.name} ended with ${seen}, its result says ${told}`];
    }),
  ];
}

type JobStatus = NonNullable<Extract<HistoryEntry, { kind: 'batchjobs' }>['object']['status']>;

/** The status knows how the attempt ended: its child is over, or was tried again. */
export function isRecorded(status: JobStatus | undefined, seat: string): boolean {
  const [index = 0, attempt = 0] = seat.split('.').map(Number);
  const { succeededIndexes = '', failedIndexes = '', childAttempts = [] } = status ?? {};
  if (numbersOf(succeededIndexes).has(index) || numbersOf(failedIndexes).has(index)) return true;
  return childAttempts.some(({ attempts, indexes }) => attempts > attempt && numbersOf(indexes).has(index));
}

/** I4 of Strict accounting: no pod of an array goes, nor may go, before the status has its end. */
export function releasedUnrecorded(history: NamespaceHistory, job: string): string[] {
  let status: JobStatus | undefined;
  const tracked = new Set<string>();
  const violations: string[] = [];
  for (const { kind, type, object, resourceVersion } of history.entries) {
    if (kind === 'batchjobs' && object.metadata.name === job) status = object.status;
    if (kind !== 'pods' || !isOfJob(object, job)) continue;
    const { uid, name, finalizers = [] } = object.metadata;
    if (type === 'ADDED' && !finalizers.includes(TRACKED)) violations.push(`I4: ${name} was made without finalizer`);
    if (finalizers.includes(TRACKED)) tracked.add(uid);
    const isLetGo = tracked.has(uid) && (type === 'DELETED' || !finalizers.includes(TRACKED));
    if (!isLetGo) continue;
    tracked.delete(uid);
    if (!isRecorded(status, seatOf(object)))
      violations.push(`I4 at resourceVersion ${resourceVersion}: ${name} was let go unrecorded`);
  }
  return violations;
}

/** I5: what is said of a child once stays: it has succeeded, or failed, and its attempts only become more. */
export function forgottenChildren(history: NamespaceHistory, job: string): string[] {
  const ends = new Map<number, string>();
  const made = new Map<number, number>();
  const violations: string[] = [];
  for (const { metadata, status } of history.statesOf('batchjobs', job)) {
    const at = `I5 at resourceVersion ${metadata.resourceVersion}`;
    const outcomes = new Map([
      ...[...numbersOf(status?.succeededIndexes ?? '')].map((index) => [index, 'succeeded'] as const),
      ...[...numbersOf(status?.failedIndexes ?? '')].map((index) => [index, 'failed'] as const),
    ]);
    for (const [index, end] of ends) {
      const now = outcomes.get(index);
      if (now !== end) violations.push(`${at}: child ${index} had ${end} and is now ${now ?? 'not over'}`);
    }
    for (const [index, end] of outcomes) ends.set(index, end);
    const counts = new Map(
      (status?.childAttempts ?? []).flatMap(({ attempts, indexes }) =>
        [...numbersOf(indexes)].map((index) => [index, attempts] as const),
      ),
    );
    for (const [index, before] of made) {
      const now = counts.get(index) ?? 0;
      if (now < before) violations.push(`${at}: child ${index} had ${before} attempts and has ${now}`);
    }
    for (const [index, attempts] of counts) made.set(index, attempts);
  }
  return violations;
}
