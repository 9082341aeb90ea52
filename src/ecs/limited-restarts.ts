/** A plan within a budget of restarts: those beyond it wait (`ecs-semantics §3.18`, "operations are being throttled"). */
import type { ServicePlan, ServiceTask, Start } from './service-plan.ts';

const isRestart = (action: { readonly kind: string }): action is Start =>
  action.kind === 'start' && 'replaces' in action && action.replaces === 'ended';

/** How many starts take the place of tasks that ended by themselves. */
export const restartsOf = ({ actions }: ServicePlan<ServiceTask>): number => actions.filter(isRestart).length;

/**
 * @param count how many restarts are allowed.
 * @param until when more may be, epoch milliseconds.
 */
export function limitRestarts<T extends ServiceTask>(
  plan: ServicePlan<T>,
  count: number,
  until: number,
): ServicePlan<T> {
  const put = new Set(plan.actions.filter(isRestart).slice(count));
  if (put.size === 0) return plan;
  const putOff = (deployment: string): number => [...put].filter((start) => start.deployment === deployment).length;
  return {
    ...plan,
    actions: plan.actions.filter((action) => action.kind === 'stop' || !put.has(action)),
    deployments: plan.deployments.map((deployment) => ({
      ...deployment,
      pendingCount: deployment.pendingCount - putOff(deployment.id),
      blockedBy:
        deployment.status === 'PRIMARY'
          ? 'cannot start: the budget of restarts of all services is used up for now'
          : deployment.blockedBy,
    })),
    operationsThrottled: true,
    wakeAt: Math.min(plan.wakeAt ?? Number.POSITIVE_INFINITY, until),
  };
}
