/**
 * The service scheduler of DAEMON services: one task on each node that is ACTIVE and matches (`ecs-semantics §3.3, §3.12`).
 * What is the same for all services, such as health, circuit breaker and throttle, is that of `service-plan.ts`.
 */
import { daemonEndings } from './daemon-endings.ts';
import { type DaemonNode, type DaemonTask, nodeOf } from './daemon-node.ts';
import { daemonStarts } from './daemon-starts.ts';
import { daemonStops } from './daemon-stops.ts';
import { withProtection } from './protection.ts';
import { withReplaced } from './replaces.ts';
import type { ServicePlan, ServicePlanInput } from './service-plan.ts';
import { servicePlan } from './service-report.ts';
import { deploymentVerdict } from './service-verdict.ts';
import { isHealthy, type ServiceView, serviceView, type Wanted } from './service-view.ts';

export interface DaemonPlanInput<T extends DaemonTask>
  extends Omit<ServicePlanInput<T>, 'desiredCount' | 'maximumPercent' | 'draining'> {
  /** Every node of the cluster by its name. */
  readonly nodes: ReadonlyMap<string, DaemonNode>;
  /** Names of nodes with tasks that are no daemons: on a DRAINING one daemons wait for their end. */
  readonly busy: ReadonlySet<string>;
}

/** A node has one task, whatever its state: the next one starts when it has ended. */
const MAXIMUM_PERCENT = 100;

/**
 * One pass of the scheduler. A rolling update takes as many nodes at a time as the lower bound lets it, and on each stops
 * the old task before it starts the new one. Nodes that come, leave or change start and stop tasks at once: no bound
 * holds that, as none holds a change of desiredCount.
 */
export function planDaemon<T extends DaemonTask>(given: DaemonPlanInput<T>): ServicePlan<T> {
  const active = new Set([...given.nodes].filter(([, state]) => state === 'active').map(([name]) => name));
  const input = { ...given, desiredCount: active.size, maximumPercent: MAXIMUM_PERCENT };
  const ending = daemonEndings(given);
  const view = onNodes(serviceView<T>(input, ending), active);
  const verdict = deploymentVerdict(input, view);
  const starts = daemonStarts(view, verdict, active);
  const stops = daemonStops(view, starts, verdict);
  const plan = servicePlan(view, starts, verdict, [...ending, ...stops, ...withReplaced(view, starts.actions)]);
  // A node with a protected task has no room for a new one: it is not waited for before protection is to blame.
  const held = view.old.filter(({ task }) => (task.protectedUntil ?? 0) > view.now).length;
  return withProtection(plan, { ...view, desiredCount: view.desiredCount - held });
}

/**
 * Only tasks on nodes that are to have one count for the bounds; all are shown. One that stays elsewhere, for a while or
 * for good, keeps nothing from its steady state; one that stops does.
 */
function onNodes<T extends DaemonTask>(view: ServiceView<T>, active: ReadonlySet<string>): ServiceView<T> {
  const counts = (task: T): boolean => active.has(nodeOf(task));
  const counted = view.wanted.filter(({ task }) => counts(task));
  const going = new Set(view.live).difference(new Set(view.wanted.map(({ task }) => task)));
  const isFresh = ({ task }: Wanted<T>): boolean => task.deployment === view.primary.id;
  return {
    ...view,
    live: view.live.filter((task) => counts(task) || going.has(task)),
    fresh: counted.filter(isFresh),
    old: counted.filter((one) => !isFresh(one)),
    healthy: counted.filter(isHealthy).length,
    nothingStopping: ![...going].some(counts),
  };
}
