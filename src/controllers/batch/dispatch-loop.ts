/** Runs the dispatcher where something changed: once for all that changed in one turn of the event loop. */
import { setImmediate } from 'node:timers';
import type { Requeue } from '../../kube/controller.ts';
import type { Change } from '../../kube/store.ts';
import type { ObservedTask } from '../../pod/observe.ts';
import { type Demand, Dispatcher, type Granted, type Scene } from './dispatcher.ts';

export interface DispatchLoopOptions {
  /** What there is now. */
  readonly scene: () => Scene;
  /** After each run. @param jobs have something new to see. */
  readonly ran: (jobs: Iterable<string>) => void;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export class DispatchLoop {
  readonly dispatcher: Dispatcher;
  readonly #options: DispatchLoopOptions;
  /** Jobs that wait for the next run themselves, and need not be told. */
  readonly #asking = new Set<string>();
  /** Jobs that have asked in the pass that is under way. */
  readonly #asked = new Set<string>();
  /** Passes that are under way. */
  readonly #passes = new Map<string, Promise<void>>();
  #next: Promise<void> | undefined;

  constructor(options: DispatchLoopOptions) {
    this.#options = options;
    this.dispatcher = new Dispatcher(() => this.#request());
  }

  /** A pod is there, is another, or is gone. */
  notePod(type: Change<ObservedTask>['type'], pod: ObservedTask, previous: ObservedTask | undefined): void {
    const isGone = type === 'deleted';
    const before = isGone ? (previous ?? pod).claim : previous?.claim;
    this.dispatcher.notePod(pod, before, isGone ? undefined : pod.claim, this.#options.now());
  }

  /** Queues or environments are not what they were. */
  changed(): void {
    void this.#request();
  }

  /**
   * All pods of the job are seen, and this is what it has to start besides.
   * @returns what of it is to be started now; for the rest the job is told when it may.
   */
  async ask(demand: Demand): Promise<readonly Granted[]> {
    const { job } = demand;
    this.dispatcher.offer(demand);
    this.#asked.add(job);
    this.#asking.add(job);
    await this.#request();
    return this.dispatcher.take(job);
  }

  /**
   * One pass over a job whose pods are all seen: what it does not ask for in it, it no longer wants; unless the pass has to wait
   * for something before it can tell.
   */
  async pass(job: string, work: () => Promise<Requeue>): Promise<Requeue> {
    this.#asked.delete(job);
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    this.#passes.set(job, over);
    let result: Requeue = {};
    try {
      result = await work();
      return result;
    } finally {
      const wantsNothing = !this.#asked.delete(job) && result.requeueWhen === undefined;
      if (wantsNothing) this.dispatcher.withdraw(job);
      this.#passes.delete(job);
      end();
    }
  }

  /**
   * The job is gone and wants nothing more. What a pass still starts for it counts until its pods are seen.
   * @param unseen of what the job has started: what `WriteBarrier.pending` says.
   */
  async gone(job: string, unseen: () => Promise<void> | undefined): Promise<void> {
    await this.#passes.get(job);
    for (let seen = unseen(); seen !== undefined; seen = unseen()) await seen;
    this.dispatcher.withdraw(job);
  }

  #request(): Promise<void> {
    this.#next ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#next = undefined;
        this.#run();
        resolve();
      });
    });
    return this.#next;
  }

  #run(): void {
    const news = this.dispatcher.run(this.#options.scene(), this.#options.now());
    const others = [...news].filter((job) => !this.#asking.has(job));
    this.#asking.clear();
    this.#options.ran(others);
  }
}
