/** What the newest deployment has too much of: a lowered desired count, or unhealthy tasks whose replacement is there. */
import type { ServiceTask, Stop } from './service-plan.ts';
import type { ServiceStarts } from './service-starts.ts';
import { failing, isHealthy, isUnhealthy, not, type ServiceView, scaling, stopOf } from './service-view.ts';
import { pickVictims } from './victims.ts';

export function surplusStops<T extends ServiceTask>(
  view: ServiceView<T>,
  { cramped, actions }: ServiceStarts<T>,
): Stop<T>[] {
  const { fresh, desiredCount, now, live, max, healthy, min, balance } = view;
  const unhealthy = fresh.filter(isUnhealthy);
  const others = fresh.filter(not(isUnhealthy));
  // Each healthy task beyond those that the unhealthy ones leave over stands in for one of these.
  const replacements = fresh.filter(isHealthy).length - (desiredCount - unhealthy.length);
  const surplus = pickVictims(others, now, others.length - desiredCount, balance);
  // Where protection leaves only healthy ones to choose from, these go as far as the lower bound lets them.
  const goingHealthy = surplus.filter(isHealthy).slice(0, Math.max(healthy - min, 0));
  const stops = [
    ...pickVictims(unhealthy, now, Math.min(replacements, fresh.length - desiredCount), balance).map((one) =>
      stopOf(one.task, failing(one), 'its replacement is healthy'),
    ),
    ...[...surplus.filter(not(isHealthy)), ...goingHealthy].map(({ task }) =>
      stopOf(task, scaling(task), `${others.length} tasks are above the desired count ${desiredCount}`),
    ),
  ];
  if (stops.length > 0 || !cramped) return stops;
  return pickVictims(unhealthy, now, 1, balance).map((one) =>
    stopOf(
      one.task,
      failing(one),
      `its replacement has no room: ${live.length + actions.length} tasks = upper bound ${max}`,
    ),
  );
}
