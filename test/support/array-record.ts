/**
 * An independent record of one array job: a watch of its own of the job and its pods that keeps of each pod what counts, so that ten
 * thousand fit. Written from the specification alone (`ecs-semantics §5.5`); it says in words what must not be.
 */
import type { BatchJobStatus } from '../../src/api/batch-job.ts';
import { type KubeApi, type KubeObject, pathOf, type WatchEvent } from './kube-api.ts';
import type { Pod } from './recorder.ts';
import type { Source } from './until.ts';

/** One attempt to run one child: one pod. */
export interface Attempt {
  readonly name: string;
  readonly uid: string;
  readonly index: number;
  readonly attempt: number;
  /** Once its phase says so. */
  ended?: { readonly succeeded: boolean; readonly exitCode: number | undefined };
  /** ResourceVersion at which it was gone. */
  deletedAt?: bigint;
}

interface Job extends KubeObject {
  readonly status?: BatchJobStatus;
}

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

const versionOf = ({ metadata }: { metadata: { readonly resourceVersion: string } }): bigint =>
  BigInt(metadata.resourceVersion);

/** "0-41,43" */
const parseIntervals = (text: string): Set<number> => {
  const numbers = new Set<number>();
  for (const part of text.split(',').filter((piece) => piece !== '')) {
    const [from = Number.NaN, to = from] = part.split('-').map(Number);
    for (let number = from; number <= to; number += 1) numbers.add(number);
  }
  return numbers;
};

/** Said of many children at once, the first few by name. */
const SAID = 5;

export class ArrayRecord implements Source {
  readonly #api: Pick<KubeApi, 'call' | 'watch'>;
  readonly #namespace: string;
  readonly #attempts = new Map<number, Attempt[]>();
  readonly #byUid = new Map<string, Attempt>();
  readonly #jobs: Job[] = [];
  readonly #violations: string[] = [];
  readonly #listeners = new Set<() => void>();
  #podEvents = 0;
  #pods = 0;
  #problem: Error | undefined;

  private constructor(api: Pick<KubeApi, 'call' | 'watch'>, namespace: string) {
    this.#api = api;
    this.#namespace = namespace;
  }

