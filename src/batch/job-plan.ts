/**
 * A Batch job as one pure function: attempts seen in, next attempts and the job's status out (`ecs-semantics §5.3 to §5.8`).
 * A single job is planned as an array of one. What the job's status records stays true when the pods are gone; pods add to it.
 */
import type { JobStatus } from '../api/batch-job.ts';
import { lastStatus, OUTLIVED, runningSince, type StopCause, stopDue } from '../ecs/task.ts';
import type { ArrayLedger } from './array-ledger.ts';
import { type ChildAttempt, type EndedAttempt, endedAttempt, type JobTask, lostAttempt } from './attempt.ts';
import { DEPENDENT_JOB_FAILED, type Dependencies, type Gate, type Indexes } from './dependencies.ts';
import { isJobOver, type JobPlan, type JobPlanInput, type JobStart, type JobStop } from './job.ts';
import { conclude } from './job-conclusion.ts';
import { retryVerdict } from './retry.ts';

const CHILD_OVER = 'Job terminated';

const INDEPENDENT: Dependencies = { kind: 'open', byIndex: '', gate: () => 'open' };

const LIVE_STATUS = {
  PROVISIONING: 'RUNNABLE',
  PENDING: 'STARTING',
  RUNNING: 'RUNNING',
  STOPPING: 'RUNNING',
  STOPPED: 'FAILED',
} as const;

export function planJob<T extends JobTask>(input: JobPlanInput<T>): JobPlan<T> {
  const { record } = input;
  if (isJobOver(record.status)) {
    const summary = { ...NO_CHILDREN };
    for (let index = 0; index < record.ledger.size; index++)
      summary[record.ledger.hasSucceeded(index) ? 'SUCCEEDED' : 'FAILED']++;
    return {
      stops: input.tasks.flatMap((task) => needless(task, record.statusReason)),
      starts: [],
      record: { ...record, status: record.status },
      results: [],
      isUrgent: false,
      statusSummary: input.size === undefined ? { ...NO_CHILDREN, [record.status]: 1 } : summary,
    };
  }
  return new Planner(input).plan();
}

/** Its child was over before its pod was seen: the answer to its start was lost, and meanwhile its end was asked for. */
function needless<T extends JobTask>(task: T, reason = ''): JobStop<T>[] {
  if (task.ended || task.stopRequested) return [];
  return [{ task, stopCode: 'UserInitiated', stoppedReason: reason || CHILD_OVER, because: 'its child is over' }];
}

const NO_CHILDREN: Readonly<Record<JobStatus, number>> = {
  SUBMITTED: 0,
  PENDING: 0,
  RUNNABLE: 0,
  STARTING: 0,
  RUNNING: 0,
  SUCCEEDED: 0,
  FAILED: 0,
};

/** One plan of a job that is not over. */
class Planner<T extends JobTask> {
  readonly #input: JobPlanInput<T>;
  readonly #dependencies: Dependencies;
  readonly #ledger: ArrayLedger;
  readonly #summary: Record<JobStatus, number> = { ...NO_CHILDREN };
  readonly #stops: JobStop<T>[] = [];
  readonly #retries: JobStart[] = [];
  readonly #firsts: JobStart[] = [];
  readonly #results: ChildAttempt[] = [];
  readonly #failures: ChildAttempt[] = [];
  readonly #own: { readonly succeeded: Indexes; readonly failed: Indexes };
  #wakeAt: number | undefined;
  #isCancelled: boolean;
  #isTerminated: boolean;
  /** Why a child waits, for the first that does. */
  #waitsFor: string | undefined;
  #waiting = 0;
  /** Of the child of a single job. */
  #reason = '';

