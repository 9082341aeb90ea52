import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RestartBudget } from '../../../src/controllers/restart-budget.ts';

const start = 1_000_000;

function budgetAt(limits = { perSecond: 20, burst: 100 }) {
  let now = start;
  const budget = new RestartBudget(limits, () => now);
  return {
    budget,
    at: (ms: number) => {
      now = start + ms;
      return budget;
    },
  };
}

describe('the budget of restarts', () => {
  it('is empty at first, fills up to its burst, and no further', () => {
    const { at } = budgetAt();
    expect(at(0).take('a', 1)).toEqual({ count: 0, until: start + 50 });
    expect(at(60_000).take('b', 300)).toMatchObject({ count: 100 });
  });

  it('gives each that waits a time of its own, in the order in which they asked, and grants it then', () => {
    const { at } = budgetAt({ perSecond: 4, burst: 1 });
    expect(['a', 'b', 'c'].map((owner) => at(0).take(owner, 2).until)).toEqual([start + 250, start + 500, start + 750]);
    expect(at(100).take('a', 2)).toEqual({ count: 0, until: start + 250 });
    expect(at(250).take('a', 2)).toEqual({ count: 1, until: start + 1000 });
    expect(at(900).take('b', 1)).toEqual({ count: 1 });
    expect(at(900).counts).toEqual({ granted: 2, waiting: 2 });
  });

  it('lets a lone service have all of the rate', () => {
    const { at } = budgetAt();
    let granted = 0;
    let next = 0;
    while (next < 10_000) {
      const { count, until = start + next + 1 } = at(next).take('a', 1000);
      granted += count;
      next = until - start;
    }
    expect(granted).toBeGreaterThanOrEqual(195);
    expect(granted).toBeLessThanOrEqual(200);
  });

  it('is empty again for the next leader, whatever was reserved', () => {
    const { at } = budgetAt();
    at(60_000).take('a', 500);
    at(120_000).empty();
    expect(at(120_000).take('a', 1)).toEqual({ count: 0, until: start + 120_050 });
  });

  it('never grants more than rate and burst allow, in no span of time, and nobody waits for ever', () => {
    const ask = fc.record({ owner: fc.integer({ min: 0, max: 9 }), wanted: fc.nat(30), after: fc.nat(400) });
    const limits = fc.record({ perSecond: fc.integer({ min: 1, max: 50 }), burst: fc.integer({ min: 1, max: 60 }) });
    fc.assert(
      fc.property(limits, fc.array(ask, { maxLength: 200 }), (given, asks) => {
        const { at } = budgetAt(given);
        const grants: { ms: number; count: number }[] = [];
        let ms = 0;
        for (const { owner, wanted, after } of asks) {
          ms += after;
          const { count, until } = at(ms).take(String(owner), wanted);
          grants.push({ ms, count });
          expect(count).toBeLessThanOrEqual(wanted);
          if (until === undefined) expect(count).toBe(wanted);
          else expect(until).toBeGreaterThan(start + ms);
        }
        const total = grants.reduce((sum, { count }) => sum + count, 0);
        expect(total).toBeLessThanOrEqual((ms / 1000) * given.perSecond + 1e-6);
        for (const [first, { ms: from }] of grants.entries()) {
          let sum = 0;
          for (const { ms: to, count } of grants.slice(first)) {
            sum += count;
            // What was reserved before may be fetched late, one turn an owner.
            const late = 10 * Math.max(1, Math.floor(given.perSecond / 4));
            expect(sum).toBeLessThanOrEqual(given.burst + late + ((to - from) / 1000) * given.perSecond + 1e-6);
          }
        }
      }),
    );
  });
});
