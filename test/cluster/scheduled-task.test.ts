import { describe, expect, it } from 'vitest';
import type { ScheduledTaskStatus } from '../../src/api/scheduled-task.ts';
import { kwok, taskDefinition } from '../support/manifests.ts';
import { readyCondition } from '../support/services.ts';
import { type Manifest, type TestNamespace, useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: true });

const migrate: Manifest = taskDefinition('migrate', {}, [{ name: 'app', image: 'busybox:1.36', memoryReservation: 8 }]);

/** Runs until the test ends it, unless it says otherwise. */
const runTask = (asked: Parameters<typeof kwok>[0] = {}) => ({
  runTask: { taskDefinition: 'migrate', kubernetes: { podAnnotations: kwok(asked) } },
});
const succeeds = { exitAfter: '200ms', exitCode: 0 };

const scheduled = (name: string, spec: object): Manifest => ({ kind: 'ScheduledTask', name, spec });

/** A whole second so many seconds from now. */
const inSeconds = (seconds: number): number => Math.ceil(Date.now() / 1000 + seconds) * 1000;
const rfc3339 = (at: number): string => new Date(at).toISOString().replace('.000Z', 'Z');

const until = (ns: TestNamespace, name: string, what: string, is: (status: ScheduledTaskStatus) => unknown) =>
  ns.until(`${name} ${what}`, () => {
    const status = ns.history.get('scheduledtasks', name)?.status;
    return status !== undefined && is(status) ? status : undefined;
  });

const untilRunning = (ns: TestNamespace, task: string) =>
  ns.until(`${task} to run`, () => ns.history.get('tasks', task)?.status?.runningCount === 1);

const reasonOf = (ns: TestNamespace, name: string) => readyCondition(ns.history.get('scheduledtasks', name))?.reason;

/** Every Task that there was, by name. */
const tasksMade = (ns: TestNamespace): string[] => [
  ...new Set(ns.history.entries.flatMap(({ kind, object }) => (kind === 'tasks' ? object.metadata.name : []))),
];

/** What an operator that ran before would have left. */
const leave = (ns: TestNamespace, name: string, status: object) =>
  ns.patch('scheduledtasks', name, { status }, '/status');

