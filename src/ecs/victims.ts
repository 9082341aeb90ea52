import type { HealthView } from './task.ts';
import { isProtected, lastStatus, type Task } from './task.ts';

interface Candidate<T extends Task> {
  readonly task: T;
  readonly health: HealthView;
  /** Its node is DRAINING. */
  readonly leaving: boolean;
}

/**
 * Whom to stop: never a protected task, unless it is unhealthy; first on nodes that are DRAINING; pending before running, unhealthy before healthy, then on the node that has
 * most of the candidates, then the newest (`ecs-semantics §3.12, §3.15`).
 * @param count how many at most; negative means none.
 */
export function pickVictims<T extends Task, C extends Candidate<T>>(
  candidates: readonly (C & Candidate<T>)[],
  now: number,
  count: number,
): C[] {
  const rank = (candidate: Candidate<T>): number => (candidate.leaving ? 0 : 4) + state(candidate);
  const state = ({ task, health }: Candidate<T>): number => {
    if (lastStatus(task) !== 'RUNNING') return 0;
    if (health.unhealthy) return 1;
    return health.healthy ? 3 : 2;
  };
  const ranked = candidates
    .filter(({ task, health }) => health.unhealthy || !isProtected(task, now))
    .sort((a, b) => rank(a) - rank(b) || b.task.createdAt - a.task.createdAt || (a.task.id < b.task.id ? -1 : 1));
  const victims: C[] = [];
  for (let from = 0; from < ranked.length && victims.length < count; ) {
    const best = rank(ranked[from] as Candidate<T>);
    let to = from;
    while (to < ranked.length && rank(ranked[to] as Candidate<T>) === best) to++;
    victims.push(...fromFullestNodes(ranked.slice(from, to), count - victims.length));
    from = to;
  }
  return victims;
}

/** Takes one at a time from the node that has most left; keeps the given order within a node. */
function fromFullestNodes<T extends Task, C extends Candidate<T>>(candidates: readonly C[], count: number): C[] {
  if (candidates.length <= count) return [...candidates];
  const perNode = [...Map.groupBy(candidates, ({ task }) => task.node ?? '').values()];
  const taken: C[] = [];
  while (taken.length < count) {
    const fullest = perNode.reduce((a, b) => (b.length > a.length ? b : a));
    const victim = fullest.shift();
    if (victim === undefined) break;
    taken.push(victim);
  }
  return taken;
}
