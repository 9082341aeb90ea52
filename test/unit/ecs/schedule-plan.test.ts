import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ScheduleRuns, scheduleRuns } from '../../../src/ecs/schedule.ts';
import { planSchedule, type ScheduledRun, type SchedulePlanInput } from '../../../src/ecs/schedule-plan.ts';
import { runInput, runName } from '../../../src/ecs/scheduled-run.ts';

const MINUTE = 60_000;

/** Every ten minutes from 0 on. */
const schedule: ScheduleRuns = scheduleRuns({
  expression: { kind: 'rate', periodMs: 10 * MINUTE },
  timeZone: 'UTC',
  startDate: 0,
});

const run = (minute: number, result?: 'SUCCEEDED' | 'FAILED'): ScheduledRun => ({
  name: `run-${minute}`,
  kind: 'Task',
  scheduledAt: minute * MINUTE,
  ...(result !== undefined && { end: { result, reason: '', at: (minute + 1) * MINUTE } }),
});

const plan = (given: Partial<SchedulePlanInput<ScheduledRun>>) =>
  planSchedule({
    schedule,
    since: 0,
    decidedUntil: -Infinity,
    offsetMs: 0,
    runs: [],
    concurrencyPolicy: 'Allow',
    limits: { succeeded: 3, failed: 1 },
    now: 0,
    ...given,
  });

/** `start 30`, `replace run-20`, `forget run-10`. */
const actions = (given: Partial<SchedulePlanInput<ScheduledRun>>): string[] =>
  plan(given).actions.map((action) =>
    action.kind === 'start' ? `start ${action.scheduledAt / MINUTE}` : `${action.kind} ${action.run.name}`,
  );

