/** What `kubectl get` and `describe` show of a ScheduledTask, and the events of what is new in it. */
import type { RunRecord, ScheduledTaskStatus } from '../api/scheduled-task.ts';
import type { ScheduledRun, SchedulePlan } from '../ecs/schedule-plan.ts';
import { runName } from '../ecs/scheduled-run.ts';
import type { EventRecord } from '../kube/event-recorder.ts';
import { scheduledTaskFieldSupport } from '../pod/field-support.ts';
import { type ConditionInput, kstatus, rfc3339, withTimes } from './conditions.ts';
import type { ScheduledTaskRecord } from './runtime.ts';
import type { Trouble } from './service-revision.ts';

export interface ScheduleReport {
  readonly record: ScheduledTaskRecord;
  readonly runs: readonly ScheduledRun[];
  /** What the times hang on, and since when, epoch milliseconds; absent where that is not known. */
  readonly schedule?: string;
  readonly since?: number;
  /** Absent where it was not carried out. */
  readonly plan?: SchedulePlan<ScheduledRun>;
  /** Active ones that make place for the next. */
  readonly replaced?: readonly ScheduledRun[];
  readonly trouble?: Trouble;
  readonly now: number;
}

type ScheduleEvent = Omit<EventRecord, 'regarding'>;

const MAX_HISTORY = 20;
const MAX_ACTIVE = 100;

export function scheduledTaskStatus(input: ScheduleReport): { status: ScheduledTaskStatus; events: ScheduleEvent[] } {
  const { record, runs, plan, replaced = [], since, now } = input;
  const { status: before, spec } = record;
  const schedule = input.schedule ?? before.schedule;
  const scheduledSince = since === undefined ? before.scheduledSince : rfc3339(since);
  const history = historyOf(input);
  const kind = spec?.target.runTask === undefined ? 'BatchJob' : 'Task';
  const started = plan?.actions.flatMap((action) => (action.kind === 'start' ? action.scheduledAt : [])) ?? [];
  const active = [
    ...started.map((scheduledAt): ScheduledRun => ({ name: runName(record.name, scheduledAt), kind, scheduledAt })),
    ...runs.filter((run) => run.end === undefined && !replaced.includes(run)).sort(newestFirst),
  ];
  const lastStarted = latest(before.lastScheduleTime, ...runs.map(({ scheduledAt }) => scheduledAt), ...started);
  const succeeded = history
    .filter(({ result }) => result === 'SUCCEEDED')
    .map(({ finishedAt }) => Date.parse(finishedAt));
  const lastSuccessful = latest(before.lastSuccessfulTime, ...succeeded);
  const decided = plan === undefined ? before.decidedUntil : timeText(plan.decidedUntil);
  const missedRuns = (before.missedRuns ?? 0) + (plan?.missed?.count ?? 0);
  const next = plan?.nextAt === undefined ? undefined : rfc3339(plan.nextAt);
  const status: ScheduledTaskStatus = {
    observedGeneration: record.generation,
    ...(schedule !== undefined && { schedule }),
    ...(scheduledSince !== undefined && { scheduledSince }),
    ...(decided !== undefined && { decidedUntil: decided }),
    ...(lastStarted !== undefined && { lastScheduleTime: lastStarted }),
    ...(lastSuccessful !== undefined && { lastSuccessfulTime: lastSuccessful }),
    ...(next !== undefined && { nextScheduleTime: next }),
    missedRuns,
    activeCount: active.length,
    active: active
      .slice(0, MAX_ACTIVE)
      .map(({ name, kind, scheduledAt }) => ({ name, kind, scheduleTime: rfc3339(scheduledAt) })),
    history,
    fieldSupport: spec === undefined ? [] : scheduledTaskFieldSupport(spec),
    conditions: withTimes(conditions(input, next), before.conditions, record.generation, now),
  };
  return { status, events: eventsOf(input, history) };
}

const newestFirst = (a: ScheduledRun, b: ScheduledRun): number => b.scheduledAt - a.scheduledAt;

const timeText = (at: number): string | undefined => (Number.isFinite(at) ? rfc3339(at) : undefined);

const latest = (before: string | undefined, ...times: number[]): string | undefined =>
  timeText(Math.max(before === undefined ? -Infinity : Date.parse(before), ...times));

