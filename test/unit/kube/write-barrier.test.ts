import { expect, test } from 'vitest';
import { WriteBarrier } from '../../../src/kube/write-barrier.ts';

test('an owner waits until its newest write was observed, and nobody waits for others', () => {
  let observed = 5n;
  const barrier = new WriteBarrier(() => observed);
  expect(barrier.isOpen('a')).toBe(true);
  barrier.note('a', '12');
  barrier.note('a', '9');
  expect(barrier.isOpen('a')).toBe(false);
  expect(barrier.isOpen('b')).toBe(true);
  observed = 11n;
  expect(barrier.isOpen('a')).toBe(false);
  observed = 12n;
  expect(barrier.isOpen('a')).toBe(true);
});

test('resourceVersions compare as numbers, however long', () => {
  const barrier = new WriteBarrier(() => 9n);
  barrier.note('a', '10');
  expect(barrier.isOpen('a')).toBe(false);
  const large = new WriteBarrier(() => 18446744073709551614n);
  large.note('a', '18446744073709551615');
  expect(large.isOpen('a')).toBe(false);
});

test('a forgotten owner waits for nothing', () => {
  const barrier = new WriteBarrier(() => 0n);
  barrier.note('a', '1');
  barrier.forget('a');
  expect(barrier.isOpen('a')).toBe(true);
});
