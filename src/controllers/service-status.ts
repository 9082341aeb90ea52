/** What `kubectl get` and `describe` show of a service: DescribeServices' fields from the plan and the tasks. */
import { randomUUID } from 'node:crypto';
import { LABELS } from '../api/meta.ts';
import { dnsName } from '../api/names.ts';
import type { ServiceDeploymentStatus, ServiceEvent, ServiceStatus, StoppedTask } from '../api/service.ts';
import {
  type DeploymentFailure,
  type FailureKind,
  failedReason,
  failureDetail,
  NO_ROLLBACK_CANDIDATE,
  rollingBackReason,
} from '../ecs/deployment-failure.ts';
import type { DeploymentPlan, ServicePlan } from '../ecs/service-plan.ts';
import { everRan, runningSince, stopCauseOf, stoppedAt } from '../ecs/task.ts';
import { serviceFieldSupport } from '../pod/field-support.ts';
import type { ObservedTask } from '../pod/observe.ts';
import type { TaskProblem } from '../pod/problems.ts';
import { type ConditionInput, kstatus, rfc3339, withTimes } from './conditions.ts';
import { type AlarmWatch, alarmCondition } from './deployment-alarms.ts';
import type { GivenUp } from './deployment-verdict.ts';
import { resolvedRefs } from './references.ts';
import type { ServiceRecord } from './runtime.ts';
import { lastMade, type ServiceDeployment } from './service-deployments.ts';

/** Reason of the conditions from the verdict that a deployment has failed until the next deployment. */
export const DEPLOYMENT_FAILED = 'DeploymentFailed';

const SHOWN_EVENTS = 20;
const SHOWN_STOPPED_TASKS = 10;
const SHOWN_DEPLOYMENTS = 20;

export interface ServiceStatusInput {
  readonly service: ServiceRecord;
  readonly serviceName: string;
  readonly plan?: ServicePlan<ObservedTask>;
  readonly deployments: readonly ServiceDeployment[];
  readonly tasks: readonly ObservedTask[];
  /** New event texts, oldest first. */
  readonly events: readonly string[];
  /** What keeps the service from going on, if anything; it wins over the plan's own verdict. */
  readonly trouble?: { readonly reason: string; readonly message: string; readonly stalled: boolean };
  /** That the newest deployment is given up in this pass. */
  readonly givenUp?: GivenUp | undefined;
  /** Absent where no alarm is watched. */
  readonly alarms?: AlarmWatch | undefined;
  /** What of what it names means nothing here; absent where that is not known. */
  readonly problems?: readonly TaskProblem[];
  readonly now: number;
}

export function serviceStatus(input: ServiceStatusInput): ServiceStatus {
  const { service, plan, now } = input;
  const primary = plan?.deployments[0];
  const shown = plan?.deployments.filter(({ status }) => status !== 'INACTIVE').slice(0, SHOWN_DEPLOYMENTS) ?? [];
  const newest = input.deployments[0];
  return {
    observedGeneration: service.generation,
    status: service.deleting ? 'DRAINING' : 'ACTIVE',
    desiredCount: service.spec?.desiredCount ?? primary?.desiredCount ?? service.status.desiredCount ?? 0,
    pendingCount: shown.reduce((sum, { pendingCount }) => sum + pendingCount, 0),
    runningCount: shown.reduce((sum, { runningCount }) => sum + runningCount, 0),
    ...(newest !== undefined && { taskDefinition: `${newest.family}:${newest.revision}` }),
    deployments: shown.map((deployment) => deploymentStatus(deployment, input)),
    events: mergeEvents(service.status.events, input.events, now),
    stoppedTasks: mergeStopped(service.status.stoppedTasks, input.tasks),
    selector: `${LABELS.service}=${dnsName(input.serviceName)},!${LABELS.stopped}`,
    fieldSupport: service.spec === undefined ? [] : serviceFieldSupport(service.spec),
    conditions: withTimes(
      [
        ...conditions(input, primary),
        ...(input.problems === undefined ? [] : [resolvedRefs(input.problems)]),
        ...(input.alarms === undefined || newest === undefined ? [] : [alarmCondition(newest.id, input.alarms)]),
      ],
      service.status.conditions,
      service.generation,
      now,
    ),
  };
}