  constructor(input: JobPlanInput<T>) {
    this.#input = input;
    const ledger = input.record.ledger.copy();
    this.#ledger = ledger;
    this.#own = {
      succeeded: { has: (index) => ledger.hasSucceeded(index) },
      failed: { has: (index) => ledger.hasFailed(index) },
    };
    this.#isCancelled = input.record.isCancelled;
    this.#isTerminated = input.record.isTerminated;
    this.#dependencies = input.dependencies ?? INDEPENDENT;
  }

  plan(): JobPlan<T> {
    const { record, tasks, departed = [], now } = this.#input;
    const stored = record.ledger;
    const newest = new Map<number, T>();
    for (const task of [...departed, ...tasks]) {
      const index = task.index ?? 0;
      if (index >= stored.size) continue;
      this.#ledger.noteMade(index, task.attempt);
      if ((newest.get(index)?.attempt ?? 0) <= task.attempt) newest.set(index, task);
    }
    const gone = new Set<T>(departed);
    // What older attempts came to is to be kept as well, until the status knows of the one that followed.
    for (const task of [...departed, ...tasks]) {
      const index = task.index ?? 0;
      if (newest.get(index) === task || index >= stored.size || this.#isKnown(index, task.attempt)) continue;
      if (task.ended || gone.has(task)) this.#note(index, endedAttempt(task, now));
    }
    this.#noteUnseen(newest, [...departed, ...tasks]);
    for (let index = 0; index < stored.size; index++) {
      const task = newest.get(index);
      if (this.#ledger.isOver(index)) {
        if (task !== undefined && !gone.has(task)) this.#stops.push(...needless(task, this.#endAsked(index)?.reason));
        continue;
      }
      const made = this.#ledger.made(index);
      if (made === 0) this.#begin(index, 1);
      else if (task?.attempt !== made)
        this.#follow(index, this.#recorded(index, made) ?? this.#lost(index, lostAttempt(made, now)));
      else if (task.ended) this.#follow(index, this.#stopped(index, task));
      else if (gone.has(task)) this.#follow(index, this.#lost(index, endedAttempt(task, now)));
      else this.#watch(index, task);
    }
    return conclude(this.#input, {
      ledger: this.#ledger,
      summary: this.#summary,
      stops: this.#stops,
      starts: [...this.#retries, ...this.#firsts],
      results: this.#results,
      failures: this.#failures,
      wakeAt: this.#wakeAt,
      isCancelled: this.#isCancelled,
      isTerminated: this.#isTerminated,
      waitsFor: this.#waitsFor,
      waiting: this.#waiting,
      reason: this.#reason,
    });
  }

  /** An attempt is made when all before it have ended: those of which nothing is left count as well. */
  #noteUnseen(newest: ReadonlyMap<number, T>, tasks: readonly T[]): void {
    let seen: ReadonlySet<string> | undefined;
    for (const [index, { attempt: last }] of newest) {
      for (let attempt = 1; attempt < last; attempt++) {
        if (this.#isKnown(index, attempt)) continue;
        seen ??= new Set(tasks.map((task) => `${task.index ?? 0}.${task.attempt}`));
        if (!seen.has(`${index}.${attempt}`)) this.#note(index, lostAttempt(attempt, this.#input.now));
      }
    }
  }

  /** The status has all that is to be known of the attempt. */
  #isKnown(index: number, attempt: number): boolean {
    const { size, record } = this.#input;
    return size === undefined
      ? record.attempts.some((known) => known.attempt === attempt)
      : record.ledger.isRecorded(index, attempt);
  }

  /** An ended attempt of a single job that the status lists, and after which the job was not over. */
  #recorded(index: number, attempt: number): EndedAttempt | undefined {
    if (this.#input.size !== undefined || index !== 0) return undefined;
    const known = this.#input.record.attempts.find((each) => each.attempt === attempt);
    return known && { ...known, succeeded: false };
  }

  /** Nobody saw how the attempt ended: where its end was asked for, that was why. */
  #lost(index: number, attempt: EndedAttempt): EndedAttempt {
    const end = this.#endAsked(index);
    if (end === undefined) return attempt;
    this.#noteEnd(end);
    return { ...attempt, statusReason: end.reason, stopCode: 'UserInitiated' };
  }

  /** It may have been stopped because that was asked for, and the status not know it yet. */
  #stopped(index: number, task: T): EndedAttempt {
    const end = this.#endAsked(index);
    if (task.stopCause?.stopCode === 'UserInitiated' && task.stopCause.stoppedReason === end?.reason)
      this.#noteEnd(end);
    return endedAttempt(task, this.#input.now);
  }

  #noteEnd({ isCancel }: { readonly isCancel: boolean }): void {
    if (isCancel) this.#isCancelled = true;
    else this.#isTerminated = true;
  }

  /** A task that is not over. */
  #watch(index: number, task: T): void {
    const { timeoutSeconds, now } = this.#input;
    const status = LIVE_STATUS[lastStatus(task)];
    this.#summary[status]++;
    const due = stopDue(task) ?? this.#endOf(index, task, status);
    if (due !== undefined) {
      this.#stops.push({ task, ...due });
      return;
    }
    if (task.unplaceable !== undefined) {
      this.#wait(`CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - ${task.unplaceable}`);
    }
    const since = runningSince(task);
    if (timeoutSeconds === undefined || status !== 'RUNNING' || task.stopRequested || since === undefined) return;
    const deadline = since + timeoutSeconds * 1000;
    if (now >= deadline) {
      this.#stops.push({ task, ...OUTLIVED, because: `attempt ${task.attempt} ran longer than ${timeoutSeconds} s` });
    } else this.#wakeAt = Math.min(this.#wakeAt ?? deadline, deadline);
  }

  /** CancelJob leaves alone what has a place already; TerminateJob does not. */
  #endOf(index: number, task: T, status: JobStatus): (StopCause & { because: string }) | undefined {
    if (task.stopRequested) return undefined;
    const end = this.#endAsked(index);
    if (end === undefined || (end.isCancel && status !== 'RUNNABLE')) return undefined;
    this.#noteEnd(end);
    return { stopCode: 'UserInitiated', stoppedReason: end.reason, because: end.because };
  }

  #endAsked(index: number): { reason: string; because: string; isCancel: boolean } | undefined {
    const { cancel, terminate, terminateChildren } = this.#input;
    if (terminate !== undefined) return { reason: terminate, because: 'the job is terminated', isCancel: false };
    if (terminateChildren?.has(index))
      return { reason: terminateChildren.reason, because: `child ${index} is terminated`, isCancel: false };
    if (cancel !== undefined) return { reason: cancel, because: 'the job is cancelled', isCancel: true };
    return undefined;
  }

  /** An attempt is over: its child is too, or is tried again. */
  #follow(index: number, attempt: EndedAttempt): void {
    if (!this.#isKnown(index, attempt.attempt)) this.#note(index, attempt);
    this.#reason = attempt.statusReason;
    const verdict = retryVerdict(this.#input.retryStrategy, attempt.attempt, attempt);
    if (attempt.succeeded) this.#ledger.noteOutcome(index, 'succeeded');
    else if (verdict.retry) this.#begin(index, attempt.attempt + 1, verdict.because);
    else this.#ledger.noteOutcome(index, 'failed');
  }

  #begin(index: number, attempt: number, because = 'nothing holds it back'): void {
    const gate: Gate = attempt > 1 ? 'open' : this.#dependencies.gate(index, this.#own);
    const end = this.#endAsked(index);
    if (gate === 'failed') this.#overUnstarted(index, attempt, DEPENDENT_JOB_FAILED);
    else if (end !== undefined && (gate === 'open' || this.#waitsInVain())) {
      this.#noteEnd(end);
      this.#overUnstarted(index, attempt, end.reason);
    } else if (gate === 'waiting') {
      this.#summary.PENDING++;
      this.#wait(this.#whyPending());
    } else {
      this.#summary.RUNNABLE++;
      const start = { ...(this.#input.size !== undefined && { index }), attempt, because };
      (attempt > 1 ? this.#retries : this.#firsts).push(start);
    }
  }

  /** As on AWS, what waits for other jobs is cancelled once they have ended; one that does not exist never ends. */
  #waitsInVain(): boolean {
    const { kind } = this.#dependencies;
    return kind === 'refused' || (kind === 'waiting' && this.#dependencies.isUnknown);
  }

  #whyPending(): string {
    const dependencies = this.#dependencies;
    return dependencies.kind === 'waiting' ? dependencies.because : dependencies.byIndex;
  }

  #wait(reason: string): void {
    this.#waitsFor ??= reason;
    this.#waiting++;
  }

  /** A child that is over, and has no further attempt to show for it. */
  #overUnstarted(index: number, attempt: number, reason: string): void {
    this.#reason = reason;
    if (attempt === 1)
      this.#results.push({ index, attempt: 0, task: '', statusReason: reason, stoppedAt: this.#input.now });
    this.#ledger.noteOutcome(index, 'failed');
  }

  #note(index: number, { succeeded, stopCode: _, ...attempt }: EndedAttempt): void {
    const result = { index, ...attempt };
    this.#results.push(result);
    if (!succeeded) this.#failures.push(result);
  }
}
