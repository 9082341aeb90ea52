/** Starting, stopping and sweeping tasks: the only place that writes pods. */
import { randomUUID } from 'node:crypto';
import { ANNOTATIONS, LABELS, type OwnerReference } from '../api/meta.ts';
import { endsDrainAt } from '../ecs/drain.ts';
import { endedEssential, type StopCause } from '../ecs/task.ts';
import { isAlreadyExists, isNotFound } from '../kube/errors.ts';
import { type KubeObject, pods } from '../kube/resource.ts';
import type { PodTemplate } from '../pod/compile.ts';
import type { ObservedTask } from '../pod/observe.ts';
import { stampPod, type TaskPod } from '../pod/stamp.ts';
import { trafficLabel } from '../traffic/registration.ts';
import { rfc3339 } from './conditions.ts';
import type { Runtime } from './runtime.ts';

/** The start of a task found its name taken by a pod of somebody else. */
export class TaskNameTakenError extends Error {
  constructor(namespace: string, name: string) {
    super(`pod ${namespace}/${name} exists and does not belong to this owner: delete or rename it`);
    this.name = 'TaskNameTakenError';
  }
}

/** 32 hex digits, as ECS writes task ids. */
export const newTaskId = (): string => randomUUID().replaceAll('-', '');

/**
 * Creates a task's pod. Its name is the lock: where the pod exists already (an answer was lost, or another leader was
 * faster), that one is the task.
 * The owner's next plan waits until the cache shows the pod.
 */
export async function startTask(runtime: Runtime, template: PodTemplate, pod: TaskPod): Promise<string> {
  const { client, barriers } = runtime;
  const at = { namespace: pod.namespace, name: pod.name };
  try {
    const created = await client.create<KubeObject>(pods, { namespace: pod.namespace }, stampPod(template, pod));
    barriers.tasks.note(pod.owner.uid, created.metadata.resourceVersion);
    return pod.task;
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const existing = await client.get<KubeObject>(pods, at);
    if (!existing.metadata.ownerReferences?.some(({ uid }) => uid === pod.owner.uid)) {
      throw new TaskNameTakenError(pod.namespace, pod.name);
    }
    barriers.tasks.note(pod.owner.uid, existing.metadata.resourceVersion);
    return existing.metadata.labels?.[LABELS.task] ?? pod.task;
  }
}

