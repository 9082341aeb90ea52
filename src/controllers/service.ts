/** Service: read the caches, plan, carry the plan out, write the status, sweep what is recorded. */
import { ANNOTATIONS, API_VERSION, LABELS, services } from '../api/meta.ts';
import { dnsName, uniqueDnsName } from '../api/names.ts';
import { serviceEvent } from '../ecs/service-events.ts';
import { planService, type ServiceAction, type ServicePlan } from '../ecs/service-plan.ts';
import { FREE_FAILURES } from '../ecs/start-throttle.ts';
import { lastStatus, stopCauseOf, type Task } from '../ecs/task.ts';
import type { Requeue } from '../kube/controller.ts';
import { ApiError } from '../kube/errors.ts';
import { slowStart } from '../kube/slow-start.ts';
import type { PodTemplate } from '../pod/compile.ts';
import type { ObservedTask } from '../pod/observe.ts';
import { placementId } from '../pod/placement.ts';
import { tagAnnotation } from '../pod/tags.ts';
import { type ClusterView, clusterView } from './cluster-view.ts';
import { rfc3339 } from './conditions.ts';
import { keepBudget } from './disruption-budget.ts';
import { drainingNodes, withNodes } from './nodes.ts';
import { splitKey } from './records.ts';
import { blockedBy, clusterProblems } from './references.ts';
import type { Runtime, ServiceRecord } from './runtime.ts';
import {
  createDeployment,
  deploymentsOf,
  lastMade,
  markCompleted,
  markFailed,
  pruneDeployments,
  rollbackTarget,
  type ServiceDeployment,
  serviceNameOf,
  templateOf,
} from './service-deployments.ts';
import { type Trouble, wantedRevision } from './service-revision.ts';
import { DEPLOYMENT_FAILED, type ServiceStatusInput, serviceStatus } from './service-status.ts';
import { sweepService } from './service-sweep.ts';
import { settleStarts } from './start-barriers.ts';
import { prepareTemplate, TaskInputError } from './task-inputs.ts';
import { newTaskId, ownerReference, recordStop, sayStopped, startTask, stopTask, TaskNameTakenError } from './tasks.ts';

export async function reconcileService(runtime: Runtime, key: string): Promise<Requeue> {
  const { stores, barriers } = runtime;
  const [namespace, name] = splitKey(key);
  const service = stores.services.get(namespace, name);
  // A deleted service's pods and deployments go with it: they name it as their owner.
  if (service === undefined || service.deleting) return {};
  const { uid } = service;
  const unseen = barriers.tasks.pending(uid) ?? barriers.services.pending(uid) ?? barriers.revisions.pending(uid);
  if (unseen !== undefined) return { requeueWhen: unseen };
  const { spec } = service;
  if (spec === undefined) {
    const trouble = { reason: 'InvalidSpec', message: service.problem ?? 'the spec is not valid', stalled: true };
    return report(runtime, service, { deployments: [], tasks: [], events: [], trouble });
  }

  const deployments = deploymentsOf(runtime, service);
  const cluster = clusterView(stores, namespace);
  const { next, problems, ...wanted } = wantedRevision(runtime, service, spec, cluster, deployments);
  if (next !== undefined) {
    // A Cluster that was there before the service holds for its first task as well.
    const behind = barriers.clusters.behind(uid, service.resourceVersion);
    if (behind !== undefined) return { requeueWhen: behind };
    await createDeployment(
      runtime,
      service,
      serviceNameOf(service),
      next,
      (lastMade(deployments)?.record.number ?? 0) + 1,
    );
    return { requeueAfterMs: 0 };
  }
  let { trouble } = wanted;

  const starts = await settleStarts(runtime, stores.tasks.by('owner', service.uid));
  const tasks = withNodes(starts.tasks, runtime.nodes);
  const [newest, ...older] = deployments;
  if (newest === undefined) return report(runtime, service, { deployments, tasks, events: [], trouble, problems });

  const plan = planService({
    desiredCount: spec.desiredCount,
    minimumHealthyPercent: spec.deploymentConfiguration.minimumHealthyPercent,
    maximumPercent: spec.deploymentConfiguration.maximumPercent,
    healthCheckGracePeriodSeconds: spec.healthCheckGracePeriodSeconds,
    circuitBreaker: spec.deploymentConfiguration.deploymentCircuitBreaker,
    placement: placementId(spec),
    deployments: [asReported(service, newest), ...older],
    tasks,
    draining: drainingNodes(tasks, runtime.nodes),
    now: runtime.now(),
  });

  const budget = await keepBudget(runtime, service, spec, serviceNameOf(service));
  const done = await carryOut(runtime, service, cluster, deployments, plan);
  const unrecorded = tasks.filter((task) => task.ended && !task.stopRecorded);
  await slowStart(unrecorded, (task) => recordStop(runtime, task, stopCauseOf(task)));
  trouble ??= done.blocked;
  if (done.failure !== undefined) {
    trouble = { reason: 'TaskStartFailed', message: describeFailure(done.failure), stalled: false };
  }

  // One that went in the meantime is still among the tasks that this pass saw.
  const seen = new Set(tasks.map(({ uid }) => uid));
  const departed = runtime.departed.of(service.uid).filter(({ uid }) => !seen.has(uid));
  const givesUp = plan.deployments[0]?.failed === true && !newest.failed;
  const breaker = spec.deploymentConfiguration.deploymentCircuitBreaker;
  const target = givesUp ? rollbackTarget(deployments, breaker?.rollback === true) : undefined;
  const events = [...done.events, ...transitions(service, newest, plan, target, trouble)];
  const result = await report(
    runtime,
    service,
    { plan, deployments, tasks: [...tasks, ...departed], events, trouble, problems },
    plan.actions.length > 0 || givesUp,
  );
  const failure = done.failure ?? starts.failure ?? budget.failure;
  if (failure !== undefined) throw failure;
  let sweepAt: number | undefined;
  if (result.requeueAfterMs === undefined) {
    for (const task of departed) if (!task.stopRecorded) sayStopped(runtime, task, stopCauseOf(task));
    runtime.departed.forget(uid, departed);
    if (givesUp) {
      await markFailed(runtime, service, newest, target);
      return { requeueAfterMs: 0 };
    }
    if (plan.deployments[0]?.completed && !newest.completed) await markCompleted(runtime, newest);
    sweepAt = await sweepService(runtime, service, cluster.spec.retention, deployments, tasks);
    await pruneDeployments(runtime, deployments, new Set(tasks.map(({ deployment }) => deployment)));
  }
  const until = (at: number | undefined): number => (at === undefined ? Infinity : Math.max(at - runtime.now(), 0));
  const requeueAfterMs = Math.min(
    result.requeueAfterMs ?? Infinity,
    until(plan.wakeAt),
    until(starts.wakeAt),
    until(sweepAt),
  );
  return Number.isFinite(requeueAfterMs) ? { requeueAfterMs } : {};
}

