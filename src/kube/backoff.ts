import { setTimeout as delay } from 'node:timers/promises';

export interface BackoffTimings {
  readonly initialMs: number;
  readonly maxMs: number;
}

/** Doubles from `initialMs` to `maxMs`; each wait is drawn between its half and its whole, so that clients spread. */
export class Backoff {
  readonly #timings: BackoffTimings;
  readonly #random: () => number;
  #failures = 0;

  constructor(timings: BackoffTimings, random: () => number = Math.random) {
    this.#timings = timings;
    this.#random = random;
  }

  next(): number {
    const full = Math.min(this.#timings.maxMs, this.#timings.initialMs * 2 ** this.#failures);
    this.#failures += 1;
    return full * (0.5 + this.#random() / 2);
  }

  reset(): void {
    this.#failures = 0;
  }
}

/** Waits; returns early, without throwing, when the signal aborts. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  await delay(ms, undefined, signal ? { signal } : {}).catch((error: unknown) => {
    if (!signal?.aborted) throw error;
  });
}
