/** JobQueue: whether its jobs can run, what waits in it, and what keeps the first of them waiting. */
import type { JobQueueSpec, JobQueueStatus } from '../api/job-queue.ts';
import { jobQueues } from '../api/meta.ts';
import { arnName } from '../api/names.ts';
import type { Blocked } from '../batch/dispatch.ts';
import { lastStatus } from '../ecs/task.ts';
import type { Requeue } from '../kube/controller.ts';
import { jobQueueFieldSupport } from '../pod/field-support.ts';
import { frontOfQueue } from './batch/front-of-queue.ts';
import { ensureIsolation, type IsolationProblem } from './batch/isolation-objects.ts';
import { keyOfQueue } from './batch/queues.ts';
import { type ConditionInput, kstatus, rfc3339, withTimes } from './conditions.ts';
import { computeEnvironmentOf, jobQueueNameOf, jobQueueOf } from './queue-names.ts';
import { splitKey } from './records.ts';
import type { JobQueueRecord, Runtime, Stores } from './runtime.ts';

/** What the shares have used is written this often at most: it changes all the time. */
const SHARES_MS = 10_000;

export async function reconcileJobQueue(runtime: Runtime, key: string): Promise<Requeue> {
  const { stores, barriers } = runtime;
  const [namespace, name] = splitKey(key);
  const queue = stores.jobQueues.get(namespace, name);
  if (queue === undefined || queue.deleting) return {};
  const unseen = barriers.jobQueues.pending(queue.uid);
  if (unseen !== undefined) return { requeueWhen: unseen };
  const now = runtime.now();
  const { spec } = queue;
  const closed =
    spec?.kubernetes.isolation === undefined
      ? undefined
      : await ensureIsolation(runtime, { ...queue, kind: jobQueues });
  // The caches bring it back: until then it is what it was.
  if (closed?.waiting) return {};
  const conditions =
    spec === undefined
      ? kstatus('stalled', 'InvalidSpec', queue.problem ?? 'the spec is not valid')
      : verdictOf(runtime, queue, spec, closed);
  const isValid = conditions.some(({ type, status }) => type === 'Ready' && status);
  const blocked = blockedOf(queue, runtime.queueing.dispatcher.headOf(key), now, stores);
  const { frontOfQueue: front, againInMs = Infinity } = frontOfQueue(runtime, queue, key, now);
  const status: JobQueueStatus = {
    observedGeneration: queue.generation,
    status: isValid ? 'VALID' : 'INVALID',
    ...(!isValid && { statusReason: conditions[0]?.message }),
    ...countsOf(runtime, key),
    ...(front !== undefined && { frontOfQueue: front }),
    ...(blocked !== undefined && { blocked }),
    ...sharesOf(runtime, queue, now),
    fieldSupport: spec === undefined ? [] : jobQueueFieldSupport(spec),
    conditions: withTimes(conditions, queue.status.conditions, queue.generation, now),
  };
  // The time at the head of the queue counts from when it is written: at once.
  const before = queue.status.blocked;
  const urgent =
    before?.job !== blocked?.job || before?.reason !== blocked?.reason || queue.status.status !== status.status;
  const wait = await runtime.statuses.jobQueues.write(queue, status, { urgent, now });
  const again = Math.min(wait > 0 ? wait : Infinity, againInMs, closed?.retryAfterMs ?? Infinity);
  return Number.isFinite(again) ? { requeueAfterMs: again } : {};
}

