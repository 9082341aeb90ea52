/** What the shares of queues use, and have used: of pods that are seen, and of what was granted and has none that was seen yet. */
import { type FairSharePolicy, isActive, type ShareUsage, usageAt } from '../../batch/fair-share.ts';

const NOTHING_USED = { average: 0, inUse: 0 };

export class ShareUsages {
  /** By queue, of the last run: by it past use counts less and less. */
  readonly #policies = new Map<string, FairSharePolicy>();
  /** By queue, by shareIdentifier: of pods that are seen. */
  readonly #seen = new Map<string, Map<string, ShareUsage>>();
  /** By queue, by shareIdentifier: vCPUs that were granted. */
  readonly #held = new Map<string, Map<string, number>>();

  /** What a share had used by then, as somebody else has counted it; what pods take is not part of it. */
  restore(queue: string, share: string, average: number, at: number): void {
    const inUse = this.of(queue).get(share)?.inUse ?? 0;
    of(this.#seen, queue).set(share, { average, inUse, at });
  }

  /** Pods of the share take so many vCPUs more; less, if negative. */
  add(queue: string, share: string, vcpus: number, now: number): void {
    const policy = this.#policies.get(queue);
    const before = this.of(queue).get(share) ?? { ...NOTHING_USED, at: now };
    const current = policy === undefined ? before : usageAt(policy, before, now);
    of(this.#seen, queue).set(share, { ...current, inUse: current.inUse + vcpus });
  }

  /** So many vCPUs more were granted to the share and have no pod that was seen; less, if negative. */
  hold(queue: string, share: string, vcpus: number): void {
    const shares = of(this.#held, queue);
    const held = (shares.get(share) ?? 0) + vcpus;
    if (held > 0) shares.set(share, held);
    else shares.delete(share);
  }

  /** Nothing is granted any more. */
  releaseAll(): void {
    this.#held.clear();
  }

  /** By shareIdentifier: of the pods that are seen. */
  of(queue: string): ReadonlyMap<string, ShareUsage> {
    return this.#seen.get(queue) ?? new Map<string, ShareUsage>();
  }

  /** Of the shares that are active, with what was granted. Forgets the others. */
  active(queue: string, policy: FairSharePolicy, now: number): ReadonlyMap<string, ShareUsage> {
    this.#policies.set(queue, policy);
    const result = new Map<string, ShareUsage>();
    for (const [share, past] of this.of(queue)) {
      if (isActive(policy, past, now)) result.set(share, past);
      else this.#seen.get(queue)?.delete(share);
    }
    for (const [share, vcpus] of this.#held.get(queue) ?? []) {
      const current = usageAt(policy, result.get(share) ?? { ...NOTHING_USED, at: now }, now);
      result.set(share, { ...current, inUse: current.inUse + vcpus });
    }
    return result;
  }
}

function of<T>(maps: Map<string, Map<string, T>>, key: string): Map<string, T> {
  const map = maps.get(key) ?? new Map<string, T>();
  maps.set(key, map);
  return map;
}
