/**
 * The deployment circuit breaker (`ecs-semantics §3.8`): what counts as a failure of a deployment in progress, and how
 * many are too many. Counted from the tasks that exist, ended ones included: those that count are kept until the verdict.
 */
import { endedEssential, everRan, runningSince, stopCauseOf, stopDue, stoppedAt, type Task } from './task.ts';
import { HEALTHY_AFTER_RUNNING_MS, healthView, isChecked, isHealthFailure } from './task-health.ts';

export interface CircuitBreaker {
  readonly enable: boolean;
  readonly rollback: boolean;
  /** A task that becomes healthy takes back the failures before it. */
  readonly resetOnHealthyTask: boolean;
  readonly thresholdConfiguration: {
    readonly type: 'BOUNDED_PERCENT' | 'COUNT' | 'UNBOUNDED_PERCENT';
    readonly value: number;
  };
}

/** So many failures fail the deployment; it follows the desired count of the moment. */
export function failureThreshold(
  { type, value }: CircuitBreaker['thresholdConfiguration'],
  desiredCount: number,
): number {
  if (type === 'COUNT') return value;
  const share = Math.ceil((desiredCount * value) / 100);
  return type === 'BOUNDED_PERCENT' ? Math.max(3, Math.min(share, 200)) : Math.max(share, 1);
}

/**
 * Failures of one deployment: tasks that never ran, that failed their health checks, or that ended before they were
 * healthy. Stops that were asked for and losses of a node say nothing about the deployment.
 * @param tasks all tasks of the deployment, in any order.
 */
export function deploymentFailures(
  tasks: readonly Task[],
  { resetOnHealthyTask }: CircuitBreaker,
  now: number,
  graceMs: number,
): number {
  const failures = tasks.map((task) => failedAt(task, now, graceMs)).filter((at) => at !== undefined);
  if (failures.length === 0 || !resetOnHealthyTask) return failures.length;
  const reset = Math.max(...tasks.map((task) => healthyFrom(task, now, graceMs) ?? 0));
  return failures.filter((at) => at > reset).length;
}

/** When the task failed its deployment; undefined where it did not. Epoch milliseconds. */
export function failedAt(task: Task, now: number, graceMs = 0): number | undefined {
  if (task.stopCause !== undefined && isHealthFailure(task.stopCause)) return task.stoppingAt ?? stoppedAt(task);
  const due = stopDue(task);
  if (!task.ended && !task.stopRequested && due === undefined)
    return healthView(task, now, graceMs).unhealthy ? now : undefined;
  const { stopCode } = due ?? stopCauseOf(task);
  if (stopCode !== 'TaskFailedToStart' && stopCode !== 'EssentialContainerExited') return undefined;
  if (everRan(task) && endedHealthy(task)) return undefined;
  return task.ended ? stoppedAt(task) : (task.stoppingAt ?? now);
}

/** Since when the task is, or was, healthy; undefined where it never was. Epoch milliseconds. */
function healthyFrom(task: Task, now: number, graceMs: number): number | undefined {
  const since = runningSince(task);
  if (since === undefined) return undefined;
  const healthy = healthView(task, now, graceMs).healthy || (task.ended && everRan(task) && endedHealthy(task));
  if (!healthy) return undefined;
  if (!isChecked(task)) return since + HEALTHY_AFTER_RUNNING_MS;
  // Of one that has ended, only the end of its health is known.
  return task.ended ? since : (task.readinessChangedAt ?? since);
}

/**
 * Whether a task whose essential container has ended had been healthy before. With a check: its pod stopped being ready
 * after it had begun to run. One with containers that end early is never ready as a whole: as without a check, it needs
 * to have run for a while.
 */
function endedHealthy(task: Task): boolean {
  const since = runningSince(task);
  if (since === undefined) return false;
  const end = endedEssential(task)?.finishedAt ?? stoppedAt(task);
  const isTold = isChecked(task) && task.containers.every(({ essential }) => essential);
  return isTold ? (task.readinessChangedAt ?? 0) > since : end - since >= HEALTHY_AFTER_RUNNING_MS;
}
