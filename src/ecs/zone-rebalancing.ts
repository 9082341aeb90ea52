/**
 * AZ rebalancing (`ecs-semantics §3.14`): a steady service whose zones have numbers of tasks that differ by two or more
 * gets a stand-in in a zone with fewest; when that is healthy, the task in a zone with most that it stands in for stops.
 * Each stand-in says whom it stands in for, so that nothing has to be remembered elsewhere: where that task goes by
 * itself, or is no longer to go, the stand-in is a task like any other.
 */
import { ZONE_ATTRIBUTE } from './balance.ts';
import type { ServicePlan, ServicePlanInput, ServiceTask, Start, Stop } from './service-plan.ts';
import type { DeploymentVerdict } from './service-verdict.ts';
import { isHealthy, type ServiceView, stopOf, type Wanted } from './service-view.ts';
import { nextSeats } from './slots.ts';
import { rebalanced } from './task.ts';
import { pickVictims } from './victims.ts';

export interface ZoneBalance {
  /** Zone → tasks of the service, stand-ins left out; in the order of their names. */
  readonly counts: readonly (readonly [zone: string, tasks: number])[];
  readonly balanced: boolean;
  /** Zones in which no node takes a stand-in. */
  readonly unplaceable: readonly string[];
}

interface Move<T> {
  readonly task: T;
  readonly to: string;
}

/** The plan of a steady service, and what its zones add to it. All else goes first: a deployment, a lost or an unhealthy task. */
export function withRebalancing<T extends ServiceTask>(
  plan: ServicePlan<T>,
  view: ServiceView<T>,
  { throttle: { until } }: DeploymentVerdict,
  { zones, attributes, now }: ServicePlanInput<T>,
): ServicePlan<T> {
  if (zones === undefined || zones.length < 2 || !plan.steady) return plan;
  // Stand-ins that cannot run are tried again no faster than other tasks.
  if (until !== undefined && until > now) return { ...plan, wakeAt: Math.min(plan.wakeAt ?? until, until) };
  const zoneOf = ({ node = '' }: T): string | undefined => attributes?.get(node)?.[ZONE_ATTRIBUTE];
  const counts = new Map([...zones].sort().map((zone) => [zone, 0]));
  for (const { task } of view.fresh) {
    const zone = zoneOf(task);
    const count = zone === undefined ? undefined : counts.get(zone);
    if (zone !== undefined && count !== undefined) counts.set(zone, count + 1);
  }
  const shown = [...counts];
  // One round after the other: the next begins when nothing of the last is under way.
  const moves = view.moving === 0 ? movesBetween(counts, view, zoneOf) : [];
  const actions = [...stopsFor(view), ...startsFor(view, moves)];
  const zonesBalance: ZoneBalance = {
    counts: shown,
    balanced: !isImbalanced(new Map(shown)),
    unplaceable: [
      ...new Set(view.standIns.flatMap(({ task }) => (task.unplaceable === undefined ? [] : (task.standInZone ?? [])))),
    ],
  };
  return { ...plan, actions: [...plan.actions, ...actions], zones: zonesBalance };
}

const fullest = (counts: ReadonlyMap<string, number>): [string, number][] =>
  [...counts].sort(([zoneA, a], [zoneB, b]) => b - a || (zoneA < zoneB ? -1 : 1));

/** AWS: counts that differ by at most one are balanced. */
function isImbalanced(counts: ReadonlyMap<string, number>): boolean {
  const numbers = [...counts.values()];
  return Math.max(...numbers) - Math.min(...numbers) >= 2;
}

/** As many as there is room for; a protected task stays where it is. @param counts are changed to what they will be. */
function movesBetween<T extends ServiceTask>(
  counts: Map<string, number>,
  { fresh, live, max, now, balance }: ServiceView<T>,
  zoneOf: (task: T) => string | undefined,
): Move<T>[] {
  const moves: Move<T>[] = [];
  const left = new Set(fresh);
  for (let room = max - live.length; room > 0; room--) {
    const ranked = fullest(counts);
    const [to, fewest] = ranked.at(-1) ?? ['', 0];
    const move = firstOf(ranked, ([from, count]): [string, Wanted<T>] | undefined => {
      if (count - fewest < 2) return undefined;
      const there = [...left].filter(({ task }) => zoneOf(task) === from);
      const [victim] = pickVictims(there, now, 1, balance);
      return victim === undefined ? undefined : [from, victim];
    });
    if (move === undefined) break;
    const [from, victim] = move;
    left.delete(victim);
    counts.set(from, (counts.get(from) ?? 0) - 1);
    counts.set(to, fewest + 1);
    moves.push({ task: victim.task, to });
  }
  return moves;
}

function firstOf<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Those whose stand-in is healthy. */
function stopsFor<T extends ServiceTask>({ standIns, fresh, primary }: ServiceView<T>): Stop<T>[] {
  return standIns.filter(isHealthy).flatMap(({ task: { standsInFor } }) => {
    const replaced = fresh.find(({ task }) => task.id === standsInFor);
    return replaced === undefined
      ? []
      : [
          {
            ...stopOf(replaced.task, rebalanced(primary.id), 'its stand-in in a zone with fewer tasks is healthy'),
            forZone: true,
          },
        ];
  });
}

function startsFor<T extends ServiceTask>({ tasks, primary }: ServiceView<T>, moves: readonly Move<T>[]): Start[] {
  const own = tasks.filter(({ deployment }) => deployment === primary.id);
  return nextSeats(own, moves.length).map((seat, index) => {
    const { task, to } = moves[index] as Move<T>;
    return {
      kind: 'start',
      deployment: primary.id,
      seat,
      standIn: { zone: to, standsInFor: task.id },
      because: `zone ${to} has fewer tasks than that of task ${task.id}`,
    };
  });
}
