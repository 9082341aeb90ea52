/** Whether tasks of the newest deployment may be started: circuit breaker and start throttle (`ecs-semantics §3.7, §3.8`). */
import { deploymentFailures, failureThreshold } from './circuit-breaker.ts';
import type { ServicePlanInput, ServiceTask } from './service-plan.ts';
import { type ServiceView, tasksOf } from './service-view.ts';
import { type StartThrottle, startThrottle } from './start-throttle.ts';

export interface DeploymentVerdict {
  /** The newest deployment is, or now is to be, given up: none of its tasks is started any more. */
  readonly broken: boolean;
  /** Its failures, as its circuit breaker counts them; 0 without one. */
  readonly failures: number;
  readonly throttle: StartThrottle;
}

export function deploymentVerdict<T extends ServiceTask>(
  { circuitBreaker, healthCheckGracePeriodSeconds, tasks }: ServicePlanInput<T>,
  view: ServiceView<T>,
): DeploymentVerdict {
  const { primary, now, desiredCount } = view;
  const throttle = startThrottle(tasksOf(view, primary.id));
  if (circuitBreaker?.enable !== true) return { broken: primary.failed === true, failures: 0, throttle };
  const { since = 0 } = primary;
  const counted = tasks.filter(({ deployment, createdAt }) => deployment === primary.id && createdAt >= since);
  const failures = primary.completed
    ? 0
    : deploymentFailures(counted, circuitBreaker, now, healthCheckGracePeriodSeconds * 1000);
  const threshold = failureThreshold(circuitBreaker.thresholdConfiguration, desiredCount);
  return { broken: primary.failed === true || (failures > 0 && failures >= threshold), failures, throttle };
}
