/** An independent record of what happened: a watch of its own that keeps every event in the order of resourceVersions. */
import { setTimeout as delay } from 'node:timers/promises';
import type { BatchJobStatus } from '../../src/api/batch-job.ts';
import type { ClusterStatus } from '../../src/api/cluster.ts';
import type { JobQueueStatus } from '../../src/api/job-queue.ts';
import type { ScheduledTaskStatus } from '../../src/api/scheduled-task.ts';
import type { ServiceStatus } from '../../src/api/service.ts';
import type { TargetGroupStatus } from '../../src/api/target-group.ts';
import type { TaskStatus } from '../../src/api/task.ts';
import type { TaskDefinitionStatus } from '../../src/api/task-definition.ts';
import { type KubeApi, type KubeObject, type Plural, pathOf, type WatchEvent, WatchRefusedError } from './kube-api.ts';
import { randomFrom } from './random.ts';
import { type Source, until } from './until.ts';

interface State {
  readonly waiting?: { readonly reason?: string };
  readonly running?: { readonly startedAt: string };
  readonly terminated?: {
    readonly exitCode: number;
    readonly startedAt?: string;
    readonly finishedAt?: string;
    readonly reason?: string;
    readonly message?: string;
  };
}

export interface ContainerState {
  readonly name: string;
  readonly ready?: boolean;
  readonly started?: boolean;
  readonly restartCount?: number;
  readonly state?: State;
  readonly lastState?: State;
}

export interface Pod extends KubeObject {
  readonly spec: {
    readonly nodeName?: string;
    readonly affinity?: object;
    readonly nodeSelector?: Readonly<Record<string, string>>;
    readonly tolerations?: readonly object[];
    readonly activeDeadlineSeconds?: number;
    readonly terminationGracePeriodSeconds?: number;
    readonly serviceAccountName?: string;
    readonly schedulingGates?: readonly { readonly name: string }[];
    readonly readinessGates?: readonly { readonly conditionType: string }[];
    readonly initContainers?: readonly { readonly name: string }[];
    readonly containers: readonly {
      readonly name: string;
      readonly image?: string;
      readonly readinessProbe?: object;
      readonly ports?: readonly {
        readonly containerPort: number;
        readonly hostPort?: number;
        readonly name?: string;
      }[];
      readonly env?: readonly { readonly name: string; readonly value?: string }[];
    }[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly hostIP?: string;
    readonly podIP?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
      readonly lastTransitionTime?: string;
    }[];
    readonly initContainerStatuses?: readonly ContainerState[];
    readonly containerStatuses?: readonly ContainerState[];
  };
}

export interface Service extends KubeObject {
  readonly spec: {
    readonly desiredCount: number;
    readonly taskDefinition: string;
    readonly deploymentConfiguration?: {
      readonly minimumHealthyPercent?: number;
      readonly maximumPercent?: number;
    };
  };
  readonly status?: ServiceStatus;
}

/** Of Kubernetes, as far as tests look. */
export interface EndpointSlice extends KubeObject {
  readonly addressType: string;
  readonly ports?: readonly { readonly name?: string; readonly port?: number }[];
  readonly endpoints?:
    | null
    | readonly {
        readonly addresses: readonly string[];
        readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean };
        readonly targetRef?: { readonly name?: string };
      }[];
}

interface Objects {
  readonly pods: Pod;
  readonly services: Service;
  readonly taskdefinitions: KubeObject & { readonly status?: TaskDefinitionStatus };
  readonly batchjobs: KubeObject & { readonly status?: BatchJobStatus };
  readonly tasks: KubeObject & { readonly status?: TaskStatus };
  readonly clusters: KubeObject & { readonly status?: ClusterStatus };
  readonly endpointslices: EndpointSlice;
  readonly targetgroups: KubeObject & { readonly status?: TargetGroupStatus };
  readonly jobqueues: KubeObject & { readonly status?: JobQueueStatus };
  readonly scheduledtasks: KubeObject & { readonly status?: ScheduledTaskStatus };
  readonly controllerrevisions: KubeObject & { readonly revision: number; readonly data: unknown };
}

