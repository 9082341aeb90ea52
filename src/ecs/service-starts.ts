/** How many tasks start now, and of which deployment (`ecs-semantics §3.3, §3.4`). */
import type { ServiceTask, Start } from './service-plan.ts';
import type { DeploymentVerdict } from './service-verdict.ts';
import { isHealthy, isUnhealthy, not, type ServiceView } from './service-view.ts';
import { newestOfSlots, nextSeats } from './slots.ts';

export interface ServiceStarts<T extends ServiceTask> {
  readonly actions: readonly Start[];
  /** Tasks that the newest deployment has not got, those to be replaced included. */
  readonly missing: number;
  /** So many of them start now. */
  readonly startable: number;
  /** The throttle holds them back. */
  readonly throttled: boolean;
  /** Tasks of older deployments that ended by themselves and are wanted again. */
  readonly lost: readonly T[];
  /** Tasks are missing, there is no room for one, and waiting makes none. */
  readonly cramped: boolean;
}

export function serviceStarts<T extends ServiceTask>(
  view: ServiceView<T>,
  { broken, throttle }: DeploymentVerdict,
): ServiceStarts<T> {
  const { desiredCount, max, live, fresh, old, primary, nothingStopping } = view;
  const room = Math.max(max - live.length, 0);
  const exist = fresh.filter(not(isUnhealthy)).length;
  const missing = Math.max(desiredCount - exist, 0);
  const uncovered = desiredCount - fresh.filter(isHealthy).length - old.filter(not(isUnhealthy)).length;
  const lost = lostOfOlderDeployments(view).slice(0, Math.max(uncovered, 0));
  const refills = lost.slice(0, room);
  const throttled = !broken && missing > 0 && throttle.until !== undefined && throttle.until > view.now;
  const startable = throttled || broken ? 0 : Math.min(missing, room - refills.length);
  const primaryTasks = view.tasks.filter(({ deployment }) => deployment === primary.id);
  return {
    actions: [
      ...refills.map(({ id, deployment, slot, generation }) =>
        startOf(deployment, { slot, generation: generation + 1 }, `task ${id} of this deployment ended`),
      ),
      ...nextSeats(primaryTasks, startable).map((seat) =>
        startOf(primary.id, seat, `${exist} of ${desiredCount} desired tasks exist`),
      ),
    ],
    missing,
    startable,
    throttled,
    lost,
    cramped: !broken && missing > 0 && room === 0 && nothingStopping,
  };
}

const startOf = (deployment: string, seat: Start['seat'], because: string): Start => ({
  kind: 'start',
  deployment,
  seat,
  because,
});

/**
 * The newest task of each slot of an older deployment that ended by itself, or is about to: it is replaced on its own
 * revision (`ecs-semantics §3.4`, since November 2025) for as long as its deployment still has a task.
 */
export function lostOfOlderDeployments<T extends ServiceTask>({ tasks, deployments, primary }: ServiceView<T>): T[] {
  const isGone = ({ ended, stopRequested }: T): boolean => ended || stopRequested;
  const failed = new Set(deployments.filter((deployment) => deployment.failed).map(({ id }) => id));
  const older = Map.groupBy(
    tasks.filter(({ deployment }) => deployment !== primary.id && !failed.has(deployment)),
    ({ deployment }) => deployment,
  );
  return [...older.values()]
    .filter((deployment) => !deployment.every(isGone))
    .flatMap((deployment) => newestOfSlots(deployment))
    .filter((task) => isGone(task) && task.stopCause?.stopCode !== 'ServiceSchedulerInitiated');
}
