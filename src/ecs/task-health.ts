/**
 * Whether a task is healthy: for ECS's healthStatus, and for the service scheduler, to which the checks of its target
 * groups count as well (`ecs-semantics §1.6, §3.3, §3.10`). Pure: every function takes `now`.
 */
import {
  type Container,
  endedEssential,
  type HealthCheckTimes,
  lastStatus,
  runningSince,
  type StopCause,
  type Task,
} from './task.ts';

export type HealthStatus = 'HEALTHY' | 'UNHEALTHY' | 'UNKNOWN';

/** A task without load balancer or health check counts as healthy this long after RUNNING (`ecs-semantics §3.3`). */
export const HEALTHY_AFTER_RUNNING_MS = 40_000;

export const FAILED_HEALTH_CHECKS: StopCause = {
  stopCode: 'ServiceSchedulerInitiated',
  stoppedReason: 'Task failed container health checks',
};

const FAILED_TARGET_CHECKS = 'Task failed ELB health checks in ';

/** @param arn of the target group, or its name. */
export const failedTargetChecks = (arn: string): StopCause => ({
  stopCode: 'ServiceSchedulerInitiated',
  stoppedReason: `${FAILED_TARGET_CHECKS}(target-group ${arn})`,
});

/** The task was stopped because a check of its containers or of a target group failed. */
export const isHealthFailure = ({ stoppedReason }: StopCause): boolean =>
  stoppedReason === FAILED_HEALTH_CHECKS.stoppedReason || stoppedReason.startsWith(FAILED_TARGET_CHECKS);

/** A check that the readiness of a container tells the result of. */
interface Check {
  readonly container: Container;
  readonly times: HealthCheckTimes;
  readonly failure: StopCause;
}

/** Of a container that is checked as a target, the readiness is that check's. */
function checksOf({ containers }: Task): Check[] {
  return containers.flatMap((container): Check[] => {
    const { essential, healthCheck, endpoints = [], targetCheck } = container;
    const target = endpoints.find(({ arn }) => arn !== undefined);
    if (targetCheck !== undefined && target?.arn !== undefined)
      return [{ container, times: targetCheck, failure: failedTargetChecks(target.arn) }];
    return essential && healthCheck !== undefined
      ? [{ container, times: healthCheck, failure: FAILED_HEALTH_CHECKS }]
      : [];
  });
}

const isTarget = ({ endpoints = [] }: Container): boolean => endpoints.some(({ arn }) => arn !== undefined);

/** The scheduler has more to go by than that the task runs. */
export const isChecked = ({ containers }: Task): boolean =>
  containers.some((container) => isTarget(container) || (container.essential && container.healthCheck !== undefined));

/** Failures count only after startPeriod; `retries` of them, one each interval, make it UNHEALTHY (design §3, decision 4). */
function unhealthyFrom(container: Container, times: HealthCheckTimes): number | undefined {
  const startedAt = container.restartedAt ?? container.startedAt;
  return startedAt === undefined ? undefined : startedAt + (times.startPeriod + times.retries * times.interval) * 1000;
}

function statusOf(container: Container, times: HealthCheckTimes, now: number): HealthStatus {
  if (container.status !== 'RUNNING') return 'UNKNOWN';
  if (container.ready) return 'HEALTHY';
  const from = unhealthyFrom(container, times);
  return from !== undefined && now >= from ? 'UNHEALTHY' : 'UNKNOWN';
}

export const containerHealth = (container: Container, now: number): HealthStatus =>
  container.healthCheck === undefined ? 'UNKNOWN' : statusOf(container, container.healthCheck, now);

/** Only essential containers with a check count: any UNHEALTHY wins, then any UNKNOWN (`ecs-semantics §1.6`). */
export function taskHealth(task: Task, now: number): HealthStatus {
  const checked = task.containers.filter((container) => container.essential && container.healthCheck !== undefined);
  if (checked.length === 0) return 'UNKNOWN';
  const states = checked.map((container) => containerHealth(container, now));
  if (states.includes('UNHEALTHY')) return 'UNHEALTHY';
  return states.includes('UNKNOWN') ? 'UNKNOWN' : 'HEALTHY';
}

export interface HealthView {
  /** Counts towards the lower bound (`ecs-semantics §3.3`). */
  readonly healthy: boolean;
  /** To be replaced. */
  readonly unhealthy: boolean;
  /** Why it is to be replaced. */
  readonly failure?: StopCause;
  /** When time alone may change the answer, epoch milliseconds. */
  readonly changesAt?: number;
}

const HEALTHY: HealthView = { healthy: true, unhealthy: false };
const UNDECIDED: HealthView = { healthy: false, unhealthy: false };

/**
 * Does a task count as healthy for the service scheduler (the table of `ecs-semantics §3.3`): when the checks of its
 * target groups and of its essential containers all pass; a target without a check, when it is RUNNING; without either,
 * 40 s after RUNNING.
 * @param graceMs healthCheckGracePeriodSeconds in milliseconds: failures since the task's start do not count before it is over.
 */
export function healthView(task: Task, now: number, graceMs = 0): HealthView {
  if (lastStatus(task) !== 'RUNNING' || endedEssential(task) !== undefined) return UNDECIDED;
  const since = runningSince(task) ?? now;
  if (!isChecked(task)) {
    const from = since + HEALTHY_AFTER_RUNNING_MS;
    return now >= from ? HEALTHY : { ...UNDECIDED, changesAt: from };
  }
  const open = checksOf(task).flatMap((check) => {
    const status = statusOf(check.container, check.times, now);
    return status === 'HEALTHY' ? [] : [{ ...check, status }];
  });
  const gates = (task.targetGates ?? []).filter(({ health }) => health !== 'HEALTHY');
  if (open.length === 0 && gates.length === 0) return HEALTHY;
  const graceEnd = since + graceMs;
  const target = gates.find(({ health }) => health === 'UNHEALTHY');
  const failure =
    open.find(({ status }) => status === 'UNHEALTHY')?.failure ?? (target && failedTargetChecks(target.arn));
  if (failure !== undefined)
    return now >= graceEnd ? { healthy: false, unhealthy: true, failure } : { ...UNDECIDED, changesAt: graceEnd };
  const next = Math.min(
    ...open.map(({ container, times }) => unhealthyFrom(container, times) ?? Number.POSITIVE_INFINITY),
  );
  return { ...UNDECIDED, changesAt: Number.isFinite(next) ? Math.max(next, graceEnd) : undefined };
}
