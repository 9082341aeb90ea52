/** Starts what the plan of a job asks for: at once, or as far as its queue lets it. */
import { jobQueues } from '../../api/meta.ts';
import type { JobPlan, JobStart } from '../../batch/job.ts';
import { ApiError } from '../../kube/errors.ts';
import { slowStart } from '../../kube/slow-start.ts';
import type { PodTemplate } from '../../pod/compile.ts';
import { isolate } from '../../pod/isolation.ts';
import { isolationRefusal } from '../../pod/isolation-refusal.ts';
import type { ObservedTask } from '../../pod/observe.ts';
import type { TaskProblem } from '../../pod/problems.ts';
import { inEnvironment } from '../../pod/queue-claim.ts';
import { clusterView } from '../cluster-view.ts';
import { computeEnvironmentNameOf, jobQueueNameOf } from '../queue-names.ts';
import { blockedBy, clusterProblems, foreignReferences } from '../references.ts';
import type { BatchJobRecord, Runtime } from '../runtime.ts';
import type { Trouble } from '../service-revision.ts';
import { prepareTemplate, TaskInputError } from '../task-inputs.ts';
import { TaskNameTakenError } from '../tasks.ts';
import { definitionOf, startAttempt, templateOf } from './attempts.ts';
import { jobNameOf } from './dependencies.ts';
import { ensureIsolation } from './isolation-objects.ts';
import { keyOfQueue, type QueueOfJob } from './queues.ts';

/** For so long one pass starts attempts at most: then what has ended meanwhile is looked at. */
const STARTS_MS = 5_000;

export interface LaunchInput {
  readonly job: BatchJobRecord;
  readonly queued: Exclude<QueueOfJob, { readonly kind: 'waiting' }>;
  readonly plan: JobPlan<ObservedTask>;
  readonly tasks: readonly ObservedTask[];
}

interface Launch {
  readonly trouble?: Trouble;
  readonly problems?: readonly TaskProblem[];
  /** Why not all that the plan asks for was started. */
  readonly waiting?: string | undefined;
  /** To be thrown once it is reported: the rest is tried again later. */
  readonly failure?: unknown;
}

/** Starts what the plan asks for, or finds why nothing may start. Its own writes bring the job back. */
export async function launch(
  runtime: Runtime,
  { job, queued, plan, tasks }: LaunchInput,
): Promise<Launch | { readonly requeueWhen: Promise<void> }> {
  const { stores } = runtime;
  const { namespace, spec } = job;
  if (spec === undefined) return {};
  const cluster = clusterView(stores, namespace);
  const { taskDefinition, jobQueue } = spec;
  const own = [...clusterProblems(cluster), ...foreignReferences(cluster, { taskDefinition, jobQueue })];
  const defined = definitionOf(runtime, job, spec, tasks);
  if ('waiting' in defined) {
    const waiting = { reason: 'TaskDefinitionNotFound', message: defined.waiting, stalled: false };
    return { trouble: blockedBy(own) ?? waiting, problems: own };
  }
  if ('refused' in defined) {
    return { trouble: { reason: 'InvalidOverrides', message: defined.refused, stalled: true }, problems: own };
  }
  const isolation = queued.kind === 'queue' ? queued.spec.kubernetes.isolation : undefined;
  const compiled = templateOf(runtime, spec, defined, cluster.spec);
  const problems = [...own, ...compiled.problems];
  const blocked = blockedBy(problems);
  if (blocked !== undefined) return { trouble: blocked, problems };
  if (queued.kind === 'queue' && isolation !== undefined) {
    const queue = jobQueueNameOf(queued.queue);
    const refused = isolationRefusal({ spec, definition: defined.definition, cluster: cluster.spec, isolation, queue });
    if (refused !== undefined) {
      const message = `MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - ${refused}`;
      return { trouble: { reason: 'IsolationRefused', message, stalled: true }, problems };
    }
    const open = await ensureIsolation(runtime, { ...queued.queue, kind: jobQueues });
    if (open !== undefined) {
      const message = `queue "${queue}" isolates its jobs, and cannot yet: ${open.message}`;
      return { trouble: { reason: 'NotIsolated', message, stalled: false }, problems };
    }
  }
  const template =
    isolation === undefined || queued.kind === 'none' ? compiled : isolate(compiled, isolation, queued.queue.name);
  const behind = tasks.length === 0 ? unseenBefore(runtime, job, queued) : undefined;
  if (behind !== undefined) return { requeueWhen: behind };
  const placed =
    queued.kind === 'none'
      ? unqueued(job, plan.starts, template)
      : await granted(runtime, job, queued, plan.starts, template);
  const waiting = placed.length < plan.starts.length ? runtime.queueing.dispatcher.whyWaiting(job.uid) : undefined;
  if (placed.length === 0) return { problems, waiting };
  runtime.logger.info({ job: `${namespace}/${job.name}`, tasks: placed.length }, `start: ${placed[0]?.start.because}`);
  try {
    const prepared = new Map<PodTemplate, PodTemplate>();
    for (const each of new Set(placed.map(({ template: own }) => own)))
      prepared.set(each, await prepareTemplate(runtime, namespace, cluster, each));
    await slowStart(
      placed,
      async ({ start, template: own, place }) => {
        await startAttempt(runtime, job, prepared.get(own) ?? own, start, place);
      },
      { forMs: STARTS_MS },
    );
    return { problems, waiting };
  } catch (failure) {
    const known = failure instanceof ApiError || failure instanceof TaskInputError;
    // The pod may be there: what it takes is not to be given away before that is known.
    if (queued.kind === 'queue' && !isRefused(failure)) runtime.barriers.tasks.noteUnknown(job.uid);
    const message = known ? failure.message : String(failure);
    return { problems, failure, trouble: { reason: 'TaskStartFailed', message, stalled: false } };
  }
}

