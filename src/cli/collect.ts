import { type Problem, RefusedError } from './problem.ts';

export interface Collector {
  /** What the work gives for each item; the problems of one do not hide those of the next. */
  readonly each: <T, R>(items: readonly T[], work: (item: T) => readonly R[]) => R[];
  readonly problems: Problem[];
}

export function collectProblems(): Collector {
  const problems: Problem[] = [];
  return {
    problems,
    each: (items, work) =>
      items.flatMap((item) => {
        try {
          return work(item);
        } catch (error) {
          if (!(error instanceof RefusedError)) throw error;
          problems.push(...error.problems);
          return [];
        }
      }),
  };
}
