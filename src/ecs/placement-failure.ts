/** Why no node takes a task, in the words of RunTask's failures (`ecs-semantics §4`). */

/** What the scheduler of Kubernetes says, and what ECS calls it; of several the first that occurs. */
const REASONS: readonly (readonly [says: RegExp, reason: string])[] = [
  [/insufficient cpu/i, 'RESOURCE:CPU'],
  [/insufficient memory/i, 'RESOURCE:MEMORY'],
  [/insufficient [^\s,]*gpu/i, 'RESOURCE:GPU'],
  [/free ports/i, 'RESOURCE:PORTS'],
  [/anti-affinity/i, 'DistinctInstance placement constraint unsatisfied.'],
  [/node affinity|node selector/i, 'ATTRIBUTE'],
];

/** @param detail the scheduler's words. */
export const placementFailure = (detail: string): string =>
  REASONS.find(([says]) => says.test(detail))?.[1] ?? 'RESOURCE';
