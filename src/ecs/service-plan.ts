/**
 * The service scheduler as one pure function: what is observed in, what to do next out (`ecs-semantics §3.3, §3.4, §3.7`).
 * Every action says which rule asked for it; the controller only carries it out.
 */
import { whatBlocks } from './blocked-by.ts';
import { type CircuitBreaker, deploymentFailures, failureThreshold } from './circuit-breaker.ts';
import { newestOfSlots, nextSeats, type Seat } from './slots.ts';
import { startThrottle } from './start-throttle.ts';
import {
  DRAINING,
  FAILED_HEALTH_CHECKS,
  type HealthView,
  healthView,
  lastStatus,
  type StopCause,
  stopDue,
  type Task,
} from './task.ts';
import { pickVictims } from './victims.ts';

export interface ServiceTask extends Task, Seat {
  /** As the plan's input had it when the task was started. */
  readonly placement?: string;
  /** The deployment's 19 digits. */
  readonly deployment: string;
}

export interface Deployment {
  /** 19 digits; ECS writes `ecs-svc/<id>`. */
  readonly id: string;
  /** The highest is PRIMARY. */
  readonly number: number;
  readonly completed: boolean;
  /** The circuit breaker has given it up: none of its tasks is started any more. */
  readonly failed?: boolean;
  /** Failures of tasks made before do not count: when it was rolled back to, epoch milliseconds. */
  readonly since?: number;
}

export interface ServicePlanInput<T extends ServiceTask> {
  readonly desiredCount: number;
  readonly minimumHealthyPercent: number;
  readonly maximumPercent: number;
  readonly healthCheckGracePeriodSeconds: number;
  readonly circuitBreaker?: CircuitBreaker;
  /** Any order, at least one. */
  readonly deployments: readonly [Deployment, ...Deployment[]];
  /** Identity of where tasks are wanted now; absent where nothing is said. */
  readonly placement?: string | undefined;
  /** Every task of the service that still exists, ended ones included. */
  readonly tasks: readonly T[];
  /** Names of nodes that are DRAINING: they take no tasks, and those of services move away (`ecs-semantics §3.12`). */
  readonly draining?: ReadonlySet<string>;
  /** Epoch milliseconds. */
  readonly now: number;
}

export type ServiceAction<T extends ServiceTask> =
  | { readonly kind: 'start'; readonly deployment: string; readonly seat: Seat; readonly because: string }
  | ({ readonly kind: 'stop'; readonly task: T; readonly because: string } & StopCause);

export interface DeploymentPlan {
  readonly id: string;
  readonly status: 'PRIMARY' | 'ACTIVE' | 'INACTIVE';
  readonly desiredCount: number;
  readonly pendingCount: number;
  readonly runningCount: number;
  readonly failedTasks: number;
  readonly completed: boolean;
  /** The circuit breaker gives, or has given, it up. */
  readonly failed: boolean;
  /** Which rule holds the next step back; empty when none does. */
  readonly blockedBy: string;
}

export interface ServicePlan<T extends ServiceTask> {
  readonly actions: readonly ServiceAction<T>[];
  /** PRIMARY first, then newest first. */
  readonly deployments: readonly DeploymentPlan[];
  /** The desired number of tasks of the newest deployment is healthy, and nothing else exists. */
  readonly steady: boolean;
  /** The throttle holds starts back. */
  readonly startImpaired: boolean;
  /** Why no node takes one of the tasks, in the scheduler's words. */
  readonly unplaceable?: string;
  /** No further step is possible with these percentages. */
  readonly stuck: boolean;
  /** When time alone changes the plan, epoch milliseconds. */
  readonly wakeAt?: number;
}

/** Both bounds with AWS's rounding: the lower bound up, the upper bound down (`ecs-semantics §3.3`). */
export function bounds(
  desiredCount: number,
  minimumHealthyPercent: number,
  maximumPercent: number,
): { min: number; max: number } {
  return {
    min: Math.ceil((desiredCount * minimumHealthyPercent) / 100),
    max: Math.floor((desiredCount * maximumPercent) / 100),
  };
}