describe.concurrent('a ScheduledTask', () => {
  it('runs once at a time of its time zone, and has then no more runs', async (context) => {
    const ns = await suite().namespace(context);
    const timeZone = 'Australia/Lord_Howe';
    const at = inSeconds(10);
    const wall = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' }).format(at);
    await ns.create(
      migrate,
      scheduled('once', {
        scheduleExpression: `at(${wall.replace(' ', 'T')})`,
        scheduleExpressionTimezone: timeZone,
        target: runTask(succeeds),
      }),
    );
    const name = `once-${at / 1000}`;
    const status = await until(ns, 'once', 'to be over', ({ history = [] }) => history.length === 1);
    expect(status).toMatchObject({
      lastScheduleTime: rfc3339(at),
      missedRuns: 0,
      activeCount: 0,
      history: [{ name, kind: 'Task', scheduleTime: rfc3339(at), result: 'SUCCEEDED' }],
    });
    expect(status).not.toHaveProperty('nextScheduleTime');
    expect(reasonOf(ns, 'once')).toBe('Completed');
    const [task] = ns.history.statesOf('tasks', name);
    expect(Date.parse(`${task?.metadata.creationTimestamp}`)).toBeGreaterThanOrEqual(at);
    expect(tasksMade(ns)).toEqual([name]);
  });

  it('runs at its start date and then at its rate, whatever it is called', async (context) => {
    const ns = await suite().namespace(context);
    const startDate = inSeconds(10);
    await ns.create(
      migrate,
      scheduled('rated', {
        name: 'Nightly.Report',
        scheduleExpression: 'rate(1 hour)',
        startDate: rfc3339(startDate),
        flexibleTimeWindow: { mode: 'OFF' },
        target: runTask(),
      }),
      scheduled('at-once', { scheduleExpression: 'rate(1 day)', target: runTask() }),
    );
    await until(ns, 'rated', 'to run', ({ activeCount }) => activeCount === 1);
    const task = ns.history.get('tasks', `rated-${startDate / 1000}`);
    expect(task?.metadata.annotations).toMatchObject({
      'longshore.dev/scheduled-task': 'Nightly.Report',
      'longshore.dev/scheduled-at': rfc3339(startDate),
    });
    expect(task).toMatchObject({ spec: { startedBy: 'chronos-schedule/Nightly-Report' } });
    expect(ns.history.get('scheduledtasks', 'rated')?.status).toMatchObject({
      lastScheduleTime: rfc3339(startDate),
      nextScheduleTime: rfc3339(startDate + 3_600_000),
    });
    const { scheduledSince } = await until(ns, 'at-once', 'to run', ({ activeCount }) => activeCount === 1);
    expect(scheduledSince).toBe(ns.history.get('scheduledtasks', 'at-once')?.metadata.creationTimestamp);
    const [header, row] = (await ns.kubectl(['get', 'esched', 'rated']))
      .split('\n')
      .map((line) => line.split(/\s{2,}/));
    expect(header).toEqual(['NAME', 'SCHEDULE', 'TIMEZONE', 'STATE', 'ACTIVE', 'LAST', 'NEXT', 'AGE']);
    expect(row?.slice(0, 5)).toEqual(['rated', 'rate(1 hour)', 'UTC', 'ENABLED', '1']);
  });

  it('has no run from its end date on', async (context) => {
    const ns = await suite().namespace(context);
    const startDate = inSeconds(10);
    const endDate = rfc3339(startDate + 3_600_000);
    await ns.create(
      migrate,
      scheduled('ending', {
        scheduleExpression: 'rate(1 hour)',
        startDate: rfc3339(startDate),
        endDate,
        target: runTask(),
      }),
      scheduled('never', { scheduleExpression: 'at(2020-01-01T00:00:00)', target: runTask() }),
    );
    const status = await until(ns, 'ending', 'to run', ({ activeCount }) => activeCount === 1);
    expect(status).not.toHaveProperty('nextScheduleTime');
    expect(reasonOf(ns, 'ending')).toBe('Completed');
    await until(ns, 'never', 'to be looked at', ({ conditions }) => conditions);
    expect(reasonOf(ns, 'never')).toBe('NeverRuns');
    expect(tasksMade(ns)).toEqual([`ending-${startDate / 1000}`]);
  });

  it('makes up for nothing that was due while it was DISABLED', async (context) => {
    const ns = await suite().namespace(context);
    const startDate = inSeconds(-10 * 3600 - 1800);
    const spec = {
      scheduleExpression: 'rate(1 hour)',
      startDate: rfc3339(startDate),
      state: 'DISABLED',
      target: runTask(),
    };
    await ns.create(migrate, scheduled('off', spec));
    await until(ns, 'off', 'to be off', ({ schedule }) => schedule?.endsWith(' DISABLED'));
    expect(reasonOf(ns, 'off')).toBe('Disabled');
    await leave(ns, 'off', { scheduledSince: rfc3339(startDate), decidedUntil: rfc3339(startDate) });
    await ns.patch('scheduledtasks', 'off', { spec: { state: 'ENABLED' } });
    const status = await until(ns, 'off', 'to be on', ({ nextScheduleTime }) => nextScheduleTime !== undefined);
    expect(status).toMatchObject({ nextScheduleTime: rfc3339(startDate + 11 * 3_600_000), missedRuns: 0 });
    expect(tasksMade(ns)).toEqual([]);
  });

  it('with Forbid holds the next run back until the one before is over', async (context) => {
    const ns = await suite().namespace(context);
    const kubernetes = { concurrencyPolicy: 'Forbid' };
    await ns.create(migrate, scheduled('alone', { scheduleExpression: 'rate(1 day)', target: runTask(), kubernetes }));
    const { active = [] } = await until(ns, 'alone', 'to run', ({ activeCount }) => activeCount === 1);
    const first = active[0]?.name ?? '';
    await untilRunning(ns, first);
    const startDate = inSeconds(10);
    await ns.patch('scheduledtasks', 'alone', { spec: { startDate: rfc3339(startDate) } });
    await ns.until('the next one to be held back', () => reasonOf(ns, 'alone') === 'HeldBack');
    expect(tasksMade(ns)).toEqual([first]);
    const [pod] = ns.history.all('pods');
    await ns.patch('pods', pod?.metadata.name ?? '', {
      metadata: { annotations: kwok({ exitAfter: '1ms', exitCode: 3 }) },
    });
    const status = await until(
      ns,
      'alone',
      'to run again',
      ({ lastScheduleTime }) => lastScheduleTime === rfc3339(startDate),
    );
    expect(status).toMatchObject({
      active: [{ name: `alone-${startDate / 1000}` }],
      history: [{ name: first, result: 'FAILED', reason: expect.stringContaining('exit code 3') }],
      missedRuns: 0,
    });
  });

  it('with Replace puts the next run in the place of the one before, and takes all along when it is deleted', async (context) => {
    const ns = await suite().namespace(context);
    const kubernetes = { concurrencyPolicy: 'Replace' };
    await ns.create(migrate, scheduled('newest', { scheduleExpression: 'rate(1 day)', target: runTask(), kubernetes }));
    const { active = [] } = await until(ns, 'newest', 'to run', ({ activeCount }) => activeCount === 1);
    const first = active[0]?.name ?? '';
    await untilRunning(ns, first);
    const startDate = inSeconds(10);
    const second = `newest-${startDate / 1000}`;
    await ns.patch('scheduledtasks', 'newest', { spec: { startDate: rfc3339(startDate) } });
    const status = await until(
      ns,
      'newest',
      'to run anew',
      ({ lastScheduleTime }) => lastScheduleTime === rfc3339(startDate),
    );
    expect(status).toMatchObject({ active: [{ name: second }], history: [{ name: first, result: 'REPLACED' }] });
    expect(ns.history.get('tasks', first)).toBeUndefined();
    await untilRunning(ns, second);
    await ns.delete('scheduledtasks', 'newest');
    await ns.until('its runs to go', () => ns.history.all('tasks').length === 0 && ns.history.all('pods').length === 0);
  });

  it('runs a job with the time of its run in it, and keeps as many objects of runs as it says', async (context) => {
    const ns = await suite().namespace(context);
    const at = inSeconds(10);
    await ns.create(
      scheduled('job', {
        scheduleExpression: `at(${rfc3339(at).replace('Z', '')})`,
        target: {
          submitJob: {
            containerProperties: {
              image: 'busybox:1.36',
              vcpus: 1,
              memory: 16,
              environment: [{ name: 'TIME', value: '<aws.scheduler.scheduled-time> of <aws.scheduler.execution-id>' }],
            },
            kubernetes: { podAnnotations: kwok(succeeds) },
          },
        },
        kubernetes: { successfulJobsHistoryLimit: 0 },
      }),
    );
    const name = `job-${at / 1000}`;
    const { history } = await until(ns, 'job', 'to be over', ({ history = [] }) => history.length === 1);
    expect(history).toMatchObject([{ name, kind: 'BatchJob', result: 'SUCCEEDED' }]);
    await ns.until('its object to go', () => ns.history.get('batchjobs', name) === undefined);
    expect(ns.history.statesOf('batchjobs', name)[0]).toMatchObject({
      spec: { containerProperties: { environment: [{ name: 'TIME', value: `${rfc3339(at)} of ${name}` }] } },
    });
  });

  it('says why a run cannot start, and starts it when it can', async (context) => {
    const ns = await suite().namespace(context);
    const quota = { metadata: { name: 'none' }, spec: { hard: { 'count/tasks.longshore.dev': '0' } } };
    await ns.createRaw('resourcequotas', quota);
    await ns.kubectl([
      'wait',
      'resourcequota/none',
      '--for=jsonpath={.status.hard.count/tasks\\.longshore\\.dev}=0',
      '--timeout=120s',
    ]);
    await ns.create(migrate, scheduled('barred', { scheduleExpression: 'rate(1 day)', target: runTask() }));
    await ns.until('it to say so', () => reasonOf(ns, 'barred') === 'RunNotStarted');
    expect(readyCondition(ns.history.get('scheduledtasks', 'barred'))?.message).toContain('exceeded quota');
    await ns.delete('resourcequotas', 'none');
    const { active } = await until(ns, 'barred', 'to run', ({ activeCount }) => activeCount === 1);
    expect(active?.map(({ scheduleTime }) => scheduleTime)).toEqual([
      ns.history.get('scheduledtasks', 'barred')?.metadata.creationTimestamp,
    ]);
  });
});

