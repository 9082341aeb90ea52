import { Backoff, type BackoffTimings, sleep } from './backoff.ts';
import type { KubeClient, List, ListQuery, WatchEvent } from './client.ts';
import { ApiError, isGone, isTooManyRequests } from './errors.ts';
import type { Logger } from './logger.ts';
import type { KubeObject, Resource } from './resource.ts';
import type { Change, Store, Stored } from './store.ts';

export interface ReflectorTimings {
  /** The server is asked to end each watch after a random time in this range. Default 300 to 600 s. */
  readonly watchSeconds: { readonly min: number; readonly max: number };
  /** A stream without a byte for this long is dead; bookmarks come once a minute. Default 130 s. */
  readonly silenceMs: number;
  /** Default 0.8 s doubling to 30 s. */
  readonly backoff: BackoffTimings;
  /** A stream that lasted this long was healthy: the backoff starts anew. Default 5 s. */
  readonly healthyMs: number;
  /** After the server refused the same resourceVersion for this long, list again. Default 60 s. */
  readonly giveUpMs: number;
}

const defaultTimings: ReflectorTimings = {
  watchSeconds: { min: 300, max: 600 },
  silenceMs: 130_000,
  backoff: { initialMs: 800, maxMs: 30_000 },
  healthyMs: 5_000,
  giveUpMs: 60_000,
};

export interface ReflectorOptions<T extends Stored, Source> {
  readonly client: KubeClient;
  readonly resource: Resource;
  /** Default: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Makes the stored record of an object as the server sent it. An object it throws on is logged and left out. */
  readonly project: (raw: Source) => T;
  readonly store: Store<T>;
  /** Called after the store has the change. What it throws is logged. */
  readonly onChange: (change: Change<T>) => void;
  readonly logger: Logger;
  readonly timings?: Partial<ReflectorTimings>;
}

const PAGE = 500;

/**
 * Keeps a store equal to what the API server has: one consistent list (streamed where the server can), then watches
 * that resume at the last resourceVersion. `synced` resolves at the first complete list and stays pending without one.
 */
export class Reflector<T extends Stored, Source = KubeObject> {
  readonly synced: Promise<void>;
  readonly #options: ReflectorOptions<T, Source>;
  readonly #timings: ReflectorTimings;
  readonly #backoff: Backoff;
  readonly #markSynced: () => void;
  #isSynced = false;
  #observed = 0n;
  /** Where the next watch resumes; undefined asks for a list. */
  #resumeAt: string | undefined;
  #streamingList = true;
  #refusedSince: number | undefined;

  constructor(options: ReflectorOptions<T, Source>) {
    this.#options = options;
    this.#timings = { ...defaultTimings, ...options.timings };
    this.#backoff = new Backoff(this.#timings.backoff);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.synced = promise;
    this.#markSynced = resolve;
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** Everything up to this resourceVersion is in the store; 0n before the first list. */
  get observedResourceVersion(): bigint {
    return this.#observed;
  }

  /** Runs until the signal aborts; never throws. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const started = performance.now();
      let wait = 0;
      try {
        await this.#round(signal);
        // A server that ends every watch at once must not be asked in a tight loop.
        if (performance.now() - started < this.#timings.healthyMs) wait = this.#backoff.next();
        else this.#backoff.reset();
      } catch (error) {
        if (signal.aborted) return;
        if (performance.now() - started >= this.#timings.healthyMs) this.#backoff.reset();
        wait = this.#afterFailure(error);
      }
      if (wait > 0) await sleep(wait, signal);
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    if (this.#resumeAt === undefined && this.#streamingList) {
      try {
        return await this.#watch(signal, undefined);
      } catch (error) {
        if (this.#resumeAt !== undefined || !refusesStreamingLists(error)) throw error;
        this.#streamingList = false;
        this.#log('debug', error, 'the server does not stream lists: listing in pages');
      }
    }
    if (this.#resumeAt === undefined) await this.#list(signal);
    await this.#watch(signal, this.#resumeAt);
  }

  /** Resumes a watch, or, without a resourceVersion, streams the whole list first: that read is consistent. */
  async #watch(signal: AbortSignal, resourceVersion: string | undefined): Promise<void> {
    const { client, resource } = this.#options;
    const { min, max } = this.#timings.watchSeconds;
    const query = {
      ...this.#selectors(),
      allowWatchBookmarks: true,
      timeoutSeconds: Math.ceil(min + Math.random() * (max - min)),
      ...(resourceVersion === undefined
        ? { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' as const }
        : { resourceVersion }),
    };
    let initial: Map<string, T> | undefined = resourceVersion === undefined ? new Map() : undefined;
    for await (const event of client.watch(resource, this.#place(), query, signal, this.#timings)) {
      this.#refusedSince = undefined;
      if (initial === undefined) {
        this.#apply(event);
      } else if (event.type !== 'BOOKMARK') {
        this.#stage(initial, event);
      } else if (event.object.metadata.annotations?.['k8s.io/initial-events-end'] === 'true') {
        this.#replace(initial.values(), event.object.metadata.resourceVersion);
        initial = undefined;
      }
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const objects = new Map<string, T>();
    const query: ListQuery = { ...this.#selectors(), limit: PAGE };
    let page = await this.#page(query, signal);
    while (true) {
      for (const item of page.items) this.#stage(objects, { type: 'ADDED', object: item });
      const token = page.metadata.continue;
      if (!token) break;
      try {
        page = await this.#page({ ...query, continue: token }, signal);
      } catch (error) {
        if (!isGone(error)) throw error;
        // The pages outlived the server's history: only an unpaged list is consistent now.
        objects.clear();
        page = await this.#page(this.#selectors(), signal);
      }
    }
    this.#replace(objects.values(), page.metadata.resourceVersion);
  }

  #page(query: ListQuery, signal: AbortSignal): Promise<List<WatchEvent['object']>> {
    return this.#options.client.list(this.#options.resource, this.#place(), query, { signal });
  }

  #stage(objects: Map<string, T>, event: WatchEvent): void {
    const { namespace = '', name } = event.object.metadata;
    const key = `${namespace}/${name}`;
    // An object that cannot be read any more keeps its last readable record.
    const record = this.#project(event.object) ?? this.#options.store.get(namespace, name);
    if (event.type === 'DELETED' || record === undefined) objects.delete(key);
    else objects.set(key, record);
  }

  #replace(objects: Iterable<T>, resourceVersion: string): void {
    const changes = this.#options.store.replace(objects);
    this.#seen(resourceVersion);
    this.#refusedSince = undefined;
    this.#isSynced = true;
    for (const change of changes) this.#notify(change);
    this.#markSynced();
  }

  #apply(event: WatchEvent): void {
    let changes: Change<T>[] = [];
    if (event.type !== 'BOOKMARK') {
      const { store } = this.#options;
      const record = this.#project(event.object);
      if (event.type === 'DELETED') changes = this.#remove(event, record);
      else if (record) changes = store.upsert(record);
    }
    this.#seen(event.object.metadata.resourceVersion);
    for (const change of changes) this.#notify(change);
  }

