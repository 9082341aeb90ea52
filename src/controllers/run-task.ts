/** Task: runs a number of tasks once (`ecs-semantics §4`). Its tasks are the pods that the caches call tasks. */
import { isDeepStrictEqual } from 'node:util';
import type { ClusterSpec } from '../api/cluster.ts';
import { ANNOTATIONS, API_VERSION, LABELS, tasks as taskKind } from '../api/meta.ts';
import { dnsName, hashedDnsName, parseTaskDefinitionReference } from '../api/names.ts';
import { InvalidSpecError } from '../api/parse.ts';
import type { TaskSpec, TaskStatus } from '../api/task.ts';
import { planRunTask, type RunTaskAction } from '../ecs/run-task-plan.ts';
import { stopCauseOf, stoppedAt } from '../ecs/task.ts';
import { withOverrides } from '../ecs/task-overrides.ts';
import type { Requeue } from '../kube/controller.ts';
import { ApiError } from '../kube/errors.ts';
import { slowStart } from '../kube/slow-start.ts';
import { compileTemplate, type PodTemplate } from '../pod/compile.ts';
import type { ObservedTask } from '../pod/observe.ts';
import { groupLabel } from '../pod/placement-constraints.ts';
import { runTaskTagAnnotation } from '../pod/tags.ts';
import { clusterView } from './cluster-view.ts';
import { withNodes } from './nodes.ts';
import { splitKey } from './records.ts';
import { blockedBy, clusterProblems, foreignReferences } from './references.ts';
import { type RunTaskStatusInput, recordOfStatus, runTaskStatus } from './run-task-status.ts';
import type { RunTaskRecord, Runtime } from './runtime.ts';
import type { Trouble } from './service-revision.ts';
import { settleStarts } from './start-barriers.ts';
import { prepareTemplate, TaskInputError } from './task-inputs.ts';
import { resolveTaskDefinition } from './task-revisions.ts';
import {
  newTaskId,
  ownerReference,
  recordStop,
  releaseTask,
  sayStopped,
  startTask,
  stopTask,
  sweepTasks,
} from './tasks.ts';

export async function reconcileRunTask(runtime: Runtime, key: string): Promise<Requeue> {
  const { stores, barriers } = runtime;
  const [namespace, name] = splitKey(key);
  const runTask = stores.runTasks.get(namespace, name);
  // A deleted Task's pods go with it: they name it as their owner.
  if (runTask === undefined || runTask.deleting) return {};
  const unseen = barriers.tasks.pending(runTask.uid) ?? barriers.runTasks.pending(runTask.uid);
  if (unseen !== undefined) return { requeueWhen: unseen };
  const { spec } = runTask;
  if (spec === undefined) {
    const trouble = { reason: 'InvalidSpec', message: runTask.problem ?? 'the spec is not valid', stalled: true };
    return report(runtime, runTask, { tasks: [], trouble });
  }

  const settled = await settleStarts(runtime, stores.tasks.by('owner', runTask.uid));
  const tasks = withNodes(settled.tasks, runtime.nodes);
  const departed = runtime.departed.of(runTask.uid);
  const plan = planRunTask({
    pods: podNames(runTask, spec.count),
    record: recordOfStatus(runTask.status),
    tasks: [...departed, ...tasks],
    waitsForRoom: waitsForRoom(spec, clusterView(stores, namespace).spec),
    now: runtime.now(),
  });

  const stops = plan.actions.filter((action) => action.kind === 'stop');
  // A pod that no kubelet has seen is deleted: why it was stopped must be in the status before.
  const deletes = stops.some(({ task }) => !task.acknowledged);
  if (deletes) await report(runtime, runTask, { plan, tasks }, true);
  await slowStart(stops, async (action) => {
    runtime.logger.info({ task: key, id: action.task.id, stopCode: action.stopCode }, `stop: ${action.because}`);
    await stopTask(runtime, action.task, action);
  });
  const unrecorded = tasks.filter((task) => task.ended && !task.stopRecorded);
  await slowStart(unrecorded, (task) => recordStop(runtime, task, stopCauseOf(task)));

  await slowStart(
    plan.actions.filter((action) => action.kind === 'release'),
    ({ task }) => releaseTask(runtime, task),
  );

  // Its own writes bring it back.
  if (deletes) return {};

  const starts = plan.actions.filter((action) => action.kind === 'start');
  if (starts.length > 0) {
    const launch = launchOf(runtime, runTask, spec, tasks);
    const found = { plan, tasks, ...launch.found };
    if (launch.template === undefined) return report(runtime, runTask, found);
    // A Cluster that was there before the Task holds for its tasks as well.
    const behind = tasks.length === 0 ? barriers.clusters.behind(runTask.uid, runTask.resourceVersion) : undefined;
    if (behind !== undefined) return { requeueWhen: behind };
    // The revision is chosen once: it is in the status before the first task has it.
    if (runTask.status.taskDefinition === undefined) {
      await report(runtime, runTask, found, true);
      return {};
    }
    runtime.logger.info({ task: key, tasks: starts.length }, `start: ${starts[0]?.because}`);
    try {
      const prepared = await prepareTemplate(runtime, namespace, clusterView(stores, namespace), launch.template);
      await slowStart(starts, async (action) => {
        await start(runtime, runTask, spec, prepared, action);
      });
    } catch (error) {
      const known = error instanceof ApiError || error instanceof TaskInputError;
      const message = known ? error.message : String(error);
      await report(runtime, runTask, { ...found, trouble: { reason: 'TaskStartFailed', message, stalled: false } });
      throw error;
    }
    return {};
  }

  const { requeueAfterMs = Infinity } = await report(runtime, runTask, { plan, tasks });
  if (requeueAfterMs === Infinity) {
    for (const task of departed) if (!task.stopRecorded) sayStopped(runtime, task, stopCauseOf(task));
    runtime.departed.forget(runTask.uid, departed);
  }
  if (settled.failure !== undefined) throw settled.failure;
  const sweepAt = requeueAfterMs === Infinity ? await sweep(runtime, runTask, tasks) : undefined;
  const until = (at: number | undefined): number => (at === undefined ? Infinity : Math.max(at - runtime.now(), 0));
  const next = Math.min(requeueAfterMs, until(plan.wakeAt), until(settled.wakeAt), until(sweepAt));
  return Number.isFinite(next) ? { requeueAfterMs: next } : {};
}