function verdictOf(
  { stores, seesComputeEnvironments }: Runtime,
  queue: JobQueueRecord,
  spec: JobQueueSpec,
  closed: IsolationProblem | undefined,
): ConditionInput[] {
  const awsName = jobQueueNameOf(queue);
  const holder = jobQueueOf(stores, queue.namespace, awsName);
  if (holder !== undefined && holder.uid !== queue.uid) {
    const message = `queue "${awsName}" is the older JobQueue ${holder.name}: delete one of them, or give it another spec.jobQueueName`;
    return kstatus('stalled', 'NameTaken', message);
  }
  if (!seesComputeEnvironments()) {
    const message = 'this operator sees no compute environments: it needs the right to watch them, and all namespaces';
    return kstatus('stalled', 'ComputeEnvironmentsNotSeen', message);
  }
  for (const [at, { computeEnvironment }] of spec.computeEnvironmentOrder.entries()) {
    const field = `spec.computeEnvironmentOrder[${at}].computeEnvironment`;
    const environment = computeEnvironmentOf(stores, arnName(computeEnvironment));
    if (environment === undefined)
      return kstatus('reconciling', 'ComputeEnvironmentNotFound', `${field}: "${computeEnvironment}" is not there`);
    const { namespaces = [] } = environment.spec?.kubernetes ?? {};
    if (namespaces.length > 0 && !namespaces.includes(queue.namespace)) {
      const message = `${field}: "${computeEnvironment}" does not take jobs of namespace ${queue.namespace}: its spec.kubernetes.namespaces are ${namespaces.join(', ')}`;
      return kstatus('stalled', 'ComputeEnvironmentNotAllowed', message);
    }
  }
  if (closed !== undefined)
    return kstatus('reconciling', 'NotIsolated', `spec.kubernetes.isolation: no job may start: ${closed.message}`);
  const state = spec.state === 'ENABLED' ? 'takes jobs' : 'takes no new jobs, and goes on with those it has';
  return kstatus('ready', spec.state === 'ENABLED' ? 'Enabled' : 'Disabled', `queue "${awsName}" ${state}`);
}

function blockedOf(
  { status }: JobQueueRecord,
  head: Blocked | undefined,
  now: number,
  stores: Stores,
): JobQueueStatus['blocked'] {
  if (head === undefined) return undefined;
  const { job, reason, message } = head;
  const before = status.blocked;
  const since = before?.job === job && before.reason === reason ? before.since : rfc3339(now);
  const name = stores.batchJobs.by('uid', job)[0]?.name ?? '';
  return { job, name, reason, message: message.slice(0, 1024), since };
}

function countsOf(
  { stores, queueing }: Runtime,
  key: string,
): Pick<JobQueueStatus, 'runnable' | 'starting' | 'running'> {
  const counts = { runnable: 0, starting: 0, running: 0 };
  for (const { count } of queueing.dispatcher.waitingIn(key)) counts.runnable += count;
  for (const task of stores.tasks.by('jobQueue', key)) {
    const status = lastStatus(task);
    if (status === 'PROVISIONING') counts.runnable++;
    else if (status === 'PENDING') counts.starting++;
    else counts.running++;
  }
  return counts;
}

function sharesOf({ queueing }: Runtime, queue: JobQueueRecord, now: number): Pick<JobQueueStatus, 'shares'> {
  if (queue.spec?.schedulingPolicy?.fairsharePolicy === undefined) return {};
  const before = queue.status.shares ?? [];
  const usage = queueing.dispatcher.sharesOf(keyOfQueue(queue));
  const isSame =
    usage.size === before.length &&
    before.every(({ shareIdentifier, activeVcpus }) => usage.get(shareIdentifier)?.inUse === activeVcpus);
  const writtenAt = Math.max(...before.map(({ updatedAt }) => Date.parse(updatedAt)), 0);
  const isIdle = isSame && before.every(({ activeVcpus }) => activeVcpus === 0);
  if (isIdle || (before.length > 0 && now - writtenAt < SHARES_MS)) return { shares: before };
  return {
    shares: [...usage]
      .map(([shareIdentifier, { average, inUse, at }]) => ({
        shareIdentifier,
        averageVcpus: Math.round(average * 1000) / 1000,
        activeVcpus: inUse,
        updatedAt: rfc3339(at),
      }))
      .sort((a, b) => (a.shareIdentifier < b.shareIdentifier ? -1 : 1)),
  };
}