  #remove(event: WatchEvent, record: T | undefined): Change<T>[] {
    const { store } = this.#options;
    const { namespace = '', name, uid } = event.object.metadata;
    const gone = record ?? store.get(namespace, name);
    return gone?.uid === uid ? store.delete(gone) : [];
  }

  #seen(resourceVersion: string): void {
    this.#resumeAt = resourceVersion;
    this.#observed = BigInt(resourceVersion);
  }

  #project(object: WatchEvent['object']): T | undefined {
    try {
      return this.#options.project(object as Source);
    } catch (error) {
      const { namespace, name } = object.metadata;
      this.#log('error', error, 'skipped an object that cannot be read', { namespace, name });
      return undefined;
    }
  }

  #notify(change: Change<T>): void {
    try {
      this.#options.onChange(change);
    } catch (error) {
      const { namespace, name } = change.object;
      this.#log('error', error, 'a change handler failed', { namespace, name });
    }
  }

  /** Decides where to go on, and after how many milliseconds. */
  #afterFailure(error: unknown): number {
    const wait = this.#backoff.next();
    if (isGone(error)) {
      this.#resumeAt = undefined;
      this.#log('info', error, 'the watch fell behind: listing again');
      return wait;
    }
    if (isTooManyRequests(error) && error instanceof ApiError)
      return Math.max(wait, (error.retryAfterSeconds ?? 0) * 1000);
    if (error instanceof ApiError && this.#resumeAt !== undefined) {
      this.#refusedSince ??= performance.now();
      if (performance.now() - this.#refusedSince >= this.#timings.giveUpMs) this.#resumeAt = undefined;
    }
    this.#log(error instanceof ApiError ? 'warn' : 'info', error, 'the watch failed: trying again');
    return wait;
  }

  #log(level: 'debug' | 'info' | 'warn' | 'error', error: unknown, message: string, fields: object = {}): void {
    this.#options.logger[level]({ resource: this.#options.resource.plural, err: error, ...fields }, message);
  }

  #place(): { namespace?: string } {
    return this.#options.namespace === undefined ? {} : { namespace: this.#options.namespace };
  }

  #selectors(): { labelSelector?: string; fieldSelector?: string } {
    const { labelSelector, fieldSelector } = this.#options;
    return {
      ...(labelSelector !== undefined && { labelSelector }),
      ...(fieldSelector !== undefined && { fieldSelector }),
    };
  }
}

/** Refused for what was asked, not for who asks (401, 403), where (404) or when (410, 429). */
function refusesStreamingLists(error: unknown): boolean {
  return (
    error instanceof ApiError &&
    error.status >= 400 &&
    error.status < 500 &&
    ![401, 403, 404, 410, 429].includes(error.status)
  );
}
