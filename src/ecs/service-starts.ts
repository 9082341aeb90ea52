/** How many tasks start now, and of which deployment (`ecs-semantics §3.3, §3.4`). */
import type { ServiceTask, Start } from './service-plan.ts';
import type { DeploymentVerdict } from './service-verdict.ts';
import { isHealthy, isUnhealthy, not, type ServiceView, tasksOf } from './service-view.ts';
import { newestOfSlots, nextSeats } from './slots.ts';
import { type StartThrottle, startThrottle } from './start-throttle.ts';

export interface ServiceStarts<T extends ServiceTask> {
  readonly actions: readonly Start[];
  /** Tasks that the newest deployment has not got, those to be replaced included. */
  readonly missing: number;
  /** So many of them start now. */
  readonly startable: number;
  /** The throttle of the newest deployment holds them back. */
  readonly throttled: boolean;
  /** Tasks of older deployments that ended by themselves and are wanted again. */
  readonly lost: readonly T[];
  /** So many of them start again now. */
  readonly refills: number;
  /** What holds starts back for a while, of the newest deployment or of an older one. */
  readonly throttle: StartThrottle | undefined;
  /** New tasks that are about to become healthy, those that start now included. */
  readonly coming: number;
  /** Tasks are missing or find no node, there is no room for one, and waiting makes none. */
  readonly cramped: boolean;
}

export function serviceStarts<T extends ServiceTask>(
  view: ServiceView<T>,
  { broken, throttle }: DeploymentVerdict,
): ServiceStarts<T> {
  const { desiredCount, max, live, fresh, old, primary, nothingStopping, now } = view;
  const room = Math.max(max - live.length, 0);
  const useful = fresh.filter(not(isUnhealthy));
  const missing = Math.max(desiredCount - useful.length, 0);
  const throttled = !broken && missing > 0 && holds(throttle, now);
  const unplaceable = fresh.filter(({ task }) => task.unplaceable !== undefined).length;
  const coming = useful.filter(not(isHealthy)).length - unplaceable;
  const uncovered = desiredCount - fresh.filter(isHealthy).length - old.filter(not(isUnhealthy)).length;
  const lost = lostOfOlderDeployments(view).slice(0, Math.max(uncovered, 0));
  const throttles = new Map(lost.map(({ deployment }) => [deployment, startThrottle(tasksOf(view, deployment))]));
  const heldBack = [...throttles.values()].find((one) => holds(one, now));
  // What is lost comes first, but leaves the newest deployment a seat to go on with: it would have to make place for it.
  const kept = broken || throttled || coming > 0 ? 0 : Math.min(missing, 1);
  const refills = lost
    .filter(({ deployment }) => !holds(throttles.get(deployment), now))
    .slice(0, Math.max(room - kept, 0));
  const startable = throttled || broken ? 0 : Math.min(missing, room - refills.length);
  return {
    actions: [
      ...refills.map(({ id, deployment, slot, generation }) =>
        startOf(deployment, { slot, generation: generation + 1 }, `task ${id} of this deployment ended`),
      ),
      ...nextSeats(tasksOf(view, primary.id), startable).map((seat) =>
        startOf(primary.id, seat, `${useful.length} of ${desiredCount} desired tasks exist`),
      ),
    ],
    missing,
    startable,
    throttled,
    lost,
    refills: refills.length,
    throttle: throttled ? throttle : heldBack,
    coming: coming + startable,
    cramped: !broken && !throttled && nothingStopping && (missing > startable || unplaceable > 0),
  };
}

export const holds = (throttle: StartThrottle | undefined, now: number): boolean =>
  throttle?.until !== undefined && throttle.until > now;

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
