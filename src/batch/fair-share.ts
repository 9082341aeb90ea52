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
  /** Of `average`, epoch milliseconds: the last time that something of the share started or ended. */
  readonly at: number;
}

export interface FairShare {
  readonly policy: FairSharePolicy;
  readonly usage: ReadonlyMap<string, ShareUsage>;
}

/** A queue serves no more shares at a time (API reference, ShareAttributes: shareIdentifier). */
export const MAX_ACTIVE_SHARES = 500;

const DEFAULT_DECAY_SECONDS = 600;

/** How long past use counts, and a share stays active after it. */
export const decaySecondsOf = ({ shareDecaySeconds }: FairSharePolicy): number =>
  shareDecaySeconds === 0 ? DEFAULT_DECAY_SECONDS : shareDecaySeconds;

/**
 * Time constants in the decay time. Use then counts as if its weight fell in a straight line to nothing over that time: the mean
 * age of what counts is the same, a third of it.
 */
const CONSTANTS_A_DECAY = 3;

/** The usage at a later time, if nothing of the share starts or ends before. */
export function usageAt(policy: FairSharePolicy, { average, inUse, at }: ShareUsage, now: number): ShareUsage {
  const seconds = Math.max(0, now - at) / 1000;
  const kept = Math.exp((-CONSTANTS_A_DECAY * seconds) / decaySecondsOf(policy));
  return { average: average * kept + inUse * (1 - kept), inUse, at: now };
}

/** Whether use still counts, though nothing of the share waits (user guide, fair-share-scheduling: compute reservation). */
export const isActive = (policy: FairSharePolicy, { inUse, at }: ShareUsage, now: number): boolean =>
  inUse > 0 || now - at <= decaySecondsOf(policy) * 1000;

/**
 * An identifier's own weight, or its prefix's times the number of active identifiers with that prefix (user guide,
 * scheduling-policy-parameters); 1 without either.
 * @returns the weight of each.
 */
export function weightsOf(policy: FairSharePolicy, active: Iterable<string>): ReadonlyMap<string, number> {
  const weights = new Map(policy.shareDistribution.map((share) => [share.shareIdentifier, share.weightFactor]));
  const lengths = new Set<number>();
  for (const identifier of weights.keys()) if (identifier.endsWith('*')) lengths.add(identifier.length - 1);
  const patternOf = (share: string): string | undefined => {
    if (weights.has(share)) return undefined;
    for (const length of lengths) {
      const prefix = `${share.slice(0, length)}*`;
      if (weights.has(prefix)) return prefix;
    }
    return undefined;
  };
  const result = new Map<string, number>();
  const alike = new Map<string, string[]>();
  for (const share of active) {
    const prefix = patternOf(share);
    if (prefix === undefined) result.set(share, weights.get(share) ?? 1);
    else {
      const shares = alike.get(prefix) ?? [];
      shares.push(share);
      alike.set(prefix, shares);
    }
  }
  for (const [prefix, shares] of alike)
    for (const share of shares) result.set(share, (weights.get(prefix) ?? 1) * shares.length);
  return result;
}

/** A share with jobs that wait. */
export interface WaitingShare {
  readonly name: string;
  /** When the job at its head was submitted, epoch milliseconds. */
  readonly since: number;
}

interface Share extends WaitingShare {
  readonly weight: number;
  used: number;
}

/** Whose turn it is. */
export interface Turns {
  /** Of those that have something waiting, the one with the least vCPU time times weight. */
  next(): string | undefined;
  /** It has got so many vCPUs more. */
  add(share: string, vcpus: number): void;
  /** Nothing of it waits any more. */
  end(share: string): void;
  /** Part of the vCPUs that is kept for shares that are not active. */
  reservedRatio(): number;
  /** Wait until another share is no longer active: as many as may be are. */
  readonly crowdedOut: readonly string[];
}

export function turnsOf({ policy, usage }: FairShare, waiting: readonly WaitingShare[], now: number): Turns {
  const active = new Map<string, number>();
  let inUse = 0;
  for (const [share, past] of usage) {
    if (!isActive(policy, past, now)) continue;
    const current = usageAt(policy, past, now);
    active.set(share, current.average + current.inUse);
    inUse += current.inUse;
  }
  const isCrowded = active.size + waiting.length > MAX_ACTIVE_SHARES;
  const crowdedOut: string[] = [];
  // Those that have waited longest are let in first.
  for (const { name } of isCrowded ? waiting.toSorted((a, b) => a.since - b.since) : waiting) {
    if (active.has(name)) continue;
    if (active.size < MAX_ACTIVE_SHARES) active.set(name, 0);
    else crowdedOut.push(name);
  }
  const weights = weightsOf(policy, active.keys());
  const open = new Map<string, Share>();
  for (const { name, since } of waiting) {
    const used = active.get(name);
    if (used !== undefined) open.set(name, { name, since, used, weight: weights.get(name) ?? 1 });
  }
  return {
    next: () => {
      let first: Share | undefined;
      for (const share of open.values()) if (first === undefined || isBefore(share, first)) first = share;
      return first?.name;
    },
    add: (name, vcpus) => {
      const share = open.get(name);
      if (share !== undefined) share.used += vcpus;
      inUse += vcpus;
    },
    end: (share) => void open.delete(share),
    // A job that needs more than the rest would otherwise never start: the first of a queue may take of what is kept.
    reservedRatio: () => (inUse > 0 ? (policy.computeReservation / 100) ** active.size : 0),
    crowdedOut,
  };
}

/** Of equals the one with the bigger share goes first, then the one that has waited longest, then by name. */
const isBefore = (a: Share, b: Share): boolean => {
  const difference = a.used * a.weight - b.used * b.weight || a.weight - b.weight || a.since - b.since;
  return difference < 0 || (difference === 0 && a.name < b.name);
};
