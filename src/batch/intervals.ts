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

/** The numbers one by one: for a text whose bounds are known. @throws Error as splitIntervals. */
export function parseIntervals(text: string): Set<number> {
  const numbers = new Set<number>();
  for (const [from, to] of splitIntervals(text)) {
    for (let number = from; number <= to; number++) numbers.add(number);
  }
  return numbers;
}

/** The shortest form, ascending. */
export function formatIntervals(numbers: Iterable<number>): string {
  const sorted = [...numbers].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let at = 0; at < sorted.length; ) {
    const from = sorted[at] as number;
    let to = from;
    while (sorted[at] === to || sorted[at] === to + 1) to = sorted[at++] as number;
    parts.push(from === to ? `${from}` : `${from}-${to}`);
  }
  return parts.join(',');
}
