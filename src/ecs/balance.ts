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

/** Attributes of container instances, by name of the node and of the attribute; those that strategies name suffice. */
export type NodeAttributes = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** ECS's name of a container instance's zone. */
export const ZONE_ATTRIBUTE = 'ecs.availability-zone';

/** The attribute that `attribute:NAME` spreads over; undefined where it is the instances. */
const spreadAttribute = (field: string): string | undefined => /^attribute:(.*)$/.exec(field)?.[1];

/** Which attributes of nodes the choice rests on. */
export const attributesOf = (strategies: readonly Strategy[]): readonly string[] =>
  strategies.length === 0 ? [ZONE_ATTRIBUTE] : strategies.flatMap(({ field = '' }) => spreadAttribute(field) ?? []);

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
 * Spread is undone: what has most of the service's tasks gives one up first; without a strategy the zone, then the node.
 * binpack: the node with fewest, which it empties; what others take of it is not known.
 */
export function balanceOf(strategies: readonly Strategy[] = [], attributes: NodeAttributes = new Map()): Balance {
  const node = ({ node: name = '' }: Task): string => name;
  const byNode: Level = { first: 'most', domain: node };
  const by = (attribute: string): Level => ({
    first: 'most',
    domain: (task) => attributes.get(node(task))?.[attribute] ?? '',
  });
  if (strategies.length === 0) return { levels: [by(ZONE_ATTRIBUTE), byNode], rest: 'newest' };
  const random = strategies.findIndex(({ type }) => type === 'random');
  const before = random === -1 ? strategies : strategies.slice(0, random);
  return {
    levels: before.map(({ type, field = '' }) => {
      if (type === 'binpack') return { first: 'fewest', domain: node };
      const attribute = spreadAttribute(field);
      return attribute === undefined ? byNode : by(attribute);
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