export type RecordedKind = keyof Objects & Plural;
const KINDS: readonly RecordedKind[] = [
  'pods',
  'services',
  'taskdefinitions',
  'batchjobs',
  'tasks',
  'clusters',
  'targetgroups',
  'scheduledtasks',
  'jobqueues',
  'endpointslices',
  'controllerrevisions',
];

export const isRecorded = (plural: Plural): plural is RecordedKind => KINDS.some((kind) => kind === plural);

/** The server of a kind that was defined just now asks to be left alone for a moment. */
const TRY_AGAIN_MS = 100;
const GIVE_UP_MS = 60_000;

/**
 * `LONGSHORE_TEST_WATCH_DELAY=2000` holds the events of each kind back by a time of its own, up to 2000 ms: what is read
 * before it was awaited is then missing for sure. Milliseconds by kind; 0 without it.
 */
const DELAYS = delaysOf(Number(process.env.LONGSHORE_TEST_WATCH_DELAY ?? 0));

function delaysOf(most: number): ReadonlyMap<RecordedKind, number> {
  const seed = Number(process.env.LONGSHORE_SEED ?? Date.now() % 1_000_000);
  const random = randomFrom(seed);
  const delays = new Map(KINDS.map((kind) => [kind, Math.round(random() * most)]));
  if (most > 0) console.info(`watches are late by`, Object.fromEntries(delays), `LONGSHORE_SEED=${seed} repeats it`);
  return delays;
}

export type HistoryEntry = {
  [Kind in RecordedKind]: {
    readonly kind: Kind;
    readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
    readonly resourceVersion: bigint;
    readonly object: Objects[Kind];
    /** Epoch milliseconds. */
    readonly seenAt: number;
  };
}[RecordedKind];

/** What the API server has of one kind. */
interface KindList {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly KubeObject[];
}

const keyOf = (kind: RecordedKind, { metadata }: KubeObject): string => `${kind}/${metadata.name}`;
const versionOf = ({ metadata }: { metadata: { readonly resourceVersion: string } }): bigint =>
  BigInt(metadata.resourceVersion);

/**
 * What happened in one namespace. Each kind comes by a watch of its own, and any of them may be behind the others: the
 * record is complete up to the moment at which `until` or `caughtUp` began to return, and only there is it to be read.
 */
export class NamespaceHistory implements Source {
  readonly #entries: HistoryEntry[] = [];
  /** The last entry of each object, of those that are gone as well. */
  readonly #last = new Map<string, HistoryEntry>();
  readonly #listeners = new Set<() => void>();
  readonly #list: (kind: RecordedKind) => Promise<KindList>;
  #problem: Error | undefined;

  /** @param list asks the API server for all objects of the kind in the namespace. */
  constructor(list: (kind: RecordedKind) => Promise<KindList>) {
    this.#list = list;
  }

