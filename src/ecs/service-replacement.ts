/**
 * Which old tasks make place for new ones: those of older deployments, and those on nodes that are DRAINING
 * (`ecs-semantics §3.3, §3.12`).
 */
import type { ServiceTask, Stop } from './service-plan.ts';
import type { ServiceStarts } from './service-starts.ts';
import type { DeploymentVerdict } from './service-verdict.ts';
import { isHealthy, isLeaving, not, replaced, type ServiceView, stopOf, type Wanted } from './service-view.ts';
import { pickVictims } from './victims.ts';

/** @param surplus what else of the service is stopped now. */
export function oldTaskStops<T extends ServiceTask>(
  view: ServiceView<T>,
  starts: ServiceStarts<T>,
  verdict: DeploymentVerdict,
  surplus: readonly Stop<T>[],
): Stop<T>[] {
  const surplusTasks = new Set(surplus.map(({ task }) => task));
  const healthy = view.wanted.filter((one) => isHealthy(one) && !surplusTasks.has(one.task)).length;
  const idle = idleOldStops(view, starts, healthy, surplus.length === 0);
  return [...idle, ...healthyOldStops(view, starts, verdict, healthy, surplus.length + idle.length)];
}

/**
 * Old tasks that are not healthy do not count for the lower bound: the unhealthy go once all new ones are started,
 * those still starting once nobody needs them; either one at a time where nothing can start without their room. One
 * that is starting may stay while a new one is: with that one's health the rollout goes on anyway.
 */
function idleOldStops<T extends ServiceTask>(
  { old, desiredCount, now, balance }: ServiceView<T>,
  { startable, missing, cramped, coming }: ServiceStarts<T>,
  healthy: number,
  nothingElse: boolean,
): Stop<T>[] {
  const idle = old.filter(not(isHealthy));
  const useless = idle.filter(({ health }) => (health.unhealthy ? startable === missing : healthy >= desiredCount));
  const inTheWay = cramped && nothingElse ? idle.filter(({ health }) => health.unhealthy || coming === 0) : [];
  const victims =
    useless.length > 0 ? pickVictims(useless, now, useless.length, balance) : pickVictims(inTheWay, now, 1, balance);
  return victims.map((one) =>
    stopOf(
      one.task,
      one.health.failure ?? replaced(one),
      `a task of ${one.leaving ? 'a DRAINING node' : 'an older deployment'} that is not healthy`,
    ),
  );
}

/**
 * Healthy old tasks stop one for one as new ones become healthy; they go down to the lower bound only where that makes
 * the room that is lacking. One that leaves a DRAINING node makes no room there for a task that finds no node.
 * @param healthy those that no other rule stops.
 * @param ending so many others are stopped now, and make room.
 */
function healthyOldStops<T extends ServiceTask>(
  { old, fresh, live, wanted, desiredCount, min, max, now, balance }: ServiceView<T>,
  { missing, refills, throttled }: ServiceStarts<T>,
  { broken }: DeploymentVerdict,
  healthy: number,
  ending: number,
): Stop<T>[] {
  const candidates = old.filter(isHealthy);
  const unplaceable = fresh.filter(({ task }) => task.unplaceable !== undefined).length;
  // What is stopping already makes room as well.
  const staying = wanted.length - ending;
  const lacking = throttled || missing === 0 ? 0 : Math.max(missing + refills + staying - max, 0);
  const shortOfRoom = broken ? 0 : lacking + Math.max(unplaceable - (live.length - staying), 0);
  const needed = Math.max(desiredCount, min);
  const spare = Math.max(healthy - needed, Math.min(healthy - min, shortOfRoom));
  const onlyForRoom = unplaceable > 0 && healthy <= needed;
  const victims = pickVictims(onlyForRoom ? candidates.filter(not(isLeaving)) : candidates, now, spare, balance);
  return victims.map((one: Wanted<T>, before) => {
    const because = one.leaving ? `node ${one.task.node} is DRAINING, and ` : '';
    return stopOf(
      one.task,
      replaced(one),
      `${because}${healthy - before} healthy tasks are above the lower bound ${min}`,
    );
  });
}
