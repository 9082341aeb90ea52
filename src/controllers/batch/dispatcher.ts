/**
 * Which attempts of queued jobs may start: in memory, made anew from the cluster by every operator that begins to
 * reconcile. What is in use is what has a pod, and what was granted and has none that was seen yet.
 */
import { type Blocked, dispatch, type Environment, type Queue } from '../../batch/dispatch.ts';
import { type FairSharePolicy, isActive, type ShareUsage, usageAt } from '../../batch/fair-share.ts';
import { type Resources, type Waiting, Waitlist } from '../../batch/waitlist.ts';
import type { QueueClaim } from '../../pod/queue-claim.ts';

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

/** What a pod takes, with the namespace that its queue is in. */
interface Claim extends QueueClaim {
  readonly namespace: string;
}

interface Entry {
  readonly demand: Demand;
  /** By environment: may start, and the job has not taken it yet. */
  readonly granted: Map<string, number>;
  /** By environment: was taken, and its pods may not be seen yet. */
  readonly taken: Map<string, number>;
}

const NOTHING: Resources = { vcpus: 0, memory: 0 };

const NONE: ReadonlyMap<string, number> = new Map();

export class Dispatcher {
  readonly #entries = new Map<string, Entry>();
  /** Of pods that are seen and have not ended, by environment. */
  readonly #used = new Map<string, Resources>();
  /** By queue, of the last run: by it past use counts less and less. */
  readonly #policies = new Map<string, FairSharePolicy>();
  /** By queue, by shareIdentifier: of pods that are seen. */
  readonly #usage = new Map<string, Map<string, ShareUsage>>();
  /** Jobs that have not said yet what they have to start. */
  #awaited = new Set<string>();
  #blocked: ReadonlyMap<string, Blocked> = new Map();
  readonly #changed: () => void;

  /** @param changed is called when there may be something to grant. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Grants nothing before each of these jobs was heard: one of a high priority may be the last. */
  await(jobs: Iterable<string>): void {
    this.#awaited = new Set(jobs);
    this.#entries.clear();
  }

  /** What a share had used by then, as somebody else has counted it; what pods take is not part of it. */
  restore(queue: string, share: string, average: number, at: number): void {
    const known = this.#usage.get(queue)?.get(share);
    this.#noteUsage(queue, share, { average, inUse: known?.inUse ?? 0, at });
  }

  /** A pod takes its part, has given it back, or takes another. */
  notePod(namespace: string, before: QueueClaim | undefined, after: QueueClaim | undefined, now: number): void {
    // One text is parsed once: an unchanged claim is the same object.
    if (before === after) return;
    if (before !== undefined) this.#add({ ...before, namespace }, -1, now);
    if (after !== undefined) this.#add({ ...after, namespace }, 1, now);
    if (before !== undefined) this.#changed();
  }

