/** What gives the newest deployment up: an alarm or a user's request before the plan, else what the plan finds; and where it goes back to. */
import { ANNOTATIONS } from '../api/meta.ts';
import type { ServiceSpec } from '../api/service.ts';
import { type DeploymentFailure, failureKindOf } from '../ecs/deployment-failure.ts';
import { serviceEvent } from '../ecs/service-events.ts';
import { alarmed } from './deployment-alarms.ts';
import type { ServiceRecord } from './runtime.ts';
import { lastMade, rollbackTarget, type ServiceDeployment, serviceNameOf } from './service-deployments.ts';
import { asReported, reportedOf } from './service-transitions.ts';

export interface Judgement {
  /** The newest deployment as the plan is to see it. */
  readonly primary: ServiceDeployment;
  /** What gives it up, as far as that is known before the plan. */
  readonly failure?: DeploymentFailure;
  /** Event about a request that cannot be met. */
  readonly refused?: string;
  /** Value of the rollback annotation that is settled by this pass. */
  readonly request?: string;
}

/** A deployment that is given up in this pass. */
export interface GivenUp {
  readonly failure: DeploymentFailure;
  /** The deployment that takes its place again; absent where there is none, or none is wanted. */
  readonly target?: ServiceDeployment;
}

/** The facts before the plan. As StopServiceDeployment, a request is met only while the deployment is in progress. */
export function judge(
  service: ServiceRecord,
  newest: ServiceDeployment,
  deployments: readonly ServiceDeployment[],
  alarm: DeploymentFailure | undefined,
): Judgement {
  const primary = asReported(service, newest);
  const request = rollbackRequest(service, deployments);
  // The status tells the verdict already; only the mark on the ControllerRevision is missing.
  if (primary.failed && !newest.failed) {
    const kind = failureKindOf(reportedOf(service, newest)?.rolloutStateReason ?? '');
    const fired = newest.record.alarms?.fired;
    return {
      primary,
      failure: kind === 'stop' ? stopped(request) : kind === 'alarms' ? alarmed(fired) : { kind },
      ...(request !== undefined && { request }),
    };
  }
  if (alarm !== undefined)
    return { primary: { ...primary, failed: true }, failure: alarm, ...(request !== undefined && { request }) };
  if (request === undefined) return { primary };
  // A rollback under way is what was asked for: it goes on.
  if (newest.since !== undefined && !primary.completed) return { primary, request };
  if (!primary.failed && !primary.completed)
    return { primary: { ...primary, failed: true }, failure: stopped(request), request };
  const state = primary.failed ? 'FAILED' : 'COMPLETED';
  const text = serviceEvent.rollbackRefused(serviceNameOf(service), newest.id, state, request);
  const isSaid = service.status.events?.some(({ message }) => message === text) === true;
  return { primary, request, ...(!isSaid && { refused: text }) };
}

const stopped = (request = ''): DeploymentFailure => ({ kind: 'stop', detail: request });

/** A value of the annotation that no deployment has settled: one that was there when the last one was made is not meant for it. */
function rollbackRequest(service: ServiceRecord, deployments: readonly ServiceDeployment[]): string | undefined {
  const value = service.annotations[ANNOTATIONS.rollback];
  return value === lastMade(deployments)?.record.rollbackSettled ? undefined : value;
}

/** What becomes of a deployment that fails; what failed it says whether there is a way back (`ecs-semantics §3.9`). */
export function giveUp(
  { deploymentConfiguration: { deploymentCircuitBreaker, alarms } }: ServiceSpec,
  deployments: readonly ServiceDeployment[],
  failure: DeploymentFailure = { kind: 'circuit breaker' },
): GivenUp {
  const wanted = {
    stop: true,
    alarms: alarms?.rollback === true,
    'circuit breaker': deploymentCircuitBreaker?.rollback === true,
  };
  const target = rollbackTarget(deployments, wanted[failure.kind]);
  return { failure, ...(target !== undefined && { target }) };
}
