import { isConflict } from './errors.ts';
import type { Logger } from './logger.ts';
import { WorkQueue } from './work-queue.ts';

export interface ControllerMetrics {
  /** After each change of the queue that a worker makes or sees. */
  queueDepth(controller: string, depth: number): void;
  reconciled(controller: string, outcome: 'success' | 'requeue' | 'conflict' | 'error', seconds: number): void;
}

export interface ControllerOptions {
  readonly name: string;
  /** Brings one key closer to what its spec says. Must be idempotent; the signal aborts when the controller stops. */
  // biome-ignore lint/suspicious/noConfusingVoidType: a reconcile that has nothing to say returns nothing.
  readonly reconcile: (key: string, signal: AbortSignal) => Promise<{ requeueAfterMs?: number } | void>;
  /** Default 4. */
  readonly workers?: number;
  readonly logger: Logger;
  readonly metrics?: ControllerMetrics;
}

/** The reconcile loop: workers take a key, reconcile it, and forget it or try it again later. */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #queue = new WorkQueue();

  constructor(options: ControllerOptions) {
    this.#options = options;
  }

  enqueue(key: string): void {
    this.#queue.add(key);
    this.#reportDepth();
  }

  enqueueAfter(key: string, ms: number): void {
    this.#queue.addAfter(key, ms);
  }

  /**
   * Runs once, until the signal aborts and the reconciles under way have returned. Keys still queued then are dropped:
   * whoever reconciles next finds them in its own first list.
   */
  async run(signal: AbortSignal): Promise<void> {
    const stop = () => this.#queue.shutDown();
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    await Promise.all(Array.from({ length: this.#options.workers ?? 4 }, () => this.#work(signal)));
  }

  async #work(signal: AbortSignal): Promise<void> {
    for (let key = await this.#queue.get(); key !== undefined; key = await this.#queue.get()) {
      if (!signal.aborted) await this.#process(key, signal);
      this.#queue.done(key);
    }
  }

  async #process(key: string, signal: AbortSignal): Promise<void> {
    const { name, reconcile, logger, metrics } = this.#options;
    this.#reportDepth();
    const started = performance.now();
    const report = (outcome: Parameters<ControllerMetrics['reconciled']>[1]) =>
      metrics?.reconciled(name, outcome, (performance.now() - started) / 1000);
    try {
      const result = await reconcile(key, signal);
      this.#queue.forget(key);
      const requeueAfterMs = result?.requeueAfterMs;
      if (requeueAfterMs !== undefined) this.#queue.addAfter(key, requeueAfterMs);
      report(requeueAfterMs === undefined ? 'success' : 'requeue');
    } catch (error) {
      if (signal.aborted) return;
      this.#queue.addRateLimited(key);
      // Somebody else wrote in between: normal, and the next read shows it.
      if (isConflict(error)) {
        logger.debug({ controller: name, key }, 'conflict: reconciling again');
        report('conflict');
      } else {
        logger.error({ controller: name, key, err: error }, 'reconcile failed: trying again later');
        report('error');
      }
    }
  }

  #reportDepth(): void {
    this.#options.metrics?.queueDepth(this.#options.name, this.#queue.length);
  }
}