  #add({ namespace, jobQueue, computeEnvironment, share, vcpus, memory }: Claim, sign: 1 | -1, now: number): void {
    const used = this.#used.get(computeEnvironment) ?? NOTHING;
    this.#used.set(computeEnvironment, { vcpus: used.vcpus + sign * vcpus, memory: used.memory + sign * memory });
    if (share === undefined) return;
    const queue = `${namespace}/${jobQueue}`;
    const policy = this.#policies.get(queue);
    const before = this.#usage.get(queue)?.get(share) ?? { average: 0, inUse: 0, at: now };
    const current = policy === undefined ? before : usageAt(policy, before, now);
    this.#noteUsage(queue, share, { ...current, inUse: current.inUse + sign * vcpus });
  }

  #noteUsage(queue: string, share: string, usage: ShareUsage): void {
    const shares = this.#usage.get(queue) ?? new Map<string, ShareUsage>();
    this.#usage.set(queue, shares.set(share, usage));
  }

  /** All pods of the job are seen, and this is what it has to start besides. */
  offer(demand: Demand): void {
    const before = this.#entries.get(demand.job);
    const isSame =
      before !== undefined && before.demand.queue === demand.queue && sameResources(before.demand.need, demand.need);
    const granted = new Map<string, number>();
    let left = demand.count;
    for (const [environment, count] of isSame ? before.granted : []) {
      const valid = Math.min(count, left);
      left -= valid;
      if (valid > 0) granted.set(environment, valid);
    }
    this.#entries.set(demand.job, { demand, granted, taken: new Map() });
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
    const { granted, taken } = entry;
    const result: Granted[] = [];
    let left = most;
    for (const [environment, count] of granted) {
      const now = Math.min(count, left);
      left -= now;
      if (now === 0) continue;
      taken.set(environment, (taken.get(environment) ?? 0) + now);
      if (now === count) granted.delete(environment);
      else granted.set(environment, count - now);
      result.push({ environment, count: now });
    }
    return result;
  }

  /** It has nothing to start, or is gone. */
  withdraw(job: string): void {
    const had = this.#entries.delete(job);
    const wasAwaited = this.#awaited.delete(job);
    if (had || (wasAwaited && this.#awaited.size === 0)) this.#changed();
  }

  /**
   * Grants what there is room for.
   * @returns jobs that have something new to see: they may start something, or are at the head of their queue, or no longer.
   */
  run({ queues, environments }: Scene, now: number): ReadonlySet<string> {
    if (this.#awaited.size > 0) return new Set();
    const waiting = Map.groupBy(
      [...this.#entries.values()].flatMap(({ demand, granted, taken }) => {
        const count = demand.count - sum(granted) - sum(taken);
        return count > 0 ? [{ ...demand, count }] : [];
      }),
      ({ queue }) => queue,
    );
    const held = this.#held();
    const planned = dispatch(
      queues.map(({ policy, ...queue }) => ({
        ...queue,
        waiting: new Waitlist(policy !== undefined, waiting.get(queue.key) ?? []),
        ...(policy !== undefined && {
          fairShare: { policy, usage: this.#usageOf(queue.key, policy, held.byQueue.get(queue.key) ?? NONE, now) },
        }),
      })),
      environments.map((environment) => {
        const used = this.#used.get(environment.name) ?? NOTHING;
        const more = held.byEnvironment.get(environment.name) ?? NOTHING;
        return { ...environment, used: { vcpus: used.vcpus + more.vcpus, memory: used.memory + more.memory } };
      }),
      now,
    );
    const news = new Set(planned.grants.map(({ job }) => job));
    const blocked = new Map(planned.blocked.map((each) => [each.queue, each]));
    for (const [queue, { job, reason }] of this.#blocked) {
      const after = blocked.get(queue);
      if (after?.job === job && after.reason === reason) continue;
      news.add(job);
    }
    for (const [queue, { job, reason }] of blocked) {
      const before = this.#blocked.get(queue);
      if (before?.job !== job || before.reason !== reason) news.add(job);
    }
    this.#blocked = blocked;
    for (const { job, environment, count } of planned.grants) {
      const granted = this.#entries.get(job)?.granted;
      granted?.set(environment, (granted.get(environment) ?? 0) + count);
    }
    return news;
  }

  /** What was granted and has no pod that was seen. */
  #held(): {
    readonly byEnvironment: ReadonlyMap<string, Resources>;
    readonly byQueue: ReadonlyMap<string, ReadonlyMap<string, number>>;
  } {
    const byEnvironment = new Map<string, Resources>();
    const byQueue = new Map<string, Map<string, number>>();
    for (const { demand, granted, taken } of this.#entries.values()) {
      const { need, queue, share } = demand;
      for (const [environment, count] of [...granted, ...taken]) {
        const { vcpus, memory } = byEnvironment.get(environment) ?? NOTHING;
        byEnvironment.set(environment, { vcpus: vcpus + need.vcpus * count, memory: memory + need.memory * count });
        const shares = byQueue.get(queue) ?? new Map<string, number>();
        byQueue.set(queue, shares.set(share, (shares.get(share) ?? 0) + need.vcpus * count));
      }
    }
    return { byEnvironment, byQueue };
  }

  /** With what was granted, as far as no pod is seen. */
  #usageOf(
    queue: string,
    policy: FairSharePolicy,
    held: ReadonlyMap<string, number>,
    now: number,
  ): ReadonlyMap<string, ShareUsage> {
    this.#policies.set(queue, policy);
    const seen = this.#usage.get(queue) ?? new Map<string, ShareUsage>();
    const result = new Map<string, ShareUsage>();
    for (const share of new Set([...seen.keys(), ...held.keys()])) {
      const past = seen.get(share) ?? { average: 0, inUse: 0, at: now };
      const more = held.get(share) ?? 0;
      if (more > 0) {
        const current = usageAt(policy, past, now);
        result.set(share, { ...current, inUse: current.inUse + more });
      } else if (isActive(policy, past, now)) result.set(share, past);
      else seen.delete(share);
    }
    return result;
  }

  /** Why nothing more of the job starts, in one sentence; undefined where nothing holds it back. */
  whyWaiting(job: string): string | undefined {
    const entry = this.#entries.get(job);
    if (entry === undefined || entry.demand.count <= sum(entry.granted) + sum(entry.taken)) return undefined;
    const blocked = this.#blocked.get(entry.demand.queue);
    if (blocked?.job === job) return `${blocked.reason} - ${blocked.message}`;
    return `waiting for its turn in queue ${entry.demand.queue.split('/').at(-1)}`;
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
    return this.#usage.get(queue) ?? new Map<string, ShareUsage>();
  }

  /** What waits in a queue, and has not been granted. */
  waitingIn(queue: string): readonly Waiting[] {
    return [...this.#entries.values()].flatMap(({ demand, granted, taken }) => {
      const count = demand.count - sum(granted) - sum(taken);
      return demand.queue === queue && count > 0 ? [{ ...demand, count }] : [];
    });
  }
}

const sum = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((a, b) => a + b, 0);

const sameResources = (a: Resources, b: Resources): boolean => a.vcpus === b.vcpus && a.memory === b.memory;
