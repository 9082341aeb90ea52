/** Something that says when it may have changed. */
export interface Source {
  /** @returns a function that ends the subscription. */
  subscribe(listener: () => void): () => void;
  /** What it looks like now: for the message of a wait that ran out. */
  describe(): string;
}

/**
 * Waits for the first answer that is neither undefined nor false, asking at once and after every change of the source.
 * @param what names it in the error of a wait that ran out.
 */
export function until<T>(
  source: Source,
  what: string,
  ask: () => T | undefined | false,
  timeoutMs = 60_000,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  let unsubscribe = (): void => {};
  const timer = setTimeout(() => {
    unsubscribe();
    reject(new Error(`${what}: not within ${timeoutMs / 1000} s. At the end:\n${source.describe()}`));
  }, timeoutMs);
  const settle = (work: () => void): void => {
    clearTimeout(timer);
    unsubscribe();
    work();
  };
  const look = (): void => {
    try {
      const answer = ask();
      if (answer !== undefined && answer !== false) settle(() => resolve(answer));
    } catch (error) {
      settle(() => reject(error));
    }
  };
  unsubscribe = source.subscribe(look);
  look();
  return promise;
}

/** Resolves when the clock shows a later second than the given time: Kubernetes' timestamps have whole seconds. */
export function nextSecondAfter(timestamp: string): Promise<void> {
  const wait = Date.parse(timestamp) + 1000 - Date.now();
  return new Promise((resolve) => setTimeout(resolve, Math.max(wait, 0) + 20));
}