/** A task that is meant to run, with what its health says at the time of the plan. */
export interface Wanted<T> {
  readonly task: T;
  readonly health: HealthView;
  /** Its node is DRAINING. */
  readonly leaving: boolean;
}

const scaling = (task: ServiceTask): StopCause => ({
  stopCode: 'ServiceSchedulerInitiated',
  stoppedReason: `Scaling activity initiated by (deployment ecs-svc/${task.deployment})`,
});

const clamp = (value: number, low: number, high: number): number => Math.max(low, Math.min(value, high));
const isHealthy = ({ health }: Wanted<unknown>): boolean => health.healthy;
const isUnhealthy = ({ health }: Wanted<unknown>): boolean => health.unhealthy;
const isLeaving = ({ leaving }: Wanted<unknown>): boolean => leaving;
const not =
  (test: (wanted: Wanted<unknown>) => boolean) =>
  (wanted: Wanted<unknown>): boolean =>
    !test(wanted);

/**
 * One pass of the scheduler. Where a rolling update may both start and stop, it starts first and stops healthy old
 * tasks one for one as new ones become healthy; it goes down to the lower bound only where that makes the room it
 * lacks (AWS leaves this open: `ecs-semantics §10.2`). Tasks on a node that is DRAINING are replaced like those of an
 * older deployment.
 */
