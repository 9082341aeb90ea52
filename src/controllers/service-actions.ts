/** Carries a plan of the service scheduler out: stops first, then starts, one template a deployment. */
import { ANNOTATIONS, LABELS, services } from '../api/meta.ts';
import { dnsName, uniqueDnsName } from '../api/names.ts';
import { ZONE_ATTRIBUTE } from '../ecs/balance.ts';
import { NAMED_TASKS, serviceEvent } from '../ecs/service-events.ts';
import type { ServiceAction, ServicePlan, Stop } from '../ecs/service-plan.ts';
import { lastStatus, type Task } from '../ecs/task.ts';
import { failedTargetChecks, isHealthFailure } from '../ecs/task-health.ts';
import { ApiError } from '../kube/errors.ts';
import { slowStart } from '../kube/slow-start.ts';
import type { PodTemplate } from '../pod/compile.ts';
import type { ObservedTask } from '../pod/observe.ts';
import { tagAnnotation } from '../pod/tags.ts';
import type { ClusterView } from './cluster-view.ts';
import { drainsUntil } from './drains.ts';
import { keyOf } from './records.ts';
import { blockedBy, clusterProblems } from './references.ts';
import type { Runtime, ServiceRecord } from './runtime.ts';
import { type ServiceDeployment, serviceNameOf } from './service-deployments.ts';
import type { Trouble } from './service-revision.ts';
import { templateOf } from './service-template.ts';
import { prepareTemplate, TaskInputError } from './task-inputs.ts';
import { newTaskId, ownerReference, startTask, stopTask, TaskNameTakenError } from './tasks.ts';

export interface Done {
  /** Event texts of what was done. */
  readonly events: string[];
  /** The first write that the API server refused; what came before it stands. */
  readonly failure?: unknown;
  /** Of one deployment, the tasks that the API server has not taken. */
  readonly unlaunched?: { readonly deployment: string; readonly count: number };
  /** Why tasks that are wanted were not started. */
  readonly blocked?: Trouble;
}

/**
 * @param unbound why no task may start, whichever deployment it is of.
 * @returns rather than throws what failed: what was done until then is to be reported as well.
 */
export async function carryOut(
  runtime: Runtime,
  service: ServiceRecord,
  cluster: ClusterView,
  deployments: readonly ServiceDeployment[],
  plan: ServicePlan<ObservedTask>,
  unbound: Trouble | undefined,
): Promise<Done> {
  const key = keyOf(service);
  const serviceName = serviceNameOf(service);
  const started: string[] = [];
  const moved = { to: new Map<string, string[]>(), from: new Map<string, string[]>() };
  let unhealthy = 0;
  const stopped: ObservedTask[] = [];
  const failedChecks: string[] = [];
  const registered = new Map<string, number>();
  const deregistered = new Map<string, number>();
  let draining = 0;
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
      const drainingUntil = drainsUntil(runtime, action.task);
      await stopTask(runtime, action.task, action, drainingUntil);
      if (drainingUntil !== undefined) {
        draining++;
        for (const { arn } of targetsOf(action.task)) count(deregistered, arn);
      }
      if (action.forZone === true) push(moved.from, zoneOf(runtime, action.task), action.task.id);
      else if (action.stopCode === 'ServiceSchedulerInitiated') stopped.push(action.task);
      if (isHealthFailure(action)) failedChecks.push(failedCheck(serviceName, action));
    }),
  );
  const starts = plan.actions.filter((action) => action.kind === 'start');
  const clusterName = cluster.name ?? service.namespace;
  let blocked: Trouble | undefined;
  let unlaunched: Done['unlaunched'];
  for (const id of new Set(starts.map(({ deployment }) => deployment))) {
    const own = starts.filter((action) => action.deployment === id);
    const deployment = deployments.find((known) => known.id === id);
    if (deployment === undefined) continue;
    const template = templateOf(runtime, service, deployment, cluster.spec);
    const because = blockedBy([...clusterProblems(cluster), ...template.problems]) ?? unbound;
    blocked ??= because;
    if (because !== undefined) continue;
    let launched = 0;
    await attempt(async () => {
      const prepared = await prepareTemplate(runtime, service.namespace, cluster, template);
      await slowStart(own, async (action) => {
        logAction(runtime, key, action);
        const task = await start(runtime, service, serviceName, deployment, prepared, clusterName, action);
        if (action.standIn === undefined) started.push(task);
        else push(moved.to, action.standIn.zone, task);
        launched++;
        for (const arn of template.targetGroups) count(registered, arn);
        if (action.replaces === 'unhealthy') unhealthy++;
      });
    });
    if (launched < own.length) unlaunched ??= { deployment: id, count: own.length - launched };
  }

  events.push(...failedChecks.slice(0, NAMED_TASKS));
  if (started.length > 0) events.push(serviceEvent.started(serviceName, started, unhealthy));
  for (const [arn, tasks] of registered) events.push(serviceEvent.registeredTargets(serviceName, arn, tasks));
  for (const [zone, tasks] of moved.to) events.push(serviceEvent.startedInZone(serviceName, zone, tasks));
  for (const [zone, tasks] of moved.from) events.push(serviceEvent.stoppedInZone(serviceName, zone, tasks));
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
  for (const [arn, tasks] of deregistered) events.push(serviceEvent.deregisteredTargets(serviceName, arn, tasks));
  if (draining > 0) events.push(serviceEvent.begunDraining(serviceName, draining));
  return {
    events,
    failure,
    ...(blocked !== undefined && { blocked }),
    ...(unlaunched !== undefined && { unlaunched }),
  };
}

