/** What the rules of the service scheduler look at: the tasks by what is to become of them, and the numbers that follow. */
import { type Balancer, balanceOf, balancer } from './balance.ts';
import { bounds } from './bounds.ts';
import type { Deployment, ServicePlanInput, ServiceTask, Stop } from './service-plan.ts';
import { DRAINING, isProtected, rebalanced, type StopCause } from './task.ts';
import { FAILED_HEALTH_CHECKS, type HealthView, healthView } from './task-health.ts';

/** A task that is meant to go on, with what its health says at the time of the plan. */
export interface Wanted<T> {
  readonly task: T;
  readonly health: HealthView;
  /** Its node is DRAINING. */
  readonly leaving: boolean;
}

export interface ServiceView<T extends ServiceTask> {
  readonly now: number;
  readonly desiredCount: number;
  /** Lower bound: so many tasks of all revisions stay healthy. */
  readonly min: number;
  /** Upper bound: it counts every task that has not ended. */
  readonly max: number;
  /** PRIMARY first, then newest first. */
  readonly deployments: readonly Deployment[];
  readonly primary: Deployment;
  /** Ended ones included; those that end now have their stop requested. */
  readonly tasks: readonly T[];
  /** Those that have not ended. */
  readonly live: readonly T[];
  /** Those of them that no stop was requested of. */
  readonly wanted: readonly Wanted<T>[];
  /** Wanted ones of the newest deployment where they may stay. */
  readonly fresh: readonly Wanted<T>[];
  /** Wanted ones that are to be replaced: of an older deployment, or on a node that is DRAINING. */
  readonly old: readonly Wanted<T>[];
  /** For the choice of tasks to stop: as the placement strategy wants those that stay. */
  readonly balance: () => Balancer;
  /** Those that take the place of a task in a fuller zone, which is still there: surplus to nobody until they are healthy. */
  readonly standIns: readonly Wanted<T>[];
  /** Tasks that are there for AZ rebalancing alone: stand-ins, and those that stop since theirs is healthy. */
  readonly moving: number;
  /** Healthy tasks of all revisions. */
  readonly healthy: number;
  /** No task is on its way out. */
  readonly nothingStopping: boolean;
}

type Test = (wanted: Wanted<unknown>) => boolean;
export const isHealthy: Test = ({ health }) => health.healthy;
export const isUnhealthy: Test = ({ health }) => health.unhealthy;
export const isLeaving: Test = ({ leaving }) => leaving;
export const not =
  (test: Test): Test =>
  (wanted) =>
    !test(wanted);

export const drains = ({ node }: ServiceTask, draining: ReadonlySet<string> | undefined): boolean =>
  node !== undefined && draining?.has(node) === true;

/** @param ending what ends for a reason of its own. */
export function serviceView<T extends ServiceTask>(
  input: ServicePlanInput<T>,
  ending: readonly Stop<T>[],
): ServiceView<T> {
  const { now, desiredCount } = input;
  const deployments = [...input.deployments].sort((a, b) => b.number - a.number);
  const primary = deployments[0] as Deployment;
  const causes = new Map(ending.map(({ task, stopCode, stoppedReason }) => [task, { stopCode, stoppedReason }]));
  const tasks = input.tasks.map((task) => {
    const stopCause = causes.get(task);
    return stopCause === undefined ? task : { ...task, stopRequested: true, stopCause, stoppingAt: now };
  });
  const live = tasks.filter((task) => !task.ended);
  const graceMs = input.healthCheckGracePeriodSeconds * 1000;
  const wanted = live
    .filter((task) => !task.stopRequested)
    .map((task) => ({ task, health: healthView(task, now, graceMs), leaving: drains(task, input.draining) }));
  const balance = balanceOf(input.placementStrategy, input.attributes);
  const isFresh = ({ task, leaving }: Wanted<T>): boolean => task.deployment === primary.id && !leaving;
  const standIns = input.zones === undefined ? [] : standInsAmong(wanted.filter(isFresh), now);
  const { stoppedReason } = rebalanced(primary.id);
  const going = live.filter((task) => task.stopRequested && task.stopCause?.stoppedReason === stoppedReason);
  return {
    now,
    desiredCount,
    ...bounds(desiredCount, input.minimumHealthyPercent, input.maximumPercent),
    deployments,
    primary,
    tasks,
    live,
    wanted,
    fresh: wanted.filter((one) => isFresh(one) && !standIns.includes(one)),
    old: wanted.filter((one) => !isFresh(one)),
    standIns,
    moving: standIns.length + going.length,
    balance: () =>
      balancer(
        balance,
        wanted.map(({ task }) => task),
      ),
    healthy: wanted.filter(isHealthy).length,
    nothingStopping: live.length === wanted.length,
  };
}

/** @param fresh wanted ones of the newest deployment. */
function standInsAmong<T extends ServiceTask>(fresh: readonly Wanted<T>[], now: number): readonly Wanted<T>[] {
  if (fresh.every(({ task }) => task.standsInFor === undefined)) return [];
  const mayGo = new Set(fresh.flatMap(({ task }) => (isProtected(task, now) ? [] : [task.id])));
  return fresh.filter(({ task: { standsInFor } }) => standsInFor !== undefined && mayGo.has(standsInFor));
}

/** All tasks of one deployment, ended ones included. */
export const tasksOf = <T extends ServiceTask>({ tasks }: ServiceView<T>, id: string): T[] =>
  tasks.filter(({ deployment }) => deployment === id);

/** Why a task that is not healthy is stopped. */
export const failing = ({ health }: Wanted<unknown>): StopCause => health.failure ?? FAILED_HEALTH_CHECKS;

/** Why a task that nothing is wrong with is stopped. */
export const scaling = (task: ServiceTask): StopCause => ({
  stopCode: 'ServiceSchedulerInitiated',
  stoppedReason: `Scaling activity initiated by (deployment ecs-svc/${task.deployment})`,
});

export const replaced = ({ task, leaving }: Wanted<ServiceTask>): StopCause => (leaving ? DRAINING : scaling(task));

export const stopOf = <T extends ServiceTask>(
  task: T,
  { stopCode, stoppedReason }: StopCause,
  because: string,
): Stop<T> => ({
  kind: 'stop',
  task,
  stopCode,
  stoppedReason,
  because,
});
