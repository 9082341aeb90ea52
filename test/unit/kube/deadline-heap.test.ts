import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DeadlineHeap } from '../../../src/kube/deadline-heap.ts';

test('keys come out in the order of their earliest times, none early, none twice', () => {
  const entries = fc.array(fc.tuple(fc.nat(60).map(String), fc.nat(1000)), { maxLength: 200 });
  fc.assert(
    fc.property(entries, fc.nat(1000), (added, now) => {
      const heap = new DeadlineHeap();
      const earliest = new Map<string, number>();
      for (const [key, at] of added) {
        heap.add(key, at);
        earliest.set(key, Math.min(earliest.get(key) ?? at, at));
      }
      const times = (until: number) => heap.takeUntil(until).map((key) => earliest.get(key));
      const sorted = [...earliest.values()].sort((a, b) => a - b);
      expect(times(now)).toEqual(sorted.filter((at) => at <= now));
      expect(times(1000)).toEqual(sorted.filter((at) => at > now));
      expect(heap.size).toBe(0);
    }),
  );
});