describe('the plan of a schedule', () => {
  it('starts a run at its time, not before, and once', () => {
    const decidedUntil = 10 * MINUTE;
    expect(actions({ decidedUntil, now: 20 * MINUTE - 1 })).toEqual([]);
    expect(plan({ decidedUntil, now: 20 * MINUTE - 1 }).wakeAt).toBe(20 * MINUTE);
    expect(actions({ decidedUntil, now: 20 * MINUTE })).toEqual(['start 20']);
    expect(actions({ decidedUntil: 20 * MINUTE, now: 20 * MINUTE })).toEqual([]);
    expect(actions({ now: 0 })).toEqual(['start 0']);
  });

  it('starts none for a time before the schedule was there', () => {
    expect(actions({ since: 15 * MINUTE, now: 19 * MINUTE })).toEqual([]);
    expect(actions({ since: 20 * MINUTE, now: 20 * MINUTE })).toEqual(['start 20']);
  });

  it('starts the newest of several that are due, and counts the others', () => {
    const { missed, decidedUntil } = plan({ decidedUntil: 0, now: 45 * MINUTE });
    expect(actions({ decidedUntil: 0, now: 45 * MINUTE })).toEqual(['start 40']);
    expect({ missed, decidedUntil }).toEqual({
      missed: { count: 3, more: false, newest: 40 * MINUTE },
      decidedUntil: 40 * MINUTE,
    });
    expect(plan({ decidedUntil: 0, now: 1e6 * MINUTE }).missed).toMatchObject({ count: 99, more: true });
  });

  it('starts none whose deadline has passed, and counts it', () => {
    const late = { decidedUntil: 0, now: 45 * MINUTE };
    expect(actions({ ...late, startingDeadlineMs: 5 * MINUTE })).toEqual(['start 40']);
    expect(actions({ ...late, startingDeadlineMs: 5 * MINUTE - 1 })).toEqual([]);
    expect(plan({ ...late, startingDeadlineMs: 0 })).toMatchObject({ missed: { count: 4 }, decidedUntil: 40 * MINUTE });
  });

  it('lets runs overlap, holds the next back, or ends those that are active, as it is told', () => {
    const due = { decidedUntil: 10 * MINUTE, now: 20 * MINUTE, runs: [run(0, 'SUCCEEDED'), run(10)] };
    expect(actions(due)).toEqual(['start 20']);
    expect(plan({ ...due, concurrencyPolicy: 'Forbid' })).toMatchObject({
      actions: [],
      heldBack: 20 * MINUTE,
      decidedUntil: 10 * MINUTE,
    });
    const over = { ...due, now: 35 * MINUTE, runs: [run(10, 'FAILED')], concurrencyPolicy: 'Forbid' as const };
    expect(actions(over)).toEqual(['start 30']);
    expect(plan(over).missed).toMatchObject({ count: 1 });
    expect(actions({ ...due, concurrencyPolicy: 'Replace' })).toEqual(['replace run-10', 'start 20']);
  });

  it('takes the object of a run for its record, where the operator ended between the two', () => {
    const { actions: none, ...rest } = plan({ decidedUntil: 0, now: 45 * MINUTE, runs: [run(40)] });
    expect(none).toEqual([]);
    expect(rest).toMatchObject({ decidedUntil: 40 * MINUTE, missed: { count: 3 }, wakeAt: 45 * MINUTE });
  });

  it('is late by the same within a flexible time window', () => {
    const late = { decidedUntil: 10 * MINUTE, offsetMs: 4 * MINUTE };
    expect(actions({ ...late, now: 24 * MINUTE - 1 })).toEqual([]);
    expect(plan({ ...late, now: 23 * MINUTE }).nextAt).toBe(24 * MINUTE);
    expect(actions({ ...late, now: 24 * MINUTE })).toEqual(['start 20']);
  });

  it('does nothing while it is DISABLED but forget', () => {
    const runs = [run(0, 'SUCCEEDED'), run(10, 'FAILED'), run(20, 'FAILED'), run(30)];
    const limits = { succeeded: 0, failed: 1 };
    expect(actions({ schedule: undefined, decidedUntil: 30 * MINUTE, now: 50 * MINUTE, runs, limits })).toEqual([
      'forget run-0',
      'forget run-10',
    ]);
  });

  it('over any time, looked at whenever, decides on each run once: it is started, or is missed', () => {
    const looks = fc.array(fc.integer({ min: 1, max: 90 * MINUTE }), { minLength: 1, maxLength: 40 });
    const options = fc.record({
      concurrencyPolicy: fc.constantFrom('Allow' as const, 'Forbid' as const, 'Replace' as const),
      startingDeadlineMs: fc.option(fc.integer({ min: 0, max: 30 * MINUTE }), { nil: undefined }),
      offsetMs: fc.integer({ min: 0, max: 60 * MINUTE }),
      lastsMs: fc.integer({ min: 1, max: 60 * MINUTE }),
      crashes: fc.infiniteStream(fc.boolean()),
    });
    fc.assert(
      fc.property(looks, options, (steps, { lastsMs, crashes, ...given }) => {
        let now = 0;
        let decidedUntil = -Infinity;
        let missed = 0;
        let runs: ScheduledRun[] = [];
        const started: number[] = [];
        for (const step of steps) {
          now += step;
          runs = runs.map((one) =>
            one.end === undefined && now - one.scheduledAt - given.offsetMs >= lastsMs
              ? { ...one, end: { result: 'SUCCEEDED', reason: '', at: now } }
              : one,
          );
          const { actions: all, ...next } = plan({
            ...given,
            decidedUntil,
            runs,
            now,
            limits: { succeeded: 99, failed: 99 },
          });
          for (const action of all) {
            if (action.kind !== 'start') runs = runs.filter((one) => one !== action.run);
            else {
              started.push(action.scheduledAt);
              runs.push(run(action.scheduledAt / MINUTE));
            }
          }
          if (given.concurrencyPolicy !== 'Allow')
            expect(runs.filter(({ end }) => end === undefined).length).toBeLessThanOrEqual(1);
          // The operator ends before it has written the status.
          if (all.some(({ kind }) => kind === 'start') && crashes.next().value) continue;
          decidedUntil = next.decidedUntil;
          missed += next.missed?.count ?? 0;
        }
        expect(started).toEqual([...new Set(started)].sort((a, b) => a - b));
        const recorded = started.filter((at) => at <= decidedUntil).length;
        const due = Number.isFinite(decidedUntil) ? decidedUntil / (10 * MINUTE) + 1 : 0;
        expect(recorded + missed).toBe(due);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the input of a run', () => {
  const context = { schedule: 'nightly.report', run: 'nightly-1', time: '2026-01-01T00:00:00Z' };

  it('has the keywords of EventBridge Scheduler filled in, wherever they are', () => {
    const text = '<aws.scheduler.scheduled-time>/<aws.scheduler.execution-id>/<aws.scheduler.attempt-number>';
    const submitJob = { parameters: { a: text }, containerProperties: { command: [text, 'x'], memory: 4 } };
    const filled = '2026-01-01T00:00:00Z/nightly-1/1';
    expect(runInput({ target: { submitJob } }, context)).toEqual({
      parameters: { a: filled },
      containerProperties: { command: [filled, 'x'], memory: 4 },
    });
  });

  it('says who started the tasks, unless it says otherwise', () => {
    const of = (runTask: object) => runInput({ target: { runTask, submitJob: null } }, context);
    expect(of({ taskDefinition: 'web' })).toEqual({
      taskDefinition: 'web',
      startedBy: 'chronos-schedule/nightly-report',
    });
    expect(of({ taskDefinition: 'web', startedBy: null })).toMatchObject({
      startedBy: 'chronos-schedule/nightly-report',
    });
    expect(of({ startedBy: 'me' })).toEqual({ startedBy: 'me' });
    const long = runInput({ target: { runTask: {} } }, { ...context, schedule: 'gold-coast-data-lake-ghl-refresh' });
    // As a task on AWS has it.
    expect(long).toEqual({ startedBy: 'chronos-schedule/gold-coast-data-lak' });
  });

  it('has a name that is a DNS label, whatever the object is called', () => {
    expect(runName('nightly', 1_767_225_600_000)).toBe('nightly-1767225600');
    expect(runName('a.b'.repeat(80), 1_767_225_600_000)).toMatch(/^[a-z0-9-]{1,63}$/);
  });
});