/** What was recorded stays as it is; new are the runs that are over, those replaced, and active ones that are gone. */
function historyOf({ record: { status }, runs, replaced = [], now }: ScheduleReport): RunRecord[] {
  const known = status.history ?? [];
  const isNew = ({ name }: { readonly name: string }): boolean => known.every((other) => other.name !== name);
  const ended = runs.flatMap((run): RunRecord[] => {
    const { name, kind, scheduledAt } = run;
    const common = { name, kind, scheduleTime: rfc3339(scheduledAt) };
    if (replaced.includes(run)) return [{ ...common, result: 'REPLACED', finishedAt: rfc3339(now) }];
    if (run.end === undefined) return [];
    const { result, reason, at } = run.end;
    return [{ ...common, result, reason: reason.slice(0, 1024), finishedAt: rfc3339(at) }];
  });
  const gone = (status.active ?? [])
    .filter(({ name }) => runs.every((run) => run.name !== name))
    .map((run): RunRecord => ({ ...run, result: 'DELETED', finishedAt: rfc3339(now) }));
  return [...[...ended, ...gone].filter(isNew), ...known]
    .sort((a, b) => Date.parse(b.scheduleTime) - Date.parse(a.scheduleTime))
    .slice(0, MAX_HISTORY);
}

function conditions({ record, plan, trouble, since }: ScheduleReport, next: string | undefined): ConditionInput[] {
  if (trouble !== undefined)
    return kstatus(trouble.stalled ? 'stalled' : 'reconciling', trouble.reason, trouble.message);
  if (record.spec?.state === 'DISABLED') return kstatus('ready', 'Disabled', 'state is DISABLED: nothing runs');
  if (plan === undefined) return kstatus('reconciling', 'ScheduleChanged', 'the schedule is another one now');
  if (plan.heldBack !== undefined) {
    const message = `the run of ${rfc3339(plan.heldBack)} waits until the one before is over: concurrencyPolicy Forbid`;
    return kstatus('ready', 'HeldBack', message);
  }
  if (next !== undefined) return kstatus('ready', 'Scheduled', `the next run is at ${next}`);
  const { scheduleExpression, scheduleExpressionTimezone } = record.spec ?? {};
  if (Number.isFinite(plan.decidedUntil)) return kstatus('ready', 'Completed', 'the schedule has no more runs');
  const message = `${scheduleExpression} has no run in ${scheduleExpressionTimezone} from ${rfc3339(since ?? record.createdAt)} on`;
  return kstatus('stalled', 'NeverRuns', message);
}

function eventsOf(
  { record: { status }, plan, trouble }: ScheduleReport,
  history: readonly RunRecord[],
): ScheduleEvent[] {
  const known = new Set(status.history?.map(({ name }) => name));
  const ends = history
    .filter(({ name }) => !known.has(name))
    .map(({ name, kind, result, reason }): ScheduleEvent => {
      const word = { SUCCEEDED: 'Succeeded', FAILED: 'Failed', REPLACED: 'Replaced', DELETED: 'Deleted' }[result];
      const text = {
        SUCCEEDED: 'has succeeded',
        FAILED: 'has failed',
        REPLACED: 'makes place for the next',
        DELETED: 'was deleted',
      };
      return {
        type: result === 'SUCCEEDED' || result === 'REPLACED' ? 'Normal' : 'Warning',
        reason: `Run${word}`,
        action: 'Finish',
        note: `${kind} ${name} ${text[result]}${reason === undefined ? '' : `: ${reason}`}`,
      };
    });
  const starts = (plan?.actions ?? []).flatMap((action): ScheduleEvent[] =>
    action.kind === 'start'
      ? [
          {
            type: 'Normal',
            reason: 'RunStarted',
            action: 'Start',
            note: `the run of ${rfc3339(action.scheduledAt)} was started: ${action.because}`,
          },
        ]
      : [],
  );
  const { missed } = plan ?? {};
  const number = `${missed?.more ? 'more than ' : ''}${missed?.count} ${missed?.count === 1 ? 'run was' : 'runs were'}`;
  const misses: ScheduleEvent[] =
    missed === undefined
      ? []
      : [
          {
            type: 'Warning',
            reason: 'RunsMissed',
            action: 'Skip',
            note: `${number} missed up to ${rfc3339(missed.newest)}`,
          },
        ];
  const troubles: ScheduleEvent[] =
    trouble === undefined || trouble.stalled
      ? []
      : [{ type: 'Warning', reason: trouble.reason, action: 'Start', note: trouble.message }];
  return [...ends, ...misses, ...starts, ...troubles];
}
