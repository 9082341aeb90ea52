import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineSplitter } from '../../../src/kube/line-splitter.ts';

/** Cuts the bytes at these places, wherever they fall. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

test('however the bytes are cut into chunks, the lines are the lines', () => {
  const line = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((text) => !text.includes('\n'));
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat(), { maxLength: 30 }), (lines, places) => {
      const splitter = new LineSplitter();
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
      expect(cut(bytes, places).flatMap((chunk) => [...splitter.push(chunk)])).toEqual(lines);
    }),
  );
});

test('a line without its newline is not a line yet', () => {
  const splitter = new LineSplitter();
  expect([...splitter.push(Buffer.from('half'))]).toEqual([]);
  expect([...splitter.push(Buffer.from(' and half\n\nrest'))]).toEqual(['half and half']);
});
