/** BatchJob: single jobs and arrays; attempts are tasks (`ecs-semantics §5`). */
import { isDeepStrictEqual } from 'node:util';
import { type BatchJobStatus, STOPPED_TASKS } from '../api/batch-job.ts';
import { API_VERSION, batchJobs } from '../api/meta.ts';
import { isJobOver, type JobPlan } from '../batch/job.ts';
import { planJob } from '../batch/job-plan.ts';
import { podRetention } from '../batch/pod-retention.ts';
import type { Requeue } from '../kube/controller.ts';
import { ApiError } from '../kube/errors.ts';
import { slowStart } from '../kube/slow-start.ts';
import type { ObservedTask } from '../pod/observe.ts';
import type { TaskProblem } from '../pod/problems.ts';
import { askedOf } from './batch/asked.ts';
import { startAttempt, templateOf } from './batch/attempts.ts';
import { dependenciesOf, jobNameOf } from './batch/dependencies.ts';
import { writeResults } from './batch/results.ts';
import { releaseTracked } from './batch/tracked-pods.ts';
import { isRecorded, jobRecord, jobStatus } from './batch-job-status.ts';
import { clusterView } from './cluster-view.ts';
import { withNodes } from './nodes.ts';
import { splitKey } from './records.ts';
import { blockedBy, clusterProblems, foreignReferences } from './references.ts';
import type { BatchJobRecord, Runtime } from './runtime.ts';
import type { Trouble } from './service-revision.ts';
import { settleStarts } from './start-barriers.ts';
import { prepareTemplate, TaskInputError } from './task-inputs.ts';
import { stopTask, sweepTasks } from './tasks.ts';

/** For so long one pass starts attempts at most: then what has ended meanwhile is looked at. */
const STARTS_MS = 5_000;

export async function reconcileBatchJob(runtime: Runtime, key: string): Promise<Requeue> {
  const { stores, barriers, departed } = runtime;
  const [namespace, name] = splitKey(key);
  const job = stores.batchJobs.get(namespace, name);
  if (job === undefined || job.deleting) return {};
  const unseen = barriers.tasks.pending(job.uid) ?? barriers.batchJobs.pending(job.uid);
  if (unseen !== undefined) return { requeueWhen: unseen };
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
  const plan = planJob<ObservedTask>({
    size: spec.arrayProperties?.size,
    retryStrategy: { ...spec.retryStrategy, attempts: spec.retryStrategy.attempts ?? 1 },
    timeoutSeconds: spec.timeout?.attemptDurationSeconds,
    record,
    tasks,
    departed: gone,
    dependencies,
    ...asked,
    now: runtime.now(),
  });
  const refused = dependencies?.kind === 'refused' && plan.statusSummary.PENDING > 0 ? dependencies : undefined;
  const trouble: Trouble | undefined =
    refused === undefined ? misunderstood : { reason: refused.reason, message: refused.message, stalled: true };

  await slowStart(plan.stops, async (stop) => {
    runtime.logger.info({ job: key, task: stop.task.id, stopCode: stop.stopCode }, `stop: ${stop.because}`);
    await stopTask(runtime, stop.task, stop);
  });
  // It goes by what the status on the API server says, and holds up neither starts nor the next status.
  const sweeping = sweep(runtime, job, plan, tasks);
  sweeping.catch(() => {});
  const launched = plan.starts.length > 0 ? await launch(runtime, job, plan, tasks) : {};
  if ('requeueWhen' in launched) {
    await sweeping;
    return launched;
  }

  const { requeueAfterMs = Infinity } = await report(runtime, job, { plan, trouble, ...launched });
  departed.forget(
    job.uid,
    gone.filter((task) => isRecorded(job, task)),
  );
  const sweepAt = await sweeping;
  // A quota that refuses the next attempt keeps nothing else from being done.
  if (launched.failure !== undefined) throw launched.failure;
  if (settled.failure !== undefined) throw settled.failure;
  const until = (at: number | undefined): number => (at === undefined ? Infinity : Math.max(at - runtime.now(), 0));
  const next = Math.min(requeueAfterMs, until(plan.wakeAt), until(settled.wakeAt), until(sweepAt));
  return Number.isFinite(next) ? { requeueAfterMs: next } : {};
}

interface Launch {
  readonly trouble?: Trouble;
  readonly problems?: readonly TaskProblem[];
  /** To be thrown once it is reported: the rest is tried again later. */
  readonly failure?: unknown;
}

/** Starts what the plan asks for, or finds why nothing may start. Its own writes bring the job back. */
async function launch(
  runtime: Runtime,
  job: BatchJobRecord,
  plan: JobPlan<ObservedTask>,
  tasks: readonly ObservedTask[],
): Promise<Launch | { readonly requeueWhen: Promise<void> }> {
  const { stores, barriers } = runtime;
  const { namespace, spec } = job;
  if (spec === undefined) return {};
  const cluster = clusterView(stores, namespace);
  const { taskDefinition, jobQueue } = spec;
  const own = [...clusterProblems(cluster), ...foreignReferences(cluster, { taskDefinition, jobQueue })];
  const template = templateOf(runtime, job, spec, tasks, cluster.spec);
  if ('waiting' in template) {
    const waiting = { reason: 'TaskDefinitionNotFound', message: template.waiting, stalled: false };
    return { trouble: blockedBy(own) ?? waiting, problems: own };
  }
  if ('refused' in template) {
    return { trouble: { reason: 'InvalidOverrides', message: template.refused, stalled: true }, problems: own };
  }
  const problems = [...own, ...template.problems];
  const blocked = blockedBy(problems);
  if (blocked !== undefined) return { trouble: blocked, problems };
  // A Cluster that was there before the job holds for its first task as well.
  const behind = tasks.length === 0 ? barriers.clusters.behind(job.uid, job.resourceVersion) : undefined;
  if (behind !== undefined) return { requeueWhen: behind };
  const { starts } = plan;
  runtime.logger.info({ job: `${namespace}/${job.name}`, tasks: starts.length }, `start: ${starts[0]?.because}`);
  try {
    const prepared = await prepareTemplate(runtime, namespace, cluster, template);
    await slowStart(
      starts,
      async (start) => {
        await startAttempt(runtime, job, prepared, start);
      },
      { forMs: STARTS_MS },
    );
    return { problems };
  } catch (failure) {
    const known = failure instanceof ApiError || failure instanceof TaskInputError;
    const message = known ? failure.message : String(failure);
    return { problems, failure, trouble: { reason: 'TaskStartFailed', message, stalled: false } };
  }
}

interface Report {
  readonly plan?: JobPlan<ObservedTask>;
  readonly trouble?: Trouble | undefined;
  readonly problems?: readonly TaskProblem[] | undefined;
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
