/** Health of a target as a load balancer of AWS reports it. */
import type { HealthStatus } from './task-health.ts';

/** A target group of AWS that the task is a target of. */
export interface TargetGate {
  /** Name of the core Service and of its binding. */
  readonly service: string;
  /** Of the target group. */
  readonly arn: string;
  readonly health: HealthStatus;
  /** What the load balancer says of it: `Health checks failed with these codes: [503]`. */
  readonly description?: string;
}

/**
 * Reason codes of the state `unhealthy` (ELBv2 API reference, TargetHealth). Not `Elb.InternalError`, which may be that of the
 * state `unavailable` as well: no fault of the task. All others are those of targets that are not in use yet, or no more.
 */
const UNHEALTHY: ReadonlySet<string> = new Set([
  'Target.ResponseCodeMismatch',
  'Target.Timeout',
  'Target.FailedHealthChecks',
]);

/** The condition of a pod by which the AWS Load Balancer Controller tells the state of the target. */
export interface TargetCondition {
  readonly status: string;
  /** The reason code of the target's health; empty where it is healthy. */
  readonly reason?: string;
}

/** @param condition absent until the target is registered. */
export function targetHealth(condition: TargetCondition | undefined): HealthStatus {
  if (condition?.status === 'True') return 'HEALTHY';
  return condition?.status === 'False' && UNHEALTHY.has(condition.reason ?? '') ? 'UNHEALTHY' : 'UNKNOWN';
}
