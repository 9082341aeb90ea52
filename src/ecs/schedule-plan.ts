/** What a ScheduledTask does now: which runs it starts, which it ends or forgets, and when it looks again. */
import type { RunResult } from '../api/scheduled-task.ts';
import type { ScheduleRuns } from './schedule.ts';

/** All times are epoch milliseconds. */
export interface ScheduledRun {
  readonly name: string;
  readonly kind: 'Task' | 'BatchJob';
  /** Time that the schedule has for it. */
  readonly scheduledAt: number;
  /** Absent while it is active. */
  readonly end?: { readonly result: RunResult; readonly reason: string; readonly at: number };
}

export interface SchedulePlanInput<Run extends ScheduledRun> {
  /** Absent: DISABLED. */
  readonly schedule?: ScheduleRuns | undefined;
  /** No run is for a time before. */
  readonly since: number;
  /** Of runs up to this time it was decided. */
  readonly decidedUntil: number;
  /** How late every run is, within the flexible time window. */
  readonly offsetMs: number;
  /** The objects that it owns. */
  readonly runs: readonly Run[];
  readonly concurrencyPolicy: 'Allow' | 'Forbid' | 'Replace';
  readonly startingDeadlineMs?: number | undefined;
  readonly limits: { readonly succeeded: number; readonly failed: number };
  readonly now: number;
}

export type ScheduleAction<Run> =
  /** An active run makes place for the next one. */
  | { readonly kind: 'replace'; readonly run: Run; readonly because: string }
  | { readonly kind: 'start'; readonly scheduledAt: number; readonly because: string }
  /** The object of a run that is over goes. */
  | { readonly kind: 'forget'; readonly run: Run; readonly because: string };

export interface SchedulePlan<Run> {
  readonly actions: readonly ScheduleAction<Run>[];
  /** Of runs up to this time it is decided once the actions are carried out. */
  readonly decidedUntil: number;
  /** Runs that are not started since their time has passed. */
  readonly missed: { readonly count: number; readonly more: boolean; readonly newest: number } | undefined;
  /** A run that waits for the end of active ones. */
  readonly heldBack?: number;
  /** When the next run is to start. */
  readonly nextAt?: number;
  /** When to look again, whatever happens. */
  readonly wakeAt?: number;
}

/** As many are counted: more would only cost time. */
const COUNTED = 100;

/** CronJob's rules (batch/v1): of the runs that are due, the newest starts, unless it is too late; the others are missed. */
export function planSchedule<Run extends ScheduledRun>(input: SchedulePlanInput<Run>): SchedulePlan<Run> {
  const { schedule, runs, offsetMs, now, concurrencyPolicy, startingDeadlineMs = Infinity } = input;
  // The object of a run says as well as the status that it was started.
  const decidedUntil = Math.max(input.decidedUntil, ...runs.map(({ scheduledAt }) => scheduledAt));
  const forget = forgotten(input);
  if (schedule === undefined) return { actions: forget, decidedUntil, missed: undefined };
  const from = Math.max(decidedUntil, input.since - 1);
  const due = schedule.due(from, now - offsetMs, COUNTED);
  const upcoming = schedule.next(Math.max(from, now - offsetMs));
  const next = upcoming === undefined ? {} : { nextAt: upcoming + offsetMs, wakeAt: upcoming + offsetMs };
  if (decidedUntil > input.decidedUntil)
    return { actions: [], decidedUntil, missed: passedOver(schedule, input, decidedUntil), ...next, wakeAt: now };
  if (due === undefined) return { actions: forget, decidedUntil, missed: undefined, ...next };

  const { newest, more } = due;
  const older = due.count - 1;
  const lateUntil = newest + offsetMs + startingDeadlineMs;
  if (now > lateUntil) {
    const missed = { count: due.count, more, newest };
    return { actions: forget, decidedUntil: newest, missed, ...next };
  }
  const missed = older > 0 || more ? { count: older, more, newest } : undefined;
  const active = runs.filter(({ end }) => end === undefined);
  if (concurrencyPolicy === 'Forbid' && active.length > 0) {
    // Whether it is missed shows when it is started, or another is: it stays undecided.
    return { actions: forget, decidedUntil, missed: undefined, heldBack: newest, ...next };
  }
  const replaced = concurrencyPolicy === 'Replace' ? active : [];
  return {
    actions: [
      ...replaced.map((run) => ({
        kind: 'replace' as const,
        run,
        because: 'concurrencyPolicy Replace: the next run takes its place',
      })),
      { kind: 'start', scheduledAt: newest, because: because(now - newest - offsetMs, missed !== undefined) },
      ...forget,
    ],
    decidedUntil: newest,
    missed,
    ...next,
  };
}

/** What a run passed over whose start is not on record yet: the operator ended between the one and the other. */
function passedOver<Run extends ScheduledRun>(
  schedule: ScheduleRuns,
  { decidedUntil, since, runs }: SchedulePlanInput<Run>,
  newest: number,
): SchedulePlan<Run>['missed'] {
  const started = runs.filter(({ scheduledAt }) => scheduledAt > decidedUntil).length;
  const { count = 0, more = false } = schedule.due(Math.max(decidedUntil, since - 1), newest, COUNTED) ?? {};
  return count > started ? { count: count - started, more, newest } : undefined;
}

const because = (lateMs: number, isNewest: boolean): string =>
  isNewest
    ? 'the newest of the runs that are due'
    : lateMs < 60_000
      ? 'its time has come'
      : 'its time has passed, and its deadline has not';

/** Objects of runs that are over, beyond the limits: the oldest first. */
function forgotten<Run extends ScheduledRun>({ runs, limits }: SchedulePlanInput<Run>): ScheduleAction<Run>[] {
  const beyond = (is: (result: RunResult) => boolean, limit: number, because: string): ScheduleAction<Run>[] =>
    runs
      .filter(({ end }) => end !== undefined && is(end.result))
      .sort((a, b) => b.scheduledAt - a.scheduledAt)
      .slice(limit)
      .map((run) => ({ kind: 'forget', run, because }));
  return [
    ...beyond((result) => result === 'SUCCEEDED', limits.succeeded, 'beyond successfulJobsHistoryLimit'),
    ...beyond((result) => result !== 'SUCCEEDED', limits.failed, 'beyond failedJobsHistoryLimit'),
  ];
}
