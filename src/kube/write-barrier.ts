/** What a barrier needs to know of the reflector that watches what is written. */
export interface BarrierCache {
  /** Everything up to this resourceVersion is in the cache. */
  readonly observedResourceVersion: bigint;
  /** When the newest complete list began, by `performance.now()`. */
  readonly listedAt: number;
  /** Asks for a new list; asking again while it is on its way does nothing. */
  relist(): void;
}

interface Awaited {
  readonly resourceVersion: bigint;
  /** When the newest write was noted. */
  readonly since: number;
}

/** A watch that has not shown a write after this long is not believed any more. */
const PATIENCE_MS = 30_000;

/**
 * Read your own writes: after a write an owner waits until the cache has it, so that its next plan is never made from
 * a cache without it. ResourceVersions of one resource type are comparable integers. They go back only when etcd is
 * restored from a backup, and a watch may be stuck: so after 30 s the cache is asked for a new list, which has the
 * write whatever its number, since it began after it.
 */
export class WriteBarrier {
  readonly #cache: BarrierCache;
  readonly #awaited = new Map<string, Awaited>();

  constructor(cache: BarrierCache) {
    this.#cache = cache;
  }

  note(owner: string, resourceVersion: string): void {
    const written = BigInt(resourceVersion);
    const before = this.#awaited.get(owner)?.resourceVersion ?? 0n;
    this.#awaited.set(owner, { resourceVersion: written > before ? written : before, since: performance.now() });
  }

  isOpen(owner: string): boolean {
    const awaited = this.#awaited.get(owner);
    if (awaited === undefined) return true;
    const { observedResourceVersion, listedAt } = this.#cache;
    if (observedResourceVersion < awaited.resourceVersion && listedAt <= awaited.since) {
      if (performance.now() - awaited.since > PATIENCE_MS) this.#cache.relist();
      return false;
    }
    this.#awaited.delete(owner);
    return true;
  }

  forget(owner: string): void {
    this.#awaited.delete(owner);
  }
}
