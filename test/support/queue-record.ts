/**
 * An independent record of jobs that wait in queues: a watch of its own of their pods, which says in words what must not be
 * (`ecs-semantics §5.9`): at no resourceVersion do the pods of a compute environment take more than it has, and no job starts twice.
 */

import type { JobQueueStatus } from '../../src/api/job-queue.ts';
import { isEnded } from './invariants.ts';
import { type KubeApi, type KubeObject, pathOf, type WatchEvent } from './kube-api.ts';
import type { Pod } from './recorder.ts';
import type { Source } from './until.ts';

export interface QueuedPod {
  readonly name: string;
  readonly uid: string;
  readonly job: string;
  readonly environment: string;
  readonly vcpus: number;
  /** When it was seen first, by `performance.now()`. */
  readonly seenAt: number;
  isRunning: boolean;
  /** When it was seen to have ended. */
  endedAt: number | undefined;
}

interface Claim {
  readonly computeEnvironment: string;
  readonly vcpus: number;
}

const claimOf = ({ metadata }: Pod): Claim | undefined => {
  const text = metadata.annotations?.['longshore.dev/claim'];
  return text === undefined ? undefined : (JSON.parse(text) as Claim);
};

export class QueueRecord implements Source {
  readonly #api: Pick<KubeApi, 'call' | 'watch'>;
  readonly #ceilings: ReadonlyMap<string, number>;
  readonly #pods = new Map<string, QueuedPod>();
  readonly #byJob = new Map<string, QueuedPod>();
  readonly #used = new Map<string, number>();
  readonly #most = new Map<string, number>();
  readonly #runnable = new Map<string, number>();
  readonly #violations: string[] = [];
  readonly #listeners = new Set<() => void>();
  #problem: Error | undefined;

  private constructor(api: Pick<KubeApi, 'call' | 'watch'>, ceilings: ReadonlyMap<string, number>) {
    this.#api = api;
    this.#ceilings = ceilings;
  }

  /** Nothing that happens after it has returned is missed. @param ceilings vCPUs, by environment. */
  static async start(
    api: Pick<KubeApi, 'call' | 'watch'>,
    namespace: string,
    ceilings: ReadonlyMap<string, number>,
  ): Promise<QueueRecord> {
    const record = new QueueRecord(api, ceilings);
    await record.#follow(pathOf('pods', namespace), (type, object) => record.#see(type, object as Pod));
    await record.#follow(pathOf('jobqueues', namespace), (_, object) => {
      const { metadata, status } = object as KubeObject & { readonly status?: JobQueueStatus };
      record.#runnable.set(metadata.name, status?.runnable ?? 0);
    });
    return record;
  }

  /** All that were ever there, in the order in which they came. */
  get pods(): readonly QueuedPod[] {
    return [...this.#pods.values()];
  }

  podOf(job: string): QueuedPod | undefined {
    return this.#byJob.get(job);
  }

  /** Attempts that wait, as the queues say. */
  get runnable(): number {
    return [...this.#runnable.values()].reduce((sum, count) => sum + count, 0);
  }

  /** What must not be. */
  get violations(): readonly string[] {
    return this.#violations;
  }

  /** By environment: the most vCPUs that its pods have had at a time. */
  get most(): ReadonlyMap<string, number> {
    return this.#most;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  describe(): string {
    const ended = this.pods.filter(({ endedAt }) => endedAt !== undefined).length;
    return `${this.#pods.size} pods seen, of them ${ended} ended; ${this.runnable} wait; in use ${JSON.stringify(Object.fromEntries(this.#used))}`;
  }

  /** @throws Error where the record may have a gap. */
  assertWhole(): void {
    if (this.#problem !== undefined) throw this.#problem;
  }

  async #follow(path: string, see: (type: WatchEvent['type'], object: KubeObject) => void): Promise<void> {
    const list = await this.#api.call<{ metadata: { resourceVersion: string } }>('GET', path);
    const watch = (from: string): void => {
      let last = from;
      this.#api.watch(
        `${path}?watch=true&allowWatchBookmarks=true&resourceVersion=${from}`,
        (event) => {
          if (event.type === 'ERROR') this.#problem = new Error(JSON.stringify(event.object));
          else {
            last = event.object.metadata.resourceVersion;
            if (event.type !== 'BOOKMARK') see(event.type, event.object);
          }
          this.#tell();
        },
        (problem) => {
          if (problem === undefined) return watch(last);
          this.#problem = problem;
          this.#tell();
        },
      );
    };
    watch(list.metadata.resourceVersion);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  #see(type: WatchEvent['type'], pod: Pod): void {
    const known = this.#pods.get(pod.metadata.uid) ?? this.#seeNew(pod);
    known.isRunning = pod.status?.phase === 'Running';
    if (known.endedAt !== undefined || (type !== 'DELETED' && !isEnded(pod))) return;
    known.endedAt = performance.now();
    this.#take(known, -known.vcpus);
  }

  #seeNew(pod: Pod): QueuedPod {
    const { name, uid, labels = {} } = pod.metadata;
    const { computeEnvironment: environment = '', vcpus = 0 } = claimOf(pod) ?? {};
    const job = labels['longshore.dev/batch-job'] ?? '';
    const seen: QueuedPod = {
      name,
      uid,
      job,
      environment,
      vcpus,
      seenAt: performance.now(),
      isRunning: false,
      endedAt: undefined,
    };
    if (vcpus === 0) this.#violations.push(`${name} takes nothing of any environment`);
    if (this.#byJob.has(job))
      this.#violations.push(`${job} was started twice: ${this.#byJob.get(job)?.name} and ${name}`);
    this.#pods.set(uid, seen);
    this.#byJob.set(job, seen);
    this.#take(seen, vcpus);
    return seen;
  }

  #take({ name, environment }: QueuedPod, vcpus: number): void {
    const used = (this.#used.get(environment) ?? 0) + vcpus;
    this.#used.set(environment, used);
    this.#most.set(environment, Math.max(this.#most.get(environment) ?? 0, used));
    const ceiling = this.#ceilings.get(environment) ?? 0;
    if (used > ceiling)
      this.#violations.push(`${environment} has ${ceiling} vCPU, and with ${name} ${used} are in use`);
  }
}
