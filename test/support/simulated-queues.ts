/** A cluster as the dispatcher of queues meets it: pods are seen late and in any order, starts fail, and the operator dies. */
import { expect } from 'vitest';
import type { Waiting } from '../../src/batch/waitlist.ts';
import { Dispatcher, type Scene } from '../../src/controllers/batch/dispatcher.ts';
import type { QueueClaim } from '../../src/pod/queue-claim.ts';

export interface QueuedJob extends Omit<Waiting, 'retries' | 'count'> {
  readonly queue: string;
  /** A child each: how many of its attempts fail. */
  readonly failures: readonly number[];
}

export type QueueEvent =
  /** The controller of a job looks at it. A start that is refused is tried again later. */
  | { readonly kind: 'pass'; readonly pick: number; readonly most?: number | undefined; readonly refused: number }
  | { readonly kind: 'run' | 'restart' }
  /** What became of a pod is seen. */
  | { readonly kind: 'see'; readonly pick: number }
  | { readonly kind: 'exit'; readonly pick: number }
  | { readonly kind: 'delete'; readonly pick: number };

interface Child {
  failures: number;
  isDone: boolean;
  attempts: number;
  pod: Pod | undefined;
}

interface Pod {
  readonly job: Job;
  readonly claim: QueueClaim;
  readonly child: Child;
  isLive: boolean;
  /** As the operator sees it. */
  seen: QueueClaim | undefined;
}

interface Job {
  readonly spec: QueuedJob;
  readonly children: readonly Child[];
  isDeleted: boolean;
}

const NAMESPACE = 'ns';

export class SimulatedQueues {
  readonly #scene: Scene;
  readonly #jobs: readonly Job[];
  readonly #pods: Pod[] = [];
  #dispatcher = new Dispatcher(() => undefined);
  #now = 1_000_000;

  constructor(scene: Scene, jobs: readonly QueuedJob[]) {
    this.#scene = scene;
    this.#jobs = jobs.map((spec) => {
      const children = spec.failures.map((failures) => ({ failures, isDone: false, attempts: 0, pod: undefined }));
      return { spec, children, isDeleted: false };
    });
    this.#restart();
  }

  apply(event: QueueEvent): void {
    switch (event.kind) {
      case 'run':
        this.#run();
        break;
      case 'restart':
        this.#restart();
        break;
      case 'see':
        this.#see(pickOf(this.#pods.filter(isUnseen), event.pick));
        break;
      case 'exit':
        this.#exit(pickOf(this.#pods.filter(isLive), event.pick));
        break;
      case 'pass':
        this.#pass(pickOf(this.#jobs, event.pick), event);
        break;
      case 'delete':
        for (const job of pickOf(this.#jobs, event.pick)) job.isDeleted = true;
    }
  }

  /** Nothing goes wrong any more: whatever waits starts, and ends. */
  settle(): void {
    const open = (): boolean =>
      this.#jobs.some(({ children, isDeleted }) => !isDeleted && children.some((each) => !each.isDone));
    // Each round starts at least one attempt, and ends it.
    const attempts = this.#jobs
      .flatMap(({ children }) => children)
      .reduce((sum, { failures }) => sum + failures + 1, 0);
    for (let round = 0; open() && round <= attempts; round++) {
      this.#exit(this.#pods.filter(isLive));
      this.#see(this.#pods.filter(isUnseen));
      // The first time all are heard, and the second time they take what they were granted.
      for (let time = 0; time < 2; time++) this.#pass(this.#jobs, { refused: 0 });
    }
    expect(open(), 'something waits for ever').toBe(false);
    this.#exit(this.#pods.filter(isLive));
    this.#see(this.#pods.filter(isUnseen));
    for (const { name } of this.#scene.environments)
      expect(this.#dispatcher.usedOf(name)).toEqual({ vcpus: 0, memory: 0 });
  }

  #restart(): void {
    const dispatcher = new Dispatcher(() => undefined);
    this.#dispatcher = dispatcher;
    dispatcher.await(this.#jobs.filter(({ isDeleted }) => !isDeleted).map(({ spec }) => spec.job));
    for (const pod of this.#pods) {
      pod.seen = pod.isLive ? pod.claim : undefined;
      dispatcher.notePod({ namespace: NAMESPACE, owner: pod.job.spec.job }, undefined, pod.seen, this.#now);
    }
  }

  #run(): void {
    this.#now += 1000;
    this.#dispatcher.run(this.#scene, this.#now);
  }

  #pass(
    jobs: readonly Job[],
    { most, refused }: { readonly most?: number | undefined; readonly refused: number },
  ): void {
    for (const job of jobs) {
      const { spec, children, isDeleted } = job;
      if (this.#pods.some((pod) => pod.job === job && isUnseen(pod))) continue;
      const toStart = children.filter(({ isDone, pod }) => !isDone && pod === undefined);
      if (isDeleted || toStart.length === 0) {
        this.#dispatcher.withdraw(spec.job);
        continue;
      }
      toStart.sort((a, b) => Number(b.attempts > 0) - Number(a.attempts > 0));
      const retries = toStart.filter(({ attempts }) => attempts > 0).length;
      this.#dispatcher.offer({ ...spec, count: toStart.length, retries });
      this.#run();
      let started = 0;
      for (const { environment, count } of this.#dispatcher.take(spec.job, most)) {
        for (const child of toStart.splice(0, count)) if (started++ >= refused) this.#start(job, child, environment);
      }
    }
  }

  #start(job: Job, child: Child, computeEnvironment: string): void {
    const { queue, need, share } = job.spec;
    const claim = { jobQueue: queue.slice(NAMESPACE.length + 1), computeEnvironment, share, ...need };
    child.pod = { job, claim, child, isLive: true, seen: undefined };
    child.attempts++;
    this.#pods.push(child.pod);
    const { limit } = this.#scene.environments.find(({ name }) => name === computeEnvironment) ?? {};
    const taken = this.#pods.filter((pod) => pod.isLive && pod.claim.computeEnvironment === computeEnvironment);
    expect(taken.reduce((sum, pod) => sum + pod.claim.vcpus, 0)).toBeLessThanOrEqual(limit?.vcpus ?? 0);
    expect(taken.reduce((sum, pod) => sum + pod.claim.memory, 0)).toBeLessThanOrEqual(limit?.memory ?? 0);
  }

  #exit(pods: readonly Pod[]): void {
    for (const pod of pods) {
      pod.isLive = false;
      if (pod.child.failures === 0) pod.child.isDone = true;
      else pod.child.failures--;
    }
  }

  #see(pods: readonly Pod[]): void {
    for (const pod of pods) {
      const before = pod.seen;
      pod.seen = pod.isLive ? pod.claim : undefined;
      this.#dispatcher.notePod({ namespace: NAMESPACE, owner: pod.job.spec.job }, before, pod.seen, this.#now);
      if (!pod.isLive) pod.child.pod = undefined;
    }
  }
}

const isLive = (pod: Pod): boolean => pod.isLive;

/** A pod that has come and gone unseen is one that was not there. */
const isUnseen = (pod: Pod): boolean => (pod.isLive ? pod.seen === undefined : pod.child.pod === pod);

function pickOf<T>(all: readonly T[], pick: number): readonly T[] {
  const one = all[pick % Math.max(all.length, 1)];
  return one === undefined ? [] : [one];
}
