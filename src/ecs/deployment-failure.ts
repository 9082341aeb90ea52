/** Why a deployment was given up, and the texts for it: word for word AWS's where they are known (`ecs-semantics §3.6, §3.18`). */

/**
 * What gave it up: the circuit breaker, an alarm, or a user's request (StopServiceDeployment). AWS's texts after an alarm
 * are known for the event only, after a request not at all: they follow those of the circuit breaker.
 */
export type FailureKind = 'circuit breaker' | 'alarms' | 'stop';

export interface DeploymentFailure {
  readonly kind: FailureKind;
  /** Names of the alarms, or the reason that the user gave. */
  readonly detail?: string;
}

const BECAUSE: Readonly<Record<FailureKind, string>> = {
  'circuit breaker': 'tasks failed to start',
  alarms: 'alarm detected',
  stop: 'rollback requested',
};

/** Behind `deployment failed: ` in the event. */
export const failureText = (kind: FailureKind): string => BECAUSE[kind];

/** With alarms and reason, for conditions. */
export const failureDetail = ({ kind, detail }: DeploymentFailure): string =>
  detail === undefined || detail === '' ? BECAUSE[kind] : `${BECAUSE[kind]} (${detail})`;

/** Text: AWS, as Terraform shows it where the first deployment of a service is to be rolled back (public reports). */
export const NO_ROLLBACK_CANDIDATE = 'No rollback candidate was found to run the rollback.';

/** rolloutStateReason of the deployment that failed. */
export const failedReason = (kind: FailureKind): string => `ECS deployment ${kind}: ${BECAUSE[kind]}.`;

/** rolloutStateReason of the deployment that takes its place again. */
export const rollingBackReason = (kind: FailureKind, id: string): string =>
  `ECS deployment ${kind}: rolling back to deploymentId ${id}.`;

/** What gave up the deployment that has this rolloutStateReason. */
export const failureKindOf = (rolloutStateReason: string): FailureKind =>
  (['alarms', 'stop'] as const).find((kind) => rolloutStateReason === failedReason(kind)) ?? 'circuit breaker';