function deploymentStatus(
  plan: DeploymentPlan,
  { service, deployments, givenUp, now }: ServiceStatusInput,
): ServiceDeploymentStatus {
  const id = `ecs-svc/${plan.id}`;
  const deployment = deployments.find((known) => known.id === plan.id);
  const failure = plan.failed ? (deployment?.failure ?? givenUp?.failure ?? BREAKER) : undefined;
  const state: ServiceDeploymentStatus['rolloutState'] = plan.failed
    ? 'FAILED'
    : plan.completed
      ? 'COMPLETED'
      : 'IN_PROGRESS';
  const next = {
    id,
    status: plan.status,
    taskDefinition: deployment === undefined ? '' : `${deployment.family}:${deployment.revision}`,
    desiredCount: plan.desiredCount,
    pendingCount: plan.pendingCount,
    runningCount: plan.runningCount,
    failedTasks: plan.failedTasks,
    rolloutState: state,
    rolloutStateReason: rolloutStateReason(id, state, failure?.kind ?? deployment?.rollbackOf),
    ...(plan.blockedBy !== '' && { blockedBy: blockedBy(plan, failure) }),
    createdAt: rfc3339(deployment?.createdAt ?? now),
  };
  const { updatedAt, ...known } = service.status.deployments?.find((before) => before.id === id) ?? {
    updatedAt: undefined,
  };
  const unchanged = updatedAt !== undefined && JSON.stringify(sorted(known)) === JSON.stringify(sorted(next));
  return { ...next, updatedAt: unchanged ? updatedAt : rfc3339(now) };
}

const BREAKER: DeploymentFailure = { kind: 'circuit breaker' };

/** @param kind what gave the deployment up, or the one whose place it takes again. */
function rolloutStateReason(
  id: string,
  state: ServiceDeploymentStatus['rolloutState'],
  kind: FailureKind | undefined,
): string {
  if (state === 'COMPLETED') return `ECS deployment ${id} completed.`;
  if (kind === undefined) return `ECS deployment ${id} in progress.`;
  return state === 'FAILED' ? failedReason(kind) : rollingBackReason(kind, id);
}

const blockedBy = (plan: DeploymentPlan, failure: DeploymentFailure | undefined): string =>
  failure === undefined || failure.kind === 'circuit breaker'
    ? plan.blockedBy
    : `cannot start: this deployment has failed: ${failureDetail(failure)}`.slice(0, 1024);

const sorted = (fields: object): [string, unknown][] => Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1));

function mergeEvents(known: ServiceStatus['events'], texts: readonly string[], now: number): ServiceEvent[] {
  const createdAt = rfc3339(now);
  const fresh = texts.map((message) => ({ id: randomUUID(), createdAt, message })).reverse();
  return [...fresh, ...(known ?? [])].slice(0, SHOWN_EVENTS);
}

export function stoppedTask(task: ObservedTask): StoppedTask {
  const cause = stopCauseOf(task);
  const revision = Number(task.taskDefinition.split(':')[1]);
  const startedAt = everRan(task) ? runningSince(task) : undefined;
  return {
    task: task.id,
    ...(Number.isInteger(revision) && { revision }),
    stopCode: cause.stopCode,
    stoppedReason: cause.stoppedReason.slice(0, 1024),
    containers: task.containers.map(({ name, exitCode, reason }) => ({
      name,
      ...(exitCode !== undefined && { exitCode }),
      ...(reason !== undefined && { reason: reason.slice(0, 1024) }),
    })),
    createdAt: rfc3339(task.createdAt),
    ...(startedAt !== undefined && { startedAt: rfc3339(startedAt) }),
    ...(task.stopRequested && task.stoppingAt !== undefined && { stoppingAt: rfc3339(task.stoppingAt) }),
    stoppedAt: rfc3339(stoppedAt(task)),
  };
}

