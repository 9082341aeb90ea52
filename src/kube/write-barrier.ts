/** What a barrier needs to know of the reflector that watches what is written. */
export interface BarrierCache {
  /** Everything up to this resourceVersion is in the cache. */
  readonly observedResourceVersion: bigint;
  /** When the newest complete list began, by `performance.now()`. */
  readonly listedAt: number;
  /** Calls back whenever one of the two has changed. */
  onProgress(listener: () => void): void;
  /** Asks for a new list; asking again while it is on its way does nothing. */
  relist(): void;
}

interface Awaited {
  readonly resourceVersion: bigint;
  /** When the newest write was noted. */
  readonly since: number;
}

interface Waiter {
  readonly opened: Promise<void>;
  readonly open: () => void;
  readonly timer: NodeJS.Timeout;
}

/** A watch that has not shown a write after this long is not believed any more. */
const PATIENCE_MS = 30_000;
/** Beyond every resourceVersion: only a list opens a barrier that waits for it. */
const UNREACHABLE = 2n ** 64n;
/** From then on a new list is asked for this often. */
const RELIST_MS = 5_000;

/**
 * Read your own writes: after a write an owner waits until the cache has it, so that its next plan is never made from
 * a cache without it. ResourceVersions of one resource type are comparable integers. They go back only when etcd is
 * restored from a backup, and a watch may be stuck: so after 30 s the cache is asked for a new list, which has the
 * write whatever its number, since it began after it.
 */
export class WriteBarrier {
  readonly #cache: BarrierCache;
  readonly #awaited = new Map<string, Awaited>();
  readonly #waiters = new Map<string, Waiter>();

  constructor(cache: BarrierCache) {
    this.#cache = cache;
    cache.onProgress(() => {
      for (const owner of this.#waiters.keys()) if (this.#isOpen(owner)) this.#wake(owner);
    });
  }

  note(owner: string, resourceVersion: string): void {
    const written = BigInt(resourceVersion);
    const before = this.#awaited.get(owner)?.resourceVersion ?? 0n;
    this.#awaited.set(owner, { resourceVersion: written > before ? written : before, since: performance.now() });
  }

  /** Something may have been written, and nobody knows whether it was: only a list that begins now can tell. */
  noteUnknown(owner: string): void {
    this.#awaited.set(owner, { resourceVersion: UNREACHABLE, since: performance.now() });
    this.#cache.relist();
  }

  /**
   * Undefined when the cache has all that the owner wrote. Otherwise it resolves, never rejects, when the owner should
   * ask again: at the event or bookmark that brings the cache so far, or when that is overdue.
   */
  pending(owner: string): Promise<void> | undefined {
    if (this.#isOpen(owner)) return undefined;
    const waiter = this.#waiters.get(owner);
    if (waiter !== undefined) return waiter.opened;
    const overdueIn = (this.#awaited.get(owner)?.since ?? 0) + PATIENCE_MS - performance.now();
    if (overdueIn <= 0) this.#cache.relist();
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    const timer = setTimeout(() => this.#wake(owner), overdueIn > 0 ? Math.ceil(overdueIn) : RELIST_MS);
    timer.unref();
    this.#waiters.set(owner, { opened, open, timer });
    return opened;
  }

  /**
   * Undefined when the cache has everything that was there when an object of another resource was written. Otherwise a
   * new list is asked for, and it resolves as that of `pending` does.
   */
  behind(owner: string, resourceVersion: string): Promise<void> | undefined {
    if (this.#cache.observedResourceVersion >= BigInt(resourceVersion)) return undefined;
    if (!this.#awaited.has(owner)) this.note(owner, resourceVersion);
    const pending = this.pending(owner);
    if (pending !== undefined) this.#cache.relist();
    return pending;
  }

  forget(owner: string): void {
    this.#awaited.delete(owner);
    this.#wake(owner);
  }

  #isOpen(owner: string): boolean {
    const awaited = this.#awaited.get(owner);
    if (awaited === undefined) return true;
    const { observedResourceVersion, listedAt } = this.#cache;
    if (observedResourceVersion < awaited.resourceVersion && listedAt <= awaited.since) return false;
    this.#awaited.delete(owner);
    return true;
  }

  #wake(owner: string): void {
    const waiter = this.#waiters.get(owner);
    if (waiter === undefined) return;
    this.#waiters.delete(owner);
    clearTimeout(waiter.timer);
    waiter.open();
  }
}