  /** Nothing that happens after it has returned is missed. The job is not there yet. */
  static async start(api: Pick<KubeApi, 'call' | 'watch'>, namespace: string, name: string): Promise<ArrayRecord> {
    const record = new ArrayRecord(api, namespace);
    await record.#follow(pathOf('pods', namespace), `labelSelector=longshore.dev/batch-job%3D${name}`, (event) =>
      record.#seePod(event.type, event.object as Pod),
    );
    await record.#follow(pathOf('batchjobs', namespace), `fieldSelector=metadata.name%3D${name}`, (event) => {
      if (event.type !== 'DELETED') record.#jobs.push(event.object as Job);
    });
    return record;
  }

  /** Events of pods so far. */
  get podEvents(): number {
    return this.#podEvents;
  }

  /** The job's newest status. */
  get status(): BatchJobStatus | undefined {
    return this.#jobs.at(-1)?.status;
  }

  get isOver(): boolean {
    return this.status?.status === 'SUCCEEDED' || this.status?.status === 'FAILED';
  }

  /** Every attempt that was seen. */
  get attempts(): readonly Attempt[] {
    return [...this.#byUid.values()];
  }

  get statuses(): number {
    return this.#jobs.length;
  }

  /** Pods that are there now. */
  get pods(): number {
    return this.#pods;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  describe(): string {
    const { statusSummary } = this.status?.arrayProperties ?? {};
    return `${this.#byUid.size} attempts seen, ${this.pods} pods there, status ${this.status?.status} ${JSON.stringify(statusSummary)}`;
  }

  /** @throws Error where the record may have a gap. */
  assertWhole(): void {
    if (this.#problem !== undefined) throw this.#problem;
  }

  /**
   * What must not be once the job is over.
   * @param attempts retryStrategy.attempts.
   */
  async violations({ size, attempts, keptPods }: ArrayRules): Promise<string[]> {
    return [
      ...this.#violations,
      ...this.#miscounted(size, attempts),
      ...this.#turnedBack(size),
      ...this.#sweptUnrecorded(),
      ...(await this.#lostResults()),
      ...(this.pods > keptPods ? [`${this.pods} pods are left, allowed are ${keptPods}`] : []),
    ];
  }

  async #follow(collection: string, selector: string, see: (event: WatchEvent) => void): Promise<void> {
    const list = await this.#api.call<{ metadata: { resourceVersion: string } }>('GET', `${collection}?${selector}`);
    const watch = (from: string): void => {
      let last = from;
      this.#api.watch(
        `${collection}?watch=true&allowWatchBookmarks=true&resourceVersion=${from}&${selector}`,
        (event) => {
          if (event.type === 'ERROR') return this.#fail(new Error(JSON.stringify(event.object)));
          last = event.object.metadata.resourceVersion;
          if (event.type !== 'BOOKMARK') see(event);
          this.#tell();
        },
        (problem) => (problem === undefined ? watch(last) : this.#fail(problem)),
      );
    };
    watch(list.metadata.resourceVersion);
  }

  #fail(problem: Error): void {
    this.#problem = problem;
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  #seePod(type: WatchEvent['type'], pod: Pod): void {
    this.#podEvents += 1;
    const known = this.#byUid.get(pod.metadata.uid) ?? this.#seeNew(pod);
    const phase = pod.status?.phase;
    if (known.ended === undefined && (phase === 'Succeeded' || phase === 'Failed')) {
      const exitCode = pod.status?.containerStatuses?.[0]?.state?.terminated?.exitCode;
      known.ended = { succeeded: phase === 'Succeeded', exitCode };
    }
    if (type !== 'DELETED') return;
    this.#pods -= 1;
    known.deletedAt = versionOf(pod);
    if (known.ended === undefined) this.#violations.push(`${known.name} was deleted before it had ended`);
  }

  #seeNew({ metadata: { name, uid, labels = {} } }: Pod): Attempt {
    const index = Number(labels['longshore.dev/array-index']);
    const attempt = Number(labels['longshore.dev/attempt']);
    const made: Attempt = { name, uid, index, attempt };
    const before = this.#attempts.get(index) ?? [];
    this.#attempts.set(index, [...before, made]);
    this.#byUid.set(uid, made);
    this.#pods += 1;
    if (before.some((other) => other.attempt === attempt))
      this.#violations.push(`attempt ${attempt} of child ${index} was made again`);
    if (before.some(({ ended }) => ended?.succeeded))
      this.#violations.push(`${name} runs child ${index} again, which had succeeded`);
    if (before.some(({ ended, deletedAt }) => ended === undefined && deletedAt === undefined))
      this.#violations.push(`${name} was made while another attempt of child ${index} ran`);
    if (attempt !== before.length + 1)
      this.#violations.push(`${name} is attempt ${attempt}, after ${before.length} others`);
    return made;
  }

  /** The status against what the pods did: each child is counted once, as it ended. */
  #miscounted(size: number, attempts: number): string[] {
    const { status, succeededIndexes = '', failedIndexes = '', arrayProperties, childAttempts } = this.status ?? {};
    const counted = { SUCCEEDED: parseIntervals(succeededIndexes), FAILED: parseIntervals(failedIndexes) };
    const made = new Map(
      (childAttempts ?? []).flatMap(({ attempts: count, indexes }) =>
        [...parseIntervals(indexes)].map((index) => [index, count]),
      ),
    );
    const wrong: string[] = [];
    const ends = { SUCCEEDED: 0, FAILED: 0 };
    for (let index = 0; index < size; index += 1) {
      const own = this.#attempts.get(index) ?? [];
      const succeeded = own.some(({ ended }) => ended?.succeeded);
      const failed = !succeeded && own.filter(({ ended }) => ended?.succeeded === false).length === attempts;
      if (!succeeded && !failed) wrong.push(`child ${index} has not ended: ${own.length} attempts`);
      if (succeeded) ends.SUCCEEDED += 1;
      else ends.FAILED += 1;
      if (counted.SUCCEEDED.has(index) !== succeeded)
        wrong.push(`child ${index} is ${succeeded ? 'not ' : ''}counted as SUCCEEDED`);
      if (counted.FAILED.has(index) !== failed)
        wrong.push(`child ${index} is ${failed ? 'not ' : ''}counted as FAILED`);
      if (made.get(index) !== own.length)
        wrong.push(`child ${index} had ${own.length} attempts, the status says ${made.get(index)}`);
    }
    const { SUCCEEDED = 0, FAILED = 0 } = arrayProperties?.statusSummary ?? {};
    if (SUCCEEDED !== ends.SUCCEEDED || FAILED !== ends.FAILED)
      wrong.push(`statusSummary has ${SUCCEEDED} and ${FAILED}, and not ${ends.SUCCEEDED} and ${ends.FAILED}`);
    const expected = ends.FAILED > 0 ? 'FAILED' : 'SUCCEEDED';
    if (status !== expected) wrong.push(`the job is ${status}, and not ${expected}`);
    return shortened(wrong);
  }

  /** What a status has counted stays counted, and each has every child in one state. */
  #turnedBack(size: number): string[] {
    const wrong: string[] = [];
    let before = { succeeded: new Set<number>(), failed: new Set<number>() };
    for (const { metadata, status } of this.#sortedJobs()) {
      if (status?.arrayProperties === undefined) continue;
      const now = {
        succeeded: parseIntervals(status.succeededIndexes ?? ''),
        failed: parseIntervals(status.failedIndexes ?? ''),
      };
      const at = `at resourceVersion ${metadata.resourceVersion}`;
      for (const end of ['succeeded', 'failed'] as const) {
        const lost = [...before[end]].filter((index) => !now[end].has(index));
        if (lost.length > 0) wrong.push(`${at}: children ${lost.slice(0, SAID)} are no longer ${end}`);
      }
      const both = [...now.succeeded].filter((index) => now.failed.has(index));
      if (both.length > 0) wrong.push(`${at}: children ${both.slice(0, SAID)} have succeeded and failed`);
      const sum = Object.values(status.arrayProperties.statusSummary ?? {}).reduce((a, b) => a + b, 0);
      if (sum !== size) wrong.push(`${at}: statusSummary adds up to ${sum}`);
      before = now;
    }
    return shortened(wrong);
  }

  /** No pod is gone before a status on the server had what became of it. */
  #sweptUnrecorded(): string[] {
    const jobs = this.#sortedJobs();
    const wrong: string[] = [];
    const gone = this.attempts
      .filter(({ deletedAt }) => deletedAt !== undefined)
      .toSorted((a, b) => ((a.deletedAt ?? 0n) < (b.deletedAt ?? 0n) ? -1 : 1));
    let next = 0;
    let recorded: (attempt: Attempt) => boolean = () => false;
    for (const attempt of gone) {
      let newest: Job | undefined;
      for (; next < jobs.length && versionOf(jobs[next] as Job) < (attempt.deletedAt ?? 0n); next += 1)
        newest = jobs[next];
      if (newest !== undefined) recorded = recordedIn(newest.status);
      if (!recorded(attempt)) wrong.push(`${attempt.name} was swept before the status had it`);
    }
    return shortened(wrong);
  }

  /** Every attempt that ended has one result, with its exit code. */
  async #lostResults(): Promise<string[]> {
    const { items } = await this.#api.call<{ items: readonly ConfigMap[] }>(
      'GET',
      pathOf('configmaps', this.#namespace),
    );
    const uid = this.#jobs.at(-1)?.metadata.uid;
    const results = new Map(
      items
        .filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.uid === uid))
        .flatMap(({ data = {} }) => Object.entries(data)),
    );
    const wrong = this.attempts.flatMap(({ name, index, attempt, ended }) => {
      if (ended === undefined) return [];
      const result = results.get(`${index}.${attempt}`);
      if (result === undefined) return [`${name} has no result`];
      const { exitCode } = JSON.parse(result) as { exitCode?: number };
      return exitCode === ended.exitCode ? [] : [`${name} exited with ${ended.exitCode}, its result says ${exitCode}`];
    });
    if (results.size !== this.#byUid.size) wrong.push(`${results.size} results of ${this.#byUid.size} attempts`);
    return shortened(wrong);
  }

  #sortedJobs(): Job[] {
    return this.#jobs.toSorted((a, b) => (versionOf(a) < versionOf(b) ? -1 : 1));
  }
}

export interface ArrayRules {
  readonly size: number;
  /** retryStrategy.attempts. */
  readonly attempts: number;
  /** Pods that may be left. */
  readonly keptPods: number;
}

function recordedIn(status: BatchJobStatus | undefined): (attempt: Attempt) => boolean {
  const over = new Set([
    ...parseIntervals(status?.succeededIndexes ?? ''),
    ...parseIntervals(status?.failedIndexes ?? ''),
  ]);
  const made = new Map(
    (status?.childAttempts ?? []).flatMap(({ attempts, indexes }) =>
      [...parseIntervals(indexes)].map((index) => [index, attempts]),
    ),
  );
  return ({ index, attempt }) => over.has(index) || (made.get(index) ?? 0) > attempt;
}

const shortened = (wrong: readonly string[]): string[] =>
  wrong.length <= SAID ? [...wrong] : [...wrong.slice(0, SAID), `… and ${wrong.length - SAID} more like these`];
