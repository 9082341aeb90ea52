/** The service event texts, word for word (`ecs-semantics §3.18`). */

import { NO_ROLLBACK_CANDIDATE } from './deployment-failure.ts';

/** AWS starts tasks in groups; one event names at most this many, so that 1,000 tasks fit an event. */
export const NAMED_TASKS = 10;

const named = (tasks: readonly string[]): string => {
  const shown = tasks.slice(0, NAMED_TASKS).map((task) => `(task ${task})`);
  return tasks.length > NAMED_TASKS ? `${shown.join(' ')} …` : shown.join(' ');
};

type ZoneCounts = readonly (readonly [zone: string, tasks: number])[];

const inZones = (counts: ZoneCounts): string => counts.map(([zone, tasks]) => `${tasks} tasks in ${zone}`).join(', ');

interface UnhealthyTarget {
  readonly port: number;
  /** Of the target group. */
  readonly arn: string;
  readonly reason: string;
}

export const serviceEvent = {
  /** @param unhealthy how many of them take the place of tasks that failed their health checks. */
  started: (service: string, tasks: readonly string[], unhealthy = 0) =>
    `(service ${service}) has started ${tasks.length} tasks: ${named(tasks)}.${
      unhealthy > 0 ? ` Amazon ECS replaced ${unhealthy} tasks due to an unhealthy status.` : ''
    }`,
  stoppedRunning: (service: string, tasks: readonly string[]) =>
    `(service ${service}) has stopped ${tasks.length} running tasks: ${named(tasks)}.`,
  stoppedPending: (service: string, count: number) => `(service ${service}) stopped ${count} pending tasks.`,
  /** @param group as the service names it: the ARN, or the name. */
  registeredTargets: (service: string, group: string, count: number) =>
    `(service ${service}) registered ${count} targets in (target-group ${group})`,
  deregisteredTargets: (service: string, group: string, count: number) =>
    `(service ${service}) deregistered ${count} targets in (target-group ${group})`,
  begunDraining: (service: string, count: number) =>
    `(service ${service}) has begun draining connections on ${count} tasks.`,
  unhealthyTarget: (service: string, task: string, { port, arn, reason }: UnhealthyTarget) =>
    `(service ${service}) (task ${task}) (port ${port}) is unhealthy in (target-group ${arn}) due to (reason ${reason}).`,
  deploymentCompleted: (service: string, deployment: string) =>
    `(service ${service}) (deployment ecs-svc/${deployment}) deployment completed.`,
  /** @param because `tasks failed to start`, `alarm detected`. */
  deploymentFailed: (service: string, deployment: string, because: string) =>
    `(service ${service}) (deployment ecs-svc/${deployment}) deployment failed: ${because}.`,
  rollingBack: (service: string, deployment: string) =>
    `(service ${service}) rolling back to deployment ecs-svc/${deployment}.`,
  noRollbackCandidate: (service: string, deployment: string) =>
    `(service ${service}) (deployment ecs-svc/${deployment}) ${NO_ROLLBACK_CANDIDATE}`,
  /** Ours: AWS refuses the call. */
  rollbackRefused: (service: string, deployment: string, state: string, request: string) =>
    `(service ${service}) (deployment ecs-svc/${deployment}) cannot be rolled back: it is ${state}, and only a deployment that is IN_PROGRESS can be (rollback requested: ${request}).`,
  notZoneBalanced: (service: string, counts: ZoneCounts) =>
    `(service ${service}) is not AZ balanced with ${inZones(counts)}. AZ Rebalancing in progress.`,
  zoneBalanced: (service: string, counts: ZoneCounts) => `(service ${service}) is AZ balanced with ${inZones(counts)}.`,
  startedInZone: (service: string, zone: string, tasks: readonly string[]) =>
    `(service ${service}) has started ${tasks.length} tasks in ${zone} to AZ Rebalance: ${named(tasks)}.`,
  stoppedInZone: (service: string, zone: string, tasks: readonly string[]) =>
    `(service ${service}) has stopped ${tasks.length} running tasks in ${zone} due to AZ rebalancing: ${named(tasks)}.`,
  unplaceableInZone: (service: string, zone: string) =>
    `(service ${service}) is unable to place a task in ${zone} because no container instance met all of its requirements.`,
  steadyState: (service: string) => `(service ${service}) has reached a steady state.`,
  startImpaired: (service: string) => `(service ${service}) is unable to consistently start tasks successfully.`,
  failedHealthChecks: (service: string, task: string) =>
    `(service ${service}) (task ${task}) failed container health checks.`,
  notLaunched: (service: string, deployment: string, count: number) =>
    `(service ${service}) could not launch ${count} tasks for deployment ecs-svc/${deployment}.`,
  underProtection: (service: string, deployment: string, count: number) =>
    `(service ${service}) was unable to reach steady state because (taskSet ecs-svc/${deployment}) was unable to scale in due to (reason ${count} tasks under protection)`,
  operationsThrottled: (service: string) =>
    `(service ${service}) operations are being throttled. Will try again later.`,
  /** @param closest what the closest matching container instance lacks, as a sentence. */
  unplaceable: (service: string, closest?: string) =>
    `(service ${service}) was unable to place a task because no container instance met all of its requirements.${
      closest === undefined ? '' : ` ${closest}`
    }`,
  stuck: (service: string) =>
    `(service ${service}) was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again.`,
} as const;
