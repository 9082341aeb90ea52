/** What the plan says of itself: counts and state of each deployment, what holds it back, when to look again. */
import { whatBlocks } from './blocked-by.ts';
import type { DeploymentPlan, ServiceAction, ServicePlan, ServiceTask } from './service-plan.ts';
import type { ServiceStarts } from './service-starts.ts';
import type { DeploymentVerdict } from './service-verdict.ts';
import { isHealthy, isUnhealthy, not, type ServiceView } from './service-view.ts';
import { lastStatus } from './task.ts';

export function servicePlan<T extends ServiceTask>(
  view: ServiceView<T>,
  starts: ServiceStarts<T>,
  verdict: DeploymentVerdict,
  actions: readonly ServiceAction<T>[],
): ServicePlan<T> {
  const { fresh, old, wanted, live, primary, desiredCount, nothingStopping } = view;
  const { throttled, lost } = starts;
  const { broken, throttle } = verdict;
  const nothingStops = actions.every(({ kind }) => kind !== 'stop');
  const steady =
    !broken &&
    nothingStops &&
    lost.length === 0 &&
    live.length === fresh.length &&
    fresh.every(isHealthy) &&
    fresh.length === desiredCount;
  return {
    actions,
    deployments: deploymentPlans(view, starts, verdict, actions, steady),
    steady,
    startImpaired: throttled,
    unplaceable: wanted.find(({ task }) => task.unplaceable !== undefined)?.task.unplaceable,
    stuck:
      actions.length === 0 &&
      old.some(({ task }) => task.deployment !== primary.id) &&
      !throttled &&
      !broken &&
      nothingStopping &&
      fresh.every(isHealthy) &&
      old.every(isHealthy),
    wakeAt: earliest([...wanted.map(({ health }) => health.changesAt), throttled ? throttle.until : undefined]),
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
  { missing, startable, throttled }: ServiceStarts<T>,
  { broken, throttle }: DeploymentVerdict,
  actions: readonly ServiceAction<T>[],
): string {
  const { live, max, min, fresh, old } = view;
  const stopping = new Set(actions.flatMap((action) => (action.kind === 'stop' ? [action.task] : [])));
  return whatBlocks({
    broken,
    throttled: throttled ? throttle : undefined,
    missing,
    startable,
    live: live.length,
    max,
    healthy: [...fresh, ...old].filter((one) => isHealthy(one) && !stopping.has(one.task)).length,
    min,
    healthyOld: old.filter(isHealthy).length,
    coming: fresh.filter((one) => not(isUnhealthy)(one) && !isHealthy(one)).length,
    actions: actions.length,
  });
}

function earliest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : known.reduce((a, b) => Math.min(a, b));
}
