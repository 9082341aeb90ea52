/** Sets of array indexes as Kubernetes and Batch people write them: "0-41,43". */

const INTERVAL = /^(\d+)(?:-(\d+))?$/;

/** @param text sorted or not; '' is the empty set. @throws Error naming the part that is no interval. */
export function parseIntervals(text: string): Set<number> {
  const indexes = new Set<number>();
  for (const part of text.split(',').filter((piece) => piece.trim() !== '')) {
    const match = INTERVAL.exec(part.trim());
    const from = Number(match?.[1]);
    const to = Number(match?.[2] ?? match?.[1]);
    if (match === null || to < from) throw new Error(`"${part}" is no interval of indexes: write 3 or 5-7`);
    for (let index = from; index <= to; index++) indexes.add(index);
  }
  return indexes;
}

/** The shortest form, ascending. */
export function formatIntervals(indexes: Iterable<number>): string {
  const sorted = [...indexes].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let at = 0; at < sorted.length; ) {
    const from = sorted[at] as number;
    let to = from;
    while (sorted[at] === to || sorted[at] === to + 1) to = sorted[at++] as number;
    parts.push(from === to ? `${from}` : `${from}-${to}`);
  }
  return parts.join(',');
}
