import { type Balancer, balanceOf, balancer } from './balance.ts';
import { isProtected, lastStatus, type Task } from './task.ts';
import type { HealthView } from './task-health.ts';

interface Candidate<T extends Task> {
  readonly task: T;
  readonly health: HealthView;
  /** Its node is DRAINING. */
  readonly leaving: boolean;
}

/** The next to stop comes from the lowest rank that has any. */
const rankOf = ({ task, health, leaving }: Candidate<Task>): number => {
  const ofNode = leaving ? 0 : 4;
  if (lastStatus(task) !== 'RUNNING') return ofNode;
  if (health.unhealthy) return ofNode + 1;
  return ofNode + (health.healthy ? 3 : 2);
};

/**
 * Whom to stop: never a protected task, unless it is unhealthy; first on nodes that are DRAINING; pending before running,
 * unhealthy before healthy; then as the balance wants it (`ecs-semantics §3.12, §3.15`).
 * @param count how many at most; negative means none.
 * @param balance of the service; by default the nodes of the candidates alone.
 */
export function pickVictims<T extends Task, C extends Candidate<T>>(
  candidates: readonly (C & Candidate<T>)[],
  now: number,
  count: number,
  balance: () => Balancer = () =>
    balancer(
      balanceOf(),
      candidates.map(({ task }) => task),
    ),
): C[] {
  const free = candidates.filter(({ task, health }) => health.unhealthy || !isProtected(task, now));
  if (count <= 0 || free.length === 0) return [];
  const ranked = [...Map.groupBy(free, rankOf)].sort(([a], [b]) => a - b);
  const choose = balance();
  const victims: C[] = [];
  for (const [, group] of ranked) {
    if (victims.length >= count) break;
    victims.push(...choose(group, count - victims.length));
  }
  return victims;
}