/** A rollout is over, or has failed, once the status says so; the mark on its ControllerRevision may not be there yet. */
function asReported(service: ServiceRecord, deployment: ServiceDeployment): ServiceDeployment {
  const { status, rolloutState } = reportedOf(service, deployment) ?? {};
  const was = (state: string): boolean => status === 'PRIMARY' && rolloutState === state;
  return {
    ...deployment,
    completed: deployment.completed || was('COMPLETED'),
    failed: deployment.failed || was('FAILED'),
  };
}

const reportedOf = (service: ServiceRecord, deployment: ServiceDeployment) =>
  service.status.deployments?.find(({ id }) => id === `ecs-svc/${deployment.id}`);

interface Done {
  /** Event texts of what was done. */
  readonly events: string[];
  /** The first write that the API server refused; what came before it stands. */
  readonly failure?: unknown;
  /** Why tasks that are wanted were not started. */
  readonly blocked?: Trouble;
}

async function carryOut(
  runtime: Runtime,
  service: ServiceRecord,
  cluster: ClusterView,
  deployments: readonly ServiceDeployment[],
  plan: ServicePlan<ObservedTask>,
): Promise<Done> {
  const key = `${service.namespace}/${service.name}`;
  const serviceName = serviceNameOf(service);
  const started: string[] = [];
  const stopped: ObservedTask[] = [];
  const events: string[] = [];
  let failure: unknown;
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      failure ??= error;
    }
  };

  const stops = plan.actions.filter((action) => action.kind === 'stop');
  await attempt(() =>
    slowStart(stops, async (action) => {
      logAction(runtime, key, action);
      await stopTask(runtime, action.task, action);
      if (action.stopCode === 'ServiceSchedulerInitiated') stopped.push(action.task);
    }),
  );
  const starts = plan.actions.filter((action) => action.kind === 'start');
  const clusterName = cluster.name ?? service.namespace;
  let blocked: Trouble | undefined;
  for (const id of new Set(starts.map(({ deployment }) => deployment))) {
    const own = starts.filter((action) => action.deployment === id);
    const deployment = deployments.find((known) => known.id === id);
    if (deployment === undefined) continue;
    const template = templateOf(runtime, service, deployment, cluster.spec);
    const because = blockedBy([...clusterProblems(cluster), ...template.problems]);
    blocked ??= because;
    if (because !== undefined) continue;
    await attempt(async () => {
      const prepared = await prepareTemplate(runtime, service.namespace, cluster, template);
      await slowStart(own, async (action) => {
        logAction(runtime, key, action);
        started.push(await start(runtime, service, serviceName, deployment, prepared, clusterName, action));
      });
    });
  }

  if (started.length > 0) events.push(serviceEvent.started(serviceName, started));
  const isPending = (task: Task): boolean => lastStatus(task) !== 'RUNNING';
  const pending = stopped.filter(isPending);
  const running = stopped.filter((task) => !isPending(task));
  if (pending.length > 0) events.push(serviceEvent.stoppedPending(serviceName, pending.length));
  if (running.length > 0)
    events.push(
      serviceEvent.stoppedRunning(
        serviceName,
        running.map(({ id }) => id),
      ),
    );
  return { events, failure, ...(blocked !== undefined && { blocked }) };
}

