/** What `kubectl get` and `describe` show of a Task: DescribeTasks' fields from the plan. */
import type { TaskRecordStatus, TaskStatus } from '../api/task.ts';
import { placementFailure } from '../ecs/placement-failure.ts';
import type { RunTaskPlan, TaskRecord } from '../ecs/run-task-plan.ts';
import { runTaskFieldSupport } from '../pod/field-support.ts';
import type { ObservedTask } from '../pod/observe.ts';
import type { TaskProblem } from '../pod/problems.ts';
import { type ConditionInput, kstatus, rfc3339, withTimes } from './conditions.ts';
import { resolvedRefs } from './references.ts';
import type { RunTaskRecord } from './runtime.ts';
import type { Trouble } from './service-revision.ts';

/** The part of the status that the plan builds on. */
export const recordOfStatus = (status: Partial<TaskStatus>): TaskRecord[] =>
  (status.tasks ?? []).map(({ createdAt, startedAt, stoppingAt, stoppedAt, ...task }) => ({
    ...task,
    createdAt: Date.parse(createdAt),
    ...(startedAt !== undefined && { startedAt: Date.parse(startedAt) }),
    ...(stoppingAt !== undefined && { stoppingAt: Date.parse(stoppingAt) }),
    ...(stoppedAt !== undefined && { stoppedAt: Date.parse(stoppedAt) }),
  }));

const statusOfRecord = (record: TaskRecord): TaskRecordStatus => {
  const { stoppedReason, containers, createdAt, startedAt, stoppingAt, stoppedAt, ...task } = record;
  return {
    ...task,
    ...(stoppedReason !== undefined && { stoppedReason: stoppedReason.slice(0, 1024) }),
    containers: containers.map(({ reason, ...container }) => ({
      ...container,
      ...(reason !== undefined && { reason: reason.slice(0, 1024) }),
    })),
    createdAt: rfc3339(createdAt),
    ...(startedAt !== undefined && { startedAt: rfc3339(startedAt) }),
    ...(stoppingAt !== undefined && { stoppingAt: rfc3339(stoppingAt) }),
    ...(stoppedAt !== undefined && { stoppedAt: rfc3339(stoppedAt) }),
  };
};

export interface RunTaskStatusInput {
  readonly runTask: RunTaskRecord;
  /** `family:revision`; absent as long as none is chosen. */
  readonly taskDefinition?: string | undefined;
  readonly group?: string | undefined;
  readonly plan?: RunTaskPlan<ObservedTask> | undefined;
  readonly tasks: readonly ObservedTask[];
  /** What keeps tasks from being started, if anything. */
  readonly trouble?: Trouble | undefined;
  /** What of what it names means nothing here; absent where nothing was to be started. */
  readonly problems?: readonly TaskProblem[] | undefined;
  readonly now: number;
}

export function runTaskStatus(input: RunTaskStatusInput): TaskStatus {
  const { runTask, plan, problems, now } = input;
  const { status, spec } = runTask;
  const record = plan?.record ?? recordOfStatus(status);
  const desiredCount = spec?.count ?? 0;
  const running = record.filter((task) => task.lastStatus === 'RUNNING' || task.lastStatus === 'STOPPING').length;
  const stopped = record.filter((task) => task.lastStatus === 'STOPPED').length;
  const taskDefinition = input.taskDefinition ?? status.taskDefinition;
  const group = input.group ?? status.group;
  const failures = failuresOf(input, record, desiredCount - record.length);
  return {
    observedGeneration: runTask.generation,
    ...(taskDefinition !== undefined && { taskDefinition }),
    ...(group !== undefined && { group }),
    lastStatus: plan?.lastStatus ?? status.lastStatus ?? 'PROVISIONING',
    desiredCount,
    pendingCount: desiredCount - running - stopped,
    runningCount: running,
    stoppedCount: stopped,
    tasks: record.map(statusOfRecord),
    failures,
    fieldSupport: spec === undefined ? [] : runTaskFieldSupport(spec),
    conditions: [
      ...withTimes(
        [...conditions(input, failures), ...(problems === undefined ? [] : [resolvedRefs(problems)])],
        status.conditions,
        runTask.generation,
        now,
      ),
      // What was found when tasks were started stays said.
      ...(status.conditions ?? []).filter(({ type }) => problems === undefined && type === 'ResolvedRefs'),
    ],
  };
}

type Failures = NonNullable<TaskStatus['failures']>;

/** Tasks that no node takes or took, and those that are still to be made where that failed. */
function failuresOf(
  { runTask, tasks, trouble }: RunTaskStatusInput,
  record: readonly TaskRecord[],
  missing: number,
): Failures {
  const unplaced = tasks.flatMap(({ id, unplaceable: detail, ended, stopRequested }) =>
    detail === undefined || ended || stopRequested
      ? []
      : [{ task: id, reason: placementFailure(detail), detail: detail.slice(0, 1024) }],
  );
  const given = new Set(record.filter(({ stopCode }) => stopCode === 'TaskFailedToStart').map(({ task }) => task));
  const before = (runTask.status.failures ?? []).filter(
    ({ task }) => task !== undefined && given.has(task) && unplaced.every((failure) => failure.task !== task),
  );
  if (trouble === undefined) return [...before, ...unplaced];
  const refused = { reason: trouble.reason, detail: trouble.message.slice(0, 1024) };
  return [...before, ...unplaced, ...Array.from({ length: missing }, () => refused)];
}

function conditions({ plan, trouble }: RunTaskStatusInput, [failure]: Failures): ConditionInput[] {
  const outcome = plan?.outcome;
  const progress = `status ${plan?.lastStatus ?? 'PROVISIONING'}`;
  const complete = outcome?.succeeded === true;
  const failed = outcome?.succeeded === false;
  const ends: ConditionInput[] = [
    {
      type: 'Complete',
      status: complete,
      reason: complete ? outcome.reason : 'TasksNotComplete',
      message: outcome?.message ?? progress,
    },
    {
      type: 'Failed',
      status: failed,
      reason: failed ? outcome.reason : 'TasksNotFailed',
      message: outcome?.message ?? progress,
    },
  ];
  if (outcome !== undefined)
    return [...kstatus(complete ? 'ready' : 'stalled', outcome.reason, outcome.message), ...ends];
  if (trouble !== undefined)
    return [...kstatus(trouble.stalled ? 'stalled' : 'reconciling', trouble.reason, trouble.message), ...ends];
  if (failure !== undefined)
    return [...kstatus('reconciling', 'TaskPlacementFailed', `${failure.reason}: ${failure.detail}`), ...ends];
  return [...kstatus('reconciling', 'TasksRunning', progress), ...ends];
}
