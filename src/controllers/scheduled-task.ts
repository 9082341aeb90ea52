/** ScheduledTask: makes a Task or a BatchJob at the times of a schedule. What is due is decided in `ecs/schedule-plan.ts`. */
import {
  ANNOTATIONS,
  API_VERSION,
  batchJobs,
  LABELS,
  MANAGED_BY,
  type ResourceDescriptor,
  scheduledTasks,
  tasks,
} from '../api/meta.ts';
import { dnsName } from '../api/names.ts';
import { parseScheduleExpression } from '../api/schedule-expression.ts';
import type { ScheduledTaskSpec } from '../api/scheduled-task.ts';
import { scheduleRuns } from '../ecs/schedule.ts';
import { planSchedule, type ScheduleAction, type ScheduledRun } from '../ecs/schedule-plan.ts';
import { runInput, runName } from '../ecs/scheduled-run.ts';
import type { Requeue } from '../kube/controller.ts';
import { ApiError, isAlreadyExists, isNotFound, NotYetError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/resource.ts';
import { rfc3339 } from './conditions.ts';
import { splitKey } from './records.ts';
import type { Runtime, ScheduledTaskRecord } from './runtime.ts';
import { type ScheduleReport, scheduledTaskStatus } from './scheduled-task-status.ts';
import { ownerReference } from './tasks.ts';

/** A run as the caches have its object. */
interface ObservedRun extends ScheduledRun {
  readonly uid: string;
  readonly deleting: boolean;
}

/** A clock may be set while nothing happens: the times are looked at again this often at least. */
const LOOK_AGAIN_MS = 600_000;

export async function reconcileScheduledTask(runtime: Runtime, key: string): Promise<Requeue> {
  const { stores, barriers } = runtime;
  const [namespace, name] = splitKey(key);
  const record = stores.scheduledTasks.get(namespace, name);
  // The runs of a deleted one go with it: they name it as their owner.
  if (record === undefined || record.deleting) return {};
  const { uid, spec, status } = record;
  const unseen =
    barriers.scheduledTasks.pending(uid) ?? barriers.runTasks.pending(uid) ?? barriers.batchJobs.pending(uid);
  if (unseen !== undefined) return { requeueWhen: unseen };
  const runs = observedRuns(runtime, record);
  const now = runtime.now();
  if (spec === undefined) {
    const trouble = { reason: 'InvalidSpec', message: record.problem ?? 'the spec is not valid', stalled: true };
    await report(runtime, record, { runs, trouble });
    return {};
  }

  const schedule = scheduleText(spec);
  const isKnown = status.schedule === schedule && status.scheduledSince !== undefined;
  const isChanged = !isKnown && status.schedule !== undefined;
  const since = isKnown
    ? Date.parse(status.scheduledSince ?? '')
    : isChanged
      ? Math.floor(now / 1000) * 1000
      : record.createdAt;
  const found = { runs, schedule, since };
  // Since when it holds is on record before the first run that hangs on it.
  if (isChanged) {
    await report(runtime, record, found);
    return {};
  }

  const compiled = scheduleRuns({
    expression: parseScheduleExpression(spec.scheduleExpression),
    timeZone: spec.scheduleExpressionTimezone,
    startDate: spec.startDate === undefined ? since : Date.parse(spec.startDate),
    endDate: spec.endDate === undefined ? undefined : Date.parse(spec.endDate),
  });
  const { concurrencyPolicy, startingDeadlineSeconds, ...history } = spec.kubernetes;
  const plan = planSchedule({
    schedule: spec.state === 'ENABLED' ? compiled : undefined,
    since,
    decidedUntil: status.decidedUntil === undefined ? -Infinity : Date.parse(status.decidedUntil),
    offsetMs: offsetOf(uid, spec),
    runs,
    concurrencyPolicy,
    ...(startingDeadlineSeconds !== undefined && { startingDeadlineMs: startingDeadlineSeconds * 1000 }),
    limits: { succeeded: history.successfulJobsHistoryLimit, failed: history.failedJobsHistoryLimit },
    now,
  });
  for (const action of plan.actions) log(runtime, key, action);

  const replaced = plan.actions.filter((action) => action.kind === 'replace').map(({ run }) => run);
  if (replaced.length > 0) {
    // Why an object went is known no more once it has gone.
    await report(runtime, record, { ...found, replaced });
    await Promise.all(replaced.map((run) => remove(runtime, namespace, run)));
  }
  const starts = plan.actions.filter((action) => action.kind === 'start');
  try {
    for (const { scheduledAt } of starts) await start(runtime, record, spec, scheduledAt);
  } catch (error) {
    const message = error instanceof ApiError || error instanceof NotYetError ? error.message : String(error);
    await report(runtime, record, {
      ...found,
      replaced,
      trouble: { reason: 'RunNotStarted', message, stalled: false },
    });
    throw error;
  }
  await report(runtime, record, { ...found, plan, replaced });
  const forgotten = plan.actions.filter((action) => action.kind === 'forget').map(({ run }) => run);
  await Promise.all(forgotten.filter(({ deleting }) => !deleting).map((run) => remove(runtime, namespace, run)));
  if (plan.wakeAt === undefined) return {};
  return { requeueAfterMs: Math.min(Math.max(plan.wakeAt - runtime.now(), 0), LOOK_AGAIN_MS) };
}

/** Everything that the times of runs hang on. */
function scheduleText(spec: ScheduledTaskSpec): string {
  const { scheduleExpression, scheduleExpressionTimezone, startDate, endDate, state, flexibleTimeWindow } = spec;
  const window = flexibleTimeWindow.maximumWindowInMinutes;
  return [
    scheduleExpression,
    scheduleExpressionTimezone,
    ...(startDate === undefined ? [] : [`from ${startDate}`]),
    ...(endDate === undefined ? [] : [`until ${endDate}`]),
    ...(window === undefined ? [] : [`within ${window} minutes`]),
    ...(state === 'ENABLED' ? [] : [state]),
  ].join(' ');
}

/** Whole seconds within the flexible time window, the same for every run of a schedule, so that runs stay in order. */
function offsetOf(
  uid: string,
  { flexibleTimeWindow: { maximumWindowInMinutes: minutes = 0 } }: ScheduledTaskSpec,
): number {
  return minutes === 0 ? 0 : (Number.parseInt(uid.slice(0, 8), 16) % (minutes * 60)) * 1000;
}

const KINDS = { Task: tasks, BatchJob: batchJobs } as const satisfies Record<string, ResourceDescriptor>;

function observedRuns({ stores }: Runtime, { uid }: ScheduledTaskRecord): ObservedRun[] {
  const ofKind = (kind: keyof typeof KINDS): ObservedRun[] =>
    stores[kind === 'Task' ? 'runTasks' : 'batchJobs'].by('owner', uid).flatMap((object) => {
      const scheduledAt = Date.parse(object.annotations[ANNOTATIONS.scheduledAt] ?? '');
      if (Number.isNaN(scheduledAt)) return [];
      const { name, deleting, status } = object;
      const end = status.conditions?.find(
        ({ type, status: is }) => (type === 'Complete' || type === 'Failed') && is === 'True',
      );
      const result = end?.type === 'Complete' ? ('SUCCEEDED' as const) : ('FAILED' as const);
      return [
        {
          name,
          kind,
          uid: object.uid,
          deleting,
          scheduledAt,
          ...(end !== undefined && {
            end: { result, reason: end.message, at: Date.parse(end.lastTransitionTime) },
          }),
        },
      ];
    });
  return [...ofKind('Task'), ...ofKind('BatchJob')];
}

function log({ logger }: Runtime, key: string, action: ScheduleAction<ObservedRun>): void {
  const of = action.kind === 'start' ? rfc3339(action.scheduledAt) : action.run.name;
  logger.info({ scheduledTask: key, of }, `${action.kind}: ${action.because}`);
}

/** The name is the lock: where the object is there already (an answer was lost), it is the run. */
async function start(
  runtime: Runtime,
  record: ScheduledTaskRecord,
  spec: ScheduledTaskSpec,
  scheduledAt: number,
): Promise<void> {
  const { namespace, uid } = record;
  const kind = spec.target.runTask === undefined ? batchJobs : tasks;
  const barrier = runtime.barriers[kind === tasks ? 'runTasks' : 'batchJobs'];
  const name = runName(record.name, scheduledAt);
  const time = rfc3339(scheduledAt);
  const awsName = spec.name ?? record.name;
  const body = {
    apiVersion: API_VERSION,
    kind: kind.kind,
    metadata: {
      name,
      namespace,
      labels: { [LABELS.managedBy]: MANAGED_BY, [LABELS.scheduledTask]: dnsName(awsName) },
      annotations: { [ANNOTATIONS.scheduledTask]: awsName, [ANNOTATIONS.scheduledAt]: time },
      ownerReferences: [ownerReference(scheduledTasks, record)],
    },
    spec: runInput(record.given, { schedule: awsName, run: name, time }),
  };
  try {
    const made = await runtime.client.create<KubeObject>(kind, { namespace }, body);
    barrier.note(uid, made.metadata.resourceVersion);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const existing = await runtime.client.get<KubeObject>(kind, { namespace, name });
    if (!existing.metadata.ownerReferences?.some((owner) => owner.uid === uid))
      throw new NotYetError(`${kind.kind} ${namespace}/${name} is there already, and of somebody else: delete it`);
    barrier.note(uid, existing.metadata.resourceVersion);
  }
}

async function remove({ client }: Runtime, namespace: string, { kind, name, uid }: ObservedRun): Promise<void> {
  try {
    await client.delete(KINDS[kind], { namespace, name }, { preconditions: { uid }, propagationPolicy: 'Background' });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

async function report(
  runtime: Runtime,
  record: ScheduledTaskRecord,
  content: Omit<ScheduleReport, 'record' | 'now'>,
): Promise<void> {
  const now = runtime.now();
  const { status, events } = scheduledTaskStatus({ ...content, record, now });
  await runtime.statuses.scheduledTasks.write(record, status, { urgent: true, now });
  const { namespace, name, uid } = record;
  const regarding = { apiVersion: API_VERSION, kind: scheduledTasks.kind, namespace, name, uid };
  for (const event of events) runtime.events.record({ regarding, ...event });
}