/** With capacity providers RunTask always succeeds, and its tasks wait; Fargate has room. */
function waitsForRoom({ launchType, capacityProviderStrategy }: TaskSpec, cluster: ClusterSpec): boolean {
  if (launchType !== undefined) return launchType === 'FARGATE';
  return capacityProviderStrategy.length > 0 || cluster.defaultCapacityProviderStrategy.length > 0;
}

/** `<task>-<hash of its UID>-<n>`: the name is the lock, and a Task made anew does not wait for the pods of the old one. */
const podNames = ({ name, uid }: RunTaskRecord, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${hashedDnsName(name, uid, 50)}-${index + 1}`);

interface Launch {
  /** Absent where nothing may start. */
  readonly template?: PodTemplate;
  readonly found: Omit<RunTaskStatusInput, 'runTask' | 'now' | 'plan' | 'tasks'>;
}

/** What its tasks run: the revision that was chosen once, with the overrides. */
function launchOf(runtime: Runtime, runTask: RunTaskRecord, spec: TaskSpec, tasks: readonly ObservedTask[]): Launch {
  const cluster = clusterView(runtime.stores, runTask.namespace);
  const { taskDefinition } = spec;
  const own = [...clusterProblems(cluster), ...foreignReferences(cluster, { cluster: spec.cluster, taskDefinition })];
  const pinned = runTask.status.taskDefinition ?? tasks[0]?.taskDefinition;
  const running = pinned === undefined ? undefined : parseTaskDefinitionReference(pinned);
  const resolved = resolveTaskDefinition(
    runtime.stores,
    runTask.namespace,
    pinned ?? taskDefinition,
    running !== undefined && 'family' in running ? running : undefined,
  );
  const refused = (trouble: Trouble): Launch => ({ found: { trouble: blockedBy(own) ?? trouble, problems: own } });
  if ('waiting' in resolved)
    return refused({ reason: 'TaskDefinitionNotFound', message: resolved.waiting, stalled: false });
  const { family, revision } = resolved;
  try {
    const definition = withOverrides(resolved.definition, spec.overrides);
    const group = spec.group ?? `family:${family}`;
    const { placementConstraints, placementStrategy } = spec;
    const template = compileTemplate({
      definition,
      family,
      revision,
      features: runtime.features,
      cluster: cluster.spec,
      volumeConfigurations: spec.volumeConfigurations,
      ...(spec.kubernetes !== undefined && { kubernetes: spec.kubernetes }),
      placement: {
        group,
        among: { [LABELS.group]: groupLabel(group) },
        placementConstraints,
        placementStrategy,
        zones: runtime.nodes.hasZones(),
        binpackScheduler: runtime.binpackScheduler,
      },
    });
    const problems = [...own, ...template.problems];
    const trouble = blockedBy(problems);
    if (trouble !== undefined) return { found: { trouble, problems } };
    return { template, found: { taskDefinition: `${family}:${revision}`, group, problems } };
  } catch (error) {
    if (!(error instanceof InvalidSpecError)) throw error;
    return refused({ reason: 'InvalidOverrides', message: error.message, stalled: true });
  }
}

function start(
  runtime: Runtime,
  runTask: RunTaskRecord,
  spec: TaskSpec,
  template: PodTemplate,
  { pod }: Extract<RunTaskAction<ObservedTask>, { kind: 'start' }>,
): Promise<string> {
  const { namespace, name } = runTask;
  const { startedBy } = spec;
  const clusterName = clusterView(runtime.stores, namespace).name ?? namespace;
  return startTask(runtime, template, {
    namespace,
    name: pod,
    task: newTaskId(),
    // A pod that nobody recorded may be gone without a trace when the next operator looks: then it must not have run.
    gated: true,
    labels: { [LABELS.runTask]: dnsName(name) },
    annotations: {
      [ANNOTATIONS.runTask]: name,
      ...(startedBy !== undefined && { [ANNOTATIONS.startedBy]: startedBy }),
      ...runTaskTagAnnotation(spec, template.tags, clusterName),
    },
    owner: ownerReference(taskKind, runTask),
  });
}

/** Writes the status, or says when to; what is new in it is written at once. */
async function report(
  runtime: Runtime,
  runTask: RunTaskRecord,
  content: Omit<RunTaskStatusInput, 'runTask' | 'now'>,
  urgent = false,
): Promise<{ requeueAfterMs?: number }> {
  const now = runtime.now();
  const status = runTaskStatus({ ...content, runTask, now });
  const isNews = urgent || !isDeepStrictEqual(newsOf(status), newsOf(runTask.status));
  const wait = await runtime.statuses.runTasks.write(runTask, status, { urgent: isNews, now });
  if (wait > 0) return { requeueAfterMs: wait };
  recordEvents(runtime, runTask, status);
  return {};
}

/** What must not be lost to a debounced status: which tasks there are, which have stopped, and what the conditions say. */
const newsOf = ({ tasks = [], conditions = [] }: Partial<TaskStatus>): object => ({
  tasks: tasks.map(({ task, stopCode, stoppedAt }) => [task, stopCode, stoppedAt !== undefined]),
  conditions: conditions.map(({ type, status, reason }) => [type, status, reason]),
});

/** One for each task that was made or has stopped since the last status, and one for the end of all. */
function recordEvents({ events }: Runtime, runTask: RunTaskRecord, status: TaskStatus): void {
  const { namespace, name, uid } = runTask;
  const regarding = { apiVersion: API_VERSION, kind: taskKind.kind, namespace, name, uid };
  const before = new Map((runTask.status.tasks ?? []).map((task) => [task.task, task]));
  for (const { task, lastStatus, stopCode = '', stoppedReason } of status.tasks ?? []) {
    if (!before.has(task))
      events.record({
        regarding,
        type: 'Normal',
        reason: 'TaskStarted',
        action: 'Start',
        note: `(task ${task}) was started`,
      });
    if (lastStatus !== 'STOPPED' || before.get(task)?.lastStatus === 'STOPPED') continue;
    const note = `(task ${task}) ${stoppedReason}`;
    events.record({ regarding, type: 'Normal', reason: stopCode, action: 'Stop', note });
  }
  if (status.lastStatus !== 'STOPPED' || runTask.status.lastStatus === 'STOPPED') return;
  const end = status.conditions?.find(
    ({ type, status: is }) => (type === 'Complete' || type === 'Failed') && is === 'True',
  );
  if (end === undefined) return;
  const type = end.type === 'Failed' ? 'Warning' : 'Normal';
  events.record({ regarding, type, reason: `Tasks${end.type}`, action: 'Finish', note: end.message });
}

/**
 * Deletes pods of tasks that stopped longer ago than the Cluster keeps them; the status has what is to be known of them.
 * @returns when the next one is due, epoch milliseconds.
 */
async function sweep(
  runtime: Runtime,
  runTask: RunTaskRecord,
  tasks: readonly ObservedTask[],
): Promise<number | undefined> {
  const retentionMs = retentionOf(clusterView(runtime.stores, runTask.namespace).spec);
  const ended = tasks.filter((task) => task.ended && task.stopRecorded);
  const dueAt = (task: ObservedTask): number => stoppedAt(task) + retentionMs;
  const over = ended.filter((task) => dueAt(task) <= runtime.now());
  if (over.length > 0) await sweepTasks(runtime, runTask.namespace, over);
  const later = ended.filter((task) => !over.includes(task)).map(dueAt);
  return later.length === 0 ? undefined : Math.min(...later);
}

const retentionOf = ({ retention }: ClusterSpec): number => retention.stoppedTaskSeconds * 1000;
