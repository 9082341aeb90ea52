/** Scale-in protection holds a service up: tasks that are too many stay until it ends (`ecs-semantics §3.15`). */
import type { ServicePlan, ServiceTask } from './service-plan.ts';
import { isHealthy, type ServiceView } from './service-view.ts';
import { isProtected } from './task.ts';

export interface Protection {
  /** The deployment that cannot scale in. */
  readonly deployment: string;
  readonly tasks: number;
}

/** The plan with what protection alone holds back: waiting for it is no fault of the deployment's percentages. */
export function withProtection<T extends ServiceTask>(plan: ServicePlan<T>, view: ServiceView<T>): ServicePlan<T> {
  const { fresh, old, desiredCount, now, nothingStopping } = view;
  const isHeld = ({ task }: { task: T }): boolean => isProtected(task, now);
  const settled = plan.actions.length === 0 && nothingStopping && fresh.filter(isHealthy).length >= desiredCount;
  const surplus = Math.max(fresh.length - desiredCount, 0);
  const held = [...old.filter(isHeld), ...fresh.filter(isHeld).slice(0, surplus)];
  const [first] = held;
  if (!settled || first === undefined) return plan;
  const [primary, ...others] = plan.deployments;
  return {
    ...plan,
    stuck: false,
    protection: { deployment: first.task.deployment, tasks: held.length },
    deployments:
      primary === undefined
        ? others
        : [{ ...primary, blockedBy: `cannot stop: ${held.length} tasks under protection` }, ...others],
  };
}
