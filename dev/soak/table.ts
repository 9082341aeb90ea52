import type { Reading } from './metrics.ts';
import type { RoundOutcome } from './work.ts';

/** One round: the operator before it, when its namespace was empty again, and after a rest. */
export interface Row {
  /** Since the start, at the end of the round. */
  readonly minute: number;
  readonly outcome: RoundOutcome;
  readonly before: Reading;
  readonly emptied: Reading;
  readonly after: Reading;
}

/** Rounds in which V8 still compiles and its heap finds its size. */
const WARM_UP = 3;
/** Of what is kept after the first third of the rounds, at the last third. */
const MOST_GROWTH = 1.15;
/** The pool for calls opens and closes up to 32 connections with the work. */
const MOST_MORE_FILES = 32;

/** What is said of one reading. */
const MEASURES: readonly { readonly title: string; readonly of: (reading: Reading) => number }[] = [
  { title: 'RSS (MiB)', of: ({ rssMiB }) => rssMiB },
  { title: 'young (MiB)', of: ({ youngMiB }) => youngMiB },
  { title: 'kept (MiB)', of: ({ keptMiB }) => keptMiB },
  { title: 'open files', of: ({ openFiles }) => openFiles },
  { title: 'handles', of: ({ handles }) => handles },
  { title: 'cached objects', of: ({ cached }) => cached },
];

const TITLES = [
  'minute',
  'operations',
  'converged (s)',
  'emptied (s)',
  'writes',
  'writes at rest',
  'errors',
  ...MEASURES.map(({ title }) => title),
];

const measuresOf = (reading: Reading): string[] => MEASURES.map(({ of }) => of(reading).toFixed(0));

const cells = ({ minute, outcome, before, emptied, after }: Row): string[] => [
  minute.toFixed(1),
  `${outcome.operations}`,
  (outcome.convergedMs / 1000).toFixed(1),
  (outcome.emptiedMs / 1000).toFixed(1),
  `${emptied.writes - before.writes}`,
  `${after.writes - emptied.writes}`,
  `${after.errors - before.errors}`,
  ...measuresOf(after),
];

const titled = (titles: readonly string[], values: readonly string[]): string =>
  values.map((value, index) => `${titles[index]} ${value}`).join(', ');

export const rowText = (row: Row): string => titled(TITLES, cells(row));

export const readingText = (reading: Reading): string =>
  titled(
    MEASURES.map(({ title }) => title),
    measuresOf(reading),
  );

const table = (titles: readonly string[], rows: readonly (readonly string[])[]): string =>
  [titles, titles.map(() => '---:'), ...rows].map((line) => `| ${line.join(' | ')} |`).join('\n');

export const tableOf = (rows: readonly Row[]): string => table(TITLES, rows.map(cells));

/** Least, median and most of each measure in each phase. */
export function spreadOf(phases: Readonly<Record<string, readonly Reading[]>>): string {
  const rows = Object.entries(phases).map(([phase, readings]) => [
    phase,
    `${readings.length}`,
    ...MEASURES.map(({ of }) => {
      const values = readings.map(of);
      return [Math.min(...values), median(values), Math.max(...values)].map((value) => value.toFixed(0)).join(' / ');
    }),
  ]);
  return table(['min / median / max', 'readings', ...MEASURES.map(({ title }) => title)], rows);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** What must not be, in words. */
export function problemsOf(rows: readonly Row[]): string[] {
  const problems = rows.flatMap(({ minute, outcome, emptied, after }) => {
    const at = `minute ${minute.toFixed(1)}`;
    return [
      ...outcome.violations.map((violation) => `${at}: ${violation}`),
      ...(after.cached > 0 ? [`${at}: ${after.cached} objects are left in caches`] : []),
      ...(after.writes > emptied.writes ? [`${at}: ${after.writes - emptied.writes} writes at rest`] : []),
    ];
  });
  const warm = rows.slice(WARM_UP);
  const third = Math.floor(warm.length / 3);
  if (third === 0) return problems;
  const ends = (of: (reading: Reading) => number): [number, number] => {
    const values = warm.map(({ after }) => of(after));
    return [median(values.slice(0, third)), median(values.slice(-third))];
  };
  const [early, late] = ends(({ keptMiB }) => keptMiB);
  if (late > early * MOST_GROWTH) problems.push(`memory grew from ${early.toFixed(0)} to ${late.toFixed(0)} MiB`);
  for (const kind of ['openFiles', 'handles'] as const) {
    const [first, last] = ends((reading) => reading[kind]);
    if (last > first + MOST_MORE_FILES) problems.push(`${kind} grew from ${first} to ${last}`);
  }
  return problems;
}