/** Lets the scheduler have a task that was made with a gate. */
export async function releaseTask(runtime: Runtime, task: ObservedTask): Promise<void> {
  const { namespace, name, uid, owner, otherGates = [] } = task;
  const schedulingGates = otherGates.map((gate) => ({ name: gate }));
  try {
    const change = { metadata: { uid }, spec: { schedulingGates } };
    const written = await runtime.client.patch<KubeObject>(pods, { namespace, name }, change);
    runtime.barriers.tasks.note(owner, written.metadata.resourceVersion);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** A deadline of one second ends a pod, and keeps it, its logs and exit codes (design §3, decision 3). */
const END = { activeDeadlineSeconds: 1 };

/**
 * Ends a task, with the reason in the same write. It leaves the traffic first: where it is a target, its end is to follow
 * at `drainingUntil` ({@link endDrain}), or comes by itself where the pause of its containers is as long.
 * A pod no kubelet has seen has nothing to keep and is deleted.
 * @param drainingUntil epoch milliseconds; absent where it does not drain.
 */
export async function stopTask(
  runtime: Runtime,
  task: ObservedTask,
  cause: StopCause,
  drainingUntil?: number,
): Promise<void> {
  const { client, barriers } = runtime;
  const at = { namespace: task.namespace, name: task.name };
  try {
    if (!task.acknowledged) {
      // One that is kept is to say why.
      if (task.tracked) await client.patch(pods, at, stopRecord(runtime, task, cause));
      return await client.delete(pods, at, { preconditions: { uid: task.uid } });
    }
    const { metadata } = stopRecord(runtime, task, cause);
    const drains = drainingUntil !== undefined && endsDrainAt(drainingUntil, task) > runtime.now();
    const written = await client.patch<KubeObject>(pods, at, {
      metadata: {
        ...metadata,
        labels: { ...metadata.labels, ...leavesTraffic(task), ...(drains && { [LABELS.lastStatus]: 'DEACTIVATING' }) },
        annotations: {
          ...metadata.annotations,
          ...(drainingUntil !== undefined && { [ANNOTATIONS.drainingUntil]: rfc3339(drainingUntil) }),
        },
      },
      ...(!drains && { spec: END }),
    });
    barriers.tasks.note(task.owner, written.metadata.resourceVersion);
    sayStopped(runtime, task, cause);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** Out of every core Service, in the write that says why. */
const leavesTraffic = ({ traffic = [] }: ObservedTask): Record<string, null> =>
  Object.fromEntries(traffic.map(({ service }) => [trafficLabel(service), null]));

/** Ends a task whose drain is over. */
export async function endDrain(runtime: Runtime, task: ObservedTask): Promise<void> {
  const { client, barriers } = runtime;
  const { namespace, name, uid } = task;
  try {
    const written = await client.patch<KubeObject>(
      pods,
      { namespace, name },
      { metadata: { uid, labels: { [LABELS.lastStatus]: null } }, spec: END },
    );
    barriers.tasks.note(task.owner, written.metadata.resourceVersion);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** An Event with the sentence of the record. What the scheduler meant to stop is in the events of its service. */
export function sayStopped(runtime: Runtime, task: ObservedTask, cause: StopCause): void {
  if (cause.stopCode === 'ServiceSchedulerInitiated') return;
  const { namespace, name, uid } = task;
  const meant = cause.stopCode === 'UserInitiated' || endedEssential(task)?.exitCode === 0;
  runtime.events.record({
    regarding: { apiVersion: 'v1', kind: pods.kind, namespace, name, uid },
    type: meant ? 'Normal' : 'Warning',
    reason: cause.stopCode,
    action: 'Stop',
    note: cause.stoppedReason,
  });
}

/** Writes on an ended task why it stopped, where nobody asked for the stop. */
export async function recordStop(runtime: Runtime, task: ObservedTask, cause: StopCause): Promise<void> {
  try {
    const at = { namespace: task.namespace, name: task.name };
    const written = await runtime.client.patch<KubeObject>(pods, at, stopRecord(runtime, task, cause));
    runtime.barriers.tasks.note(task.owner, written.metadata.resourceVersion);
    sayStopped(runtime, task, cause);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

function stopRecord(
  runtime: Runtime,
  task: ObservedTask,
  { stopCode, stoppedReason }: StopCause,
): { metadata: { uid: string; labels: Record<string, string>; annotations: Record<string, string> } } {
  const unstarted = task.containers.filter(
    ({ startFailure, startedAt, exitCode }) =>
      startFailure !== undefined && startedAt === undefined && exitCode === undefined,
  );
  const reasons = Object.fromEntries(unstarted.map(({ name, startFailure }) => [name, startFailure]));
  return {
    metadata: {
      uid: task.uid,
      labels: { [LABELS.stopped]: 'true' },
      annotations: {
        [ANNOTATIONS.stopCode]: stopCode,
        [ANNOTATIONS.stoppedReason]: stoppedReason,
        [ANNOTATIONS.stoppingAt]: rfc3339(runtime.now()),
        ...(unstarted.length > 0 && { [ANNOTATIONS.containerReasons]: JSON.stringify(reasons) }),
      },
    },
  };
}

/** The server deletes a collection's objects one after another: small enough for its request timeout. */
const SWEEP_BATCH = 100;
/** Collections at a time. */
const SWEEPS_ABREAST = 4;
/** The server gives a request a minute. */
const SWEEP_MS = 65_000;

/** Deletes pods of ended tasks whose record is in the status. */
export async function sweepTasks(runtime: Runtime, namespace: string, tasks: readonly ObservedTask[]): Promise<void> {
  const batches: string[][] = [];
  for (let from = 0; from < tasks.length; from += SWEEP_BATCH)
    batches.push(tasks.slice(from, from + SWEEP_BATCH).map(({ id }) => id));
  const sweep = async (left: Iterator<string[]>): Promise<void> => {
    for (let next = left.next(); !next.done; next = left.next()) {
      const labelSelector = `${LABELS.task} in (${next.value.join(',')})`;
      await runtime.client.deleteCollection(pods, { namespace }, { labelSelector }, { timeoutMs: SWEEP_MS });
    }
  };
  const left = batches.values();
  await Promise.all(Array.from({ length: SWEEPS_ABREAST }, () => sweep(left)));
}

export function ownerReference(
  kind: { group: string; version: string; kind: string },
  owner: { name: string; uid: string },
): OwnerReference {
  return {
    apiVersion: `${kind.group}/${kind.version}`,
    kind: kind.kind,
    name: owner.name,
    uid: owner.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}
