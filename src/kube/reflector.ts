import { Backoff, sleep } from './backoff.ts';
import type { ListQuery, WatchEvent } from './client.ts';
import { ApiError, isForbidden, isGone, isNotFound, isTooManyRequests, missingRight } from './errors.ts';
import { defaultTimings, type ReflectorOptions, type ReflectorTimings } from './reflector-options.ts';
import { type KubeObject, type Resource, resourceName } from './resource.ts';
import { LONGEST_RETRY_AFTER_SECONDS } from './retry.ts';
import type { Stored } from './store.ts';
import { StoreWriter } from './store-writer.ts';

const PAGE = 500;
/**
 * A watch asked to end after this long gets a bookmark 2 s before: so the apiserver shows a quiet watch how far it is
 * (`nextBookmarkTime` in its cache_watcher.go).
 */
const BRIEF_WATCH_SECONDS = 3;

export interface ReflectorProblem {
  readonly message: string;
  /** A right is missing: nothing but its grant will help. */
  readonly forbidden: boolean;
  /** The server has no such kind: its CustomResourceDefinition is not there. */
  readonly absent?: true;
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
  readonly #writer: StoreWriter<T, Source>;
  readonly #progressListeners: (() => void)[] = [];
  /** Whether the next round begins with a list; else its watch resumes where the store is. */
  #listNext = true;
  #aliveAt: number | undefined;
  #streamingList = true;
  #refusedSince: number | undefined;
  #problem: ReflectorProblem | undefined;
  /** Whether the next watch shall be a brief one. */
  #brief = false;
  /** Ends the list, watch or pause under way. */
  #round = new AbortController();

  constructor(options: ReflectorOptions<T, Source>) {
    this.#options = options;
    this.#timings = { ...defaultTimings, ...options.timings };
    this.#backoff = new Backoff(this.#timings.backoff);
    const { promise, resolve: synced } = Promise.withResolvers<void>();
    this.synced = promise;
    this.#writer = new StoreWriter({
      ...options,
      giveUpMs: this.#timings.giveUpMs,
      onProgress: () => {
        this.#listNext = false;
        synced();
        for (const listener of this.#progressListeners) listener();
      },
    });
  }

  get resource(): Resource {
    return this.#options.resource;
  }

  /** Objects in the store. */
  get size(): number {
    return this.#options.store.size;
  }

  get isSynced(): boolean {
    return this.lists > 0;
  }

  /** Everything up to this resourceVersion is in the store; 0n before the first list. */
  get observedResourceVersion(): bigint {
    return this.#writer.observed;
  }

  /** When the newest complete list began, by `performance.now()`: what was written before is in the store. */
  get listedAt(): number {
    return this.#writer.listedAt;
  }

  /** Complete lists so far. */
  get lists(): number {
    return this.#writer.lists;
  }

  /** Milliseconds since it last heard of the server or tried to; 0 until it runs. Past a few minutes, it has died. */
  get silentMs(): number {
    return this.#aliveAt === undefined ? 0 : performance.now() - this.#aliveAt;
  }

  /** Why the last list or watch failed; undefined once the next one works. */
  get problem(): ReflectorProblem | undefined {
    return this.#problem;
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
    if (this.#listNext) return;
    this.#listNext = true;
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
    if (this.#listNext && this.#streamingList) {
      try {
        return await this.#watch(signal, undefined);
      } catch (error) {
        if (!this.#listNext || !refusesStreamingLists(error)) throw error;
        this.#streamingList = false;
        this.#log('debug', error, 'the server does not stream lists: listing in pages');
      }
    }
    if (this.#listNext) await this.#list(signal);
    await this.#watch(signal, String(this.#writer.observed));
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
      this.#heard();
      if (initial === undefined) {
        this.#writer.apply(event);
      } else if (event.type !== 'BOOKMARK') {
        this.#writer.stage(initial, event);
      } else if (event.object.metadata.annotations?.['k8s.io/initial-events-end'] === 'true') {
        this.#writer.replace(initial, event.object.metadata.resourceVersion, begun);
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
      this.#heard();
      for (const object of items) this.#writer.stage(objects, { type: 'ADDED', object });
      if (!metadata.continue) return this.#writer.replace(objects, metadata.resourceVersion, begun);
      query = { ...query, continue: metadata.continue };
    }
  }

  #heard(): void {
    this.#aliveAt = performance.now();
    this.#refusedSince = undefined;
    this.#problem = undefined;
  }

  /** Decides where to go on, and after how many milliseconds. */
  #afterFailure(error: unknown): number {
    const wait = this.#backoff.next();
    if (isGone(error)) {
      this.#listNext = true;
      this.#log('info', error, 'the watch fell behind: listing again');
      return wait;
    }
    if (isTooManyRequests(error))
      return Math.max(wait, Math.min(error.retryAfterSeconds ?? 0, LONGEST_RETRY_AFTER_SECONDS) * 1000);
    if (error instanceof ApiError && !this.#listNext) {
      this.#refusedSince ??= performance.now();
      if (performance.now() - this.#refusedSince >= this.#timings.giveUpMs) this.#listNext = true;
    }
    if (isForbidden(error)) this.#forbidden(error);
    else if (isNotFound(error)) this.#absent();
    else {
      this.#problem = { message: error instanceof Error ? error.message : String(error), forbidden: false };
      this.#log(error instanceof ApiError ? 'warn' : 'info', error, 'the watch failed: trying again');
    }
    return wait;
  }

  /** Said once, not at every attempt: who can grant it has to find it in the log. */
  #forbidden(error: ApiError): void {
    const { resource, namespace, logger } = this.#options;
    const message = missingRight(error, resourceName(resource), namespace);
    if (this.#problem?.message !== message)
      logger.error({ resource: resourceName(resource), verb: error.verb, namespace }, message);
    this.#problem = { message, forbidden: true };
  }

  /** Said once as well: it may come at any time, and many clusters never have it. */
  #absent(): void {
    const { resource, logger } = this.#options;
    const message = `the API server has no ${resourceName(resource)} of version ${resource.version}`;
    if (this.#problem?.absent !== true) logger.info({ resource: resourceName(resource) }, message);
    this.#problem = { message, forbidden: false, absent: true };
  }

  #log(level: 'debug' | 'info' | 'warn', error: unknown, message: string): void {
    this.#options.logger[level]({ resource: this.#options.resource.plural, err: error }, message);
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