describe.concurrent('an operator that comes back', () => {
  it.for([
    { deadline: undefined, made: 1, missed: 9 },
    { deadline: 3600, made: 1, missed: 9 },
    { deadline: 60, made: 0, missed: 10 },
  ])(
    'starts the newest of ten runs that were due, and no other, with a deadline of $deadline s: $made',
    async ({ deadline, made, missed }, context) => {
      const ns = await suite().namespace(context);
      // Ten runs and half an hour ago.
      const startDate = inSeconds(-10.5 * 3600);
      const since = rfc3339(startDate);
      const kubernetes = deadline === undefined ? {} : { startingDeadlineSeconds: deadline };
      await ns.create(
        migrate,
        scheduled('late', { scheduleExpression: 'rate(1 hour)', startDate: since, target: runTask(), kubernetes }),
      );
      await until(ns, 'late', 'to be seen', ({ schedule }) => schedule);
      expect(tasksMade(ns)).toEqual([]);
      // What is there when an operator comes that was stopped after the first of the runs.
      await leave(ns, 'late', { scheduledSince: since, decidedUntil: since });
      const newest = startDate + 10 * 3_600_000;
      const status = await until(ns, 'late', 'to decide', ({ decidedUntil }) => decidedUntil === rfc3339(newest));
      expect(status).toMatchObject({ missedRuns: missed, activeCount: made });
      expect(tasksMade(ns)).toEqual(made === 0 ? [] : [`late-${newest / 1000}`]);
      const events = async (): Promise<string> =>
        ns.kubectl(['get', 'events', '--field-selector=reason=RunsMissed', '-o', 'jsonpath={.items[*].message}']);
      await context.expect
        .poll(events, { timeout: 60_000 })
        .toBe(`${missed} runs were missed up to ${rfc3339(newest)}`);
    },
  );
});