function start(
  runtime: Runtime,
  service: ServiceRecord,
  serviceName: string,
  deployment: ServiceDeployment,
  template: PodTemplate,
  clusterName: string,
  { seat }: Extract<ServiceAction<ObservedTask>, { kind: 'start' }>,
): Promise<string> {
  // `<service>-<deployment>-<slot>-<generation>`, at most 63 characters, since it becomes the host name.
  const stem = uniqueDnsName(serviceName, 40);
  return startTask(runtime, template, {
    namespace: service.namespace,
    name: `${stem}-${BigInt(deployment.id).toString(36).slice(-6)}-${seat.slot}-${seat.generation}`,
    task: newTaskId(),
    labels: { [LABELS.service]: dnsName(serviceName), [LABELS.deployment]: deployment.id },
    annotations: {
      [ANNOTATIONS.service]: serviceName,
      ...(service.spec && tagAnnotation(service.spec, template.tags, { clusterName, serviceName })),
    },
    owner: ownerReference(services, service),
  });
}

function logAction(runtime: Runtime, service: string, action: ServiceAction<ObservedTask>): void {
  const { kind, because } = action;
  if (kind === 'start')
    runtime.logger.info({ service, deployment: action.deployment, slot: action.seat.slot }, `start: ${because}`);
  else runtime.logger.info({ service, task: action.task.id, stopCode: action.stopCode }, `stop: ${because}`);
}

/** Events for what the plan says has come true since the last status. */
function transitions(
  service: ServiceRecord,
  newest: ServiceDeployment,
  plan: ServicePlan<ObservedTask>,
  target: ServiceDeployment | undefined,
  trouble: Trouble | undefined,
): string[] {
  const name = serviceNameOf(service);
  const was = (reason: string): boolean =>
    service.status.conditions?.some((condition) => condition.type === 'Ready' && condition.reason === reason) ?? false;
  const texts: string[] = [];
  const reported = asReported(service, newest);
  if (plan.deployments[0]?.failed && !reported.failed) {
    texts.push(serviceEvent.deploymentFailed(name, newest.id));
    if (target !== undefined) texts.push(serviceEvent.rollingBack(name, target.id));
  }
  const completes = plan.steady && !reported.completed;
  if (completes) texts.push(serviceEvent.deploymentCompleted(name, newest.id));
  // The conditions then tell the trouble, not what the plan found: it would seem new each time.
  if (trouble !== undefined) return texts;
  // A rollout whose every status a crash swallowed ends in a steady state all the same.
  if (completes || (plan.steady && !was('SteadyState') && !was(DEPLOYMENT_FAILED)))
    texts.push(serviceEvent.steadyState(name));
  if (plan.stuck && !was('DeploymentBlocked')) texts.push(serviceEvent.stuck(name));
  if (plan.unplaceable !== undefined && !was('TaskPlacementFailed')) texts.push(serviceEvent.unplaceable(name));
  // Once a throttled phase (`ecs-semantics §3.7`), which the tasks tried in between do not end.
  if (plan.startImpaired && !saidSinceThrottled(service, newest, serviceEvent.startImpaired(name))) {
    texts.push(serviceEvent.startImpaired(name));
  }
  return texts;
}

/** The failures in a row that the status counts are those of the phase that the text was about. */
function saidSinceThrottled(service: ServiceRecord, newest: ServiceDeployment, text: string): boolean {
  const inPhase = (reportedOf(service, newest)?.failedTasks ?? 0) >= FREE_FAILURES;
  const since = rfc3339(newest.createdAt);
  return (
    inPhase && service.status.events?.some(({ message, createdAt }) => message === text && createdAt >= since) === true
  );
}

function describeFailure(failure: unknown): string {
  if (failure instanceof ApiError || failure instanceof TaskNameTakenError || failure instanceof TaskInputError)
    return failure.message;
  return `the API server did not answer: ${failure instanceof Error ? failure.message : String(failure)}`;
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
