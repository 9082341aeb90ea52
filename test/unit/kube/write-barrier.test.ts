import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WriteBarrier } from '../../../src/kube/write-barrier.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function cacheAt(observedResourceVersion: bigint) {
  const cache = {
    observedResourceVersion,
    listedAt: Number.NEGATIVE_INFINITY,
    relists: 0,
    relist: () => {
      cache.relists += 1;
    },
  };
  return cache;
}

test('an owner waits until its newest write was observed, and nobody waits for others', () => {
  const cache = cacheAt(5n);
  const barrier = new WriteBarrier(cache);
  expect(barrier.isOpen('a')).toBe(true);
  barrier.note('a', '12');
  barrier.note('a', '9');
  expect(barrier.isOpen('a')).toBe(false);
  expect(barrier.isOpen('b')).toBe(true);
  cache.observedResourceVersion = 11n;
  expect(barrier.isOpen('a')).toBe(false);
  cache.observedResourceVersion = 12n;
  expect(barrier.isOpen('a')).toBe(true);
});

test('resourceVersions compare as numbers, however long', () => {
  const barrier = new WriteBarrier(cacheAt(9n));
  barrier.note('a', '10');
  expect(barrier.isOpen('a')).toBe(false);
  const large = new WriteBarrier(cacheAt(18446744073709551614n));
  large.note('a', '18446744073709551615');
  expect(large.isOpen('a')).toBe(false);
});

test('a forgotten owner waits for nothing', () => {
  const barrier = new WriteBarrier(cacheAt(0n));
  barrier.note('a', '1');
  barrier.forget('a');
  expect(barrier.isOpen('a')).toBe(true);
});

test('a write not seen within 30 s asks for a new list, and a list begun after the write has it, whatever its number', () => {
  const cache = cacheAt(1000n);
  const barrier = new WriteBarrier(cache);
  vi.advanceTimersByTime(10_000);
  cache.listedAt = performance.now();
  vi.advanceTimersByTime(1);
  barrier.note('a', '1001');
  vi.advanceTimersByTime(30_000);
  expect(barrier.isOpen('a')).toBe(false);
  expect(cache.relists).toBe(0);
  vi.advanceTimersByTime(1);
  expect(barrier.isOpen('a')).toBe(false);
  expect(cache.relists).toBe(1);
  // etcd was restored: all numbers are lower now.
  cache.observedResourceVersion = 500n;
  cache.listedAt = performance.now();
  expect(barrier.isOpen('a')).toBe(true);
});

test('a lower number after a restore does not hide that its write is still awaited', () => {
  const cache = cacheAt(1000n);
  const barrier = new WriteBarrier(cache);
  barrier.note('a', '1001');
  vi.advanceTimersByTime(1);
  cache.observedResourceVersion = 500n;
  cache.listedAt = performance.now();
  vi.advanceTimersByTime(1);
  barrier.note('a', '501');
  expect(barrier.isOpen('a')).toBe(false);
});
