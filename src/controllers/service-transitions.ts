/** What has come true since the last status: said once, in AWS's words. */
import { failureText } from '../ecs/deployment-failure.ts';
import { serviceEvent } from '../ecs/service-events.ts';
import type { ServicePlan } from '../ecs/service-plan.ts';
import { FREE_FAILURES } from '../ecs/start-throttle.ts';
import type { ObservedTask } from '../pod/observe.ts';
import { rfc3339 } from './conditions.ts';
import type { GivenUp } from './deployment-verdict.ts';
import type { ServiceRecord } from './runtime.ts';
import type { Done } from './service-actions.ts';
import { type ServiceDeployment, serviceNameOf } from './service-deployments.ts';
import type { Trouble } from './service-revision.ts';
import { DEPLOYMENT_FAILED } from './service-status.ts';

/** A rollout is over, or has failed, once the status says so; the mark on its ControllerRevision may not be there yet. */
export function asReported(service: ServiceRecord, deployment: ServiceDeployment): ServiceDeployment {
  const { status, rolloutState } = reportedOf(service, deployment) ?? {};
  const was = (state: string): boolean => status === 'PRIMARY' && rolloutState === state;
  return {
    ...deployment,
    completed: deployment.completed || was('COMPLETED'),
    failed: deployment.failed || was('FAILED'),
  };
}

export const reportedOf = (service: ServiceRecord, deployment: ServiceDeployment) =>
  service.status.deployments?.find(({ id }) => id === `ecs-svc/${deployment.id}`);

/**
 * Events for what the plan says has come true since the last status.
 * @param closest what the closest container instance lacks for a task that none takes.
 */
export function transitions(
  service: ServiceRecord,
  newest: ServiceDeployment,
  plan: ServicePlan<ObservedTask>,
  givenUp: GivenUp | undefined,
  trouble: Trouble | undefined,
  unlaunched: Done['unlaunched'],
  closest: string | undefined,
  now: number,
): string[] {
  const name = serviceNameOf(service);
  const was = (reason: string): boolean =>
    service.status.conditions?.some((condition) => condition.type === 'Ready' && condition.reason === reason) ?? false;
  const texts: string[] = [];
  const reported = asReported(service, newest);
  if (plan.deployments[0]?.failed && !reported.failed) {
    const { failure: { kind } = { kind: 'circuit breaker' }, target } = givenUp ?? {};
    texts.push(serviceEvent.deploymentFailed(name, newest.id, failureText(kind)));
    if (target !== undefined) texts.push(serviceEvent.rollingBack(name, target.id));
    else if (kind === 'stop') texts.push(serviceEvent.noRollbackCandidate(name, newest.id));
  }
  const completes = plan.steady && !reported.completed;
  if (completes) texts.push(serviceEvent.deploymentCompleted(name, newest.id));
  if (unlaunched !== undefined && !was('TaskStartFailed'))
    texts.push(serviceEvent.notLaunched(name, unlaunched.deployment, unlaunched.count));
  // The conditions then tell the trouble, not what the plan found: it would seem new each time.
  if (trouble !== undefined) return texts;
  // A rollout whose every status a crash swallowed ends in a steady state all the same.
  if (completes || (plan.steady && !was('SteadyState') && !was(DEPLOYMENT_FAILED)))
    texts.push(serviceEvent.steadyState(name));
  if (plan.stuck && !was('DeploymentBlocked')) texts.push(serviceEvent.stuck(name));
  if (plan.unplaceable !== undefined && !was('TaskPlacementFailed'))
    texts.push(serviceEvent.unplaceable(name, closest));
  if (plan.protection !== undefined && !was('TasksProtected'))
    texts.push(serviceEvent.underProtection(name, plan.protection.deployment, plan.protection.tasks));
  if (plan.operationsThrottled && !saidLately(service, serviceEvent.operationsThrottled(name), now))
    texts.push(serviceEvent.operationsThrottled(name));
  texts.push(...zoneTexts(service, plan, now));
  // Once a throttled phase (`ecs-semantics §3.7`), which the tasks tried in between do not end.
  if (plan.startImpaired && !saidSinceThrottled(service, newest, serviceEvent.startImpaired(name))) {
    texts.push(serviceEvent.startImpaired(name));
  }
  return texts;
}

/** Whether zones are balanced is said when it changes: of the texts about it, the newest is what was said last. */
function zoneTexts(service: ServiceRecord, { zones }: ServicePlan<ObservedTask>, now: number): string[] {
  if (zones === undefined) return [];
  const name = serviceNameOf(service);
  const said = service.status.events?.find(({ message }) => / is (not )?AZ balanced with /.test(message))?.message;
  const wasBalanced = said === undefined || !said.includes(' is not AZ balanced ');
  const changed = zones.balanced
    ? [serviceEvent.zoneBalanced(name, zones.counts)]
    : [serviceEvent.notZoneBalanced(name, zones.counts)];
  const unplaceable = zones.unplaceable
    .map((zone) => serviceEvent.unplaceableInZone(name, zone))
    .filter((text) => !saidLately(service, text, now));
  return [...(wasBalanced === zones.balanced ? [] : changed), ...unplaceable];
}

/** AWS omits what it has said before for six hours (developer guide, "Service event messages"). */
const SAID_MS = 6 * 3_600_000;

const saidLately = ({ status }: ServiceRecord, text: string, now: number): boolean =>
  status.events?.some(({ message, createdAt }) => message === text && Date.parse(createdAt) > now - SAID_MS) === true;

/** The failures in a row that the status counts are those of the phase that the text was about. */
function saidSinceThrottled(service: ServiceRecord, newest: ServiceDeployment, text: string): boolean {
  const inPhase = (reportedOf(service, newest)?.failedTasks ?? 0) >= FREE_FAILURES;
  const since = rfc3339(newest.createdAt);
  return (
    inPhase && service.status.events?.some(({ message, createdAt }) => message === text && createdAt >= since) === true
  );
}
