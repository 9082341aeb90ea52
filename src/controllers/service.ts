/** Service: read the caches, plan, carry the plan out, write the status, sweep what is recorded. */
import { API_VERSION, services } from '../api/meta.ts';
import { planDaemon } from '../ecs/daemon-plan.ts';
import { planService } from '../ecs/service-plan.ts';
import { stopCauseOf } from '../ecs/task.ts';
import type { Requeue } from '../kube/controller.ts';
import { slowStart } from '../kube/slow-start.ts';
import { placementId } from '../pod/placement.ts';
import { closestTo } from './closest-node.ts';
import { clusterView } from './cluster-view.ts';
import { isDaemon } from './daemons.ts';
import { alarmFailure, watchAlarms, withBakeTime } from './deployment-alarms.ts';
import { giveUp, judge } from './deployment-verdict.ts';
import { keepBudget } from './disruption-budget.ts';
import { endDrains } from './drains.ts';
import { pinImages } from './image-digests.ts';
import { drainingNodes, nodeAttributes, withNodes } from './nodes.ts';
import { splitKey } from './records.ts';
import { withinBudget } from './restart-budget.ts';
import type { Runtime, ServiceRecord } from './runtime.ts';
import { carryOut, describeFailure } from './service-actions.ts';
import {
  createDeployment,
  deploymentsOf,
  lastMade,
  markCompleted,
  markFailed,
  pruneDeployments,
  serviceNameOf,
  settleRollback,
} from './service-deployments.ts';
import { type Trouble, wantedRevision } from './service-revision.ts';
import { type ServiceStatusInput, serviceStatus } from './service-status.ts';
import { sweepService } from './service-sweep.ts';
import { templateOf } from './service-template.ts';
import { asReported, transitions } from './service-transitions.ts';
import { settleStarts } from './start-barriers.ts';
import { recordStop, sayStopped } from './tasks.ts';
import { keepNames } from './traffic/names.ts';
import { keepBindings } from './traffic/target-group-binding.ts';
import { zonesOf } from './zones.ts';

/** No node is known not to be there: nothing is started or stopped. */
const NODES_UNKNOWN: Trouble = {
  reason: 'NodesUnknown',
  message:
    'a DAEMON service has a task on each node, and the operator sees no nodes: give it the right to list and watch nodes, and all namespaces',
  stalled: true,
};

/** A core Service that somebody else made is asked for again this often: nothing tells when it goes. */
const NAMES_AGAIN_MS = 60_000;

