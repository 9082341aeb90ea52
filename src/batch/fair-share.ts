/** Fair share scheduling of a queue (`ecs-semantics §5.10`). */

export interface FairSharePolicy {
  /** How long past use counts, in seconds; 0 stands for 600. */
  readonly shareDecaySeconds: number;
  /** Percent, 0 to 99. */
  readonly computeReservation: number;
  /** An identifier that ends in `*` stands for all that begin so. */
  readonly shareDistribution: readonly { readonly shareIdentifier: string; readonly weightFactor: number }[];
}

/** What a share has used: vCPUs, averaged over the time that counts, the nearer past the more. */
export interface ShareUsage {
  readonly average: number;
  /** vCPUs in use now. */
  readonly inUse: number;
  /** Of `average`, epoch milliseconds. */
  readonly at: number;
}

export interface FairShare {
  readonly policy: FairSharePolicy;
  readonly usage: ReadonlyMap<string, ShareUsage>;
}

const DEFAULT_DECAY_SECONDS = 600;

export const decaySecondsOf = ({ shareDecaySeconds }: FairSharePolicy): number =>
  shareDecaySeconds === 0 ? DEFAULT_DECAY_SECONDS : shareDecaySeconds;

/** The usage at a later time, if nothing of the share starts or ends before. */
export function usageAt(policy: FairSharePolicy, { average, inUse, at }: ShareUsage, now: number): ShareUsage {
  const kept = Math.exp(-Math.max(0, now - at) / 1000 / decaySecondsOf(policy));
  return { average: average * kept + inUse * (1 - kept), inUse, at: now };
}

/** Below this a share has used nothing that counts. */
const NOTHING = 0.001;

/** An identifier's own weight, or its prefix's times the number of active identifiers with that prefix; 1 without either. */
export function weightOf(policy: FairSharePolicy, share: string, active: Iterable<string>): number {
  const own = policy.shareDistribution.find(({ shareIdentifier }) => shareIdentifier === share);
  if (own !== undefined) return own.weightFactor;
  const prefix = policy.shareDistribution.find(
    ({ shareIdentifier: pattern }) => pattern.endsWith('*') && share.startsWith(pattern.slice(0, -1)),
  );
  if (prefix === undefined) return 1;
  const start = prefix.shareIdentifier.slice(0, -1);
  let alike = 0;
  for (const other of active) if (other.startsWith(start)) alike++;
  return prefix.weightFactor * Math.max(alike, 1);
}

export interface Shares {
  /** Whose turn it is among those that have something waiting. */
  next(hasWaiting: (share: string) => boolean): string | undefined;
  /** vCPUs that were given to a share. */
  add(share: string, vcpus: number): void;
  /** Part of the vCPUs that is kept for shares that are not active. */
  reservedRatio(): number;
}

/** @param waiting shares with jobs that wait. */
export function nextShare({ policy, usage }: FairShare, waiting: readonly string[], now: number): Shares {
  const current = new Map<string, { average: number; inUse: number }>();
  for (const [share, used] of usage) {
    const { average, inUse } = usageAt(policy, used, now);
    if (inUse > 0 || average > NOTHING || waiting.includes(share)) current.set(share, { average, inUse });
  }
  for (const share of waiting) if (!current.has(share)) current.set(share, { average: 0, inUse: 0 });
  const weights = new Map([...current.keys()].map((share) => [share, weightOf(policy, share, current.keys())]));
  const rank = (share: string): number => {
    const { average = 0, inUse = 0 } = current.get(share) ?? {};
    return (average + inUse) * (weights.get(share) ?? 1);
  };
  return {
    next: (hasWaiting) => {
      let first: string | undefined;
      for (const share of waiting) {
        if (!hasWaiting(share)) continue;
        if (first === undefined || rank(share) < rank(first) || (rank(share) === rank(first) && lighter(share, first)))
          first = share;
      }
      return first;
    },
    add: (share, vcpus) => {
      const used = current.get(share);
      if (used !== undefined) used.inUse += vcpus;
    },
    reservedRatio: () => (policy.computeReservation / 100) ** current.size,
  };

  /** Of equals the one with the bigger share goes first, then by name. */
  function lighter(share: string, other: string): boolean {
    const [own = 1, others = 1] = [weights.get(share), weights.get(other)];
    return own < others || (own === others && share < other);
  }
}
