import { Backoff, sleep } from './backoff.ts';
import { isForbidden } from './errors.ts';
import type { Logger } from './logger.ts';
import type { Reflector } from './reflector.ts';
import { resourceName } from './resource.ts';
import type { Stored } from './store.ts';

/** Up to this many objects a new list is quicker than to wait for a bookmark. */
const SMALL = 500;
const LOOK_MS = 20;
/** What was asked for and has not come after this long is asked for again. */
const PATIENCE_MS = 5_000;

export interface CatchUpOptions {
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Milliseconds; controller-runtime's CacheSyncTimeout. */
  readonly timeoutMs: number;
}

/**
 * Waits until the caches have all that the server had at the time of the call, however far their watches were behind:
 * what a new leader needs before its first plan. Returns early when the signal aborts. The reflectors have to be running.
 * @throws CacheSyncError when that takes too long.
 */
export async function catchUp(reflectors: readonly CaughtUp[], options: CatchUpOptions): Promise<void> {
  const late = AbortSignal.timeout(options.timeoutMs);
  const signal = AbortSignal.any([options.signal, late]);
  const current = await Promise.all(
    reflectors.map((reflector) => catchUpOne(reflector, { logger: options.logger, signal })),
  );
  if (options.signal.aborted) return;
  const behind = reflectors.filter((_reflector, index) => !current[index]);
  if (behind.length > 0) throw new CacheSyncError(behind, options.timeoutMs);
}

type CaughtUp = Pick<
  Reflector<Stored>,
  | 'resource'
  | 'problem'
  | 'isSynced'
  | 'size'
  | 'observedResourceVersion'
  | 'listedAt'
  | 'relist'
  | 'resumeBriefly'
  | 'serverResourceVersion'
>;

/** @returns false when the signal aborts first. */
async function catchUpOne(
  reflector: CaughtUp,
  { logger, signal }: Pick<CatchUpOptions, 'logger' | 'signal'>,
): Promise<boolean> {
  const since = performance.now();
  const wait = async (condition: () => boolean, limitMs = Number.POSITIVE_INFINITY): Promise<void> => {
    const until = performance.now() + limitMs;
    while (!condition() && !signal.aborted && performance.now() < until) await sleep(LOOK_MS, signal);
  };
  await wait(() => reflector.isSynced);
  const backoff = new Backoff({ initialMs: 200, maxMs: 2_000 });
  let target: bigint | undefined;
  while (target === undefined && !signal.aborted) {
    try {
      target = await reflector.serverResourceVersion(signal);
    } catch (error) {
      // Who may watch but not list can still have the list streamed.
      if (isForbidden(error)) break;
      if (signal.aborted) return false;
      logger.warn({ err: error }, 'cannot read how far the API server is: trying again');
      await sleep(backoff.next(), signal);
    }
  }
  const isCurrent = (): boolean =>
    reflector.listedAt >= since || (target !== undefined && reflector.observedResourceVersion >= target);
  if (target !== undefined && !isCurrent() && reflector.size > SMALL) {
    reflector.resumeBriefly();
    await wait(isCurrent, PATIENCE_MS);
  }
  while (!isCurrent() && !signal.aborted) {
    reflector.relist();
    await wait(isCurrent, PATIENCE_MS);
  }
  return isCurrent();
}

/** Caches did not become complete in time: there is nothing to plan from. */
export class CacheSyncError extends Error {
  override readonly name = 'CacheSyncError';

  constructor(behind: readonly Pick<CaughtUp, 'resource' | 'problem'>[], timeoutMs: number) {
    const each = behind.map(
      ({ resource, problem }) => `${resourceName(resource)} (${problem?.message ?? 'no answer'})`,
    );
    super(`these caches were not complete within ${timeoutMs / 1000} s: ${each.join(', ')}`);
  }
}
