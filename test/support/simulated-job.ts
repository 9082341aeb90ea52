/**
 * Plays the cluster for the planner of BatchJobs: pods that run, end and vanish, and an operator that may die between any
 * two of its writes, with nothing left but the job's status, its results and the pods that are still there.
 */
import { parseBatchJob } from '../../src/api/batch-job.ts';
import { ANNOTATIONS } from '../../src/api/meta.ts';
import { type ChildAttempt, endedAttempt, type JobTask } from '../../src/batch/attempt.ts';
import { type DependencyView, resolveDependencies } from '../../src/batch/dependencies.ts';
import { isJobOver, type JobPlan } from '../../src/batch/job.ts';
import { planJob } from '../../src/batch/job-plan.ts';
import { podRetention } from '../../src/batch/pod-retention.ts';
import { askedOf } from '../../src/controllers/batch/asked.ts';
import { jobRecord, jobStatus } from '../../src/controllers/batch-job-status.ts';
import type { BatchJobRecord } from '../../src/controllers/runtime.ts';
import { lastStatus, type StopCause } from '../../src/ecs/task.ts';
import { brokenAtEnd, brokenByPlan, brokenByRecord } from './job-rules.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Pod = Mutable<JobTask>;

export interface Pass {
  readonly kind: 'pass';
  /** The operator dies before its write of this number, from 0; absent: it lives. */
  readonly diesBefore?: number | undefined;
  /** The status may wait, where it holds no news. */
  readonly isDebounced: boolean;
  /** The answer to the start of this number, from 0, is lost; the pod is there, and not seen at once. */
  readonly losesStart?: number | undefined;
}

export type JobEvent =
  | Pass
  | { readonly kind: 'place' | 'run' | 'vanish' | 'appear'; readonly pick: number }
  | { readonly kind: 'exit'; readonly pick: number; readonly code: number }
  | { readonly kind: 'restart' }
  | { readonly kind: 'wait'; readonly seconds: number }
  | { readonly kind: 'cancel' | 'terminate' }
  | { readonly kind: 'terminate indexes'; readonly indexes: string };

class Died extends Error {}

export const keyOf = ({ index = 0, attempt }: { readonly index?: number; readonly attempt: number }): string =>
  `${index}.${attempt}`;

export class SimulatedJob {
  now = 1_800_000_000_000;
  /** As the API server has it. */
  job: BatchJobRecord;
  readonly pods = new Map<string, Pod>();
  /** By `<index>.<attempt>`, as the result chunks have them. */
  readonly results = new Map<string, ChildAttempt>();
  /** How each pod ended that was seen to end, and was not taken away before it was on record. */
  readonly exits = new Map<string, number>();
  readonly plans: JobPlan<JobTask>[] = [];
  readonly others: () => readonly DependencyView[];
  /** What the operator knows by heart. */
  #departed: Pod[] = [];
  /** Pods that the operator does not see yet. */
  readonly #hidden = new Set<string>();
  /** Starts without an answer: their pods may turn up when their child is over. */
  readonly #unanswered = new Set<string>();
  #made = 0;
  #log: string[] = [];

  constructor(spec: object, name = 'job', others: () => readonly DependencyView[] = () => []) {
    const parsed = parseBatchJob({ containerProperties: { image: 'busybox', vcpus: 1, memory: 64 }, ...spec });
    this.others = others;
    this.job = {
      uid: `uid-of-${name}`,
      namespace: 'default',
      name,
      resourceVersion: '1',
      generation: 1,
      createdAt: this.now,
      deleting: false,
      owner: '',
      annotations: {},
      spec: parsed,
      given: {},
      status: {},
    };
  }

  get size(): number {
    return this.job.spec?.arrayProperties?.size ?? 1;
  }

  get isOver(): boolean {
    return isJobOver(this.job.status.status);
  }

  get isArray(): boolean {
    return this.job.spec?.arrayProperties !== undefined;
  }

  /** As those see it that depend on it. */
  get view(): DependencyView {
    const { ledger, status = 'SUBMITTED' } = jobRecord(this.job);
    return {
      name: this.job.name,
      uid: this.job.uid,
      status,
      size: this.isArray ? ledger.size : undefined,
      succeeded: { has: (index) => ledger.hasSucceeded(index) },
      failed: { has: (index) => ledger.hasFailed(index) },
      dependsOn: [],
    };
  }

