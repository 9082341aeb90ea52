import { Backoff, sleep } from './backoff.ts';
import type { ListQuery, WatchEvent } from './client.ts';
import { ApiError, isGone, isTooManyRequests } from './errors.ts';
import { defaultTimings, type ReflectorOptions, type ReflectorTimings } from './reflector-options.ts';
import type { KubeObject, Resource } from './resource.ts';
import { LONGEST_RETRY_AFTER_SECONDS } from './retry.ts';
import type { Change, Stored } from './store.ts';

const PAGE = 500;
/**
 * A watch asked to end after this long gets a bookmark 2 s before: so the apiserver shows a quiet watch how far it is
 * (`nextBookmarkTime` in its cache_watcher.go).
 */
const BRIEF_WATCH_SECONDS = 3;

/** The server's store seems older than what it showed before. */
class OlderListError extends Error {
  override readonly name = 'OlderListError';
}

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
  #observed = 0n;
  #listedAt = Number.NEGATIVE_INFINITY;
  #lists = 0;
  #aliveAt: number | undefined;
  /** Where the next watch resumes; undefined asks for a list. */
  #resumeAt: string | undefined;
  #streamingList = true;
  #refusedSince: number | undefined;
  #olderSince: number | undefined;
  /** Whether the next watch shall be a brief one. */
  #brief = false;
  /** Ends the list, watch or pause under way. */
  #round = new AbortController();
  readonly #progressListeners: (() => void)[] = [];

  constructor(options: ReflectorOptions<T, Source>) {
    this.#options = options;
    this.#timings = { ...defaultTimings, ...options.timings };
    this.#backoff = new Backoff(this.#timings.backoff);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.synced = promise;
    this.#markSynced = resolve;
  }

  get resource(): Resource {
    return this.#options.resource;
  }

  /** Objects in the store. */
  get size(): number {
    return this.#options.store.size;
  }

  get isSynced(): boolean {
    return this.#lists > 0;
  }

  /** Everything up to this resourceVersion is in the store; 0n before the first list. */
  get observedResourceVersion(): bigint {
    return this.#observed;
  }

  /** When the newest complete list began, by `performance.now()`: what was written before is in the store. */
  get listedAt(): number {
    return this.#listedAt;
  }

  /** Complete lists so far. */
  get lists(): number {
    return this.#lists;
  }

  /** Milliseconds since it last heard of the server or tried to; 0 until it runs. Past a few minutes, it has died. */
  get silentMs(): number {
    return this.#aliveAt === undefined ? 0 : performance.now() - this.#aliveAt;
  }

  /** Calls back after each event, bookmark and complete list. */
  onProgress(listener: () => void): void {
    this.#progressListeners.push(listener);
  }

  /** Runs until the signal aborts; never throws. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#round.abort(signal.reason), { once: true });
    while (!signal.aborted) {
      const round = new AbortController();
      this.#round = round;
      const started = performance.now();
      this.#aliveAt = started;
      const { healthyMs } = this.#timings;
      let wait = 0;
      try {
        await this.#listAndWatch(round.signal);
        // A server that ends every watch at once must not be asked in a tight loop.
        if (performance.now() - started < healthyMs) wait = this.#backoff.next();
        else this.#backoff.reset();
      } catch (error) {
        if (!round.signal.aborted) {
          if (performance.now() - started >= healthyMs) this.#backoff.reset();
          wait = this.#afterFailure(error);
        }
      }
      if (wait > 0) await sleep(wait, round.signal);
    }
  }

  /** Lists again, which drops the watch under way; nothing where a list is under way. */
  relist(): void {
    if (this.#resumeAt === undefined) return;
    this.#resumeAt = undefined;
    this.#round.abort();
  }

  /** Resumes with a watch whose first bookmark comes within about a second: so a quiet one shows how far it is. */
  resumeBriefly(): void {
    this.#brief = true;
    this.#round.abort();
  }

  /** The resourceVersion the server has now, of a consistent read. */
  async serverResourceVersion(signal: AbortSignal): Promise<bigint> {
    const { client, resource } = this.#options;
    const { metadata } = await client.list(resource, this.#place(), { ...this.#selectors(), limit: 1 }, { signal });
    return BigInt(metadata.resourceVersion);
  }

  async #listAndWatch(signal: AbortSignal): Promise<void> {
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
    const timeoutSeconds = this.#brief ? BRIEF_WATCH_SECONDS : Math.ceil(min + Math.random() * (max - min));
    this.#brief = false;
    const begun = performance.now();
    const query = {
      ...this.#selectors(),
      allowWatchBookmarks: true,
      timeoutSeconds,
      ...(resourceVersion === undefined
        ? { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' as const }
        : { resourceVersion }),
    };
    let initial: Map<string, T> | undefined = resourceVersion === undefined ? new Map() : undefined;
    for await (const event of client.watch(resource, this.#place(), query, signal, this.#timings)) {
      // What was still on its way comes again, from where the next round begins.
      if (signal.aborted) return;
      this.#aliveAt = performance.now();
      this.#refusedSince = undefined;
      if (initial === undefined) {
        this.#apply(event);
      } else if (event.type !== 'BOOKMARK') {
        this.#stage(initial, event);
      } else if (event.object.metadata.annotations?.['k8s.io/initial-events-end'] === 'true') {
        this.#replace(initial.values(), event.object.metadata.resourceVersion, begun);
        initial = undefined;
      }
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { client, resource } = this.#options;
    const begun = performance.now();
    const objects = new Map<string, T>();
    let query: ListQuery = { ...this.#selectors(), limit: PAGE };
    while (true) {
      const { items, metadata } = await client.list<WatchEvent['object']>(resource, this.#place(), query, { signal });
      for (const object of items) this.#stage(objects, { type: 'ADDED', object });
      if (!metadata.continue) return this.#replace(objects.values(), metadata.resourceVersion, begun);
      query = { ...query, continue: metadata.continue };
    }
  }

  #stage(objects: Map<string, T>, event: WatchEvent): void {
    const { namespace = '', name } = event.object.metadata;
    const key = `${namespace}/${name}`;
    // An object that cannot be read any more keeps its last readable record.
    const record = this.#project(event.object) ?? this.#options.store.get(namespace, name);
    if (event.type === 'DELETED' || record === undefined) objects.delete(key);
    else objects.set(key, record);
  }

  #replace(objects: Iterable<T>, resourceVersion: string, begun: number): void {
    this.#checkNotOlder(BigInt(resourceVersion));
    const changes = this.#options.store.replace(objects);
    this.#refusedSince = undefined;
    this.#listedAt = begun;
    this.#lists += 1;
    this.#seen(resourceVersion);
    for (const change of changes) this.#notify(change);
    this.#markSynced();
  }

  /**
   * A server behind the others would turn back time: pods just made would seem deleted. A store restored from a backup
   * looks the same, but goes on looking so.
   */
  #checkNotOlder(listed: bigint): void {
    if (listed >= this.#observed) {
      this.#olderSince = undefined;
      return;
    }
    this.#olderSince ??= performance.now();
    if (performance.now() - this.#olderSince < this.#timings.giveUpMs)
      throw new OlderListError(`the list is of resourceVersion ${listed}, but ${this.#observed} was seen before`);
    this.#olderSince = undefined;
    this.#log('warn', undefined, 'resourceVersions have gone back: the store of the cluster was restored');
  }

  #apply(event: WatchEvent): void {
    // A watch goes forward only: what comes twice or late is in the store, or was replaced there.
    if (event.type !== 'BOOKMARK' && BigInt(event.object.metadata.resourceVersion) <= this.#observed) return;
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
    for (const listener of this.#progressListeners) listener();
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
      return Math.max(wait, Math.min(error.retryAfterSeconds ?? 0, LONGEST_RETRY_AFTER_SECONDS) * 1000);
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
