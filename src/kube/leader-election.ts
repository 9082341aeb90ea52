import { sleep } from './backoff.ts';
import type { KubeClient } from './client.ts';
import { type ApiError, isAlreadyExists, isConflict, isForbidden, isNotFound, missingRight } from './errors.ts';
import { type Logger, silentLogger } from './logger.ts';
import { microTime } from './micro-time.ts';
import { apiVersion, leases, type ObjectMeta, resourceName } from './resource.ts';

export interface LeaseTimings {
  /** How long followers respect a lease that is not renewed. Whole seconds. Default 15 s. */
  readonly leaseDurationMs: number;
  /** The leader stops leading this long after its last renewal. Must be less than the duration. Default 10 s. */
  readonly renewDeadlineMs: number;
  /** Between two renewals, or two attempts to take over. Default 2 s. */
  readonly retryPeriodMs: number;
}

export interface LeaderElectorOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly name: string;
  /** Unique among the candidates and over restarts. */
  readonly identity: string;
  /** Leads until the signal aborts, then returns once nothing of it writes any more. */
  readonly lead: (signal: AbortSignal) => Promise<void>;
  readonly logger?: Logger;
  readonly timings?: Partial<LeaseTimings>;
}

interface LeaseSpec {
  holderIdentity?: string | null;
  leaseDurationSeconds?: number;
  acquireTime?: string;
  renewTime?: string;
  leaseTransitions?: number;
}

interface Lease {
  metadata: ObjectMeta;
  spec?: LeaseSpec;
}

/**
 * client-go's leader election on a Lease; followers also watch it, so that they take over at once when it is released. Times are judged by the own monotonic clock only: a follower counts from
 * when it saw the lease change, the leader from before it sent the renewal, so the two never overlap while clocks run
 * at about the same speed.
 */
export class LeaderElector {
  readonly #options: LeaderElectorOptions;
  readonly #timings: LeaseTimings;
  readonly #logger: Logger;
  #lease: Lease | undefined;
  /** Somebody else may lead until then, by `performance.now()`: also where the lease was deleted meanwhile. */
  #othersUntil = Number.NEGATIVE_INFINITY;
  #leadsUntil = Number.NEGATIVE_INFINITY;
  #missingRight: string | undefined;

  constructor(options: LeaderElectorOptions) {
    this.#options = options;
    this.#timings = { leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2_000, ...options.timings };
    this.#logger = options.logger ?? silentLogger;
    if (this.#timings.renewDeadlineMs >= this.#timings.leaseDurationMs) {
      throw new Error('leader election: the renew deadline must be less than the lease duration');
    }
  }

  /** Which right the last attempt to take or renew the lease was refused for want of. */
  get missingRight(): string | undefined {
    return this.#missingRight;
  }

  /** Ask before every write: false as soon as the last renewal is older than the renew deadline, renewed or not. */
  isLeader(): boolean {
    return performance.now() < this.#leadsUntil;
  }

