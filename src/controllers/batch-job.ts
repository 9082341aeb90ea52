/** BatchJob: single jobs and arrays; attempts are tasks (`ecs-semantics §5`). */
import { isDeepStrictEqual } from 'node:util';
import { type BatchJobStatus, STOPPED_TASKS } from '../api/batch-job.ts';
import { ANNOTATIONS, API_VERSION, batchJobs } from '../api/meta.ts';
import { isJobOver, type JobPlan } from '../batch/job.ts';
import { planJob } from '../batch/job-plan.ts';
import { podRetention } from '../batch/pod-retention.ts';
import type { Requeue } from '../kube/controller.ts';
import { isForbidden, isNotFound } from '../kube/errors.ts';
import type { KubeObject } from '../kube/resource.ts';
import { slowStart } from '../kube/slow-start.ts';
import type { ObservedTask } from '../pod/observe.ts';
import type { TaskProblem } from '../pod/problems.ts';
import { askedOf } from './batch/asked.ts';
import { dependenciesOf, jobNameOf } from './batch/dependencies.ts';
import { launch } from './batch/launch.ts';
import { type QueueOfJob, queueOf, timeLimitOf } from './batch/queues.ts';
import { writeResults } from './batch/results.ts';
import { releaseTracked } from './batch/tracked-pods.ts';
import { isRecorded, jobRecord, jobStatus } from './batch-job-status.ts';
import { clusterView } from './cluster-view.ts';
import { withNodes } from './nodes.ts';
import { splitKey } from './records.ts';
import type { BatchJobRecord, Runtime } from './runtime.ts';
import type { Trouble } from './service-revision.ts';
import { settleStarts } from './start-barriers.ts';
import { stopTask, sweepTasks } from './tasks.ts';

export async function reconcileBatchJob(runtime: Runtime, key: string): Promise<Requeue> {
  const { stores, barriers, queueing } = runtime;
  const [namespace, name] = splitKey(key);
  const job = stores.batchJobs.get(namespace, name);
  if (job === undefined) return {};
  const unseen = barriers.tasks.pending(job.uid) ?? barriers.batchJobs.pending(job.uid);
  if (unseen !== undefined) return { requeueWhen: unseen };
  if (job.deleting) {
    queueing.dispatcher.withdraw(job.uid);
    return {};
  }
  return runtime.queueing.pass(job.uid, () => reconcileSeen(runtime, key, job));
}

/** One pass over a job of which all that it wrote is seen. */
async function reconcileSeen(runtime: Runtime, key: string, job: BatchJobRecord): Promise<Requeue> {
  const { stores, departed } = runtime;
  const { spec } = job;
  if (spec === undefined) {
    const trouble = { reason: 'InvalidSpec', message: job.problem ?? 'the spec is not valid', stalled: true };
    return report(runtime, job, { trouble });
  }

  const settled = await settleStarts(runtime, stores.tasks.by('owner', job.uid));
  const tasks = withNodes(settled.tasks, runtime.nodes);
  const gone = departed.of(job.uid);
  const record = jobRecord(job);
  const dependencies = dependenciesOf(stores, job, record.ledger.hasBegun() || tasks.length > 0 || gone.length > 0);
  const { problem: misunderstood, ...asked } = askedOf(job);
  const now = runtime.now();
  const queued = queueOf(stores, job);
  const limit = asked.cancel === undefined ? timeLimitOf(queued, job, tasks) : undefined;
  const isDue = limit !== undefined && limit.at <= now;
  const uncancelled = isDue ? await cancel(runtime, job, limit.reason) : undefined;
  if (isDue && uncancelled === undefined) return {};
  const plan = planJob<ObservedTask>({
    size: spec.arrayProperties?.size,
    retryStrategy: { ...spec.retryStrategy, attempts: spec.retryStrategy.attempts ?? 1 },
    timeoutSeconds: spec.timeout?.attemptDurationSeconds,
    record,
    tasks,
    departed: gone,
    dependencies,
    ...asked,
    now,
  });
  const refused = dependencies?.kind === 'refused' && plan.statusSummary.PENDING > 0 ? dependencies : undefined;
  const held = queued.kind === 'waiting' ? queued.trouble : undefined;
  const trouble: Trouble | undefined =
    refused === undefined
      ? (misunderstood ?? held ?? uncancelled)
      : { reason: refused.reason, message: refused.message, stalled: true };

  await slowStart(plan.stops, async (stop) => {
    runtime.logger.info({ job: key, task: stop.task.id, stopCode: stop.stopCode }, `stop: ${stop.because}`);
    await stopTask(runtime, stop.task, stop);
  });
  // It goes by what the status on the API server says, and holds up neither starts nor the next status.
  const sweeping = sweep(runtime, job, plan, tasks);
  sweeping.catch(() => {});
  const launched =
    plan.starts.length > 0 && queued.kind !== 'waiting' ? await launch(runtime, { job, queued, plan, tasks }) : {};
  if ('requeueWhen' in launched) {
    await sweeping;
    return launched;
  }

  const { requeueAfterMs = Infinity } = await report(runtime, job, { plan, trouble, queued, ...launched });
  departed.forget(
    job.uid,
    gone.filter((task) => isRecorded(job, task)),
  );
  const sweepAt = await sweeping;
  // A quota that refuses the next attempt keeps nothing else from being done.
  if (launched.failure !== undefined) throw launched.failure;
  if (settled.failure !== undefined) throw settled.failure;
  const until = (at: number | undefined): number => (at === undefined ? Infinity : Math.max(at - runtime.now(), 0));
  const limitAt = isJobOver(plan.record.status) || isDue ? undefined : limit?.at;
  const next = Math.min(requeueAfterMs, ...[plan.wakeAt, settled.wakeAt, sweepAt, limitAt].map(until));
  return Number.isFinite(next) ? { requeueAfterMs: next } : {};
}