export function planService<T extends ServiceTask>(input: ServicePlanInput<T>): ServicePlan<T> {
  const { now, desiredCount, tasks } = input;
  const { min, max } = bounds(desiredCount, input.minimumHealthyPercent, input.maximumPercent);
  const deployments = [...input.deployments].sort((a, b) => b.number - a.number);
  const primary = deployments[0] as Deployment;

  const actions: ServiceAction<T>[] = [];
  const stopping = new Set<T>();
  const stop = (task: T, cause: StopCause, because: string): void => {
    if (stopping.has(task)) return;
    stopping.add(task);
    actions.push({ kind: 'stop', task, stopCode: cause.stopCode, stoppedReason: cause.stoppedReason, because });
  };
  const drains = ({ node }: T): boolean => node !== undefined && input.draining?.has(node) === true;
  const replaced = (task: T): StopCause => (drains(task) ? DRAINING : scaling(task));

  // What ends for a reason of its own goes first: no bound holds it.
  const failing = new Map<T, Pick<Task, 'stopCause' | 'stoppingAt'>>();
  for (const task of tasks) {
    const due = stopDue(task);
    if (due === undefined) continue;
    stop(task, due, due.because);
    failing.set(task, { stopCause: due, stoppingAt: now });
  }
  for (const task of tasks) {
    if (task.ended || task.stopRequested || !drains(task) || lastStatus(task) === 'RUNNING') continue;
    stop(task, DRAINING, `it is pending, and node ${task.node} is DRAINING`);
  }

  // What nobody could place says nothing yet: changed constraints hold for it, too (`ecs-semantics §3.2`).
  for (const task of tasks) {
    if (task.unplaceable !== undefined && !task.ended && !task.stopRequested && task.placement !== input.placement)
      stop(task, scaling(task), 'no node takes it, and where tasks are placed has changed since');
  }

  const live = tasks.filter((task) => !task.ended);
  const graceMs = input.healthCheckGracePeriodSeconds * 1000;
  const wanted: Wanted<T>[] = live
    .filter((task) => !task.stopRequested && !stopping.has(task))
    .map((task) => ({ task, health: healthView(task, now, graceMs), leaving: drains(task) }));
  const nothingStopping = live.length === wanted.length;
  const isFresh = ({ task, leaving }: Wanted<T>): boolean => task.deployment === primary.id && !leaving;
  const fresh = wanted.filter(isFresh);
  const old = wanted.filter((one) => !isFresh(one));
  let healthy = wanted.filter(isHealthy).length;

  // How many may start: nothing beyond the upper bound, which counts every task that has not ended.
  const room = Math.max(max - live.length, 0);
  const okFresh = fresh.filter(not(isUnhealthy)).length;
  const missing = Math.max(desiredCount - okFresh, 0);
  const healthyFresh = fresh.filter(isHealthy).length;
  const uncovered = Math.max(desiredCount - healthyFresh - old.filter(not(isUnhealthy)).length, 0);
  const failed = new Set(deployments.filter((deployment) => deployment.failed).map(({ id }) => id));
  const lost = lostOfOlderDeployments(tasks, primary.id, failed, stopping, failing).slice(0, uncovered);
  const refills = lost.slice(0, room);
  const primaryTasks = tasks.filter((task) => task.deployment === primary.id);
  const breaker = input.circuitBreaker;
  const { since = 0 } = primary;
  const failures =
    breaker?.enable && !primary.completed
      ? deploymentFailures(
          primaryTasks.filter(({ createdAt }) => createdAt >= since),
          breaker,
          now,
          graceMs,
        )
      : 0;
  const threshold = breaker === undefined ? 0 : failureThreshold(breaker.thresholdConfiguration, desiredCount);
  const broken = primary.failed === true || (breaker?.enable === true && failures > 0 && failures >= threshold);
  if (broken) failed.add(primary.id);
  const throttle = startThrottle(
    failing.size === 0 ? primaryTasks : primaryTasks.map((task) => ({ ...task, ...failing.get(task) })),
  );
  const throttled = !broken && missing > 0 && throttle.until !== undefined && throttle.until > now;
  const startable = throttled || broken ? 0 : Math.min(missing, room - refills.length);

  // Surplus of the newest deployment: a lowered desired count, or unhealthy tasks whose replacement is healthy.
  const unhealthyFresh = fresh.filter(isUnhealthy);
  const replaceable = clamp(healthyFresh - (desiredCount - unhealthyFresh.length), 0, unhealthyFresh.length);
  for (const { task } of pickVictims(unhealthyFresh, now, Math.min(replaceable, fresh.length - desiredCount))) {
    stop(task, FAILED_HEALTH_CHECKS, 'its replacement is healthy');
  }
  for (const victim of pickVictims(fresh.filter(not(isUnhealthy)), now, okFresh - desiredCount)) {
    stop(victim.task, scaling(victim.task), `${okFresh} tasks are above the desired count ${desiredCount}`);
    if (victim.health.healthy) healthy--;
  }
  const isCramped = !broken && missing > 0 && room === 0 && nothingStopping;
  if (isCramped && stopping.size === 0) {
    for (const { task } of pickVictims(unhealthyFresh, now, 1)) {
      stop(task, FAILED_HEALTH_CHECKS, `its replacement has no room: ${live.length} tasks = upper bound ${max}`);
    }
  }

  // Old tasks that are not healthy do not count for the lower bound: the unhealthy go once all new ones are started,
  // those still starting once nobody needs them; either one at a time where nothing can start without their room.
  const idleOld = old.filter(not(isHealthy));
  const useless = idleOld.filter((idle) => (idle.health.unhealthy ? startable === missing : healthy >= desiredCount));
  const blocking = isCramped && stopping.size === 0 ? pickVictims(idleOld, now, 1) : [];
  for (const { task, health } of useless.length > 0 ? pickVictims(useless, now, useless.length) : blocking) {
    stop(
      task,
      health.unhealthy ? FAILED_HEALTH_CHECKS : replaced(task),
      `a task of ${drains(task) ? 'a DRAINING node' : 'an older deployment'} that is not healthy`,
    );
  }

  // Healthy old tasks. One that leaves a DRAINING node makes no room there for a task that finds no node.
  const healthyOld = old.filter(isHealthy);
  const unplaceable = fresh.filter(({ task }) => task.unplaceable !== undefined).length;
  const shortOfRoom = broken ? 0 : (throttled ? 0 : missing - startable) + unplaceable;
  const spare = Math.max(healthy - Math.max(desiredCount, min), Math.min(healthy - min, shortOfRoom));
  const roomOnly = unplaceable > 0 && healthy <= Math.max(desiredCount, min);
  const victims = roomOnly ? healthyOld.filter(not(isLeaving)) : healthyOld;
  for (const { task, leaving } of pickVictims(victims, now, spare)) {
    const because = leaving ? `node ${task.node} is DRAINING, and ` : '';
    stop(task, replaced(task), `${because}${healthy} healthy tasks are above the lower bound ${min}`);
    healthy--;
  }

  for (const task of refills) {
    const seat = { slot: task.slot, generation: task.generation + 1 };
    actions.push({
      kind: 'start',
      deployment: task.deployment,
      seat,
      because: `task ${task.id} of this deployment ended`,
    });
  }
  for (const seat of nextSeats(primaryTasks, startable)) {
    const because = `${okFresh} of ${desiredCount} desired tasks exist`;
    actions.push({ kind: 'start', deployment: primary.id, seat, because });
  }

  const steady =
    !broken &&
    stopping.size === 0 &&
    lost.length === 0 &&
    live.length === fresh.length &&
    healthyFresh === fresh.length &&
    fresh.length === desiredCount;
  const blockedBy = steady
    ? ''
    : whatBlocks({
        broken,
        throttled: throttled ? throttle : undefined,
        missing,
        startable,
        live: live.length,
        max,
        healthy,
        min,
        healthyOld: healthyOld.length,
        coming: okFresh - healthyFresh,
        actions: actions.length,
      });

  return {
    actions,
    deployments: deployments.map((deployment) => {
      const isPrimary = deployment === primary;
      const own = wanted.filter(({ task }) => task.deployment === deployment.id && !stopping.has(task));
      const runningCount = own.filter(({ task }) => lastStatus(task) === 'RUNNING').length;
      const starts = actions.filter((action) => action.kind === 'start' && action.deployment === deployment.id).length;
      const waiting = lost.filter((task) => task.deployment === deployment.id).length;
      const exists = live.some((task) => task.deployment === deployment.id) || waiting > 0;
      return {
        id: deployment.id,
        status: isPrimary ? 'PRIMARY' : exists ? 'ACTIVE' : 'INACTIVE',
        desiredCount: isPrimary ? desiredCount : own.length + waiting,
        pendingCount: own.length - runningCount + starts,
        runningCount,
        failedTasks: isPrimary ? Math.max(throttle.failures, failures) : 0,
        completed: deployment.completed || (isPrimary && steady),
        failed: failed.has(deployment.id),
        blockedBy: isPrimary ? blockedBy : '',
      };
    }),
    steady,
    startImpaired: throttled,
    unplaceable: wanted.find(({ task }) => task.unplaceable !== undefined)?.task.unplaceable,
    stuck:
      actions.length === 0 &&
      old.some(({ task }) => task.deployment !== primary.id) &&
      !throttled &&
      !broken &&
      nothingStopping &&
      wanted.every(isHealthy),
    wakeAt: earliest([...wanted.map(({ health }) => health.changesAt), throttled ? throttle.until : undefined]),
  };
}

function earliest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : known.reduce((a, b) => Math.min(a, b));
}

/**
 * The newest task of each slot of an older deployment that ended by itself, or is about to: it is replaced on its own
 * revision (`ecs-semantics §3.4`, since November 2025) for as long as its deployment still has a task.
 */
function lostOfOlderDeployments<T extends ServiceTask>(
  tasks: readonly T[],
  primary: string,
  failed: ReadonlySet<string>,
  stopping: ReadonlySet<T>,
  failing: { has(task: T): boolean },
): T[] {
  const gone = (task: T): boolean => task.ended || task.stopRequested || stopping.has(task);
  const older = Map.groupBy(
    tasks.filter((task) => task.deployment !== primary && !failed.has(task.deployment)),
    (task) => task.deployment,
  );
  return [...older.values()]
    .filter((deployment) => !deployment.every(gone))
    .flatMap((deployment) => newestOfSlots(deployment))
    .filter((task) => task.ended || task.stopRequested || failing.has(task))
    .filter((task) => task.stopCause?.stopCode !== 'ServiceSchedulerInitiated');
}
