/** On which nodes a daemon task starts now, and of which deployment. */
import { type DaemonTask, nodeOf, nodeSlot } from './daemon-node.ts';
import type { Start } from './service-plan.ts';
import { holds, lostOfOlderDeployments, type ServiceStarts } from './service-starts.ts';
import type { DeploymentVerdict } from './service-verdict.ts';
import { isHealthy, isUnhealthy, not, type ServiceView, tasksOf } from './service-view.ts';
import { startThrottle } from './start-throttle.ts';

/**
 * A node that lost its task gets one of the newest deployment: it would be the next to be updated. While that one may not
 * start any, it gets one of the deployment that it had.
 * @param active nodes that are to have a task.
 */
export function daemonStarts<T extends DaemonTask>(
  view: ServiceView<T>,
  { broken, throttle }: DeploymentVerdict,
  active: ReadonlySet<string>,
): ServiceStarts<T> {
  const { primary, desiredCount, fresh } = view;
  const exist = fresh.filter(not(isUnhealthy)).length;
  const missing = Math.max(desiredCount - exist, 0);
  const throttled = !broken && missing > 0 && holds(throttle, view.now);

  const onNode = Map.groupBy(view.tasks, nodeOf);
  const taken = new Set(view.live.map(nodeOf));
  const vacant = [...active].filter((node) => !taken.has(node)).sort();
  const isHeld = broken || throttled;
  const wantedAgain = new Set(isHeld ? lostOfOlderDeployments(view) : []);
  const throttles = new Map(
    [...wantedAgain].map(({ deployment }) => [deployment, startThrottle(tasksOf(view, deployment))]),
  );
  const lost: T[] = [];
  const actions: Start[] = [];
  let refills = 0;
  for (const node of vacant) {
    const there = onNode.get(node) ?? [];
    const last = newest(there, primary.id);
    const isLost = last !== undefined && wantedAgain.has(last);
    if (isLost) lost.push(last);
    if (isLost ? holds(throttles.get(last.deployment), view.now) : isHeld) continue;
    if (isLost) refills++;
    const deployment = isLost ? last.deployment : primary.id;
    const before = there.filter((task) => task.deployment === deployment).map(({ generation }) => generation);
    actions.push({
      kind: 'start',
      deployment,
      seat: { slot: nodeSlot(node), generation: Math.max(0, ...before) + 1 },
      node,
      because: isLost ? `task ${last.id} of this deployment on node ${node} ended` : `node ${node} has no task`,
    });
  }
  const startable = actions.length - refills;
  return {
    actions,
    missing,
    startable,
    throttled,
    lost,
    refills,
    throttle: throttled ? throttle : [...throttles.values()].find((one) => holds(one, view.now)),
    coming: fresh.filter((one) => not(isUnhealthy)(one) && !isHealthy(one)).length + startable,
    cramped: false,
  };
}

/** Times of creation have whole seconds: the newest deployment's comes last. */
const newest = <T extends DaemonTask>(tasks: readonly T[], primary: string): T | undefined =>
  tasks.reduce<T | undefined>((last, task) => {
    if (last === undefined || task.createdAt > last.createdAt) return task;
    return task.createdAt === last.createdAt && task.deployment === primary ? task : last;
  }, undefined);
