import { describe, expect, it } from 'vitest';
import { type AttemptOutcome, type RetryRule, retryVerdict } from '../../src/batch/retry.ts';

/** AWS Batch user guide, "Automated job retries". */
const RETRIES: readonly RetryRule[] = [
  { action: 'RETRY', onReason: 'AGENT' },
  { action: 'RETRY', onStatusReason: 'Task failed to start' },
  { action: 'EXIT', onReason: '*' },
];
/** AWS Batch user guide, "Best practices", "Use custom retries". */
const HOST_ONLY: readonly RetryRule[] = [
  { action: 'RETRY', onStatusReason: 'Host EC2*' },
  { action: 'EXIT', onReason: '*' },
];

const ESSENTIAL = 'Essential container in task exited';
const exited = (exitCode: number): AttemptOutcome => ({ exitCode, statusReason: ESSENTIAL });
const OUT_OF_MEMORY: AttemptOutcome = {
  exitCode: 137,
  reason: 'OutOfMemoryError: Container killed due to memory usage',
  statusReason: ESSENTIAL,
};
const NOT_PULLED: AttemptOutcome = {
  reason: 'CannotPullContainerError: pull image manifest has been retried 5 time(s)',
  statusReason: 'Task failed to start',
};
const HOST_LOST: AttemptOutcome = { statusReason: 'Host EC2 (instance i-0123456789abcdef0) terminated.' };
const stopped = (statusReason: string): AttemptOutcome => ({
  exitCode: 137,
  statusReason,
  stopCode: 'UserInitiated',
});

const only = (rule: RetryRule): readonly RetryRule[] => [rule, { action: 'EXIT', onReason: '*' }];

interface Row {
  readonly source: string;
  readonly rule: string;
  readonly rules: readonly RetryRule[];
  readonly attempts?: number;
  readonly attempt?: number;
  readonly outcome: AttemptOutcome;
  readonly retry: boolean;
}

const GUIDE = 'user guide, job_retries';
const BEST = 'user guide, best-practices';
const API = 'API reference, EvaluateOnExit';
const TIMEOUTS = 'user guide, job_timeouts';
/** AWS does not say; docs/batch.md has what Longshore does. */
const OPEN = 'open';

