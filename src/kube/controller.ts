import { setImmediate as nextTurn } from 'node:timers/promises';
import { isAlreadyExists, isConflict, isNamespaceTerminating, NotYetError } from './errors.ts';
import type { Logger } from './logger.ts';
import { type QueueMetrics, WorkQueue } from './work-queue.ts';

export type ReconcileResult = 'success' | 'requeue' | 'requeue_after' | 'error';

/** What a controller is like at the moment it is asked. */
export interface ControllerGauges {
  readonly depth: number;
  /** For each reconcile under way, the longest first. */
  readonly workingSeconds: readonly number[];
}

export interface ControllerMetrics {
  /** Called once a controller, when it begins to run. */
  controller(name: string, workers: number, gauges: () => ControllerGauges): QueueMetrics;
  /** A conflict counts as `requeue`, as does what is not there yet: neither is an error. */
  reconciled(controller: string, result: ReconcileResult, seconds: number): void;
}

/** When a key is to be reconciled again, though nothing of it changes. */
export interface Requeue {
  readonly requeueAfterMs?: number;
  /** Resolves then, and never rejects. */
  readonly requeueWhen?: Promise<void>;
}

export interface ControllerOptions {
  readonly name: string;
  /** Brings one key closer to what its spec says. Must be idempotent; the signal aborts when the controller stops. */
  // biome-ignore lint/suspicious/noConfusingVoidType: a reconcile that has nothing to say returns nothing.
  readonly reconcile: (key: string, signal: AbortSignal) => Promise<Requeue | void>;
  /**
   * Milliseconds from the beginning of one reconcile of a key to the next at least, whatever changes meanwhile: what it costs to
   * look at thousands of objects is spent once for all that came in between. Default: none.
   */
  readonly minIntervalMs?: (key: string) => number;
  /** Default 4. */
  readonly workers?: number;
  readonly logger: Logger;
  readonly metrics?: ControllerMetrics;
}

/** The reconcile loop: workers take a key, reconcile it, and forget it or try it again later. */
export class Controller {
  readonly #options: ControllerOptions;
  #queue: WorkQueue | undefined;

  constructor(options: ControllerOptions) {
    this.#options = options;
  }

  /** Does nothing unless the controller runs: `run` is given all there is when it begins. */
  enqueue(key: string): void {
    this.#queue?.add(key);
  }

  /** As `enqueue`, before all that was not urgent. */
  enqueueUrgent(key: string): void {
    this.#queue?.addUrgent(key);
  }

  /**
   * Runs once, until the signal aborts and the reconciles under way have returned. Keys still queued then are dropped:
   * whoever reconciles next begins with all of them.
   * @param keys to begin with.
   */
  async run(signal: AbortSignal, keys: Iterable<string>): Promise<void> {
    const { name, workers = 4, metrics } = this.#options;
    const gauges = (): ControllerGauges => ({ depth: queue.length, workingSeconds: queue.workingSeconds });
    const queue = new WorkQueue(metrics?.controller(name, workers, gauges));
    this.#queue = queue;
    const stop = () => queue.shutDown();
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    for (const key of keys) queue.add(key);
    await Promise.all(Array.from({ length: workers }, () => this.#work(queue, signal)));
  }

  async #work(queue: WorkQueue, signal: AbortSignal): Promise<void> {
    for (let key = await queue.get(); key !== undefined; key = await queue.get()) {
      const began = performance.now();
      if (!signal.aborted) await this.#process(queue, key, signal);
      const interval = this.#options.minIntervalMs?.(key) ?? 0;
      queue.done(key, interval - (performance.now() - began));
    }
  }

  async #process(queue: WorkQueue, key: string, signal: AbortSignal): Promise<void> {
    const { name, reconcile, logger, metrics } = this.#options;
    const started = performance.now();
    const report = (result: ReconcileResult) => metrics?.reconciled(name, result, (performance.now() - started) / 1000);
    try {
      const { requeueAfterMs, requeueWhen } = (await reconcile(key, signal)) ?? {};
      queue.forget(key);
      // One that wants to come back at once, again and again, must not keep all others from what they wait for.
      if (requeueAfterMs !== undefined || requeueWhen !== undefined) await nextTurn();
      if (requeueAfterMs !== undefined) queue.addAfter(key, requeueAfterMs);
      void requeueWhen?.then(() => queue.add(key));
      report(requeueAfterMs === undefined && requeueWhen === undefined ? 'success' : 'requeue_after');
    } catch (error) {
      if (signal.aborted) return;
      if (isNamespaceTerminating(error)) {
        logger.debug({ controller: name, key }, 'the namespace is being deleted: nothing more to do');
        queue.forget(key);
        report('success');
        return;
      }
      queue.addRateLimited(key);
      // Somebody else wrote in between, or what was there before has not gone yet: normal, and the next read shows it.
      if (isConflict(error) || isAlreadyExists(error)) {
        logger.debug({ controller: name, key, err: error }, 'conflict: reconciling again');
        report('requeue');
      } else if (error instanceof NotYetError) {
        logger.info({ controller: name, key }, `not yet: ${error.message}`);
        report('requeue');
      } else {
        logger.error({ controller: name, key, err: error }, 'reconcile failed: trying again later');
        report('error');
      }
    }
  }
}
