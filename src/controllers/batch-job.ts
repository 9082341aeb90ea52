/** BatchJob: single jobs and arrays; attempts are tasks (`ecs-semantics §5`). */
import type { BatchJobSpec, BatchJobStatus } from '../api/batch-job.ts';
import type { ClusterSpec } from '../api/cluster.ts';
import { ANNOTATIONS, API_VERSION, batchJobs, LABELS } from '../api/meta.ts';
import { dnsName, parseTaskDefinitionReference, uniqueDnsName } from '../api/names.ts';
import { jobDefinition } from '../batch/job-definition.ts';
import { jobEnvironment } from '../batch/job-environment.ts';
import { type JobAction, type JobPlan, planJob } from '../batch/job-plan.ts';
import type { Requeue } from '../kube/controller.ts';
import { ApiError } from '../kube/errors.ts';
import { slowStart } from '../kube/slow-start.ts';
import { compileTemplate, type PodTemplate } from '../pod/compile.ts';
import type { ObservedTask } from '../pod/observe.ts';
import type { TaskProblem } from '../pod/problems.ts';
import { jobRecord, jobStatus } from './batch-job-status.ts';
import { clusterView } from './cluster-view.ts';
import { withNodes } from './nodes.ts';
import { splitKey } from './records.ts';
import { blockedBy, clusterProblems, foreignReferences } from './references.ts';
import type { BatchJobRecord, Runtime } from './runtime.ts';
import { settleStarts } from './start-barriers.ts';
import { prepareTemplate, TaskInputError } from './task-inputs.ts';
import { type Resolution, resolveTaskDefinition } from './task-revisions.ts';
import { newTaskId, ownerReference, startTask, stopTask } from './tasks.ts';

export const jobNameOf = (job: BatchJobRecord): string => job.spec?.jobName ?? job.name;

export async function reconcileBatchJob(runtime: Runtime, key: string): Promise<Requeue> {
  const { stores, barriers } = runtime;
  const [namespace, name] = splitKey(key);
  const job = stores.batchJobs.get(namespace, name);
  if (job === undefined || job.deleting) return {};
  const unseen = barriers.tasks.pending(job.uid) ?? barriers.batchJobs.pending(job.uid);
  if (unseen !== undefined) return { requeueWhen: unseen };
  const { spec } = job;
  if (spec === undefined) {
    return report(runtime, job, {
      problem: { reason: 'InvalidSpec', message: job.problem ?? 'the spec is not valid', stalled: true },
    });
  }

  const settled = await settleStarts(runtime, stores.tasks.by('owner', job.uid));
  const tasks = withNodes(settled.tasks, runtime.nodes);
  const plan = planJob({
    ...(spec.arrayProperties !== undefined && { size: spec.arrayProperties.size }),
    attempts: spec.retryStrategy.attempts ?? 1,
    ...(spec.timeout !== undefined && { timeoutSeconds: spec.timeout.attemptDurationSeconds }),
    record: jobRecord(job.status),
    tasks,
    now: runtime.now(),
  });

  const stops = plan.actions.filter((action) => action.kind === 'stop');
  await slowStart(stops, async (action) => {
    runtime.logger.info({ job: key, task: action.task.id, stopCode: action.stopCode }, `stop: ${action.because}`);
    await stopTask(runtime, action.task, action);
  });
  const starts = plan.actions.filter((action) => action.kind === 'start');
  let problems: readonly TaskProblem[] | undefined;
  if (starts.length > 0) {
    const cluster = clusterView(stores, namespace);
    const { taskDefinition, jobQueue } = spec;
    const own = [...clusterProblems(cluster), ...foreignReferences(cluster, { taskDefinition, jobQueue })];
    const template = templateOf(runtime, job, spec, tasks, cluster.spec);
    if ('waiting' in template) {
      const waiting = { reason: 'TaskDefinitionNotFound', message: template.waiting, stalled: false };
      return report(runtime, job, { plan, problem: blockedBy(own) ?? waiting, problems: own });
    }
    problems = [...own, ...template.problems];
    const problem = blockedBy(problems);
    if (problem !== undefined) return report(runtime, job, { plan, problem, problems });
    // A Cluster that was there before the job holds for its first task as well.
    const behind = tasks.length === 0 ? barriers.clusters.behind(job.uid, job.resourceVersion) : undefined;
    if (behind !== undefined) return { requeueWhen: behind };
    runtime.logger.info({ job: key, tasks: starts.length }, `start: ${starts[0]?.because}`);
    try {
      const prepared = await prepareTemplate(runtime, namespace, cluster, template);
      await slowStart(starts, async (action) => {
        await start(runtime, job, prepared, action);
      });
    } catch (error) {
      const known = error instanceof ApiError || error instanceof TaskInputError;
      const message = known ? error.message : String(error);
      await report(runtime, job, { plan, problem: { reason: 'TaskStartFailed', message, stalled: false }, problems });
      throw error;
    }
  }

  const { requeueAfterMs = Infinity } = await report(runtime, job, { plan, problems });
  if (settled.failure !== undefined) throw settled.failure;
  const until = (at: number | undefined): number => (at === undefined ? Infinity : Math.max(at - runtime.now(), 0));
  const next = Math.min(requeueAfterMs, until(plan.wakeAt), until(settled.wakeAt));
  return Number.isFinite(next) ? { requeueAfterMs: next } : {};
}