/**
 * As a user asks for it: whoever dies after this write, the job is cancelled.
 * @returns why it is not; its change brings the job back where it is.
 */
async function cancel(runtime: Runtime, job: BatchJobRecord, reason: string): Promise<Trouble | undefined> {
  const { client, barriers, logger } = runtime;
  const { uid, namespace, name } = job;
  logger.info({ job: `${namespace}/${name}` }, `cancel: ${reason}`);
  const change = { metadata: { uid, annotations: { [ANNOTATIONS.cancel]: reason } } };
  try {
    const written = await client.patch<KubeObject>(batchJobs, { namespace, name }, change);
    barriers.batchJobs.note(uid, written.metadata.resourceVersion);
    return undefined;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    if (!isForbidden(error)) throw error;
    return { reason: 'NotCancelled', message: `jobStateTimeLimitActions: ${error.message}`, stalled: false };
  }
}

interface Report {
  readonly plan?: JobPlan<ObservedTask>;
  readonly trouble?: Trouble | undefined;
  readonly problems?: readonly TaskProblem[] | undefined;
  readonly queued?: QueueOfJob | undefined;
  /** Why not all that the plan asks for was started. */
  readonly waiting?: string | undefined;
}

async function report(runtime: Runtime, job: BatchJobRecord, content: Report): Promise<{ requeueAfterMs?: number }> {
  const now = runtime.now();
  const status = jobStatus({ ...content, job, now });
  const { results = [], isUrgent = false } = content.plan ?? {};
  const urgent = isUrgent || !isDeepStrictEqual(newsOf(status), newsOf(job.status));
  const keepsResults = job.spec?.arrayProperties !== undefined && results.length > 0;
  const before = keepsResults ? () => writeResults(runtime, job, results) : undefined;
  const wait = await runtime.statuses.batchJobs.write(job, status, { urgent, now, before });
  if (wait > 0) return { requeueAfterMs: wait };
  if (status.status !== job.status.status && isJobOver(status.status)) {
    const { namespace, name, uid } = job;
    const regarding = { apiVersion: API_VERSION, kind: batchJobs.kind, namespace, name, uid };
    const failed = status.status === 'FAILED';
    const note = `${jobNameOf(job)} ${status.status}${status.statusReason ? `: ${status.statusReason}` : ''}`;
    const reason = failed ? 'JobFailed' : 'JobSucceeded';
    runtime.events.record({ regarding, type: failed ? 'Warning' : 'Normal', reason, action: 'Finish', note });
  }
  return {};
}

/** What must not be lost to a debounced status: the state of the job, and what only a start looks at. */
const newsOf = ({ status, conditions = [] }: Partial<BatchJobStatus>): object => ({
  status,
  conditions: conditions.map(({ type, reason }) => [type, reason]),
});

/**
 * Lets go of pods whose end the status has, as the API server has it, and deletes those of them that nobody needs any more.
 * @returns when the next one is due, epoch milliseconds.
 */
async function sweep(
  runtime: Runtime,
  job: BatchJobRecord,
  plan: JobPlan<ObservedTask>,
  tasks: readonly ObservedTask[],
): Promise<number | undefined> {
  const recorded = tasks.filter((task) => task.ended && isRecorded(job, task));
  await releaseTracked(runtime, recorded);
  const { stoppedTasks = STOPPED_TASKS, stoppedTaskSeconds } = job.spec?.kubernetes?.retention ?? {};
  const { over, until } = podRetention({
    tasks: recorded,
    readable: {
      tasks: stoppedTasks,
      seconds: stoppedTaskSeconds ?? clusterView(runtime.stores, job.namespace).spec.retention.stoppedTaskSeconds,
    },
    isJobOver: isJobOver(plan.record.status),
    now: runtime.now(),
  });
  if (over.length > 0) await sweepTasks(runtime, job.namespace, over);
  return until;
}
