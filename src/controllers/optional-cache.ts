/** Caches that the operator can do without: a right that is missing costs what they are for, and nothing else. */
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
