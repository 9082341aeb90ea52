/**
 * Which attempts of queued jobs may start: in memory, made anew from the cluster by every operator that begins to
 * reconcile. What is in use is what has a pod, and what was granted and has none that was seen yet.
 */
import { type Blocked, dispatch, type Environment, frontOf, type Queue } from '../../batch/dispatch.ts';
import { type FairSharePolicy, MAX_ACTIVE_SHARES, type ShareUsage } from '../../batch/fair-share.ts';
import { type Resources, type Waiting, Waitlist } from '../../batch/waitlist.ts';
import type { QueueClaim } from '../../pod/queue-claim.ts';
import { ShareUsages } from './share-usages.ts';

/** What a queued job has to start now, besides the pods it has. */
export interface Demand extends Waiting {
  /** {@link QueueView.key} of its queue. */
  readonly queue: string;
}

/** A queue, without what waits in it and what its shares have used. */
export interface QueueView extends Omit<Queue, 'waiting' | 'fairShare'> {
  readonly policy?: FairSharePolicy | undefined;
}

/** An environment, without what is in use. */
export type EnvironmentView = Omit<Environment, 'used'>;

export interface Scene {
  readonly queues: readonly QueueView[];
  readonly environments: readonly EnvironmentView[];
}

export interface Granted {
  /** Name of the environment. */
  readonly environment: string;
  readonly count: number;
}

interface Entry {
  readonly demand: Demand;
  /** By environment: may start, and the job has not taken it yet. */
  readonly granted: Map<string, number>;
  /** By environment: was taken since the job has said what it has to start. */
  readonly taken: Map<string, number>;
  /** Of those, what has no pod that was seen yet. */
  readonly unseen: Map<string, number>;
  /** What of it stands in its queue. */
  waiting: Waiting | undefined;
}

const NOTHING: Resources = { vcpus: 0, memory: 0 };

export class Dispatcher {
  readonly #entries = new Map<string, Entry>();
  /** By queue: what its jobs wait for, beyond what was granted. */
  readonly #waitlists = new Map<string, Waitlist>();
  /** By environment: of pods that are seen and have not ended, and of what was granted and has none that was seen. */
  readonly #used = new Map<string, Resources>();
  readonly #held = new Map<string, Resources>();
  readonly #shares = new ShareUsages();
  /** Jobs that have not said yet what they have to start. */
  #awaited = new Set<string>();
  #awaitedUntil = 0;
  #blocked: ReadonlyMap<string, Blocked> = new Map();
  #crowdedOut: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  readonly #changed: () => void;

  /** @param changed is called when there may be something to grant. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /**
   * Grants nothing before each of these jobs was heard: one of a high priority may be the last.
   * @param until epoch milliseconds: from then on it grants, whoever was not heard.
   */
  await(jobs: Iterable<string>, until = Infinity): void {
    this.#awaited = new Set(jobs);
    this.#awaitedUntil = until;
    this.#entries.clear();
    this.#waitlists.clear();
    this.#held.clear();
    this.#shares.releaseAll();
  }

  /** What a share had used by then, as somebody else has counted it; what pods take is not part of it. */
  restore(queue: string, share: string, average: number, at: number): void {
    this.#shares.restore(queue, share, average, at);
  }

  /** A pod takes its part, has given it back, or takes another. */
  notePod(
    { namespace, owner }: { readonly namespace: string; readonly owner: string },
    before: QueueClaim | undefined,
    after: QueueClaim | undefined,
    now: number,
  ): void {
    // One text is parsed once: an unchanged claim is the same object.
    if (before === after) return;
    if (before !== undefined) this.#note(namespace, before, -1, now);
    if (after !== undefined) this.#note(namespace, after, 1, now);
    if (before !== undefined) this.#changed();
    else if (after !== undefined) this.#seen(owner, after.computeEnvironment);
  }