  add(entry: HistoryEntry): void {
    this.#entries.push(entry);
    this.#last.set(keyOf(entry.kind, entry.object), entry);
    for (const listener of this.#listeners) listener();
  }

  fail(problem: Error): void {
    this.#problem = problem;
    for (const listener of this.#listeners) listener();
  }

  /** Oldest first. The API server counts all kinds with one counter, so that the order holds across them. */
  get entries(): readonly HistoryEntry[] {
    return this.#entries.toSorted((a, b) => (a.resourceVersion < b.resourceVersion ? -1 : 1));
  }

  /** Events so far. */
  get length(): number {
    return this.#entries.length;
  }

  /** Every state of one object that was seen, oldest first. */
  statesOf<Kind extends RecordedKind>(kind: Kind, name: string): Objects[Kind][] {
    return this.entries
      .filter((entry) => entry.kind === kind && entry.object.metadata.name === name && entry.type !== 'DELETED')
      .map(({ object }) => object as Objects[Kind]);
  }

  get<Kind extends RecordedKind>(kind: Kind, name: string): Objects[Kind] | undefined {
    const last = this.#last.get(`${kind}/${name}`);
    return last?.type === 'DELETED' ? undefined : (last?.object as Objects[Kind] | undefined);
  }

  all<Kind extends RecordedKind>(kind: Kind): Objects[Kind][] {
    return [...this.#last.values()]
      .filter((entry) => entry.kind === kind && entry.type !== 'DELETED')
      .map(({ object }) => object as Objects[Kind]);
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Returns once it holds and the record has caught up with it: what led to it is on record as well, whatever its kind. */
  async until<T>(what: string, ask: () => T | undefined | false, timeoutMs?: number): Promise<T> {
    const answer = await this.#until(what, ask, timeoutMs);
    await this.caughtUp();
    return answer;
  }

  /**
   * Returns once the record has every object as the API server had it at the time of the call, and the end of every one
   * that was gone by then. Only what came and went meanwhile may still be missing.
   */
  async caughtUp(): Promise<void> {
    const catchUp = async (kind: RecordedKind): Promise<void> => {
      const list = await this.#list(kind);
      const listed = new Set(list.items.map((object) => keyOf(kind, object)));
      const isGone = (entry: HistoryEntry): boolean =>
        entry.kind === kind &&
        entry.type !== 'DELETED' &&
        entry.resourceVersion <= versionOf(list) &&
        !listed.has(keyOf(kind, entry.object));
      await this.#until(
        `the record of ${kind} to catch up`,
        () => list.items.every((object) => this.#has(kind, object)) && ![...this.#last.values()].some(isGone),
      );
    };
    await Promise.all(KINDS.map(catchUp));
  }

  /** Returns once what the API server answered to a write is on record. */
  async shows(kind: RecordedKind, written: KubeObject): Promise<void> {
    await this.#until(`the write of ${keyOf(kind, written)} to be on record`, () => this.#has(kind, written));
  }

  #has(kind: RecordedKind, object: KubeObject): boolean {
    const last = this.#last.get(keyOf(kind, object));
    return last !== undefined && last.resourceVersion >= versionOf(object);
  }

  #until<T>(what: string, ask: () => T | undefined | false, timeoutMs?: number): Promise<T> {
    const checked = (): T | undefined | false => {
      if (this.#problem !== undefined) throw this.#problem;
      return ask();
    };
    return until(this, what, checked, timeoutMs);
  }

  /** Resolves after so many more events, or when it takes too long: for moments that nothing has to wait for. */
  async events(count: number, atMostMs: number): Promise<void> {
    const goal = this.length + count;
    const late = Date.now() + atMostMs;
    await this.#until('more events', () => this.length >= goal, atMostMs).catch((error: unknown) => {
      if (Date.now() < late) throw error;
    });
  }

  describe(): string {
    const pods = this.all('pods').map((pod) => {
      const states = pod.status?.containerStatuses?.map(({ name, state }) => `${name}=${JSON.stringify(state)}`);
      const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready')?.status;
      const deadline = pod.spec.activeDeadlineSeconds;
      const { name, resourceVersion } = pod.metadata;
      return `pod ${name} ${resourceVersion} ${pod.status?.phase} ready=${ready} deadline=${deadline} ${states?.join(' ') ?? ''}`;
    });
    const others = (
      [
        'scheduledtasks',
        'clusters',
        'targetgroups',
        'services',
        'taskdefinitions',
        'jobqueues',
        'batchjobs',
        'tasks',
      ] as const
    ).flatMap((kind) =>
      this.all(kind).map(({ metadata, status }) => `${kind} ${metadata.name} ${JSON.stringify(status)}`),
    );
    const slices = this.all('endpointslices').map(({ metadata, endpoints }) => {
      const targets = (endpoints ?? []).map(
        ({ targetRef, conditions }) => `${targetRef?.name} ${JSON.stringify(conditions)}`,
      );
      return `endpointslice ${metadata.name} ${metadata.resourceVersion} ${targets.join(', ')}`;
    });
    return [...others, ...slices, ...pods].join('\n') || '(nothing)';
  }
}

/** Watches every namespace; nothing that happens after `start` has returned is missed. */
export class Recorder {
  readonly #api: KubeApi;
  readonly #namespaces = new Map<string, NamespaceHistory>();

