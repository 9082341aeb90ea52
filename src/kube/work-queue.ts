import { DeadlineHeap } from './deadline-heap.ts';
import { FairQueue } from './fair-queue.ts';

const FIRST_RETRY_MS = 5;
const LAST_RETRY_MS = 300_000;
/** setTimeout's own limit is 2^31 - 1 ms. */
const LONGEST_TIMER_MS = 2_000_000_000;

/** Called as things happen; what client-go's queues report. */
export interface QueueMetrics {
  /** A key became dirty. */
  added(): void;
  /** A worker took a key that had waited this long. */
  taken(waitedSeconds: number): void;
  /** A worker was done with a key after this long. */
  done(workedSeconds: number): void;
  /** A key was added to come later, as client-go counts: by its backoff or by a wish. */
  retried(): void;
}

const noMetrics: QueueMetrics = { added() {}, taken() {}, done() {}, retried() {} };

/**
 * client-go's rate-limited, delaying work queue, with turns between namespaces. A key is queued once however often it
 * is added; a key added while it is being processed is queued again at `done`; so no two workers ever hold the same key.
 */
export class WorkQueue {
  readonly #metrics: QueueMetrics;
  /** Keys that need processing, and since when: queued, or to be queued again at `done`. */
  readonly #dirty = new Map<string, number>();
  /** Keys that workers hold, and since when. In the order they were taken. */
  readonly #processing = new Map<string, number>();
  /** Keys that no worker may have yet. */
  readonly #resting = new Map<string, NodeJS.Timeout>();
  /** Keys that come before the others, however many those are. */
  readonly #urgent = new Set<string>();
  readonly #queue = new FairQueue();
  readonly #waiters: ((key: string | undefined) => void)[] = [];
  readonly #failures = new Map<string, number>();
  readonly #delayed = new DeadlineHeap();
  #timer: NodeJS.Timeout | undefined;
  #timerAt: number | undefined;
  #shuttingDown = false;
  #drained: (() => void)[] = [];

  constructor(metrics: QueueMetrics = noMetrics) {
    this.#metrics = metrics;
  }

  /** Keys waiting for a worker; neither those being processed nor those delayed. */
  get length(): number {
    return this.#queue.size;
  }

  /** For how long each key has been held that a worker holds now, in seconds; the longest first. */
  get workingSeconds(): number[] {
    const now = performance.now();
    return [...this.#processing.values()].map((since) => (now - since) / 1000);
  }

  add(key: string): void {
    if (this.#shuttingDown || this.#dirty.has(key)) return;
    this.#dirty.set(key, performance.now());
    this.#metrics.added();
    if (!this.#processing.has(key) && !this.#resting.has(key)) this.#offer(key);
  }

  /** Adds the key before all that were added otherwise. What comes so must be bounded: it can hold up all the rest. */
  addUrgent(key: string): void {
    this.add(key);
    if (!this.#dirty.has(key)) return;
    this.#urgent.add(key);
    this.#queue.hasten(key);
  }

  /** Adds the key after `ms`. Of several delays the earliest holds; `add` leaves a delay in place. */
  addAfter(key: string, ms: number): void {
    if (this.#shuttingDown) return;
    this.#metrics.retried();
    if (ms <= 0) {
      this.add(key);
      return;
    }
    this.#delayed.add(key, performance.now() + ms);
    this.#schedule();
  }

  /** Adds the key after its own backoff: 5 ms, doubling with each call to 5 min, until `forget`. */
  addRateLimited(key: string): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.addAfter(key, Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures));
  }

  /** Starts the key's backoff anew. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key, which the caller then has until `done`. Undefined once the queue is shut down and empty. */
  get(): Promise<string | undefined> {
    const next = this.#queue.shift();
    if (next !== undefined) return Promise.resolve(this.#take(next));
    if (this.#shuttingDown) return Promise.resolve(undefined);
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** @param restMs for so long no worker gets the key again, however often it is added: it comes once, at the end of that. */
  done(key: string, restMs = 0): void {
    const since = this.#processing.get(key);
    if (since !== undefined) this.#metrics.done((performance.now() - since) / 1000);
    this.#processing.delete(key);
    if (restMs > 0 && !this.#shuttingDown)
      this.#resting.set(
        key,
        setTimeout(() => this.#rested(key), restMs),
      );
    else if (this.#dirty.has(key)) this.#offer(key);
    this.#checkDrained();
  }

  /** Takes no more keys, drops the delayed ones, and lets `get` hand out what is queued. */
  shutDown(): void {
    this.#shuttingDown = true;
    clearTimeout(this.#timer);
    this.#delayed.clear();
    for (const [key, timer] of this.#resting) {
      clearTimeout(timer);
      this.#rested(key);
    }
    for (const waiter of this.#waiters.splice(0)) waiter(undefined);
    this.#checkDrained();
  }

  /** As `shutDown`; resolves when everything queued was processed. Needs workers that go on calling `get`. */
  shutDownWithDrain(): Promise<void> {
    return new Promise((resolve) => {
      this.#drained.push(resolve);
      this.shutDown();
    });
  }

  #rested(key: string): void {
    this.#resting.delete(key);
    if (this.#dirty.has(key)) this.#offer(key);
  }

  #offer(key: string): void {
    const waiter = this.#waiters.shift();
    if (waiter) waiter(this.#take(key));
    else {
      this.#queue.push(key);
      if (this.#urgent.has(key)) this.#queue.hasten(key);
    }
  }

  #take(key: string): string {
    const now = performance.now();
    this.#metrics.taken((now - (this.#dirty.get(key) ?? now)) / 1000);
    this.#dirty.delete(key);
    this.#urgent.delete(key);
    this.#processing.set(key, now);
    return key;
  }

  #schedule(): void {
    const next = this.#delayed.earliest();
    if (next === this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = next;
    if (next === undefined) return;
    const wait = Math.min(LONGEST_TIMER_MS, Math.max(0, Math.ceil(next - performance.now())));
    this.#timer = setTimeout(() => {
      this.#timerAt = undefined;
      for (const key of this.#delayed.takeUntil(performance.now())) this.add(key);
      this.#schedule();
    }, wait);
  }

  #checkDrained(): void {
    if (!this.#shuttingDown || this.#processing.size > 0 || this.#queue.size > 0) return;
    for (const resolve of this.#drained.splice(0)) resolve();
  }
}
