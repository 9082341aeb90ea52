/** As many as a client has connections: more would wait there, with their time running. */
const MOST_AT_ONCE = 32;

export interface SlowStartOptions {
  /** Begins no more after so many milliseconds; what is left is left. Default: all is done. */
  readonly forMs?: number;
}

/**
 * Runs the work of one item, then of more at once with each that succeeds, up to 32, and begins no more after the first
 * failure, as Kubernetes' own controllers do in batches: a quota that refuses one pod is not asked a thousand times.
 * @throws the first failure, once nothing is under way any more.
 */
export async function slowStart<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
  { forMs = Number.POSITIVE_INFINITY }: SlowStartOptions = {},
): Promise<void> {
  const left = items.values();
  const until = performance.now() + forMs;
  let lanes = 1;
  let failure: { readonly error: unknown } | undefined;
  const lane = async (): Promise<void> => {
    const others: Promise<void>[] = [];
    for (const item of left) {
      try {
        await work(item);
      } catch (error) {
        failure ??= { error };
      }
      if (failure !== undefined || performance.now() > until) break;
      if (lanes < MOST_AT_ONCE) {
        lanes += 1;
        others.push(lane());
      }
    }
    await Promise.all(others);
  };
  await lane();
  if (failure !== undefined) throw failure.error;
}