const rows: readonly Row[] = [
  { source: GUIDE, rule: 'any exit but 0 is tried again', rules: [], outcome: exited(1), retry: true },
  { source: GUIDE, rule: 'the loss of the host is tried again', rules: [], outcome: HOST_LOST, retry: true },
  { source: GUIDE, rule: 'one attempt is the default', rules: [], attempts: 1, outcome: exited(1), retry: false },
  {
    source: GUIDE,
    rule: 'attempts are those in all',
    rules: [],
    attempts: 3,
    attempt: 3,
    outcome: exited(1),
    retry: false,
  },
  { source: GUIDE, rule: 'the last but one is followed', rules: [], attempt: 2, outcome: exited(1), retry: true },
  {
    source: GUIDE,
    rule: 'no rule adds attempts',
    rules: [{ action: 'RETRY', onReason: '*' }],
    attempt: 3,
    outcome: exited(1),
    retry: false,
  },
  {
    source: GUIDE,
    rule: 'no rule matches: it is tried again',
    rules: [{ action: 'EXIT', onExitCode: '2' }],
    outcome: exited(1),
    retry: true,
  },
  { source: GUIDE, rule: 'the second rule matches', rules: RETRIES, outcome: NOT_PULLED, retry: true },
  {
    source: GUIDE,
    rule: 'the first rule matches',
    rules: RETRIES,
    outcome: { reason: 'AGENT', statusReason: 'x' },
    retry: true,
  },
  { source: GUIDE, rule: '* as the reason ends all else', rules: RETRIES, outcome: OUT_OF_MEMORY, retry: false },
  {
    source: GUIDE,
    rule: '* as the reason ends an exit that has none',
    rules: RETRIES,
    outcome: exited(1),
    retry: false,
  },
  { source: GUIDE, rule: 'cancelled', rules: [], outcome: stopped('not needed'), retry: false },
  {
    source: GUIDE,
    rule: 'terminated, whatever a rule says',
    rules: [{ action: 'RETRY', onReason: '*' }],
    outcome: stopped('not needed'),
    retry: false,
  },
  {
    source: TIMEOUTS,
    rule: 'timed out, whatever a rule says',
    rules: [{ action: 'RETRY', onStatusReason: 'Job attempt duration exceeded timeout' }],
    outcome: stopped('Job attempt duration exceeded timeout'),
    retry: false,
  },

  { source: BEST, rule: 'the loss of the host is tried again', rules: HOST_ONLY, outcome: HOST_LOST, retry: true },
  { source: BEST, rule: 'an exit is final', rules: HOST_ONLY, outcome: exited(1), retry: false },
  { source: BEST, rule: 'an image that is not there is final', rules: HOST_ONLY, outcome: NOT_PULLED, retry: false },

  {
    source: API,
    rule: 'action, in any case of letters',
    rules: only({ action: 'retry', onExitCode: '1' }),
    outcome: exited(1),
    retry: true,
  },
  {
    source: API,
    rule: 'action, in any case of letters',
    rules: [
      { action: 'Exit', onExitCode: '1' },
      { action: 'RETRY', onReason: '*' },
    ],
    outcome: exited(1),
    retry: false,
  },
  {
    source: API,
    rule: 'a pattern without * is the whole text',
    rules: only({ action: 'RETRY', onExitCode: '1' }),
    outcome: exited(13),
    retry: false,
  },
  {
    source: API,
    rule: 'a pattern with * is its start',
    rules: only({ action: 'RETRY', onExitCode: '1*' }),
    outcome: exited(137),
    retry: true,
  },
  {
    source: API,
    rule: 'a pattern with * may be the whole text',
    rules: only({ action: 'RETRY', onExitCode: '137*' }),
    outcome: exited(137),
    retry: true,
  },
  {
    source: API,
    rule: 'a pattern is not matched inside the text',
    rules: only({ action: 'RETRY', onReason: 'Container killed*' }),
    outcome: OUT_OF_MEMORY,
    retry: false,
  },
  {
    source: API,
    rule: 'reason',
    rules: only({ action: 'RETRY', onReason: 'OutOfMemoryError:*' }),
    outcome: OUT_OF_MEMORY,
    retry: true,
  },
  {
    source: API,
    rule: 'statusReason, word by word',
    rules: only({ action: 'RETRY', onStatusReason: ESSENTIAL }),
    outcome: exited(1),
    retry: true,
  },
  {
    source: API,
    rule: 'all conditions of a rule must be met',
    rules: only({ action: 'RETRY', onExitCode: '137', onReason: 'OutOfMemoryError:*', onStatusReason: 'Essential*' }),
    outcome: OUT_OF_MEMORY,
    retry: true,
  },
  {
    source: API,
    rule: 'one of the conditions is not met',
    rules: only({ action: 'RETRY', onExitCode: '1', onReason: 'OutOfMemoryError:*' }),
    outcome: OUT_OF_MEMORY,
    retry: false,
  },
  {
    source: API,
    rule: 'a dot is a dot',
    rules: only({ action: 'RETRY', onStatusReason: 'a.c' }),
    outcome: { statusReason: 'abc' },
    retry: false,
  },

  {
    source: OPEN,
    rule: 'patterns are case-sensitive',
    rules: only({ action: 'RETRY', onStatusReason: 'host ec2*' }),
    outcome: HOST_LOST,
    retry: false,
  },
  {
    source: OPEN,
    rule: '* as the exit code matches where none is',
    rules: [
      { action: 'EXIT', onExitCode: '*' },
      { action: 'RETRY', onReason: '*' },
    ],
    outcome: HOST_LOST,
    retry: false,
  },
  {
    source: OPEN,
    rule: 'digits match no exit code that is absent',
    rules: only({ action: 'RETRY', onExitCode: '0*' }),
    outcome: HOST_LOST,
    retry: false,
  },
];

describe('a failed attempt of a Batch job', () => {
  it.each(rows)('$source: $rule: retry $retry', ({ rules, attempts = 3, attempt = 1, outcome, retry }) => {
    const verdict = retryVerdict({ attempts, evaluateOnExit: rules }, attempt, outcome);
    expect(verdict.retry, verdict.because).toBe(retry);
  });
});
