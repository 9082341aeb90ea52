/** What the attempts of a job run, and their pods. */
import type { BatchJobSpec } from '../../api/batch-job.ts';
import type { ClusterSpec } from '../../api/cluster.ts';
import { ANNOTATIONS, batchJobs, LABELS } from '../../api/meta.ts';
import { dnsName, parseTaskDefinitionReference, uniqueDnsName } from '../../api/names.ts';
import { InvalidSpecError } from '../../api/parse.ts';
import type { TaskDefinitionSpec } from '../../api/task-definition.ts';
import type { JobStart } from '../../batch/job.ts';
import { jobDefinition } from '../../batch/job-definition.ts';
import { jobEnvironment } from '../../batch/job-environment.ts';
import { compileTemplate, type PodTemplate } from '../../pod/compile.ts';
import type { ObservedTask } from '../../pod/observe.ts';
import { jobTagAnnotation } from '../../pod/tags.ts';
import type { BatchJobRecord, Runtime } from '../runtime.ts';
import { type Resolution, resolveTaskDefinition } from '../task-revisions.ts';
import { newTaskId, ownerReference, startTask } from '../tasks.ts';
import { jobNameOf } from './dependencies.ts';
import type { Place } from './launch.ts';

/** What the attempts of a job run, with its overrides. */
export interface JobDefinition {
  readonly definition: TaskDefinitionSpec;
  readonly family: string;
  /** Absent for a job that brings its own containers. */
  readonly revision?: number;
}

/** A job's own containers, or the task definition its first attempt ran: later attempts and children never change it. */
export function definitionOf(
  runtime: Runtime,
  job: BatchJobRecord,
  spec: BatchJobSpec,
  tasks: readonly ObservedTask[],
): JobDefinition | { readonly waiting: string } | { readonly refused: string } {
  if (spec.taskDefinition === undefined) return { definition: jobDefinition(spec), family: jobNameOf(job) };
  const pinned = tasks.find(({ taskDefinition }) => taskDefinition !== '')?.taskDefinition;
  const running = pinned === undefined ? undefined : parseTaskDefinitionReference(pinned);
  const resolved: Resolution = resolveTaskDefinition(
    runtime.stores,
    job.namespace,
    pinned ?? spec.taskDefinition,
    running !== undefined && 'family' in running ? running : undefined,
  );
  if ('waiting' in resolved) return resolved;
  const { family, revision } = resolved;
  try {
    return { definition: jobDefinition(spec, resolved.definition), family, revision };
  } catch (error) {
    if (!(error instanceof InvalidSpecError)) throw error;
    return { refused: error.message };
  }
}

export function templateOf(
  { features }: Runtime,
  { kubernetes }: BatchJobSpec,
  defined: JobDefinition,
  cluster: ClusterSpec,
): PodTemplate {
  return compileTemplate({ ...defined, cluster, features, ...(kubernetes !== undefined && { kubernetes }) });
}

export function startAttempt(
  runtime: Runtime,
  job: BatchJobRecord,
  template: PodTemplate,
  action: JobStart,
  place: Place,
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
    annotations: { [ANNOTATIONS.batchJob]: jobName, ...jobTagAnnotation(job.spec, template.tags) },
    owner: ownerReference(batchJobs, job),
    tracked: job.spec?.kubernetes?.accounting === 'Strict',
    environment: jobEnvironment({
      jobId: job.uid,
      ...place,
      index,
      attempt,
    }),
  });
}