/**
 * Newest first; a record stays when its pod is gone. Where there is no place for all, those that the scheduler meant
 * to stop go first: a rollout must not push out the crash that somebody looks for.
 */
function mergeStopped(known: ServiceStatus['stoppedTasks'], tasks: readonly ObservedTask[]): StoppedTask[] {
  const ended = tasks.filter((task) => task.ended).map(stoppedTask);
  const seen = new Set(ended.map(({ task }) => task));
  const newest = [...ended, ...(known ?? []).filter(({ task }) => !seen.has(task))].sort(
    (a, b) => descending(a.stoppedAt, b.stoppedAt) || descending(b.task, a.task),
  );
  const isPlanned = ({ stopCode }: StoppedTask): boolean => stopCode === 'ServiceSchedulerInitiated';
  const faults = newest.filter((task) => !isPlanned(task)).slice(0, SHOWN_STOPPED_TASKS);
  const planned = newest.filter(isPlanned).slice(0, SHOWN_STOPPED_TASKS - faults.length);
  return newest.filter((task) => faults.includes(task) || planned.includes(task));
}

const descending = (a: string, b: string): number => (a < b ? 1 : a > b ? -1 : 0);

function conditions(
  { service, plan, trouble, deployments, givenUp }: ServiceStatusInput,
  primary: DeploymentPlan | undefined,
): ConditionInput[] {
  if (trouble !== undefined)
    return kstatus(trouble.stalled ? 'stalled' : 'reconciling', trouble.reason, trouble.message);
  if (plan === undefined || primary === undefined)
    return kstatus('reconciling', 'NoDeployment', 'no deployment exists yet');
  const older = plan.deployments.slice(1).reduce((sum, { runningCount }) => sum + runningCount, 0);
  const running = `${primary.runningCount} of ${primary.desiredCount} tasks`;
  const counts =
    older === 0 ? `${running} running` : `${running} of the new deployment running, ${older} of older ones`;
  const given = whatFailed(plan, deployments, givenUp);
  if (given !== undefined) return kstatus('stalled', DEPLOYMENT_FAILED, given);
  if (plan.steady) return kstatus('ready', 'SteadyState', `${service.name} has reached a steady state: ${counts}`);
  if (plan.protection !== undefined) return kstatus('reconciling', 'TasksProtected', primary.blockedBy);
  if (plan.stuck) return kstatus('stalled', 'DeploymentBlocked', primary.blockedBy);
  if (plan.startImpaired) return kstatus('reconciling', 'TaskStartImpaired', primary.blockedBy);
  if (plan.unplaceable !== undefined) return kstatus('reconciling', 'TaskPlacementFailed', plan.unplaceable);
  const reason = primary.completed ? 'ReplacingTasks' : 'DeploymentInProgress';
  return kstatus('reconciling', reason, primary.blockedBy === '' ? counts : `${counts}; ${primary.blockedBy}`);
}

/** The deployment made last that was given up: it stays said until another one is made, rolled back or not. */
function whatFailed(
  plan: ServicePlan<ObservedTask>,
  deployments: readonly ServiceDeployment[],
  givenUp: GivenUp | undefined,
): string | undefined {
  const [primary] = deployments;
  const last = lastMade(deployments);
  if (primary === undefined || last === undefined) return undefined;
  const now = plan.deployments[0];
  if (!last.failed && !now?.failed) return undefined;
  const failure = last.failure ?? givenUp?.failure ?? BREAKER;
  const what = `deployment ecs-svc/${last.id} of ${last.family}:${last.revision} failed: ${failureDetail(failure)}`;
  if (primary === last) {
    const isDone = failure.kind === 'stop' && givenUp?.target === undefined;
    return isDone ? `${what}. ${NO_ROLLBACK_CANDIDATE}` : what;
  }
  const former = `${primary.family}:${primary.revision}`;
  if (now?.failed) return `${what}, and so did the rollback to ${former}`;
  return `${what}; ${plan.steady ? 'rolled back' : 'rolling back'} to ${former}`;
}
