/**
 * Whom to stop among tasks that nothing tells apart, so that the others are placed as the strategy wants
 * (`ecs-semantics §3.12`, "Stop selection": developer guide, ecs_services and task-placement-strategies).
 */
import type { Task } from './task.ts';

/** AWS: PlacementStrategy. */
export interface Strategy {
  readonly type: 'random' | 'spread' | 'binpack';
  readonly field?: string | undefined;
}

/** Of the domains that a task can be in, those with most tasks, or with fewest, give one up first. */
interface Level {
  readonly first: 'most' | 'fewest';
  readonly domain: (task: Task) => string;
}

export interface Balance {
  readonly levels: readonly Level[];
  /** Among equals: the newest first, or any. */
  readonly rest: 'newest' | 'any';
}

/**
 * Spread is undone: the zone, then the node with most of the service's tasks gives one up first, as without a strategy.
 * binpack: the node with fewest, which it empties. Of other attributes than the zone nothing is known: nodes stand for them.
 * @param zones zone by name of the node.
 */
export function balanceOf(
  strategies: readonly Strategy[] = [],
  zones: ReadonlyMap<string, string> = new Map(),
): Balance {
  const node = ({ node: name = '' }: Task): string => name;
  const zone = (task: Task): string => zones.get(node(task)) ?? '';
  const byZone: Level = { first: 'most', domain: zone };
  const byNode: Level = { first: 'most', domain: node };
  if (strategies.length === 0) return { levels: [byZone, byNode], rest: 'newest' };
  const random = strategies.findIndex(({ type }) => type === 'random');
  const before = random === -1 ? strategies : strategies.slice(0, random);
  return {
    levels: before.map(({ type, field }) => {
      if (type === 'binpack') return { first: 'fewest', domain: node };
      return field === 'attribute:ecs.availability-zone' ? byZone : byNode;
    }),
    rest: random === -1 ? 'newest' : 'any',
  };
}

/** The stops that leave the best balance, one after the other. */
export interface Balancer {
  /** Takes the one of these whose stop comes first, and counts it as gone. */
  take<C extends { readonly task: Task }>(candidates: readonly C[]): C | undefined;
}

/** @param all tasks of the service that stay unless they are taken. */
export function balancer({ levels, rest }: Balance, all: Iterable<Task>): Balancer {
  const counts = levels.map(() => new Map<string, number>());
  const add = (task: Task, change: number): void => {
    levels.forEach(({ domain }, level) => {
      const of = counts[level] as Map<string, number>;
      of.set(domain(task), (of.get(domain(task)) ?? 0) + change);
    });
  };
  for (const task of all) add(task, 1);
  const isBefore = (a: Task, b: Task): boolean => {
    for (const [level, { first, domain }] of levels.entries()) {
      const [ofA = 0, ofB = 0] = [counts[level]?.get(domain(a)), counts[level]?.get(domain(b))];
      if (ofA !== ofB) return first === 'most' ? ofA > ofB : ofA < ofB;
    }
    return rest === 'newest' && a.createdAt !== b.createdAt ? a.createdAt > b.createdAt : a.id < b.id;
  };
  return {
    take(candidates) {
      const [head, ...others] = candidates;
      if (head === undefined) return undefined;
      const taken = others.reduce((best, one) => (isBefore(one.task, best.task) ? one : best), head);
      add(taken.task, -1);
      return taken;
    },
  };
}
