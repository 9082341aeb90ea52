/** When a schedule of EventBridge Scheduler runs: cron(), rate() and at() in a time zone, between two dates. */
import type { ScheduleExpression } from '../api/schedule-expression.ts';
import { cronTimes } from './cron.ts';
import { wallClock } from './wall-clock.ts';

/** All times are epoch milliseconds. */
export interface Schedule {
  readonly expression: ScheduleExpression;
  /** Of cron() and at(); a name that the runtime's time zone database has. */
  readonly timeZone: string;
  /**
   * The first run of rate() and no run of cron() before it; at() does not know it (schedule-types, "Rate-based schedules"
   * and "One-time schedules").
   */
  readonly startDate: number;
  /** No run from then on; at() does not know it. */
  readonly endDate?: number | undefined;
}

/** What was due in a stretch of time. */
export interface DueRuns {
  readonly newest: number;
  /** How many, at most the limit. */
  readonly count: number;
  /** There were more. */
  readonly more: boolean;
}

interface Times {
  /** The first run after this one. */
  after(instant: number): number | undefined;
  /** The last run at this one or before. */
  until(instant: number): number | undefined;
}

const DAY_MS = 86_400_000;

/**
 * cron() in a time zone: a time that the clock skips is no run, and one that it shows twice is a run the first time
 * (schedule-types, "Daylight savings time"). Of clock times that exist, the later one is never first shown earlier, so
 * that runs are in the order of their clock times.
 */
function timesOfCron(fields: Extract<ScheduleExpression, { kind: 'cron' }>['fields'], timeZone: string): Times {
  const cron = cronTimes(fields);
  const clock = wallClock(timeZone);
  return {
    after(instant) {
      for (let wall = cron.after(clock.wallAt(instant)); wall !== undefined; wall = cron.after(wall)) {
        const run = clock.instantOf(wall);
        if (run !== undefined && run > instant) return run;
      }
      return undefined;
    },
    until(instant) {
      // Set back a short while ago, it has shown later times than now.
      const now = clock.wallAt(instant);
      const setBackMs = Math.max(0, clock.wallAt(instant - DAY_MS) + DAY_MS - now);
      for (let wall = cron.before(now + setBackMs + 1000); wall !== undefined; wall = cron.before(wall)) {
        const run = clock.instantOf(wall);
        if (run !== undefined && run <= instant) return run;
      }
      return undefined;
    },
  };
}

function timesOf({ expression, timeZone, startDate }: Schedule): Times {
  switch (expression.kind) {
    case 'cron':
      return timesOfCron(expression.fields, timeZone);
    case 'rate': {
      // Elapsed time: a day is 24 hours, whatever the clocks do (schedule-types, "Daylight savings time").
      const { periodMs } = expression;
      const ran = (instant: number): number => Math.floor((instant - startDate) / periodMs);
      return {
        after: (instant) => startDate + Math.max(ran(instant) + 1, 0) * periodMs,
        until: (instant) => (instant < startDate ? undefined : startDate + ran(instant) * periodMs),
      };
    }
    case 'at': {
      const run = wallClock(timeZone).instantOf(expression.wallMs);
      return {
        after: (instant) => (run !== undefined && run > instant ? run : undefined),
        until: (instant) => (run !== undefined && run <= instant ? run : undefined),
      };
    }
  }
}

/** The runs of a schedule. */
export interface ScheduleRuns {
  /** The first run after an instant. */
  next(after: number): number | undefined;
  /**
   * The runs after `since` and not after `now`; undefined where there is none.
   * @param limit how many are counted, from 1; the newest is found whatever it is.
   */
  due(since: number, now: number, limit: number): DueRuns | undefined;
}

/** Compiles a schedule; what it gives is much cheaper to ask than to make. */
export function scheduleRuns(schedule: Schedule): ScheduleRuns {
  const times = timesOf(schedule);
  const isBounded = schedule.expression.kind !== 'at';
  const startDate = isBounded ? schedule.startDate : -Infinity;
  const endDate = isBounded ? (schedule.endDate ?? Infinity) : Infinity;
  return {
    next(after) {
      const run = times.after(Math.max(after, startDate - 1));
      return run !== undefined && run < endDate ? run : undefined;
    },
    due(since, now, limit) {
      const from = Math.max(since, startDate - 1);
      const newest = times.until(Math.min(now, endDate - 1));
      if (newest === undefined || newest <= from) return undefined;
      let count = 0;
      for (let run = times.after(from); run !== undefined && run <= newest; run = times.after(run)) {
        if (count === limit) return { newest, count, more: true };
        count += 1;
      }
      return { newest, count, more: false };
    },
  };
}
