/** What a plan of the service scheduler must never do, and what it must do, said without the planner's own notions. */
import { lastStatus, stopDue } from '../../src/ecs/task.ts';
import { type HealthView, healthView } from '../../src/ecs/task-health.ts';
import type { WorldInput, WorldPlan, WorldTask } from './service-world.ts';

interface Seen {
  readonly task: WorldTask;
  readonly health: HealthView;
  readonly isProtected: boolean;
  readonly isDraining: boolean;
}

/** @returns the rules that the plan breaks. */
export function brokenRules(input: WorldInput, plan: WorldPlan): string[] {
  const { desiredCount, now } = input;
  const min = Math.ceil((desiredCount * input.minimumHealthyPercent) / 100);
  const max = Math.floor((desiredCount * input.maximumPercent) / 100);
  const primary = input.deployments.reduce((a, b) => (b.number > a.number ? b : a));
  const live = input.tasks.filter(({ ended }) => !ended);
  const starts = plan.actions.filter((action) => action.kind === 'start');
  const stops = plan.actions.filter((action) => action.kind === 'stop');
  const stopped = new Set(stops.map(({ task }) => task));
  const drains = ({ node }: WorldTask): boolean => node !== undefined && input.draining?.has(node) === true;
  /** It has to go whatever the bounds say: it ends by itself, or waits where it cannot run. */
  const mustGo = (task: WorldTask): boolean =>
    stopDue(task) !== undefined ||
    (drains(task) && lastStatus(task) !== 'RUNNING') ||
    (task.unplaceable !== undefined && task.placement !== input.placement);
  const wanted: Seen[] = live
    .filter((task) => !task.stopRequested && !mustGo(task))
    .map((task) => ({
      task,
      health: healthView(task, now, input.healthCheckGracePeriodSeconds * 1000),
      isProtected: task.protectedUntil !== undefined && task.protectedUntil > now,
      isDraining: drains(task),
    }));
  const isFresh = ({ task, isDraining }: Seen): boolean => task.deployment === primary.id && !isDraining;
  const healthy = wanted.filter(({ health }) => health.healthy);
  const fresh = wanted.filter(isFresh);
  const useful = fresh.filter(({ health }) => !health.unhealthy);
  const old = wanted.filter((one) => !isFresh(one));
  const free = (seen: Seen): boolean => !seen.isProtected;
  const isFailed = primary.failed === true || plan.deployments[0]?.failed === true;
  const blockedBy = plan.deployments[0]?.blockedBy ?? '';
  const room = max - live.length;
  const missing = desiredCount - useful.length;
  const nothingStopping = live.every(({ stopRequested }) => !stopRequested) && live.length === wanted.length;
  const broken: string[] = [];
  const rule = (name: string, holds: boolean): void => {
    if (!holds) broken.push(name);
  };

  rule('upper bound: what starts has room', starts.length === 0 || live.length + starts.length <= max);
  const ownStops = healthy.filter(({ task }) => stopped.has(task)).length;
  rule('lower bound: our own stops leave enough healthy tasks', ownStops === 0 || healthy.length - ownStops >= min);
  rule(
    'protected tasks that are well are left alone',
    wanted.every((seen) => free(seen) || seen.health.unhealthy || !stopped.has(seen.task)),
  );
  rule(
    'FAILED deployments launch nothing',
    starts.every(({ deployment }) => {
      const known = input.deployments.find(({ id }) => id === deployment);
      return known !== undefined && known.failed !== true && !(deployment === primary.id && isFailed);
    }),
  );
  rule(
    'what has to end is stopped',
    live.every((task) => task.stopRequested || !mustGo(task) || stopped.has(task)),
  );
  rule(
    'each task is stopped once',
    stopped.size === stops.length && stops.every(({ task }) => !task.stopRequested && !task.ended),
  );
  rule(
    'a started task has a seat of its own',
    starts.every(
      ({ deployment, seat }, i) =>
        starts.findIndex((one) => one.deployment === deployment && one.seat.slot === seat.slot) === i &&
        input.tasks.every(
          (task) =>
            task.deployment !== deployment ||
            task.slot !== seat.slot ||
            ((task.ended || task.stopRequested || mustGo(task)) && task.generation < seat.generation),
        ),
    ),
  );
  const startsOfPrimary = starts.filter(({ deployment }) => deployment === primary.id).length;
  rule('no more tasks than desired', startsOfPrimary === 0 || useful.length + startsOfPrimary <= desiredCount);
  rule(
    'an older deployment gets back at most what it lost',
    starts.every(
      ({ deployment, seat }) =>
        deployment === primary.id ||
        input.tasks.some(
          (task) =>
            task.deployment === deployment && task.slot === seat.slot && task.generation === seat.generation - 1,
        ),
    ),
  );

  rule(
    'what never gets to run is not started again at once',
    starts.every(
      ({ deployment }) =>
        !failsToStart(
          input.tasks.filter((task) => task.deployment === deployment),
          now,
        ),
    ),
  );

  // Progress.
  const held = isFailed || plan.startImpaired;
  rule('what is missing starts where there is room', held || missing <= 0 || room <= 0 || starts.length > 0);
  rule(
    'nothing waits for room that is there',
    held || starts.length >= Math.min(Math.max(missing, 0), Math.max(room, 0)),
  );
  const newComing = useful.some(({ task, health }) => !health.healthy && task.unplaceable === undefined);
  const surplus = useful.length - desiredCount;
  rule(
    'surplus stops',
    surplus <= 0 ||
      stops.length > 0 ||
      useful.every((seen) => !free(seen) || (seen.health.healthy && healthy.length <= min)),
  );
  rule(
    'old tasks stop once others stand in for them',
    healthy.length <= Math.max(desiredCount, min) ||
      !old.some((seen) => seen.health.healthy && free(seen)) ||
      stops.length > 0,
  );
  rule(
    'room is made where none is left',
    held ||
      missing <= 0 ||
      room > 0 ||
      !nothingStopping ||
      stops.length > 0 ||
      !(
        old.some((seen) => seen.health.unhealthy || (free(seen) && !seen.health.healthy && !newComing)) ||
        fresh.some(({ health }) => health.unhealthy) ||
        (healthy.length > min &&
          old.some(
            (seen) =>
              free(seen) &&
              seen.health.healthy &&
              !(seen.isDraining && fresh.some(({ task }) => task.unplaceable !== undefined)),
          ))
      ),
  );
  const coming = wanted.some(({ health }) => !health.healthy && !health.unhealthy);
  rule('whoever waits says for what', plan.steady || plan.actions.length > 0 || blockedBy !== '');
  rule(
    'something will wake it, or nothing can be done',
    plan.steady ||
      plan.actions.length > 0 ||
      coming ||
      !nothingStopping ||
      plan.wakeAt !== undefined ||
      plan.stuck ||
      isFailed ||
      blockedBy.startsWith('cannot'),
  );
  rule('what holds it back is true', isTrue(blockedBy, { live: live.length, max, healthy: healthy.length, min }));
  rule(
    'steady is steady',
    plan.steady ===
      (!isFailed &&
        plan.actions.length === 0 &&
        live.length === desiredCount &&
        fresh.length === desiredCount &&
        healthy.length === desiredCount) || lostAny(plan),
  );
  rule(
    'stuck is stuck',
    !plan.stuck ||
      (plan.actions.length === 0 && live.length >= max && healthy.length <= min) ||
      old.some((seen) => !free(seen)),
  );
  return broken;
}

