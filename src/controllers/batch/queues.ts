/** The queue of a job, and queues and compute environments as the dispatcher sees them (`ecs-semantics §5.9`). */
import type { ComputeEnvironmentSpec } from '../../api/compute-environment.ts';
import type { JobQueueSpec } from '../../api/job-queue.ts';
import { arnName } from '../../api/names.ts';
import { isJobOver } from '../../batch/job.ts';
import type { ObservedTask } from '../../pod/observe.ts';
import { computeEnvironmentOf, jobQueueNameOf, jobQueueOf } from '../queue-names.ts';
import type { BatchJobRecord, ComputeEnvironmentRecord, JobQueueRecord, Stores } from '../runtime.ts';
import type { Trouble } from '../service-revision.ts';
import type { Dispatcher, EnvironmentView, QueueView, Scene } from './dispatcher.ts';

export const keyOfQueue = ({ namespace, name }: JobQueueRecord): string => `${namespace}/${name}`;

export type QueueOfJob =
  /** No ceiling: it starts at once. */
  | { readonly kind: 'none' }
  | { readonly kind: 'waiting'; readonly trouble: Trouble }
  | { readonly kind: 'queue'; readonly queue: JobQueueRecord; readonly spec: JobQueueSpec };

/**
 * The queue that a job waits in. A namespace without queues has no ceilings; but a job that a queue has taken does not start
 * because the queue is gone.
 */
export function queueOf(stores: Stores, { namespace, spec, status }: BatchJobRecord): QueueOfJob {
  const queues = stores.jobQueues.by('namespace', namespace);
  const taken = status.jobQueue;
  if (queues.length === 0 && taken === undefined) return { kind: 'none' };
  const waiting = (reason: string, message: string, stalled = false): QueueOfJob => ({
    kind: 'waiting',
    trouble: { reason, message, stalled },
  });
  const name = spec?.jobQueue === undefined ? taken : arnName(spec.jobQueue);
  const others = `the queues of namespace ${namespace} are: ${queues.map(jobQueueNameOf).sort().join(', ') || 'none'}`;
  if (name === undefined) return waiting('JobQueueNotNamed', `spec.jobQueue: absent; ${others}`);
  const queue = jobQueueOf(stores, namespace, name);
  if (queue === undefined) return waiting('JobQueueNotFound', `spec.jobQueue: "${name}" is not there; ${others}`);
  if (queue.spec === undefined) return waiting('JobQueueInvalid', `JobQueue ${queue.name}: ${queue.problem ?? ''}`);
  if (queue.spec.state === 'DISABLED' && taken !== name)
    return waiting('JobQueueDisabled', `spec.jobQueue: queue "${name}" is DISABLED and takes no new jobs`);
  const isShared = queue.spec.schedulingPolicy?.fairsharePolicy !== undefined;
  const share = spec?.shareIdentifier;
  if (isShared && share === undefined)
    return waiting('ShareIdentifierRequired', `spec.shareIdentifier: absent; queue "${name}" has fair shares`, true);
  if (!isShared && share !== undefined) {
    const message = `spec.shareIdentifier: "${share}" means nothing in queue "${name}", which has no scheduling policy`;
    return waiting('ShareIdentifierNotAllowed', message, true);
  }
  return { kind: 'queue', queue, spec: queue.spec };
}

/** When jobStateTimeLimitActions cancel a job, if nothing changes before. */
export interface TimeLimit {
  /** Epoch milliseconds. */
  readonly at: number;
  /** Text: AWS (`ecs-semantics §5.14`). */
  readonly reason: string;
}

const CAPACITY = 'CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY';

/**
 * Of a job that is at the head of its queue, the time counts from when the queue's status said so; of one with attempts that
 * no node takes, from when the pod of the first of them was made.
 */
export function timeLimitOf(
  queued: QueueOfJob,
  job: BatchJobRecord,
  tasks: readonly ObservedTask[],
): TimeLimit | undefined {
  if (queued.kind !== 'queue') return undefined;
  const limit = (reason: string, since: number): TimeLimit[] =>
    queued.spec.jobStateTimeLimitActions
      .filter((action) => action.reason === reason)
      .map(({ maxTimeSeconds }) => ({
        at: since + maxTimeSeconds * 1000,
        reason: `Canceled by JobStateTimeLimit action due to reason: ${reason}`,
      }));
  const { blocked } = queued.queue.status;
  const unplaced = tasks.filter(({ unplaceable, ended }) => unplaceable !== undefined && !ended);
  const limits = [
    ...(blocked?.job === job.uid ? limit(blocked.reason, Date.parse(blocked.since)) : []),
    ...unplaced.flatMap(({ createdAt }) => limit(CAPACITY, createdAt)),
  ];
  return limits.reduce<TimeLimit | undefined>(
    (first, each) => (first !== undefined && first.at <= each.at ? first : each),
    undefined,
  );
}

/** What the dispatcher has to know of queues and environments. */
export function sceneOf(stores: Stores): Scene {
  return {
    queues: [...stores.jobQueues.values()].flatMap((queue) => queueView(stores, queue)),
    environments: [...stores.computeEnvironments.values()].flatMap((environment) => environmentView(environment)),
  };
}

function queueView(stores: Stores, queue: JobQueueRecord): QueueView[] {
  const { namespace, createdAt, spec } = queue;
  if (spec === undefined) return [];
  return [
    {
      key: keyOfQueue(queue),
      namespace,
      priority: spec.priority,
      createdAt,
      environments: spec.computeEnvironmentOrder
        .toSorted((a, b) => a.order - b.order)
        .flatMap(({ computeEnvironment }) => computeEnvironmentOf(stores, arnName(computeEnvironment))?.name ?? []),
      policy: spec.schedulingPolicy?.fairsharePolicy,
    },
  ];
}

function environmentView({ name, spec, deleting }: ComputeEnvironmentRecord): EnvironmentView[] {
  if (spec === undefined) return [];
  const { namespaces, maxMemoryMiB = Infinity } = spec.kubernetes;
  return [
    {
      name,
      isEnabled: spec.state === 'ENABLED' && !deleting,
      limit: { vcpus: maxVcpusOf(spec), memory: maxMemoryMiB },
      unmanagedVcpus: spec.unmanagedvCpus,
      ...(namespaces.length > 0 && { namespaces }),
    },
  ];
}

/** AWS does not scale an UNMANAGED one: its instances are the ceiling, and here the nodes. */
const maxVcpusOf = ({ type, computeResources }: ComputeEnvironmentSpec): number =>
  type === 'UNMANAGED' ? Infinity : (computeResources?.maxvCpus ?? Infinity);

/** Nobody may hold up all others for ever: neither twenty thousand new jobs, nor one that cannot be looked at. */
const HEARING_MS = 30_000;

/** An operator that begins knows what pods take; what jobs want they say in their first pass, and what shares have used is written. */
export function beginQueueing(stores: Stores, dispatcher: Dispatcher, now: number): void {
  for (const queue of stores.jobQueues.values()) {
    for (const { shareIdentifier, averageVcpus, updatedAt } of queue.status.shares ?? [])
      dispatcher.restore(keyOfQueue(queue), shareIdentifier, averageVcpus, Date.parse(updatedAt));
  }
  dispatcher.await(
    [...stores.batchJobs.values()].filter(({ status }) => !isJobOver(status.status)).map(({ uid }) => uid),
    now + HEARING_MS,
  );
}
