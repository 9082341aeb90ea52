/** Whether a failed attempt is followed by another one (`ecs-semantics` §5.4). */

/** A rule of evaluateOnExit. A pattern is matched from the start of the text; a trailing `*` stands for any rest. */
export interface RetryRule {
  /** RETRY or EXIT, in any case of letters. */
  readonly action: string;
  /** For the exit code in decimal digits. */
  readonly onExitCode?: string | undefined;
  /** For the container's reason. */
  readonly onReason?: string | undefined;
  /** For the attempt's statusReason. */
  readonly onStatusReason?: string | undefined;
}

export interface RetryStrategy {
  /** Attempts in all, from 1. */
  readonly attempts: number;
  readonly evaluateOnExit: readonly RetryRule[];
}

/** How a failed attempt ended. */
export interface AttemptOutcome {
  /** Absent when the container never ran. */
  readonly exitCode?: number | undefined;
  /** What went wrong with the container; absent for a plain exit. */
  readonly reason?: string | undefined;
  readonly statusReason: string;
  /** ECS's stopCode of the task, where something stopped it. */
  readonly stopCode?: string | undefined;
}

export interface RetryVerdict {
  readonly retry: boolean;
  readonly because: string;
}

const CONDITIONS = ['onExitCode', 'onReason', 'onStatusReason'] as const;

/** A lone `*` matches an absent text as well: AWS's catch-all is `onReason: "*"`, and a plain exit has no reason. */
function matches(pattern: string, text: string | undefined): boolean {
  if (pattern === '*') return true;
  if (text === undefined) return false;
  return pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
}

/** @param attempt number of the attempt that failed, from 1. */
export function retryVerdict(strategy: RetryStrategy, attempt: number, outcome: AttemptOutcome): RetryVerdict {
  const { attempts, evaluateOnExit } = strategy;
  if (outcome.stopCode === 'UserInitiated') {
    return { retry: false, because: `what was cancelled, terminated or timed out is not tried again` };
  }
  if (attempt >= attempts) return { retry: false, because: `attempt ${attempt} of ${attempts} failed` };
  const texts = {
    onExitCode: outcome.exitCode?.toString(),
    onReason: outcome.reason,
    onStatusReason: outcome.statusReason,
  };
  for (const [position, rule] of evaluateOnExit.entries()) {
    const given = CONDITIONS.flatMap((name) => {
      const pattern = rule[name];
      return pattern === undefined ? [] : [{ name, pattern }];
    });
    if (!given.every(({ name, pattern }) => matches(pattern, texts[name]))) continue;
    const action = rule.action.toUpperCase();
    const conditions = given.map(({ name, pattern }) => `${name} "${pattern}"`).join(', ');
    return { retry: action === 'RETRY', because: `evaluateOnExit[${position}] says ${action}: ${conditions}` };
  }
  return {
    retry: true,
    because: `attempt ${attempt} of ${attempts} failed${evaluateOnExit.length > 0 ? ', and no rule of evaluateOnExit matches' : ''}`,
  };
}
