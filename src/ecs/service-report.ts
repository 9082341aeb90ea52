/** What the plan says of itself: counts and state of each deployment, what holds it back, when to look again. */
import { whatBlocks } from './blocked-by.ts';
import type { DeploymentPlan, ServiceAction, ServicePlan, ServiceTask } from './service-plan.ts';
import type { ServiceStarts } from './service-starts.ts';
import type { DeploymentVerdict } from './service-verdict.ts';
import { isHealthy, isUnhealthy, not, type ServiceView } from './service-view.ts';
import { isProtected, lastStatus } from './task.ts';

export function servicePlan<T extends ServiceTask>(
  view: ServiceView<T>,
  starts: ServiceStarts<T>,
  verdict: DeploymentVerdict,
  actions: readonly ServiceAction<T>[],
): ServicePlan<T> {
  const { fresh, old, wanted, live, primary, desiredCount, nothingStopping, now } = view;
  const { throttled, throttle, lost } = starts;
  const { broken } = verdict;
  const nothingStops = actions.every(({ kind }) => kind !== 'stop');
  const steady =
    !broken &&
    nothingStops &&
    lost.length === 0 &&
    live.length - view.moving === fresh.length &&
    fresh.every(isHealthy) &&
    fresh.length === desiredCount;
  return {
    actions,
    deployments: deploymentPlans(view, starts, verdict, actions, steady),
    steady,
    startImpaired: throttled,
    unplaceable: [...fresh, ...old].find(({ task }) => task.unplaceable !== undefined)?.task.unplaceable,
    stuck:
      actions.length === 0 &&
      old.some(({ task }) => task.deployment !== primary.id) &&
      !throttled &&
      !broken &&
      nothingStopping &&
      fresh.every(isHealthy) &&
      old.every(isHealthy),
    wakeAt: earliest([
      ...wanted.map(({ health }) => health.changesAt),
      ...wanted.map(({ task }) => (!steady && isProtected(task, now) ? task.protectedUntil : undefined)),
      throttle?.until,
    ]),
  };
}

function deploymentPlans<T extends ServiceTask>(
  view: ServiceView<T>,
  starts: ServiceStarts<T>,
  verdict: DeploymentVerdict,
  actions: readonly ServiceAction<T>[],
  steady: boolean,
): DeploymentPlan[] {
  const stopping = new Set(actions.flatMap((action) => (action.kind === 'stop' ? [action.task] : [])));
  return view.deployments.map((deployment) => {
    const { id } = deployment;
    const isPrimary = deployment === view.primary;
    const own = view.wanted.filter(({ task }) => task.deployment === id && !stopping.has(task));
    const runningCount = own.filter(({ task }) => lastStatus(task) === 'RUNNING').length;
    const started = actions.filter((action) => action.kind === 'start' && action.deployment === id).length;
    const waiting = starts.lost.filter((task) => task.deployment === id).length;
    const exists = view.tasks.some((task) => !task.ended && task.deployment === id) || waiting > 0;
    return {
      id,
      status: isPrimary ? 'PRIMARY' : exists ? 'ACTIVE' : 'INACTIVE',
      desiredCount: isPrimary ? view.desiredCount : own.length + waiting,
      pendingCount: own.length - runningCount + started,
      runningCount,
      failedTasks: isPrimary ? Math.max(verdict.throttle.failures, verdict.failures) : 0,
      completed: deployment.completed || (isPrimary && steady),
      failed: deployment.failed === true || (isPrimary && verdict.broken),
      blockedBy: isPrimary && !steady ? blockedBy(view, starts, verdict, actions) : '',
    };
  });
}

function blockedBy<T extends ServiceTask>(
  view: ServiceView<T>,
  starts: ServiceStarts<T>,
  { broken }: DeploymentVerdict,
  actions: readonly ServiceAction<T>[],
): string {
  const { live, max, min, fresh, old, healthy, desiredCount, now } = view;
  const useful = fresh.filter(not(isUnhealthy));
  // All of the newest deployment are candidates while there are too many of them.
  const going = [...old, ...(useful.length > desiredCount ? useful : [])];
  const [held, free] = partition(going, ({ task }) => isProtected(task, now));
  return whatBlocks({
    broken,
    throttled: starts.throttle,
    acts: actions.length > 0,
    shortOfRoom: starts.startable < starts.missing || starts.refills < starts.lost.length,
    live: live.length,
    max,
    healthy,
    min,
    leaving: { free: free.filter(isHealthy).length, protected: held.length },
    unplaceable: useful.filter(({ task }) => task.unplaceable !== undefined).length,
    coming: starts.coming,
    stopping: live.filter(({ stopRequested }) => stopRequested).length,
  });
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}

function earliest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : known.reduce((a, b) => Math.min(a, b));
}