export async function reconcileService(runtime: Runtime, key: string): Promise<Requeue> {
  const { stores, barriers } = runtime;
  const [namespace, name] = splitKey(key);
  const service = stores.services.get(namespace, name);
  // A deleted service's pods and deployments go with it: they name it as their owner.
  if (service === undefined || service.deleting) return {};
  const { uid } = service;
  const unseen =
    barriers.tasks.pending(uid) ??
    barriers.services.pending(uid) ??
    barriers.revisions.pending(uid) ??
    barriers.coreServices.pending(uid) ??
    barriers.endpointSlices.pending(uid) ??
    barriers.bindings.pending(uid);
  if (unseen !== undefined) return { requeueWhen: unseen };
  const { spec } = service;
  if (spec === undefined) {
    const trouble = { reason: 'InvalidSpec', message: service.problem ?? 'the spec is not valid', stalled: true };
    return report(runtime, service, { deployments: [], tasks: [], events: [], trouble });
  }

  const deployments = deploymentsOf(runtime, service);
  const cluster = clusterView(stores, namespace);
  const { next, names, problems, ...wanted } = wantedRevision(runtime, service, spec, cluster, deployments);
  if (next !== undefined) {
    // A Cluster that was there before the service holds for its first task as well.
    const behind = barriers.clusters.behind(uid, service.resourceVersion);
    if (behind !== undefined) return { requeueWhen: behind };
  }
  const named = await keepNames(runtime, service, cluster, deployments[0], stores.tasks.by('owner', uid), names);
  if (next !== undefined && named.trouble === undefined) {
    if (named.failure !== undefined) throw named.failure;
    await createDeployment(
      runtime,
      service,
      serviceNameOf(service),
      next,
      (lastMade(deployments)?.record.number ?? 0) + 1,
    );
    return { requeueAfterMs: 0 };
  }
  let trouble = wanted.trouble ?? named.trouble;
  const namesDue = named.trouble === undefined ? undefined : runtime.now() + NAMES_AGAIN_MS;

  const drains = await endDrains(runtime, stores.tasks.by('owner', service.uid));
  const starts = await settleStarts(runtime, stores.tasks.by('owner', service.uid));
  const tasks = withNodes(starts.tasks, runtime.nodes);
  const until = (at: number | undefined): number => (at === undefined ? Infinity : Math.max(at - runtime.now(), 0));
  const [newest, ...older] = deployments;
  if (newest === undefined) {
    const { requeueAfterMs = until(namesDue) } = await report(runtime, service, {
      deployments,
      tasks,
      events: [],
      trouble,
      problems,
    });
    if (named.failure !== undefined) throw named.failure;
    return Number.isFinite(requeueAfterMs) ? { requeueAfterMs } : {};
  }

  if (isDaemon(service) && !runtime.nodes.areKnown()) {
    trouble ??= NODES_UNKNOWN;
    return report(runtime, service, { deployments, tasks, events: [], trouble, problems });
  }

  if (await pinImages(runtime, service, cluster, newest, tasks)) return { requeueAfterMs: 0 };
  const watch = await watchAlarms(runtime, service, spec, cluster, asReported(service, newest));
  if (watch !== undefined && 'wait' in watch) return { requeueWhen: watch.wait };
  const judgement = judge(service, newest, deployments, alarmFailure(watch));
  const scheduled = {
    minimumHealthyPercent: spec.deploymentConfiguration.minimumHealthyPercent,
    healthCheckGracePeriodSeconds: spec.healthCheckGracePeriodSeconds,
    circuitBreaker: spec.deploymentConfiguration.deploymentCircuitBreaker,
    placement: placementId(spec),
    deployments: [judgement.primary, ...older],
    tasks,
    now: runtime.now(),
  } as const;
  const planned = isDaemon(service)
    ? planDaemon({
        ...scheduled,
        ...runtime.daemons.nodesFor(runtime, service, templateOf(runtime, service, newest, cluster.spec)),
      })
    : planService({
        ...scheduled,
        desiredCount: spec.desiredCount ?? 0,
        maximumPercent: spec.deploymentConfiguration.maximumPercent,
        draining: drainingNodes(tasks, runtime.nodes),
        placementStrategy: spec.placementStrategy,
        attributes: nodeAttributes(tasks, runtime.nodes, spec.placementStrategy),
        zones: zonesOf(runtime, service, spec, () => templateOf(runtime, service, newest, cluster.spec)),
      });
  const affordable = withinBudget(runtime.restarts, uid, planned);
  const { plan, watch: alarms } = await withBakeTime(runtime, service, newest, watch, affordable);

  const budget = await keepBudget(runtime, service, spec, serviceNameOf(service));
  const bound = await keepBindings(runtime, service, cluster, deployments, tasks);
  const done = await carryOut(runtime, service, cluster, deployments, plan, bound.trouble ?? bound.waiting);
  const unrecorded = tasks.filter((task) => task.ended && !task.stopRecorded);
  await slowStart(unrecorded, (task) => recordStop(runtime, task, stopCauseOf(task)));
  trouble ??= bound.trouble ?? done.blocked;
  if (done.failure !== undefined) {
    trouble = { reason: 'TaskStartFailed', message: describeFailure(done.failure), stalled: false };
  }

  // One that went in the meantime is still among the tasks that this pass saw.
  const seen = new Set(tasks.map(({ uid }) => uid));
  const departed = runtime.departed.of(service.uid).filter(({ uid }) => !seen.has(uid));
  const givesUp = plan.deployments[0]?.failed === true && !newest.failed;
  const givenUp = givesUp ? giveUp(spec, deployments, judgement.failure) : undefined;
  const refused = judgement.refused === undefined ? [] : [judgement.refused];
  const events = [
    ...done.events,
    ...transitions(
      service,
      newest,
      plan,
      givenUp,
      trouble,
      done.unlaunched,
      closestTo(runtime, plan, tasks),
      runtime.now(),
    ),
    ...refused,
  ];
  const result = await report(
    runtime,
    service,
    { plan, deployments, tasks: [...tasks, ...departed], events, trouble, problems, givenUp, alarms },
    plan.actions.length > 0 || givesUp,
  );
  const failure = done.failure ?? starts.failure ?? drains.failure ?? named.failure ?? bound.failure ?? budget.failure;
  if (failure !== undefined) throw failure;
  let sweepAt: number | undefined;
  if (result.requeueAfterMs === undefined) {
    for (const task of departed) if (!task.stopRecorded) sayStopped(runtime, task, stopCauseOf(task));
    runtime.departed.forget(uid, departed);
    if (givenUp !== undefined) {
      await markFailed(runtime, service, newest, givenUp, judgement.request);
      return { requeueAfterMs: 0 };
    }
    const last = lastMade(deployments);
    if (judgement.request !== undefined && last !== undefined)
      await settleRollback(runtime, service, last, judgement.request);
    if (plan.deployments[0]?.completed && !newest.completed) await markCompleted(runtime, newest);
    sweepAt = await sweepService(
      runtime,
      service,
      cluster.spec.retention,
      deployments,
      tasks,
      plan.operationsThrottled === true,
    );
    await pruneDeployments(runtime, deployments, new Set(tasks.map(({ deployment }) => deployment)));
  }
  const requeueAfterMs = Math.min(
    result.requeueAfterMs ?? Infinity,
    until(plan.wakeAt),
    until(starts.wakeAt),
    until(drains.wakeAt),
    until(namesDue),
    until(sweepAt),
    bound.retryAfterMs ?? Infinity,
  );
  const { asking } = alarms?.known ?? {};
  return {
    ...(Number.isFinite(requeueAfterMs) && { requeueAfterMs }),
    ...(asking !== undefined && { requeueWhen: asking }),
  };
}

/** Writes the status, or says when to. */
async function report(
  runtime: Runtime,
  service: ServiceRecord,
  content: Omit<ServiceStatusInput, 'service' | 'serviceName' | 'now'>,
  urgent = false,
): Promise<{ requeueAfterMs?: number }> {
  const now = runtime.now();
  const status = serviceStatus({ ...content, service, serviceName: serviceNameOf(service), now });
  const wait = await runtime.statuses.services.write(service, status, {
    urgent: urgent || content.events.length > 0,
    now,
  });
  if (wait > 0) return { requeueAfterMs: wait };
  const { namespace, name, uid } = service;
  const regarding = { apiVersion: API_VERSION, kind: services.kind, namespace, name, uid };
  for (const note of content.events) {
    runtime.events.record({ regarding, type: 'Normal', reason: 'ServiceEvent', action: 'Schedule', note });
  }
  return {};
}
