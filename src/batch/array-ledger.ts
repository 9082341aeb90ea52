/** What has become of each child of an array so far: sets of numbers, so that counting twice changes nothing. */
import { formatRanges, type Interval, splitIntervals } from './intervals.ts';

/** The ledger as a job's status has it. */
export interface LedgerText {
  /** As "0-41,43". */
  readonly succeededIndexes: string;
  readonly failedIndexes: string;
  readonly childAttempts: readonly { readonly attempts: number; readonly indexes: string }[];
}

const SUCCEEDED = 1;
const FAILED = 2;

export class ArrayLedger {
  readonly size: number;
  readonly #outcomes: Uint8Array;
  readonly #made: Uint8Array;

  private constructor(outcomes: Uint8Array, made: Uint8Array) {
    this.size = outcomes.length;
    this.#outcomes = outcomes;
    this.#made = made;
  }

  /** Indexes beyond the size are left out. @throws Error where a text is none of intervals. */
  static of(size: number, text: LedgerText): ArrayLedger {
    const ledger = new ArrayLedger(new Uint8Array(size), new Uint8Array(size));
    const fill = (array: Uint8Array, value: number, indexes: string): void => {
      for (const [from, to] of splitIntervals(indexes)) array.fill(value, from, to + 1);
    };
    fill(ledger.#outcomes, FAILED, text.failedIndexes);
    fill(ledger.#outcomes, SUCCEEDED, text.succeededIndexes);
    for (const { attempts, indexes } of text.childAttempts) fill(ledger.#made, attempts, indexes);
    return ledger;
  }

  copy(): ArrayLedger {
    return new ArrayLedger(this.#outcomes.slice(), this.#made.slice());
  }

  /** How many attempts of the child have been made. */
  made(index: number): number {
    return this.#made[index] ?? 0;
  }

  /** Some attempt has been made. */
  hasBegun(): boolean {
    return this.#made.some((attempts) => attempts > 0);
  }

  hasSucceeded(index: number): boolean {
    return this.#outcomes[index] === SUCCEEDED;
  }

  hasFailed(index: number): boolean {
    return this.#outcomes[index] === FAILED;
  }

  isOver(index: number): boolean {
    return this.#outcomes[index] !== 0;
  }

  /** Nothing of this attempt is to be learnt from its pod any more: its child is over, or the next attempt was made. */
  isRecorded(index: number, attempt: number): boolean {
    return this.isOver(index) || this.made(index) > attempt;
  }

  /** A pod of this attempt was seen. */
  noteMade(index: number, attempt: number): void {
    if (this.made(index) < attempt) this.#made[index] = attempt;
  }

  /** Final: the first outcome of a child stays. */
  noteOutcome(index: number, outcome: 'succeeded' | 'failed'): void {
    if (!this.isOver(index)) this.#outcomes[index] = outcome === 'succeeded' ? SUCCEEDED : FAILED;
  }

  format(): LedgerText {
    const numbers = new Set(this.#made);
    numbers.delete(0);
    return {
      succeededIndexes: textOf(this.#outcomes, SUCCEEDED),
      failedIndexes: textOf(this.#outcomes, FAILED),
      childAttempts: [...numbers]
        .sort((a, b) => a - b)
        .map((attempts) => ({ attempts, indexes: textOf(this.#made, attempts) })),
    };
  }
}

function textOf(array: Uint8Array, value: number): string {
  const ranges: Interval[] = [];
  for (let from = array.indexOf(value); from !== -1; ) {
    let to = from;
    while (array[to + 1] === value) to++;
    ranges.push([from, to]);
    from = array.indexOf(value, to + 1);
  }
  return formatRanges(ranges);
}
