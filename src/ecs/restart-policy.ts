/** A task definition's restartPolicy, enabled (`ecs-semantics §1.6`). */
export interface RestartTraits {
  readonly ignoredExitCodes: readonly number[];
  /** Seconds. */
  readonly restartAttemptPeriod: number;
}

/** One run of a container that has ended; times in epoch milliseconds. */
export interface EndedRun {
  readonly exitCode?: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
}

/**
 * Whether ECS restarts a container after this run, rather than treating it as ended: not without an exit code, not
 * after an ignored one, and not where it ran shorter than restartAttemptPeriod (amazon-ecs-agent `restart_tracker.go`).
 */
export function restartsAfter(policy: RestartTraits, { exitCode, startedAt, finishedAt }: EndedRun): boolean {
  if (exitCode === undefined || startedAt === undefined || finishedAt === undefined) return false;
  if (policy.ignoredExitCodes.includes(exitCode)) return false;
  return finishedAt - startedAt >= policy.restartAttemptPeriod * 1000;
}
