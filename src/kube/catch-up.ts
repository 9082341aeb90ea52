import { Backoff, sleep } from './backoff.ts';
import type { Logger } from './logger.ts';
import type { Reflector } from './reflector.ts';
import type { Stored } from './store.ts';

/** Up to this many objects a new list is quicker than to wait for a bookmark. */
const SMALL = 500;
const LOOK_MS = 20;
/** What was asked for and has not come after this long is asked for again. */
const PATIENCE_MS = 5_000;

/**
 * Waits until the cache has all that the server had at the time of the call, however far its watch was behind: what a
 * new leader needs before its first plan. Returns early when the signal aborts. The reflector has to be running.
 */
export async function catchUp(
  reflector: Pick<
    Reflector<Stored>,
    'isSynced' | 'size' | 'observedResourceVersion' | 'listedAt' | 'relist' | 'resumeBriefly' | 'serverResourceVersion'
  >,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
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
      if (signal.aborted) return;
      logger.warn({ err: error }, 'cannot read how far the API server is: trying again');
      await sleep(backoff.next(), signal);
    }
  }
  const isCurrent = (): boolean =>
    reflector.listedAt >= since || (target !== undefined && reflector.observedResourceVersion >= target);
  if (!isCurrent() && reflector.size > SMALL) {
    reflector.resumeBriefly();
    await wait(isCurrent, PATIENCE_MS);
  }
  while (!isCurrent() && !signal.aborted) {
    reflector.relist();
    await wait(isCurrent, PATIENCE_MS);
  }
}
