import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WriteBarrier } from '../../../src/kube/write-barrier.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

class Cache {
  observedResourceVersion: bigint;
  listedAt = Number.NEGATIVE_INFINITY;
  relists = 0;
  #listener = (): void => {};

  constructor(observedResourceVersion: bigint) {
    this.observedResourceVersion = observedResourceVersion;
  }

  onProgress(listener: () => void): void {
    this.#listener = listener;
  }

  relist(): void {
    this.relists += 1;
  }

  observe(resourceVersion: bigint): void {
    this.observedResourceVersion = resourceVersion;
    this.#listener();
  }

  list(resourceVersion: bigint): void {
    this.listedAt = performance.now();
    this.observe(resourceVersion);
  }
}

const isOpen = (barrier: WriteBarrier, owner: string): boolean => barrier.pending(owner) === undefined;

/** Asks for the owner, and notes its name once the barrier says to ask again. */
function wait(barrier: WriteBarrier, owner: string, woken: string[]): void {
  void barrier.pending(owner)?.then(() => woken.push(owner));
}

test('an owner waits until its newest write was observed, and nobody waits for others', () => {
  const cache = new Cache(5n);
  const barrier = new WriteBarrier(cache);
  expect(isOpen(barrier, 'a')).toBe(true);
  barrier.note('a', '12');
  barrier.note('a', '9');
  expect(isOpen(barrier, 'a')).toBe(false);
  expect(isOpen(barrier, 'b')).toBe(true);
  cache.observe(11n);
  expect(isOpen(barrier, 'a')).toBe(false);
  cache.observe(12n);
  expect(isOpen(barrier, 'a')).toBe(true);
});

test('each owner is woken when its own write is observed, however often it asked, and not before', async () => {
  const cache = new Cache(5n);
  const barrier = new WriteBarrier(cache);
  const woken: string[] = [];
  barrier.note('a', '12');
  barrier.note('b', '14');
  for (const owner of ['b', 'a', 'a']) wait(barrier, owner, woken);
  cache.observe(11n);
  await vi.advanceTimersByTimeAsync(29_000);
  expect(woken).toEqual([]);
  cache.observe(13n);
  await vi.advanceTimersByTimeAsync(0);
  expect(woken).toEqual(['a', 'a']);
  cache.observe(14n);
  await vi.advanceTimersByTimeAsync(0);
  expect(woken).toEqual(['a', 'a', 'b']);
  expect(vi.getTimerCount()).toBe(0);
});

test('an owner that wrote again while it waited is not woken for the first write', async () => {
  const cache = new Cache(5n);
  const barrier = new WriteBarrier(cache);
  const woken: string[] = [];
  barrier.note('a', '12');
  wait(barrier, 'a', woken);
  barrier.note('a', '15');
  cache.observe(14n);
  await vi.advanceTimersByTimeAsync(0);
  expect(woken).toEqual([]);
  cache.observe(15n);
  await vi.advanceTimersByTimeAsync(0);
  expect(woken).toEqual(['a']);
});

test('resourceVersions compare as numbers, however long', () => {
  const barrier = new WriteBarrier(new Cache(9n));
  barrier.note('a', '10');
  expect(isOpen(barrier, 'a')).toBe(false);
  const large = new WriteBarrier(new Cache(18446744073709551614n));
  large.note('a', '18446744073709551615');
  expect(isOpen(large, 'a')).toBe(false);
});

test('a forgotten owner waits for nothing', async () => {
  const barrier = new WriteBarrier(new Cache(0n));
  const woken: string[] = [];
  barrier.note('a', '1');
  wait(barrier, 'a', woken);
  barrier.forget('a');
  await vi.advanceTimersByTimeAsync(0);
  expect(woken).toEqual(['a']);
  expect(isOpen(barrier, 'a')).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

test('a write not seen within 30 s asks for a new list, and a list begun after the write has it, whatever its number', async () => {
  const cache = new Cache(1000n);
  const barrier = new WriteBarrier(cache);
  const woken: string[] = [];
  await vi.advanceTimersByTimeAsync(10_000);
  cache.list(1000n);
  await vi.advanceTimersByTimeAsync(1);
  barrier.note('a', '1001');
  wait(barrier, 'a', woken);
  await vi.advanceTimersByTimeAsync(29_999);
  expect(woken).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(woken).toEqual(['a']);
  expect(cache.relists).toBe(0);
  // The woken owner asks again, and so on until the list is there.
  wait(barrier, 'a', woken);
  expect(cache.relists).toBe(1);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(woken).toEqual(['a', 'a']);
  wait(barrier, 'a', woken);
  expect(cache.relists).toBe(2);
  // etcd was restored: all numbers are lower now.
  cache.list(500n);
  await vi.advanceTimersByTimeAsync(0);
  expect(woken).toEqual(['a', 'a', 'a']);
  expect(isOpen(barrier, 'a')).toBe(true);
});

test('a lower number after a restore does not hide that its write is still awaited', async () => {
  const cache = new Cache(1000n);
  const barrier = new WriteBarrier(cache);
  barrier.note('a', '1001');
  await vi.advanceTimersByTimeAsync(1);
  cache.list(500n);
  await vi.advanceTimersByTimeAsync(1);
  barrier.note('a', '501');
  expect(isOpen(barrier, 'a')).toBe(false);
});

test('what was there when something else was written is waited for with a new list, whatever its number', async () => {
  const cache = new Cache(5n);
  const barrier = new WriteBarrier(cache);
  expect(barrier.behind('a', '5')).toBeUndefined();
  expect(cache.relists).toBe(0);
  const woken: string[] = [];
  void barrier.behind('a', '6')?.then(() => woken.push('a'));
  expect(cache.relists).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(woken).toEqual([]);
  // Asking again does not put it off.
  expect(barrier.behind('a', '7')).toBeDefined();
  cache.list(4n);
  await vi.advanceTimersByTimeAsync(0);
  expect(woken).toEqual(['a']);
  cache.observe(8n);
  expect(barrier.behind('b', '8')).toBeUndefined();
});

test('what may have been written or not is known after a list that begins later, and by nothing else', () => {
  const cache = new Cache(5n);
  const barrier = new WriteBarrier(cache);
  vi.advanceTimersByTime(1);
  barrier.noteUnknown('a');
  expect(cache.relists).toBe(1);
  cache.observe(1_000_000n);
  expect(isOpen(barrier, 'a')).toBe(false);
  barrier.note('a', '12');
  expect(isOpen(barrier, 'a')).toBe(false);
  expect(isOpen(barrier, 'b')).toBe(true);
  vi.advanceTimersByTime(1);
  cache.list(1_000_001n);
  expect(isOpen(barrier, 'a')).toBe(true);
});