/** The API server has answered, and has not done it. */
const isRefused = (failure: unknown): boolean =>
  failure instanceof TaskInputError ||
  failure instanceof TaskNameTakenError ||
  (failure instanceof ApiError && failure.status < 500);

/** A Cluster or a JobQueue that was there before the job holds for its first task as well. */
function unseenBefore(
  { barriers }: Runtime,
  { uid, resourceVersion }: BatchJobRecord,
  { kind }: QueueOfJob,
): Promise<void> | undefined {
  const clusters = barriers.clusters.behind(uid, resourceVersion);
  const queues = kind === 'none' ? barriers.jobQueues.behind(uid, resourceVersion) : undefined;
  if (clusters === undefined || queues === undefined) return clusters ?? queues;
  return Promise.all([clusters, queues]).then(() => undefined);
}

/** Where an attempt runs, by AWS names or ARNs. */
export interface Place {
  readonly jobQueue?: string | undefined;
  readonly computeEnvironment: string;
}

interface PlacedStart {
  readonly start: JobStart;
  readonly template: PodTemplate;
  readonly place: Place;
}

/** A namespace without queues is its own compute environment. */
function unqueued(
  { namespace, spec }: BatchJobRecord,
  starts: readonly JobStart[],
  template: PodTemplate,
): PlacedStart[] {
  const place = { jobQueue: spec?.jobQueue, computeEnvironment: namespace };
  return starts.map((start) => ({ start, template, place }));
}

/** What of it the queue lets start now, and in which environment. */
async function granted(
  runtime: Runtime,
  job: BatchJobRecord,
  { queue, spec }: Extract<QueueOfJob, { readonly kind: 'queue' }>,
  starts: readonly JobStart[],
  template: PodTemplate,
): Promise<PlacedStart[]> {
  const share = spec.schedulingPolicy?.fairsharePolicy === undefined ? undefined : job.spec?.shareIdentifier;
  const { schedulingPriority, schedulingPriorityOverride } = job.spec ?? {};
  const grants = await runtime.queueing.ask({
    job: job.uid,
    name: jobNameOf(job),
    queue: keyOfQueue(queue),
    need: template.size,
    count: starts.length,
    retries: starts.filter(({ attempt }) => attempt > 1).length,
    submittedAt: job.createdAt,
    share: share ?? '',
    schedulingPriority: schedulingPriorityOverride ?? schedulingPriority ?? 0,
  });
  let from = 0;
  return grants.flatMap(({ environment, count }) => {
    const record = runtime.stores.computeEnvironments.get('', environment);
    // It went in this very moment: what is left of the grant goes with the next pass.
    if (record === undefined) return [];
    const claim = {
      jobQueue: queue.name,
      computeEnvironment: environment,
      ...(share !== undefined && { share }),
      ...template.size,
    };
    const { nodeSelector = {}, tolerations = [] } = record.spec?.kubernetes ?? {};
    const own = inEnvironment(template, claim, { nodeSelector, tolerations });
    const place = { jobQueue: jobQueueNameOf(queue), computeEnvironment: computeEnvironmentNameOf(record) };
    const these = starts.slice(from, from + count);
    from += count;
    return these.map((start) => ({ start, template: own, place }));
  });
}