const targetsOf = ({ containers }: Task): { readonly arn: string; readonly port: number }[] =>
  containers.flatMap(({ endpoints = [] }) =>
    endpoints.flatMap(({ arn, port }) => (arn === undefined ? [] : [{ arn, port }])),
  );

/** The kubelet tells whether a check failed, not how; a load balancer of AWS does. */
function failedCheck(service: string, { task, stoppedReason }: Stop<ObservedTask>): string {
  const target = targetsOf(task).find(({ arn }) => failedTargetChecks(arn).stoppedReason === stoppedReason);
  const gate = task.targetGates?.find(({ arn }) => arn === target?.arn);
  return target === undefined
    ? serviceEvent.failedHealthChecks(service, task.id)
    : serviceEvent.unhealthyTarget(service, task.id, {
        ...target,
        reason: gate?.description ?? 'Health checks failed',
      });
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function push(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

const zoneOf = ({ nodes }: Runtime, { node = '' }: ObservedTask): string =>
  nodes.attributeOf(node, ZONE_ATTRIBUTE) ?? '';

function start(
  runtime: Runtime,
  service: ServiceRecord,
  serviceName: string,
  deployment: ServiceDeployment,
  template: PodTemplate,
  clusterName: string,
  { seat, node, standIn }: Extract<ServiceAction<ObservedTask>, { kind: 'start' }>,
): Promise<string> {
  // `<service>-<deployment>-<slot>-<generation>`, at most 63 characters, since it becomes the host name.
  const stem = uniqueDnsName(serviceName, node === undefined ? 40 : 34);
  return startTask(runtime, template, {
    namespace: service.namespace,
    name: `${stem}-${BigInt(deployment.id).toString(36).slice(-6)}-${seat.slot}-${seat.generation}`,
    task: newTaskId(),
    labels: { [LABELS.service]: dnsName(serviceName), [LABELS.deployment]: deployment.id },
    annotations: {
      [ANNOTATIONS.service]: serviceName,
      ...(standIn !== undefined && { [ANNOTATIONS.standsInFor]: standIn.standsInFor }),
      ...(service.spec && tagAnnotation(service.spec, template.tags, { clusterName, serviceName })),
    },
    owner: ownerReference(services, service),
    node,
    zone: standIn?.zone,
  });
}

function logAction(runtime: Runtime, service: string, action: ServiceAction<ObservedTask>): void {
  const { kind, because } = action;
  if (kind === 'start')
    runtime.logger.info({ service, deployment: action.deployment, slot: action.seat.slot }, `start: ${because}`);
  else runtime.logger.info({ service, task: action.task.id, stopCode: action.stopCode }, `stop: ${because}`);
}

/** For the condition. */
export function describeFailure(failure: unknown): string {
  if (failure instanceof ApiError || failure instanceof TaskNameTakenError || failure instanceof TaskInputError)
    return failure.message;
  return `the API server did not answer: ${failure instanceof Error ? failure.message : String(failure)}`;
}
