/**
 * How many tasks that ended by themselves are started again, all services together: a token bucket, so that crash storms
 * cannot hurt the cluster (design/2026-11-22-restart-budget.md). First starts, rollouts and scaling take nothing from it.
 */
import { limitRestarts, restartsOf } from '../ecs/limited-restarts.ts';
import type { ServicePlan, ServiceTask } from '../ecs/service-plan.ts';

export interface RestartLimits {
  /** Restarts a second. */
  readonly perSecond: number;
  /** So many at once, where there were fewer before. */
  readonly burst: number;
}

export interface Grant {
  /** So many may start now. */
  readonly count: number;
  /** When the others, or some of them, may: epoch milliseconds; absent where there are none. */
  readonly until?: number;
}

interface Reservation {
  readonly count: number;
  /** Epoch milliseconds. */
  readonly at: number;
}

/**
 * Whoever has to wait gets a time of its own, first come, first served, and a quarter of a second's worth each turn: many
 * services wait for one another, and none of them asks in vain.
 */
export class RestartBudget {
  readonly #intervalMs: number;
  readonly #burstMs: number;
  readonly #turn: number;
  readonly #now: () => number;
  readonly #reservations = new Map<string, Reservation>();
  /** When all that was taken and reserved is paid off, epoch milliseconds. */
  #paidAt = 0;
  #granted = 0;

  constructor({ perSecond, burst }: RestartLimits, now: () => number) {
    this.#intervalMs = 1000 / perSecond;
    this.#burstMs = burst * this.#intervalMs;
    this.#turn = Math.max(1, Math.floor(perSecond / 4));
    this.#now = now;
    this.empty();
  }

  /** As it is for a new leader: what the last one took is not known, so that a restart of the operator frees nothing. */
  empty(): void {
    this.#reservations.clear();
    this.#paidAt = this.#now() + this.#burstMs;
  }

  /**
   * Takes up to `wanted` restarts for an owner. What is taken counts, whether the starts succeed or not.
   * @param owner UID.
   */
  take(owner: string, wanted: number): Grant {
    const now = this.#now();
    const reserved = this.#reservations.get(owner);
    if (reserved !== undefined && now < reserved.at) return { count: 0, until: reserved.at };
    this.#reservations.delete(owner);
    const paid = Math.min(wanted, reserved?.count ?? 0);
    const free = Math.floor((this.#burstMs - Math.max(this.#paidAt - now, 0)) / this.#intervalMs + 1e-9);
    const taken = Math.max(Math.min(wanted - paid, free), 0);
    this.#pay(now, taken);
    this.#granted += paid + taken;
    const rest = wanted - paid - taken;
    if (rest <= 0) return { count: paid + taken };
    const count = Math.min(rest, this.#turn);
    this.#pay(now, count);
    const at = Math.ceil(this.#paidAt - this.#burstMs);
    this.#reservations.set(owner, { count, at });
    return { count: paid + taken, until: at };
  }

  #pay(now: number, count: number): void {
    this.#paidAt = Math.max(this.#paidAt, now) + count * this.#intervalMs;
  }

  /** It wants no more: what was reserved for it lapses. */
  forget(owner: string): void {
    this.#reservations.delete(owner);
  }

  /** Restarts granted so far, and owners that wait for theirs. */
  get counts(): { readonly granted: number; readonly waiting: number } {
    return { granted: this.#granted, waiting: this.#reservations.size };
  }
}

/** The plan of a service, without the restarts that have to wait. */
export function withinBudget<T extends ServiceTask>(
  budget: RestartBudget,
  owner: string,
  plan: ServicePlan<T>,
): ServicePlan<T> {
  const wanted = restartsOf(plan);
  if (wanted === 0) {
    budget.forget(owner);
    return plan;
  }
  const { count, until } = budget.take(owner, wanted);
  return until === undefined ? plan : limitRestarts(plan, count, until);
}
