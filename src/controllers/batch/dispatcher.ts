/**
 * Which attempts of queued jobs may start: in memory, made anew from the cluster by every operator that begins to
 * reconcile. What is in use is what has a pod, and what was granted and has none that was seen yet.
 */
import {
  type Blocked,
  dispatch,
  type Environment,
  type Queue,
  type Resources,
  type Waiting,
} from '../../batch/dispatch.ts';

/** What a queued job has to start now. */
export interface Demand extends Waiting {
  /** `<namespace>/<AWS name>` of the queue. */
  readonly queue: string;
}

/** What a pod takes of an environment. */
export interface Claim extends Resources {
  readonly environment: string;
}

interface Entry {
  demand: Demand;
  /** By environment: may start, and the job has not taken it yet. */
  granted: Map<string, number>;
  /** By environment: was taken, and its pods may not be seen yet. */
  taken: Map<string, number>;
}

const NOTHING: Resources = { vcpus: 0, memory: 0 };

export class Dispatcher {
  readonly #entries = new Map<string, Entry>();
  /** Of pods that are seen and have not ended, by environment. */
  readonly #used = new Map<string, Resources>();
  /** Jobs that have not said yet what they have to start. */
  #awaited: Set<string> | undefined;
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

  /** A pod took or gave back its part. */
  notePod(before: Claim | undefined, after: Claim | undefined): void {
    if (
      before?.environment === after?.environment &&
      before?.vcpus === after?.vcpus &&
      before?.memory === after?.memory
    )
      return;
    if (before !== undefined) this.#add(before, -1);
    if (after !== undefined) this.#add(after, 1);
    if (before !== undefined) this.#changed();
  }

  #add({ environment, vcpus, memory }: Claim, sign: 1 | -1): void {
    const used = this.#used.get(environment) ?? NOTHING;
    this.#used.set(environment, { vcpus: used.vcpus + sign * vcpus, memory: used.memory + sign * memory });
  }

  /**
   * All pods of the job are seen, and this is what it has to start besides. Takes what it was granted of that.
   * @param most what it can start at once.
   * @returns how many it may start, by environment.
   */
  take(demand: Demand, most = Infinity): readonly { readonly environment: string; readonly count: number }[] {
    const before = this.#entries.get(demand.job);
    const sameNeed =
      before !== undefined && before.demand.queue === demand.queue && sameResources(before.demand.need, demand.need);
    const entry: Entry = { demand, granted: sameNeed ? before.granted : new Map(), taken: new Map() };
    let left = Math.min(demand.count, most);
    let kept = demand.count;
    for (const [environment, count] of entry.granted) {
      const valid = Math.min(count, kept);
      kept -= valid;
      const now = Math.min(valid, left);
      left -= now;
      if (now > 0) entry.taken.set(environment, now);
      entry.granted.set(environment, valid - now);
    }
    this.#entries.set(demand.job, entry);
    this.#heard(demand.job);
    this.#changed();
    return [...entry.taken].map(([environment, count]) => ({ environment, count }));
  }

  /** It has nothing to start, or is gone. */
  withdraw(job: string): void {
    const had = this.#entries.delete(job);
    this.#heard(job);
    if (had) this.#changed();
  }

  #heard(job: string): void {
    if (this.#awaited?.delete(job) && this.#awaited.size === 0) this.#changed();
  }

  /**
   * Grants what there is room for.
   * @param environments without what is in use. @param queues without what waits in them.
   * @returns jobs that may start something more.
   */
  run(
    queues: readonly Omit<Queue, 'waiting'>[],
    environments: readonly Omit<Environment, 'used'>[],
    now: number,
  ): readonly string[] {
    if (this.#awaited !== undefined && this.#awaited.size > 0) return [];
    const waiting = Map.groupBy(
      [...this.#entries.values()].flatMap(({ demand, granted, taken }) => {
        const count = demand.count - sum(granted) - sum(taken);
        return count > 0 ? [{ ...demand, count }] : [];
      }),
      ({ queue }) => queue,
    );
    const reserved = new Map<string, Resources>();
    for (const { demand, granted, taken } of this.#entries.values()) {
      for (const [environment, count] of [...granted, ...taken]) {
        const { vcpus, memory } = reserved.get(environment) ?? NOTHING;
        const { need } = demand;
        reserved.set(environment, { vcpus: vcpus + need.vcpus * count, memory: memory + need.memory * count });
      }
    }
    const planned = dispatch(
      queues.map((queue) => ({ ...queue, waiting: waiting.get(queue.key) ?? [] })),
      environments.map((environment) => {
        const used = this.#used.get(environment.name) ?? NOTHING;
        const held = reserved.get(environment.name) ?? NOTHING;
        return { ...environment, used: { vcpus: used.vcpus + held.vcpus, memory: used.memory + held.memory } };
      }),
      now,
    );
    this.#blocked = new Map(planned.blocked.map((blocked) => [blocked.queue, blocked]));
    for (const { job, environment, count } of planned.grants) {
      const granted = this.#entries.get(job)?.granted;
      granted?.set(environment, (granted.get(environment) ?? 0) + count);
    }
    return [...new Set(planned.grants.map(({ job }) => job))];
  }

  /** Why nothing more of the job starts, in one sentence; undefined where nothing holds it back. */
  whyWaiting(job: string): string | undefined {
    const entry = this.#entries.get(job);
    if (entry === undefined || entry.demand.count <= sum(entry.granted) + sum(entry.taken)) return undefined;
    const name = entry.demand.queue.split('/').at(-1);
    const blocked = this.#blocked.get(entry.demand.queue);
    if (blocked?.job === job) return `${blocked.reason} - ${blocked.message}`;
    return `waiting for its turn in queue ${name}`;
  }

  /** The job at the head of a queue that nothing has room for. */
  headOf(queue: string): Blocked | undefined {
    return this.#blocked.get(queue);
  }

  usedOf(environment: string): Resources {
    return this.#used.get(environment) ?? NOTHING;
  }
}

const sum = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((a, b) => a + b, 0);

const sameResources = (a: Resources, b: Resources): boolean => a.vcpus === b.vcpus && a.memory === b.memory;
