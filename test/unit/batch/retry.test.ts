import { describe, expect, it } from 'vitest';
import { retryVerdict } from '../../../src/batch/retry.ts';

const strategy = {
  attempts: 3,
  evaluateOnExit: [
    { action: 'exit', onExitCode: '13', onStatusReason: 'Essential*' },
    { action: 'RETRY', onReason: 'AGENT' },
  ],
};
const statusReason = 'Essential container in task exited';

describe('why a failed attempt is, or is not, tried again', () => {
  it.each([
    [1, { exitCode: 13, statusReason }, 'evaluateOnExit[0] says EXIT: onExitCode "13", onStatusReason "Essential*"'],
    [1, { reason: 'AGENT', statusReason: 'x' }, 'evaluateOnExit[1] says RETRY: onReason "AGENT"'],
    [2, { exitCode: 1, statusReason }, 'attempt 2 of 3 failed, and no rule of evaluateOnExit matches'],
    [3, { exitCode: 1, statusReason }, 'attempt 3 of 3 failed'],
    [
      1,
      { exitCode: 137, statusReason: 'enough', stopCode: 'UserInitiated' },
      'what was cancelled, terminated or timed out is not tried again',
    ],
  ])('after attempt %d with %j: %s', (attempt, outcome, because) => {
    expect(retryVerdict(strategy, attempt, outcome).because).toBe(because);
  });

  it('needs no rules', () => {
    expect(retryVerdict({ attempts: 2, evaluateOnExit: [] }, 1, { exitCode: 1, statusReason })).toEqual({
      retry: true,
      because: 'attempt 1 of 2 failed',
    });
  });
});
