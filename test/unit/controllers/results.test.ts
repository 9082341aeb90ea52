import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChildAttempt } from '../../../src/batch/attempt.ts';
import { resultOf } from '../../../src/controllers/batch/results.ts';

const attempt: ChildAttempt = {
  index: 4711,
  attempt: 2,
  task: 'a'.repeat(32),
  exitCode: 3,
  statusReason: 'Essential container in task exited',
  startedAt: Date.parse('2026-11-23T10:00:00Z'),
  stoppedAt: Date.parse('2026-11-23T10:00:07Z'),
};

describe('the result of a child', () => {
  it('has the fields of an attempt in the status', () => {
    expect(JSON.parse(resultOf(attempt))).toEqual({
      attempt: 2,
      task: 'a'.repeat(32),
      exitCode: 3,
      statusReason: 'Essential container in task exited',
      startedAt: '2026-11-23T10:00:00Z',
      stoppedAt: '2026-11-23T10:00:07Z',
    });
  });

  it('leaves out what there is not', () => {
    const { exitCode, startedAt, ...never } = attempt;
    expect(Object.keys(JSON.parse(resultOf(never)))).toEqual(['attempt', 'task', 'statusReason', 'stoppedAt']);
  });

  it('keeps 255 characters of a reason, as Batch does', () => {
    const { reason } = JSON.parse(resultOf({ ...attempt, reason: 'x'.repeat(1000) })) as { reason: string };
    expect(reason).toBe('x'.repeat(255));
  });

  it('is less than 1000 bytes, so that 1000 fit a ConfigMap, whatever the reasons say', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 600 }),
      fc.constantFrom('\u0000', '"', '漢', '🚢', '\ud83d').map((character) => character.repeat(600)),
    );
    fc.assert(
      fc.property(text, text, (reason, statusReason) => {
        const value = resultOf({ ...attempt, attempt: 10, exitCode: -2_147_483_648, reason, statusReason });
        expect(Buffer.byteLength(value)).toBeLessThan(1000);
        const kept = JSON.parse(value) as { reason: string; statusReason: string };
        expect(reason.toWellFormed().startsWith(kept.reason)).toBe(true);
        expect(statusReason.toWellFormed().startsWith(kept.statusReason)).toBe(true);
      }),
    );
  });
});
