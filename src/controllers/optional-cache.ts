/** Caches that the operator can do without: a right or a kind that is missing costs what they are for, and nothing else. */
import { sleep } from '../kube/backoff.ts';
import { type CatchUpOptions, catchUp } from '../kube/catch-up.ts';
import type { Reflector } from '../kube/reflector.ts';
import { resourceName } from '../kube/resource.ts';
import type { Stored } from '../kube/store.ts';

/** Whether the cache has what the cluster has. */
export const isSeen = ({ isSynced, problem }: Pick<Reflector<Stored>, 'isSynced' | 'problem'>): boolean =>
  isSynced && problem?.forbidden !== true;

/**
 * Waits until the cache is complete, or known to stay empty, which is said once.
 * @param without what is not done without it.
 * @throws CacheSyncError when that takes too long.
 */
export async function catchUpIfAllowed<T extends Stored, Source>(
  reflector: Reflector<T, Source>,
  without: string,
  options: CatchUpOptions,
): Promise<void> {
  const { logger, signal, timeoutMs } = options;
  const forbidden = (): boolean => reflector.problem?.forbidden === true;
  const late = performance.now() + timeoutMs;
  while (!reflector.isSynced && !forbidden() && performance.now() < late && !signal.aborted) await sleep(20, signal);
  if (forbidden()) logger.warn({}, `${resourceName(reflector.resource)} may not be watched: ${without}`);
  else await catchUp([reflector], options);
}

/** What is known of a kind: all objects, nothing yet, that the API server has no such kind, or that it may not be watched. */
export type Sight = 'seen' | 'unknown' | 'absent' | 'forbidden';

/** The cache of a kind that not every cluster has, and few objects need: it is watched from the time that the first one asks. */
export class OnDemandCache<T extends Stored, Source> {
  readonly reflector: Reflector<T, Source>;
  readonly #asked = Promise.withResolvers<void>();
  readonly #waiting = new Set<string>();

  /** @param wake looks again at what has waited for the cache. */
  constructor(reflector: Reflector<T, Source>, wake: (key: string) => void) {
    this.reflector = reflector;
    reflector.onProgress(() => {
      const keys = [...this.#waiting];
      this.#waiting.clear();
      for (const key of keys) wake(key);
    });
  }

  /** @param key is woken when the cache is there. */
  look(key: string): Sight {
    this.#asked.resolve();
    const { isSynced, problem } = this.reflector;
    const sight =
      problem?.absent === true ? 'absent' : problem?.forbidden === true ? 'forbidden' : isSynced ? 'seen' : 'unknown';
    if (sight !== 'seen') this.#waiting.add(key);
    return sight;
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.race([this.#asked.promise, ended]);
    if (!signal.aborted) await this.reflector.run(signal);
  }
}