  /** What was granted for it is in use now. */
  #seen(job: string, environment: string): void {
    const entry = this.#entries.get(job);
    const unseen = entry?.unseen.get(environment) ?? 0;
    if (entry === undefined || unseen === 0) return;
    entry.unseen.set(environment, unseen - 1);
    this.#hold(entry, environment, -1);
  }

  #note(namespace: string, claim: QueueClaim, sign: 1 | -1, now: number): void {
    add(this.#used, claim.computeEnvironment, claim, sign);
    if (claim.share !== undefined)
      this.#shares.add(`${namespace}/${claim.jobQueue}`, claim.share, sign * claim.vcpus, now);
  }

  /** All pods of the job are seen, and this is what it has to start besides. */
  offer(demand: Demand): void {
    const before = this.#remove(demand.job);
    const isSame =
      before !== undefined && before.demand.queue === demand.queue && sameResources(before.demand.need, demand.need);
    const entry: Entry = { demand, granted: new Map(), taken: new Map(), unseen: new Map(), waiting: undefined };
    let left = demand.count;
    for (const [environment, count] of isSame ? before.granted : []) {
      const valid = Math.min(count, left);
      left -= valid;
      if (valid > 0) this.#grant(entry, environment, valid);
    }
    this.#entries.set(demand.job, entry);
    this.#queueUp(entry);
    this.#awaited.delete(demand.job);
    this.#changed();
  }

  /**
   * Takes what the job was granted: it starts that now.
   * @param most what it can start at once.
   */
  take(job: string, most = Infinity): readonly Granted[] {
    const entry = this.#entries.get(job);
    if (entry === undefined) return [];
    const { granted, taken, unseen } = entry;
    const result: Granted[] = [];
    let left = most;
    for (const [environment, count] of granted) {
      const now = Math.min(count, left);
      left -= now;
      if (now === 0) continue;
      taken.set(environment, (taken.get(environment) ?? 0) + now);
      unseen.set(environment, (unseen.get(environment) ?? 0) + now);
      if (now === count) granted.delete(environment);
      else granted.set(environment, count - now);
      result.push({ environment, count: now });
    }
    return result;
  }

  /** It has nothing to start, or is gone. */
  withdraw(job: string): void {
    const had = this.#remove(job) !== undefined;
    const wasAwaited = this.#awaited.delete(job);
    if (had || (wasAwaited && this.#awaited.size === 0)) this.#changed();
  }

  /**
   * Grants what there is room for.
   * @returns jobs that have something new to see: they may start something, or are at the head of their queue, or no longer.
   */
  run({ queues, environments }: Scene, now: number): ReadonlySet<string> {
    if (this.#awaited.size > 0 && now < this.#awaitedUntil) return new Set();
    const planned = dispatch(
      queues.map(({ policy, ...queue }) => ({
        ...queue,
        waiting: this.#waitlistOf(queue.key, policy !== undefined),
        ...(policy !== undefined && { fairShare: { policy, usage: this.#shares.active(queue.key, policy, now) } }),
      })),
      environments.map((environment) => {
        const { vcpus, memory } = this.#used.get(environment.name) ?? NOTHING;
        const held = this.#held.get(environment.name) ?? NOTHING;
        return { ...environment, used: { vcpus: vcpus + held.vcpus, memory: memory + held.memory } };
      }),
      now,
    );
    const news = new Set(planned.grants.map(({ job }) => job));
    const blocked = new Map(planned.blocked.map((each) => [each.queue, each]));
    for (const [queue, { job, reason }] of this.#blocked) {
      const after = blocked.get(queue);
      if (after?.job !== job || after.reason !== reason) news.add(job);
    }
    for (const [queue, { job, reason }] of blocked) {
      const before = this.#blocked.get(queue);
      if (before?.job !== job || before.reason !== reason) news.add(job);
    }
    this.#blocked = blocked;
    this.#crowdedOut = new Map(planned.crowdedOut.map(({ queue, shares }) => [queue, shares]));
    for (const { job, environment, count } of planned.grants) {
      const entry = this.#entries.get(job);
      if (entry !== undefined) this.#grant(entry, environment, count);
    }
    for (const { job } of planned.grants) {
      const entry = this.#entries.get(job);
      if (entry !== undefined) this.#queueUp(entry);
    }
    return news;
  }

  /** @param hasShares whether the queue has a fair share policy; absent: as it had before. The order is another one then. */
  #waitlistOf(queue: string, hasShares?: boolean): Waitlist {
    const before = this.#waitlists.get(queue) ?? new Waitlist(hasShares ?? false);
    const isSame = hasShares === undefined || hasShares === before.hasShares;
    const after = isSame ? before : new Waitlist(hasShares, before.jobs);
    this.#waitlists.set(queue, after);
    return after;
  }

  #grant(entry: Entry, environment: string, count: number): void {
    entry.granted.set(environment, (entry.granted.get(environment) ?? 0) + count);
    this.#hold(entry, environment, count);
  }

  #hold({ demand }: Entry, environment: string, count: number): void {
    add(this.#held, environment, demand.need, count);
    this.#shares.hold(demand.queue, demand.share, demand.need.vcpus * count);
  }

  /** What was not granted stands in the queue, the retries last granted. */
  #queueUp(entry: Entry): void {
    const { demand, granted, taken, waiting } = entry;
    const waitlist = this.#waitlistOf(demand.queue);
    if (waiting !== undefined) waitlist.remove(waiting);
    const given = sum(granted) + sum(taken);
    const count = demand.count - given;
    entry.waiting = count > 0 ? { ...demand, count, retries: Math.max(0, demand.retries - given) } : undefined;
    if (entry.waiting !== undefined) waitlist.add(entry.waiting);
  }

  #remove(job: string): Entry | undefined {
    const entry = this.#entries.get(job);
    if (entry === undefined) return undefined;
    const { demand, granted, unseen, waiting } = entry;
    this.#entries.delete(job);
    if (waiting !== undefined) this.#waitlistOf(demand.queue).remove(waiting);
    for (const [environment, count] of [...granted, ...unseen]) this.#hold(entry, environment, -count);
    return entry;
  }

  /** Why nothing more of the job starts, in one sentence; undefined where nothing holds it back. */
  whyWaiting(job: string): string | undefined {
    const entry = this.#entries.get(job);
    if (entry?.waiting === undefined) return undefined;
    const { queue, share } = entry.demand;
    const blocked = this.#blocked.get(queue);
    if (blocked?.job === job) return `${blocked.reason} - ${blocked.message}`;
    const name = queue.split('/').at(-1);
    if (this.#crowdedOut.get(queue)?.has(share) === true)
      return `waiting until a share of queue ${name} is no longer active: shareIdentifier ${share} would be one more than the ${MAX_ACTIVE_SHARES} that may be`;
    return `waiting for its turn in queue ${name}`;
  }

  /** The job at the head of a queue that nothing has room for. */
  headOf(queue: string): Blocked | undefined {
    return this.#blocked.get(queue);
  }

  /** Of the pods that are seen. */
  usedOf(environment: string): Resources {
    return this.#used.get(environment) ?? NOTHING;
  }

  /** By shareIdentifier: of the pods that are seen. */
  sharesOf(queue: string): ReadonlyMap<string, ShareUsage> {
    return this.#shares.of(queue);
  }

  /** The first jobs of what waits in a queue, by UID. @param policy of its fair shares. */
  frontOf(queue: string, policy: FairSharePolicy | undefined, most: number, now: number): readonly string[] {
    const waiting = this.#waitlists.get(queue);
    if (waiting === undefined) return [];
    const usage = policy === undefined ? undefined : this.#shares.active(queue, policy, now);
    return frontOf({ waiting, ...(policy !== undefined && usage && { fairShare: { policy, usage } }) }, most, now);
  }

  /** What waits in a queue, and has not been granted. */
  waitingIn(queue: string): readonly Waiting[] {
    return [...(this.#waitlists.get(queue)?.jobs ?? [])];
  }
}

function add(sums: Map<string, Resources>, key: string, { vcpus, memory }: Resources, count: number): void {
  const before = sums.get(key) ?? NOTHING;
  sums.set(key, { vcpus: before.vcpus + vcpus * count, memory: before.memory + memory * count });
}

const sum = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((a, b) => a + b, 0);

const sameResources = (a: Resources, b: Resources): boolean => a.vcpus === b.vcpus && a.memory === b.memory;
