/** Which daemon tasks make place for new ones on their nodes (`ecs-semantics §3.3, §3.4`). */
import { type DaemonTask, nodeOf } from './daemon-node.ts';
import type { Stop } from './service-plan.ts';
import type { ServiceStarts } from './service-starts.ts';
import type { DeploymentVerdict } from './service-verdict.ts';
import {
  failing,
  isHealthy,
  isUnhealthy,
  not,
  type ServiceView,
  scaling,
  stopOf,
  type Wanted,
} from './service-view.ts';
import { pickVictims } from './victims.ts';

export function daemonStops<T extends DaemonTask>(
  view: ServiceView<T>,
  { throttled }: ServiceStarts<T>,
  { broken }: DeploymentVerdict,
): Stop<T>[] {
  const second = secondTasks(view);
  // Nothing could take its place.
  if (broken || throttled) return second;
  const gone = new Set(second.map(({ task }) => task));
  const stays = ({ task }: Wanted<T>): boolean => !gone.has(task);
  const rest = { ...view, fresh: view.fresh.filter(stays), old: view.old.filter(stays) };
  return [...second, ...oldStops(rest), ...unhealthyStops(rest)];
}

/** Schedulers that did not know of each other started them: the newest deployment's stays, and of two alike the older. */
function secondTasks<T extends DaemonTask>({ fresh, old }: ServiceView<T>): Stop<T>[] {
  const byAge = (tasks: readonly Wanted<T>[]) => [...tasks].sort((a, b) => a.task.createdAt - b.task.createdAt);
  const onNode = Map.groupBy([...byAge(fresh), ...byAge(old)], ({ task }) => nodeOf(task));
  return [...onNode].flatMap(([node, [, ...others]]) =>
    others.map(({ task }) => stopOf(task, scaling(task), `node ${node} has another task of the service`)),
  );
}

/** Those that are not healthy count for no bound: they go at once, as a DaemonSet's do. */
function oldStops<T extends DaemonTask>({ fresh, old, min, now }: ServiceView<T>): Stop<T>[] {
  const healthy = [...fresh, ...old].filter(isHealthy).length;
  const idle = old.filter(not(isHealthy));
  return [
    ...pickVictims(idle, now, idle.length).map((one) =>
      stopOf(one.task, one.health.failure ?? scaling(one.task), 'a task of an older deployment that is not healthy'),
    ),
    ...pickVictims(old.filter(isHealthy), now, healthy - min).map(({ task }, before) =>
      stopOf(task, scaling(task), `${healthy - before} healthy tasks are above the lower bound ${min}`),
    ),
  ];
}

/** One at a time: there is no room for a replacement beside it. */
function unhealthyStops<T extends DaemonTask>({ fresh, now, nothingStopping }: ServiceView<T>): Stop<T>[] {
  return pickVictims(fresh.filter(isUnhealthy), now, nothingStopping ? 1 : 0).map((one) =>
    stopOf(one.task, failing(one), `node ${nodeOf(one.task)} has room for one task: its replacement comes after it`),
  );
}
