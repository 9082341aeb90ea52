export interface TakeDown {
  /** Ends the run, once however often it is asked. */
  readonly takeDown: () => Promise<void>;
  /** Its end has begun: what breaks now is no news. */
  readonly isEnding: () => boolean;
}

/**
 * Ends a long run by its own end, or by a signal, which then ends the process.
 * @param end stops what the run has started.
 */
export function takingDown(end: () => Promise<void>): TakeDown {
  let ending: Promise<void> | undefined;
  const takeDown = (): Promise<void> => {
    ending ??= end();
    return ending;
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void takeDown().finally(() => process.exit(130)));
  }
  return { takeDown, isEnding: () => ending !== undefined };
}