  apply(event: JobEvent): void {
    this.#log.push(JSON.stringify(event));
    this.now += 1000;
    switch (event.kind) {
      case 'pass':
        this.#pass(event);
        break;
      case 'restart':
        this.#restart();
        break;
      case 'wait':
        this.now += event.seconds * 1000;
        break;
      case 'place':
        this.#with(event.pick, 'PROVISIONING', (pod) => {
          pod.node = 'node';
        });
        break;
      case 'run':
        this.#with(event.pick, 'PENDING', (pod) => this.#run(pod));
        break;
      case 'exit':
        this.#exit(event.pick, event.code);
        break;
      case 'vanish':
        this.#vanish(event.pick);
        break;
      case 'appear':
        this.#hidden.clear();
        break;
      case 'cancel':
      case 'terminate':
        this.#ask(ANNOTATIONS[event.kind], 'enough');
        break;
      case 'terminate indexes':
        this.#ask(ANNOTATIONS.terminateIndexes, event.indexes);
    }
  }

  /** From now on all goes well; ends when the job is over, and nothing of it runs. */
  settle(codeOf: (index: number, attempt: number) => number): void {
    for (let round = 0; round < 20 + 12 * this.size * (this.job.spec?.retryStrategy.attempts ?? 1); round++) {
      this.apply({ kind: 'appear', pick: 0 });
      this.apply({ kind: 'pass', isDebounced: false });
      const live = [...this.pods.values()].filter(({ ended }) => !ended);
      if (live.length === 0 && this.isOver) {
        this.#say(brokenAtEnd(this));
        return;
      }
      for (const pod of live) {
        const needless = jobRecord(this.job).ledger.isOver(pod.index ?? 0) && !pod.stopRequested;
        this.#check(!needless || round === 0, () => `${keyOf(pod)} runs on, and its child is over`);
        if (pod.node === undefined) pod.node = 'node';
        else if (lastStatus(pod) === 'PENDING') this.#run(pod);
        else this.#end(pod, pod.stopRequested ? 143 : codeOf(pod.index ?? 0, pod.attempt));
      }
    }
    this.#fail('it does not end');
  }

  #fail(what: string): never {
    const pods = [...this.pods].map(([key, pod]) => `  ${key}: ${JSON.stringify(pod)}`);
    const results = [...this.results].map(([key, result]) => `  ${key}: ${JSON.stringify(result)}`);
    const events = this.#log.slice(-80).map((line) => `  ${line}`);
    const { fieldSupport: _, conditions: __, ...status } = this.job.status;
    const text = [what, JSON.stringify(status), 'pods', ...pods, 'results', ...results, 'events', ...events];
    throw new Error(text.join('\n'));
  }

  #check(holds: boolean, what: () => string): void {
    if (!holds) this.#fail(what());
  }

  #say([broken]: readonly string[]): void {
    if (broken !== undefined) this.#fail(broken);
  }

  #ask(annotation: string, value: string): void {
    this.job = { ...this.job, annotations: { ...this.job.annotations, [annotation]: value } };
  }

  #restart(): void {
    this.#departed = [];
    this.#hidden.clear();
    this.#forgetExits();
  }

  #with(pick: number, status: string, change: (pod: Pod) => void): void {
    const pods = [...this.pods.values()].filter((pod) => lastStatus(pod) === status);
    const pod = pods[pick % Math.max(pods.length, 1)];
    if (pod !== undefined) change(pod);
  }

  #run(pod: Pod): void {
    pod.containers = pod.containers.map((container) => ({ ...container, status: 'RUNNING', startedAt: this.now }));
  }

  #exit(pick: number, code: number): void {
    const pods = [...this.pods.values()].filter(({ ended, node }) => !ended && node !== undefined);
    const pod = pods[pick % Math.max(pods.length, 1)];
    if (pod !== undefined) this.#end(pod, code);
  }

  #end(pod: Pod, exitCode: number): void {
    pod.ended = true;
    pod.containers = pod.containers.map((container) => ({
      ...container,
      status: 'STOPPED',
      startedAt: container.startedAt ?? this.now,
      finishedAt: this.now,
      exitCode,
    }));
    this.exits.set(keyOf(pod), exitCode);
  }

  /** Its node is gone, or somebody deleted it. */
  #vanish(pick: number): void {
    const pod = [...this.pods.values()][pick % Math.max(this.pods.size, 1)];
    if (pod !== undefined) this.#remove(pod);
  }

  #remove(pod: Pod): void {
    const key = keyOf(pod);
    this.pods.delete(key);
    if (!this.#hidden.delete(key)) this.#departed.push(pod);
    this.#forgetExits();
  }

  /** What is neither in a pod, nor on record, nor known to the operator is lost for good. */
  #forgetExits(): void {
    const { ledger } = jobRecord(this.job);
    const known = new Set(this.#departed.map(keyOf));
    for (const key of this.exits.keys()) {
      const [index = 0, attempt = 0] = key.split('.').map(Number);
      if (!this.pods.has(key) && !known.has(key) && !ledger.isRecorded(index, attempt)) this.exits.delete(key);
    }
  }

  #pass({ diesBefore, isDebounced, losesStart }: Pass): void {
    let writes = 0;
    const write = (act: () => void): void => {
      if (writes++ === diesBefore) throw new Died();
      act();
    };
    try {
      this.#reconcile(write, isDebounced, losesStart);
    } catch (error) {
      if (!(error instanceof Died)) throw error;
      this.#restart();
    }
  }

  #reconcile(write: (act: () => void) => void, isDebounced: boolean, losesStart: number | undefined): void {
    const { job } = this;
    const { spec } = job;
    if (spec === undefined) return;
    const record = jobRecord(job);
    const tasks: Pod[] = [...this.pods].filter(([key]) => !this.#hidden.has(key)).map(([, pod]) => ({ ...pod }));
    const departed = [...this.#departed];
    const hasBegun = record.ledger.hasBegun() || tasks.length > 0 || departed.length > 0;
    const dependsOn = spec.dependsOn.filter(({ type }) => !hasBegun || type !== undefined);
    const { problem: _, ...asked } = askedOf(job);
    const plan = planJob<Pod>({
      size: spec.arrayProperties?.size,
      retryStrategy: { ...spec.retryStrategy, attempts: spec.retryStrategy.attempts ?? 1 },
      timeoutSeconds: spec.timeout?.attemptDurationSeconds,
      record,
      tasks,
      departed,
      dependencies: resolveDependencies({ ...job, size: spec.arrayProperties?.size, dependsOn }, (reference) =>
        this.others().filter(({ name }) => name === reference),
      ),
      ...asked,
      now: this.now,
    });
    this.plans.push(plan);
    this.#say(brokenByPlan(this, plan));
    for (const { task, ...cause } of plan.stops) write(() => this.#stop(task, cause));
    let lost = false;
    for (const [number, { index, attempt }] of plan.starts.entries()) {
      write(() => this.#start(index, attempt));
      lost = number === losesStart;
      if (lost) {
        const key = keyOf({ index: index ?? 0, attempt });
        this.#hidden.add(key);
        this.#unanswered.add(key);
        break;
      }
    }
    const status = jobStatus({ job, plan: { ...plan, stops: [] }, now: this.now });
    if (!isDebounced || plan.isUrgent || status.status !== job.status.status) {
      for (const result of plan.results) write(() => this.results.set(keyOf(result), result));
      write(() => this.#record({ ...job, annotations: this.job.annotations, status }));
    }
    if (lost) return;
    const isRecorded = ({ index = 0, attempt }: Pod): boolean =>
      isJobOver(record.status) ||
      (this.isArray
        ? record.ledger.isRecorded(index, attempt)
        : record.attempts.some((known) => known.attempt === attempt));
    const forgotten = new Set(
      departed.filter((pod) => isJobOver(record.status) || record.ledger.isRecorded(pod.index ?? 0, pod.attempt)),
    );
    this.#departed = this.#departed.filter((pod) => !forgotten.has(pod));
    const { over } = podRetention({
      tasks: tasks.filter((pod) => pod.ended && isRecorded(pod)),
      readable: { tasks: 0, seconds: 0 },
      isJobOver: isJobOver(plan.record.status),
      now: this.now,
    });
    for (const pod of over) write(() => this.#sweep(pod));
  }

  #stop(task: JobTask, { stopCode, stoppedReason }: StopCause): void {
    const pod = this.pods.get(keyOf(task));
    if (pod === undefined || pod.ended) return;
    if (pod.node === undefined) this.#remove(pod);
    else Object.assign(pod, { stopRequested: true, stoppingAt: this.now, stopCause: { stopCode, stoppedReason } });
  }

  #start(index: number | undefined, attempt: number): void {
    const key = keyOf({ index: index ?? 0, attempt });
    if (this.pods.has(key)) return;
    for (const pod of this.pods.values()) {
      if ((pod.index ?? 0) !== (index ?? 0)) continue;
      this.#check(pod.ended, () => `${key} is started while ${keyOf(pod)} runs`);
      this.#check(!endedAttempt(pod, this.now).succeeded, () => `${key} is started after ${keyOf(pod)} succeeded`);
    }
    const id = `${this.#made++}`.padStart(32, '0');
    this.pods.set(key, {
      id,
      ...(index !== undefined && { index }),
      attempt,
      createdAt: this.now,
      containers: [{ name: 'default', essential: true, status: 'PENDING', ready: false }],
      ended: false,
      stopRequested: false,
    });
  }

  #sweep(pod: Pod): void {
    const key = keyOf(pod);
    const late = this.#unanswered.has(key);
    if (this.isArray) this.#check(late || this.results.has(key), () => `${key} is swept without a result`);
    else
      this.#check(
        late || (this.job.status.attempts ?? []).some(({ attempt }) => attempt === pod.attempt),
        () => `attempt ${pod.attempt} is swept without a record`,
      );
    this.pods.delete(key);
  }

  #record(next: BatchJobRecord): void {
    this.#say(brokenByRecord(jobRecord(this.job), jobRecord(next)));
    this.job = next;
  }
}
