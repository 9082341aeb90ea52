/**
 * What waits in a queue, in the order in which it starts. Kept between runs of the dispatcher: to change a job's place
 * costs a binary search, and to read the heads costs nothing, however many wait.
 */

/** What a child takes, and what an environment has. Infinity: no ceiling. */
export interface Resources {
  /** vCPUs, in fractions. */
  readonly vcpus: number;
  /** MiB. */
  readonly memory: number;
}

/** A job, or what of an array's children may start now: all need the same. */
export interface Waiting {
  /** UID of the BatchJob. */
  readonly job: string;
  readonly name: string;
  readonly need: Resources;
  /** How many wait. */
  readonly count: number;
  /** How many of them have failed before: they are at the front of the queue. */
  readonly retries: number;
  /** Epoch milliseconds. */
  readonly submittedAt: number;
  /** shareIdentifier; '' in a queue without a policy. */
  readonly share: string;
  /** 0 to 9999: within one share, the highest first. */
  readonly schedulingPriority: number;
}

/** What of a job waits at one place: its children that have failed before are ahead of the others. */
export interface Place {
  readonly waiting: Waiting;
  readonly isRetry: boolean;
  readonly count: number;
}

type Compare = (a: Place, b: Place) => number;

/** A failed attempt goes back to the front (`ecs-semantics §5.3`). */
const bySubmission: Compare = (a, b) =>
  Number(b.isRetry) - Number(a.isRetry) ||
  a.waiting.submittedAt - b.waiting.submittedAt ||
  compare(a.waiting.name, b.waiting.name) ||
  compare(a.waiting.job, b.waiting.job);

/** schedulingPriority counts within a share; a queue without a policy ignores it (`ecs-semantics §5.9`). */
const byPriority: Compare = (a, b) => b.waiting.schedulingPriority - a.waiting.schedulingPriority || bySubmission(a, b);

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

export class Waitlist {
  readonly hasShares: boolean;
  readonly #compare: Compare;
  readonly #lines = new Map<string, Place[]>();

  /** @param hasShares of a queue with a fair share policy: a line each share. Otherwise all jobs stand in one line. */
  constructor(hasShares: boolean, jobs: Iterable<Waiting> = []) {
    this.hasShares = hasShares;
    this.#compare = hasShares ? byPriority : bySubmission;
    for (const waiting of jobs) for (const place of placesOf(waiting)) this.#lineOf(waiting).push(place);
    for (const line of this.#lines.values()) line.sort(this.#compare);
  }

  /** By shareIdentifier, '' in a queue without a policy; none is empty. */
  get lines(): ReadonlyMap<string, readonly Place[]> {
    return this.#lines;
  }

  /** All that wait, in no order. */
  get jobs(): ReadonlySet<Waiting> {
    const jobs = new Set<Waiting>();
    for (const line of this.#lines.values()) for (const { waiting } of line) jobs.add(waiting);
    return jobs;
  }

  add(waiting: Waiting): void {
    for (const place of placesOf(waiting)) {
      const line = this.#lineOf(waiting);
      line.splice(this.#indexOf(line, place), 0, place);
    }
  }

  /** @param waiting as it was added. */
  remove(waiting: Waiting): void {
    for (const place of placesOf(waiting)) {
      const line = this.#lineOf(waiting);
      line.splice(this.#indexOf(line, place), 1);
      if (line.length === 0) this.#lines.delete(this.#keyOf(waiting));
    }
  }

  #keyOf({ share }: Waiting): string {
    return this.hasShares ? share : '';
  }

  #lineOf(waiting: Waiting): Place[] {
    const key = this.#keyOf(waiting);
    const line = this.#lines.get(key) ?? [];
    this.#lines.set(key, line);
    return line;
  }

  /** Of the first place that is not before it. */
  #indexOf(line: readonly Place[], place: Place): number {
    let [from, to] = [0, line.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.#compare(line[middle] as Place, place) < 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

function placesOf(waiting: Waiting): readonly Place[] {
  const retries = Math.min(waiting.retries, waiting.count);
  const places = [
    { waiting, isRetry: true, count: retries },
    { waiting, isRetry: false, count: waiting.count - retries },
  ];
  return places.filter(({ count }) => count > 0);
}
