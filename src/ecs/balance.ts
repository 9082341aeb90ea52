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

/** @param all tasks of the service that stay unless they are taken; counts go down as tasks are taken. */
export function balancer({ levels, rest }: Balance, all: Iterable<Task>): Balancer {
  const counts = levels.map(() => new Map<string, number>());
  const domainsOf = (task: Task): string[] => levels.map(({ domain }) => domain(task));
  const add = (domains: readonly string[], change: number): void =>
    domains.forEach((domain, level) => {
      const of = counts[level] as Map<string, number>;
      of.set(domain, (of.get(domain) ?? 0) + change);
    });
  for (const task of all) add(domainsOf(task), 1);
  const isNext = (a: Task, b: Task): boolean =>
    rest === 'newest' && a.createdAt !== b.createdAt ? a.createdAt > b.createdAt : a.id < b.id;

  interface Place<C> {
    readonly domains: readonly string[];
    /** Next first. */
    readonly candidates: C[];
  }
  const isBefore = (a: Place<{ task: Task }>, b: Place<{ task: Task }>): boolean => {
    for (const [level, { first }] of levels.entries()) {
      const of = counts[level] as Map<string, number>;
      const [ofA = 0, ofB = 0] = [of.get(a.domains[level] ?? ''), of.get(b.domains[level] ?? '')];
      if (ofA !== ofB) return first === 'most' ? ofA > ofB : ofA < ofB;
    }
    const [nextA, nextB] = [a.candidates[0], b.candidates[0]];
    return nextA !== undefined && nextB !== undefined && isNext(nextA.task, nextB.task);
  };
  return (candidates, count) => {
    if (count >= candidates.length) {
      for (const { task } of candidates) add(domainsOf(task), -1);
      return [...candidates];
    }
    const places = [...Map.groupBy(candidates, ({ task }) => domainsOf(task).join('\n')).values()].map((there) => ({
      domains: there[0] === undefined ? [] : domainsOf(there[0].task),
      candidates: there.sort((a, b) => (isNext(a.task, b.task) ? -1 : 1)),
    }));
    const taken: (typeof places)[number]['candidates'] = [];
    while (taken.length < count) {
      const open = places.filter((place) => place.candidates.length > 0);
      const best = open.reduce((a, b) => (isBefore(b, a) ? b : a));
      const next = best.candidates.shift();
      if (next === undefined) break;
      add(best.domains, -1);
      taken.push(next);
    }
    return taken;
  };
}

/** So many of the candidates, chosen one after the other so that each leaves the best balance. */
export type Balancer = <C extends { readonly task: Task }>(candidates: readonly C[], count: number) => C[];