/** The three newest tasks at least could not start, and the last of them gave up less than 10 s ago. */
function failsToStart(tasks: readonly WorldTask[], now: number): boolean {
  const neverRan = (task: WorldTask): boolean => task.containers.every(({ startedAt }) => startedAt === undefined);
  const newestFirst = tasks.toSorted((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
  const ran = newestFirst.findIndex((task) => !neverRan(task));
  const failed = newestFirst
    .slice(0, ran === -1 ? undefined : ran)
    .filter(
      (task) => task.stopCause?.stopCode === 'TaskFailedToStart' || stopDue(task)?.stopCode === 'TaskFailedToStart',
    );
  return failed.length >= 3 && failed.some(({ stoppingAt = now }) => now < stoppingAt + 10_000);
}

/** An older deployment waits for room to get back what it lost. */
const lostAny = (plan: WorldPlan): boolean =>
  plan.deployments
    .slice(1)
    .some(({ desiredCount, runningCount, pendingCount }) => desiredCount > runningCount + pendingCount);

/** Whether the numbers in `blockedBy` are so. */
function isTrue(
  blockedBy: string,
  is: { readonly live: number; readonly max: number; readonly healthy: number; readonly min: number },
): boolean {
  const start = /(\d+) tasks = upper bound (\d+)/.exec(blockedBy);
  const stop = /(\d+) healthy = lower bound (\d+)/.exec(blockedBy);
  return (
    (start === null || (Number(start[1]) === is.live && Number(start[2]) === is.max && is.live >= is.max)) &&
    (stop === null || (Number(stop[1]) === is.healthy && Number(stop[2]) === is.min && is.healthy <= is.min))
  );
}