  private constructor(api: KubeApi) {
    this.#api = api;
  }

  static async start(api: KubeApi): Promise<Recorder> {
    const recorder = new Recorder(api);
    await Promise.all(KINDS.map((kind) => recorder.#follow(kind)));
    return recorder;
  }

  in(namespace: string): NamespaceHistory {
    const known = this.#namespaces.get(namespace);
    if (known !== undefined) return known;
    const history = new NamespaceHistory((kind) => this.#list(kind, namespace));
    this.#namespaces.set(namespace, history);
    return history;
  }

  /** Begins with what is there: of a kind that was defined just now the server may not serve what follows on a list. */
  async #follow(kind: RecordedKind): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#watch(kind, undefined, { resolve, reject });
    try {
      await promise;
    } catch (error) {
      // A server before 1.34 streams no lists.
      if (!(error instanceof WatchRefusedError)) throw error;
      const list = await this.#list(kind);
      this.#watch(kind, list.metadata.resourceVersion);
    }
  }

  /** Asks again where the server is away, which tests kill, or does not serve the kind yet. */
  async #list(kind: RecordedKind, namespace?: string): Promise<KindList> {
    for (const end = Date.now() + GIVE_UP_MS; ; await delay(TRY_AGAIN_MS)) {
      try {
        return await this.#api.call<KindList>('GET', pathOf(kind, namespace));
      } catch (error) {
        if (Date.now() > end) throw error;
      }
    }
  }

  /** @param begun resolves as soon as all that is there at the beginning has been seen. */
  #watch(
    kind: RecordedKind,
    from: string | undefined,
    begun?: { resolve: () => void; reject: (problem: Error) => void },
  ): void {
    let last = from;
    const begin =
      from === undefined ? 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan' : `resourceVersion=${from}`;
    const query = `watch=true&allowWatchBookmarks=true&${begin}`;
    this.#api.watch(
      `${pathOf(kind)}?${query}`,
      (event) => {
        if (event.type === 'ERROR') return this.#fail(new Error(`watch of ${kind}: ${JSON.stringify(event.object)}`));
        last = event.object.metadata.resourceVersion;
        if (event.type === 'BOOKMARK') begun?.resolve();
        else this.#deliver(kind, event);
      },
      (problem) => {
        // The server ends a watch after a while; one that breaks may have a gap, and a record must not.
        if (problem === undefined) this.#watch(kind, last);
        else if (problem instanceof WatchRefusedError && problem.status === 429) {
          setTimeout(() => this.#watch(kind, last, begun), TRY_AGAIN_MS);
        } else if (begun !== undefined && last === undefined) begun.reject(problem);
        else this.#fail(problem);
      },
    );
  }

  #deliver(kind: RecordedKind, event: WatchEvent): void {
    const late = DELAYS.get(kind) ?? 0;
    // Timers of one length fire in their order.
    if (late > 0) setTimeout(() => this.#add(kind, event), late);
    else this.#add(kind, event);
  }

  #add(kind: RecordedKind, { type, object }: WatchEvent): void {
    const resourceVersion = BigInt(object.metadata.resourceVersion);
    const entry = { kind, type, resourceVersion, object, seenAt: Date.now() } as HistoryEntry;
    this.in(object.metadata.namespace ?? '').add(entry);
  }

  #fail(problem: Error): void {
    for (const history of this.#namespaces.values()) history.fail(problem);
  }
}