  /**
   * Waits for the lease and leads. Returns when leading has ended and was handed over, or was never begun.
   * @throws LeadershipLostError when the lease was lost, and whatever leading threw. It does not try again.
   */
  async run(signal: AbortSignal): Promise<void> {
    if (!(await this.#acquire(signal))) return;
    this.#logger.info({ identity: this.#options.identity }, 'became the leader');
    const leading = new AbortController();
    const renewing = new AbortController();
    signal.addEventListener('abort', () => renewing.abort(), { once: true });
    const work = Promise.resolve().then(() => this.#options.lead(leading.signal));
    const ended = work.catch(() => {});
    // Who leads and does nothing must not keep the lease.
    void ended.then(() => renewing.abort());
    await this.#renewUntilLost(renewing.signal);
    const lost = !renewing.signal.aborted;
    leading.abort(new Error('no longer the leader'));

    const finished = await within(ended, this.#leadsUntil - performance.now());
    this.#leadsUntil = Number.NEGATIVE_INFINITY;
    // Work that outlives the abort may still write: then the lease has to run out instead.
    if (finished && !lost) await this.#release();
    this.#logger.info({ identity: this.#options.identity, lost }, 'stopped leading');
    if (finished) await work;
    if (!signal.aborted) throw new LeadershipLostError(this.#options.name);
  }

  /** False when the signal aborts first. */
  async #acquire(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    const watching = new AbortController();
    let pause = new AbortController();
    const stop = (): void => {
      watching.abort();
      pause.abort();
    };
    signal.addEventListener('abort', stop, { once: true });
    void this.#watchForRelease(watching.signal, () => pause.abort());
    while (!signal.aborted) {
      pause = new AbortController();
      if (await this.#acquireOrRenew(signal)) {
        watching.abort();
        return true;
      }
      // Not later than the period, so that a lease that ran out or was released unseen is taken over within it.
      if (!signal.aborted) await sleep(this.#timings.retryPeriodMs * (0.75 + Math.random() * 0.25), pause.signal);
    }
    return false;
  }

  /** A handover is seen at once; without a watch, at the next attempt. */
  async #watchForRelease(signal: AbortSignal, released: () => void): Promise<void> {
    const { client, namespace, name } = this.#options;
    while (!signal.aborted) {
      try {
        for await (const { type, object } of client.watch(
          leases,
          { namespace, name },
          { timeoutSeconds: 300 },
          signal,
        )) {
          if (type === 'DELETED' || !(object as Lease).spec?.holderIdentity) released();
        }
      } catch (error) {
        this.#logger.debug({ err: error }, 'the watch of the lease failed: trying again');
      }
      await sleep(this.#timings.retryPeriodMs, signal);
    }
  }

  async #renewUntilLost(signal: AbortSignal): Promise<void> {
    while (this.isLeader()) {
      const untilFence = this.#leadsUntil - performance.now();
      await sleep(Math.max(0, Math.min(this.#timings.retryPeriodMs, untilFence)), signal);
      if (signal.aborted || !this.isLeader()) return;
      const renewed = await this.#acquireOrRenew(signal);
      if (!renewed && this.#heldByOther()) {
        this.#leadsUntil = Number.NEGATIVE_INFINITY;
        return;
      }
    }
  }

  /** True when the lease is ours, as of a moment before the write was sent. */
  async #acquireOrRenew(signal: AbortSignal): Promise<boolean> {
    const startedAt = performance.now();
    const limitMs = Math.ceil(this.isLeader() ? this.#leadsUntil - startedAt : this.#timings.renewDeadlineMs);
    const call = { timeoutMs: limitMs, signal: AbortSignal.any([signal, AbortSignal.timeout(limitMs)]) };
    try {
      // While leading, the lease as last written is current unless somebody interfered: then the PUT conflicts.
      if (!this.isLeader() || !this.#lease) await this.#read(call);
      const mayTake = performance.now() >= this.#othersUntil;
      if (mayTake) await this.#write(call);
      this.#missingRight = undefined;
      if (!mayTake) return false;
      this.#leadsUntil = startedAt + this.#timings.renewDeadlineMs;
      return true;
    } catch (error) {
      // Whatever was known of the lease may be stale: read it the next time.
      if (isConflict(error) || isAlreadyExists(error) || isNotFound(error)) await this.#read(call).catch(() => {});
      else if (isForbidden(error)) this.#forbidden(error);
      else if (!signal.aborted) this.#logger.warn({ err: error }, 'the lease could not be renewed or taken');
      return false;
    }
  }

  /** Said once, not at every attempt: who can grant it has to find it in the log. */
  #forbidden(error: ApiError): void {
    const { namespace } = this.#options;
    const message = missingRight(error, resourceName(leases), namespace);
    if (this.#missingRight !== message)
      this.#logger.error({ resource: resourceName(leases), verb: error.verb, namespace }, message);
    this.#missingRight = message;
  }

  async #read(call: { timeoutMs: number; signal: AbortSignal }): Promise<void> {
    try {
      this.#observe(await this.#options.client.get<Lease>(leases, this.#options, call));
    } catch (error) {
      if (!isNotFound(error)) throw error;
      this.#lease = undefined;
    }
  }

  async #write(call: { timeoutMs: number; signal: AbortSignal }): Promise<void> {
    const { client, namespace, name, identity } = this.#options;
    const now = microTime(new Date());
    const old = this.#lease?.spec;
    const mine = old?.holderIdentity === identity;
    const spec: LeaseSpec = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(this.#timings.leaseDurationMs / 1000),
      acquireTime: mine ? (old.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: (old?.leaseTransitions ?? 0) + (old && !mine ? 1 : 0),
    };
    this.#observe(
      this.#lease
        ? await client.update<Lease>(leases, { namespace, name }, { ...this.#lease, spec }, call)
        : await client.create<Lease>(
            leases,
            { namespace },
            { apiVersion: apiVersion(leases), kind: leases.kind, metadata: { name, namespace }, spec },
            call,
          ),
    );
  }

  /** Gives the lease up at once, so that a follower need not wait for it to run out. */
  async #release(): Promise<void> {
    const { client, namespace, name, identity } = this.#options;
    const call = { timeoutMs: 2_000, signal: AbortSignal.timeout(5_000) };
    try {
      // Read, as the abort may have cut a renewal short that the server had carried out.
      await this.#read(call);
      const lease = this.#lease;
      if (lease?.spec?.holderIdentity !== identity) return;
      const renewTime = microTime(new Date());
      const spec: LeaseSpec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime };
      await client.update(leases, { namespace, name }, { ...lease, spec }, call);
    } catch (error) {
      this.#logger.warn({ err: error }, 'the lease could not be released: followers wait until it runs out');
    }
  }

  #observe(lease: Lease): void {
    const renewed = lease.metadata.resourceVersion !== this.#lease?.metadata.resourceVersion;
    this.#lease = lease;
    if (!this.#heldByOther()) {
      this.#othersUntil = Number.NEGATIVE_INFINITY;
    } else if (renewed) {
      const durationMs = (lease.spec?.leaseDurationSeconds ?? 0) * 1000;
      this.#othersUntil = performance.now() + Math.max(durationMs, this.#timings.leaseDurationMs);
    }
  }

  #heldByOther(): boolean {
    const holder = this.#lease?.spec?.holderIdentity;
    return Boolean(holder) && holder !== this.#options.identity;
  }
}

/** The lease could not be renewed in time, or somebody took it: another one may lead now. */
export class LeadershipLostError extends Error {
  override readonly name = 'LeadershipLostError';

  constructor(lease: string) {
    super(
      `lost the lease "${lease}": another one may lead now. Start again: a fresh process begins with fresh caches.`,
    );
  }
}

/** True when the promise settled in time. */
async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), Math.max(0, ms));
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
