import { afterAll, beforeAll, describe, it } from 'vitest';
import { BATCH } from '../support/batch-scenario.ts';
import { endOf, rollBesideJob, undisturbedEnd, violationsOf } from '../support/chaos-scenario.ts';
import { all, CrashPoints, CUT_OFF, KILLED } from '../support/crash-points.ts';
import { DRAIN } from '../support/drain-scenario.ts';
import { PrometheusServer } from '../support/prometheus.ts';
import { alarmed, ROLLBACK } from '../support/rollback-scenario.ts';
import { RUN_TASKS } from '../support/run-task-scenario.ts';
import { SCHEDULED } from '../support/schedule-scenario.ts';
import { strictArray } from '../support/strict-array-scenario.ts';
import { useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: false });

const size = { desiredCount: 2 };

describe('the operator', { timeout: all ? 3_600_000 : 180_000 }, () => {
  const rollout = new CrashPoints(suite, {
    run: (ns) => rollBesideJob(ns, size),
    end: endOf,
    undisturbed: undisturbedEnd(size),
    violations: violationsOf,
    writes: 21,
    sample: 4,
  });

  it('killed before or after any one of its writes ends where it would have ended', (context) =>
    rollout.check(context, KILLED));

  it('cut off from the answer to any one of its writes ends where it would have ended', (context) =>
    rollout.check(context, CUT_OFF));
});

describe('the operator that runs tasks once', { timeout: all ? 3_600_000 : 180_000 }, () => {
  const tasks = new CrashPoints(suite, { ...RUN_TASKS, sample: 2 });

  it('killed before or after any one of its writes runs none twice, and records the same ends', (context) =>
    tasks.check(context, KILLED));

  it('cut off from the answer to any one of its writes does so, too', (context) => tasks.check(context, CUT_OFF));
});

describe('the operator that runs a schedule', { timeout: all ? 3_600_000 : 180_000 }, () => {
  const schedule = new CrashPoints(suite, { ...SCHEDULED, sample: 2 });

  it('killed before or after any one of its writes, or cut off from the answer, starts a run once, and knows how it ended', (context) =>
    schedule.check(context, [...KILLED, ...CUT_OFF]));
});

// In `npm test` the array with Strict accounting stands for it.
describe.runIf(all)('the operator that runs jobs', { timeout: all ? 3_600_000 : 180_000 }, () => {
  const jobs = new CrashPoints(suite, { ...BATCH, sample: 2 });

  it('killed before or after any one of its writes, or cut off from the answer, counts every exit once', (context) =>
    jobs.check(context, [...KILLED, ...CUT_OFF]));
});

describe('the operator that rolls back on request', { timeout: all ? 3_600_000 : 180_000 }, () => {
  const rollback = new CrashPoints(suite, { ...ROLLBACK, sample: 1 });

  it('killed before or after any one of its writes, or cut off from the answer, rolls back once, and says so once', (context) =>
    rollback.check(context, [...KILLED, ...CUT_OFF]));
});

describe('the operator that drains a task', { timeout: all ? 3_600_000 : 180_000 }, () => {
  const drain = new CrashPoints(suite, { ...DRAIN, sample: 1 });

  it('killed before or after any one of its writes, or cut off from the answer, tells none to end too early', (context) =>
    drain.check(context, [...KILLED, ...CUT_OFF]));
});

describe('the operator that runs an array with Strict accounting', { timeout: all ? 3_600_000 : 180_000 }, () => {
  const array = new CrashPoints(suite, { ...strictArray(suite), sample: 2 });

  it('killed before or after any one of its writes, or cut off from the answer, counts each exit once', (context) =>
    array.check(context, [...KILLED, ...CUT_OFF]));
});

// The way back is the same: this one is about the record of the alarm.
describe.runIf(all)('the operator that rolls back by an alarm', { timeout: all ? 3_600_000 : 180_000 }, () => {
  let prometheus: PrometheusServer;
  beforeAll(async () => {
    prometheus = await PrometheusServer.start();
  });
  afterAll(() => prometheus.stop());
  const rollback = new CrashPoints(suite, { ...alarmed(() => prometheus), sample: 1 });

  it('killed before or after any one of its writes forgets no alarm that it has recorded', (context) =>
    rollback.check(context, [...KILLED, ...CUT_OFF]));
});
