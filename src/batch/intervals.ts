/** Sets of numbers as Kubernetes and Batch people write them: "0-41,43". */

const INTERVAL = /^(\d{1,9})(?:-(\d{1,9}))?$/;

/** First and last number. */
export type Interval = readonly [from: number, to: number];

/** @param text sorted or not; '' is the empty set. @throws Error naming the part that is no interval. */
export function splitIntervals(text: string): Interval[] {
  const parts = text.split(',').filter((piece) => piece.trim() !== '');
  return parts.map((part) => {
    const match = INTERVAL.exec(part.trim());
    const from = Number(match?.[1]);
    const to = Number(match?.[2] ?? match?.[1]);
    if (match === null || to < from) throw new Error(`"${part}" is no interval: write 3 or 5-7`);
    return [from, to];
  });
}

/** @param ranges apart from each other, ascending. */
export const formatRanges = (ranges: readonly Interval[]): string =>
  ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
