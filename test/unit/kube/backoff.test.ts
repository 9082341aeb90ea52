import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Backoff, sleep } from '../../../src/kube/backoff.ts';

test('each wait doubles up to the longest, and is drawn between its half and its whole', () => {
  fc.assert(
    fc.property(
      fc.record({ initialMs: fc.integer({ min: 1, max: 1000 }), maxMs: fc.integer({ min: 1000, max: 100_000 }) }),
      fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 1, maxLength: 20 }),
      (timings, draws) => {
        let next = 0;
        const backoff = new Backoff(timings, () => draws[next] ?? 0);
        for (; next < draws.length; next += 1) {
          const whole = Math.min(timings.maxMs, timings.initialMs * 2 ** next);
          const wait = backoff.next();
          expect(wait).toBeGreaterThanOrEqual(whole / 2);
          expect(wait).toBeLessThanOrEqual(whole);
        }
        backoff.reset();
        next = 0;
        expect(backoff.next()).toBeLessThanOrEqual(timings.initialMs);
      },
    ),
  );
});

test('clients that failed at the same time do not all come back at the same time', () => {
  const waits = Array.from({ length: 100 }, () => new Backoff({ initialMs: 1000, maxMs: 30_000 }).next());
  expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan(200);
});

test('a sleep ends when its signal aborts, without an error', async () => {
  const abort = new AbortController();
  const slept = sleep(60_000, abort.signal);
  abort.abort();
  await expect(slept).resolves.toBeUndefined();
});