/** A job's own container, or the task definition its first attempt ran: later attempts and children never change it. */
function templateOf(
  runtime: Runtime,
  job: BatchJobRecord,
  spec: BatchJobSpec,
  tasks: readonly ObservedTask[],
  cluster: ClusterSpec,
): PodTemplate | { readonly waiting: string } {
  const name = jobNameOf(job);
  const { features } = runtime;
  const options = { cluster, features, ...(spec.kubernetes !== undefined && { kubernetes: spec.kubernetes }) };
  if (spec.taskDefinition === undefined) {
    return compileTemplate({ definition: jobDefinition(spec), family: name, ...options });
  }
  const pinned = tasks.find(({ taskDefinition }) => taskDefinition !== '')?.taskDefinition;
  const running = pinned === undefined ? undefined : parseTaskDefinitionReference(pinned);
  const resolved: Resolution = resolveTaskDefinition(
    runtime.stores,
    job.namespace,
    pinned ?? spec.taskDefinition,
    running !== undefined && 'family' in running ? running : undefined,
  );
  if ('waiting' in resolved) return resolved;
  const definition = jobDefinition(spec, resolved.definition);
  return compileTemplate({ definition, family: resolved.family, revision: resolved.revision, ...options });
}

function start(
  runtime: Runtime,
  job: BatchJobRecord,
  template: PodTemplate,
  action: Extract<JobAction<ObservedTask>, { kind: 'start' }>,
): Promise<string> {
  const { index, attempt } = action;
  const jobName = jobNameOf(job);
  // `<job>-<index>-<attempt>`: the name is the lock, so that no attempt runs twice.
  const seat = index === undefined ? `${attempt}` : `${index}-${attempt}`;
  return startTask(runtime, template, {
    namespace: job.namespace,
    name: `${uniqueDnsName(jobName, 50)}-${seat}`,
    task: newTaskId(),
    labels: {
      [LABELS.batchJob]: dnsName(jobName),
      [LABELS.attempt]: String(attempt),
      ...(index !== undefined && { [LABELS.arrayIndex]: String(index) }),
    },
    annotations: { [ANNOTATIONS.batchJob]: jobName },
    owner: ownerReference(batchJobs, job),
    environment: jobEnvironment({ jobId: job.uid, jobQueue: job.spec?.jobQueue, index, attempt }),
  });
}

interface Report {
  readonly plan?: JobPlan<ObservedTask>;
  readonly problem?: { readonly reason: string; readonly message: string; readonly stalled: boolean } | undefined;
  readonly problems?: readonly TaskProblem[] | undefined;
}

async function report(
  runtime: Runtime,
  job: BatchJobRecord,
  { plan, problem, problems }: Report,
): Promise<{ requeueAfterMs?: number }> {
  const now = runtime.now();
  const status: BatchJobStatus = jobStatus({ job, plan, problem, problems, now });
  const over = status.status === 'SUCCEEDED' || status.status === 'FAILED';
  const news = status.status !== job.status.status;
  // Only a start looks at the references: what it found must not be lost to a later, debounced status.
  const urgent = news || refsOf(status) !== refsOf(job.status);
  const wait = await runtime.statuses.batchJobs.write(job, status, { urgent, now });
  if (wait > 0) return { requeueAfterMs: wait };
  if (news && over) {
    const { namespace, name, uid } = job;
    const regarding = { apiVersion: API_VERSION, kind: batchJobs.kind, namespace, name, uid };
    const type = status.status === 'FAILED' ? 'Warning' : 'Normal';
    const note = `${jobNameOf(job)} ${status.status}${status.statusReason ? `: ${status.statusReason}` : ''}`;
    runtime.events.record({
      regarding,
      type,
      reason: status.status === 'FAILED' ? 'JobFailed' : 'JobSucceeded',
      action: 'Finish',
      note,
    });
  }
  return {};
}

const refsOf = ({ conditions }: Partial<BatchJobStatus>): string | undefined =>
  conditions?.find(({ type }) => type === 'ResolvedRefs')?.reason;
