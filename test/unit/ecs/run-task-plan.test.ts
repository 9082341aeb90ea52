import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planRunTask, type RunTask, type RunTaskPlan, type TaskRecord } from '../../../src/ecs/run-task-plan.ts';
import type { Container } from '../../../src/ecs/task.ts';

const NOW = 1_000_000;
const POD = 'migrate-0000-1';

const container = (more: Partial<Container> = {}): Container => ({
  name: 'app',
  essential: true,
  status: 'RUNNING',
  ready: true,
  startedAt: NOW - 5000,
  ...more,
});

const task = (more: Partial<RunTask> = {}): RunTask => ({
  name: POD,
  id: `id-of-${more.name ?? POD}`,
  createdAt: NOW - 10_000,
  node: 'n',
  containers: [container()],
  ended: false,
  stopRequested: false,
  ...more,
});

const exited = (exitCode: number, more: Partial<Container> = {}): Container =>
  container({ status: 'STOPPED', ready: false, exitCode, finishedAt: NOW - 1000, ...more });

const ended = (containers: Container[], more: Partial<RunTask> = {}): RunTask =>
  task({ containers, ended: true, ...more });

const plan = (
  tasks: readonly RunTask[],
  {
    pods = [POD],
    record = [],
    waitsForRoom = false,
    now = NOW,
  }: { pods?: string[]; record?: readonly TaskRecord[]; waitsForRoom?: boolean; now?: number } = {},
): RunTaskPlan<RunTask> => planRunTask({ pods, record, tasks, waitsForRoom, now });

const NO_CPU = '0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available.';

describe('a task that no node has room for', () => {
  const unplaced = (unplaceable: string) => task({ node: undefined, containers: [], unplaceable });

  it('has failed, unless it waits as with capacity providers', () => {
    const { actions, record } = plan([unplaced(NO_CPU)]);
    const cause = { stopCode: 'TaskFailedToStart', stoppedReason: `RESOURCE:CPU: ${NO_CPU}` };
    expect(actions).toMatchObject([{ kind: 'stop', ...cause }]);
    expect(record).toMatchObject([{ desiredStatus: 'STOPPED', ...cause }]);
    expect(plan([unplaced(NO_CPU)], { waitsForRoom: true })).toMatchObject({
      actions: [],
      record: [{ desiredStatus: 'RUNNING' }],
    });
    // Its pod is gone.
    expect(plan([], { record })).toMatchObject({
      actions: [],
      lastStatus: 'STOPPED',
      outcome: { succeeded: false, reason: 'TaskFailedToStart' },
    });
  });

  it('waits for what comes by itself', () => {
    const reasons = [
      '0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.',
      'running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded',
    ];
    for (const reason of reasons) expect(plan([unplaced(reason)]).actions, reason).toEqual([]);
  });
});

describe('the tasks of a Task', () => {
  it('are each started once: those that are neither there nor recorded', () => {
    const pods = ['a', 'b', 'c'];
    const none = plan([], { pods });
    expect(none.actions.map((action) => action.kind === 'start' && action.pod)).toEqual(pods);
    expect(none).toMatchObject({ lastStatus: 'PROVISIONING', record: [] });
    expect(none.outcome).toBeUndefined();
    const { record } = plan([task({ name: 'a' })], { pods });
    const rest = plan([task({ name: 'b' })], { pods, record });
    expect(rest.actions).toMatchObject([{ kind: 'start', pod: 'c' }]);
  });

  it('are released once they are recorded, and not when they are to stop', () => {
    const gated = task({ gated: true, node: undefined, containers: [container({ status: 'PENDING' })] });
    const first = plan([gated]);
    expect(first.actions).toEqual([]);
    const { record } = first;
    expect(record).toMatchObject([{ task: gated.id, lastStatus: 'PROVISIONING' }]);
    expect(plan([gated], { record }).actions).toMatchObject([{ kind: 'release', task: gated }]);
    expect(plan([{ ...gated, userStop: 'no' }], { record }).actions).toMatchObject([{ kind: 'stop' }]);
    expect(plan([{ ...gated, stopRequested: true }], { record }).actions).toEqual([]);
    // Another pod of that name than the one on record.
    expect(plan([{ ...gated, id: 'other' }], { record }).actions).toEqual([]);
  });

  it.each([
    ['with exit code 0', ended([exited(0)])],
    ['with another', ended([exited(3)])],
    [
      'without having started',
      ended([container({ status: 'STOPPED', startedAt: undefined, startFailure: 'CannotPullContainerError: x' })]),
    ],
    ['with their node', ended([container({ status: 'STOPPED' })], { podReason: 'NodeLost', podMessage: 'gone' })],
  ])('that ended %s are not replaced, nor when their pods are gone', (_, one) => {
    const first = plan([one]);
    expect(first).toMatchObject({ actions: [], lastStatus: 'STOPPED' });
    const later = plan([], { record: first.record, now: NOW + 60_000 });
    expect(later).toEqual({ ...first, actions: [] });
  });

  it('show what DescribeTasks shows while they run', () => {
    const sidecar = container({ name: 'log', essential: false, startedAt: NOW - 4000 });
    expect(plan([task({ containers: [container(), sidecar] })]).record).toEqual([
      {
        task: `id-of-${POD}`,
        pod: POD,
        lastStatus: 'RUNNING',
        desiredStatus: 'RUNNING',
        healthStatus: 'UNKNOWN',
        containers: [
          { name: 'app', essential: true, lastStatus: 'RUNNING', healthStatus: 'UNKNOWN' },
          { name: 'log', essential: false, lastStatus: 'RUNNING', healthStatus: 'UNKNOWN' },
        ],
        createdAt: NOW - 10_000,
        startedAt: NOW - 4000,
      },
    ]);
  });

  it('are stopped when an essential container has ended, whatever its code', () => {
    const sidecar = container({ name: 'log', essential: false });
    const { actions, record, outcome } = plan([task({ containers: [exited(0), sidecar] })]);
    expect(actions).toMatchObject([{ kind: 'stop', stopCode: 'EssentialContainerExited' }]);
    expect(record).toMatchObject([
      {
        lastStatus: 'RUNNING',
        desiredStatus: 'STOPPED',
        stopCode: 'EssentialContainerExited',
        stoppedReason: 'Essential container in task exited',
        stoppingAt: NOW - 1000,
      },
    ]);
    expect(outcome).toBeUndefined();
  });

  it('are recorded the same before and after the reason of their end is on the pod', () => {
    const one = ended([exited(0)]);
    const stopCause = {
      stopCode: 'EssentialContainerExited',
      stoppedReason: 'Essential container in task exited',
    } as const;
    expect(plan([{ ...one, stopCause, stoppingAt: NOW + 3000 }])).toEqual(plan([one]));
    const stopped = ended([exited(143)], { stopRequested: true, stoppingAt: NOW - 3000, userStop: 'enough' });
    expect(plan([stopped]).record).toMatchObject([{ stoppingAt: NOW - 3000, stoppedAt: NOW - 1000 }]);
  });

  it('are stopped by StopTask with its reason, and that is no success even with exit code 0', () => {
    expect(plan([task({ userStop: 'wrong input' })]).actions).toMatchObject([
      { kind: 'stop', stopCode: 'UserInitiated', stoppedReason: 'wrong input' },
    ]);
    const stopCause = { stopCode: 'UserInitiated', stoppedReason: 'wrong input' } as const;
    const { outcome } = plan([ended([exited(0)], { stopRequested: true, stopCause })]);
    expect(outcome).toEqual({
      succeeded: false,
      reason: 'UserInitiated',
      message: `1 of 1 tasks failed: task id-of-${POD}: wrong input`,
    });
  });

  it('that are unhealthy run on, and say so when the time has come (ecs-semantics §2.3)', () => {
    const healthCheck = { interval: 5, retries: 3, startPeriod: 0 };
    const unchecked = task({ containers: [container({ ready: false, healthCheck, startedAt: NOW })] });
    const now = plan([unchecked]);
    expect(now.wakeAt).toBe(NOW + 15_000);
    const then = plan([unchecked], { now: NOW + 15_000 });
    expect(then.actions).toEqual([]);
    expect(then.record).toMatchObject([{ healthStatus: 'UNHEALTHY', containers: [{ healthStatus: 'UNHEALTHY' }] }]);
    expect(then.wakeAt).toBeUndefined();
  });

  it('whose pods went between two looks are STOPPED, with the reason where it was known', () => {
    const running = plan([task()]).record;
    const lost = plan([], { record: running });
    expect(lost).toMatchObject({
      actions: [],
      record: [{ lastStatus: 'STOPPED', stopCode: 'InfrastructureHealth', stoppedAt: NOW, startedAt: NOW - 5000 }],
      outcome: { succeeded: false, reason: 'InfrastructureHealth' },
    });
    const stopping = plan([task({ userStop: 'enough' })]).record;
    const deleted = plan([task({ userStop: 'enough', stopRequested: true })], { record: stopping });
    expect(deleted.record).toMatchObject([{ lastStatus: 'STOPPING', stoppedReason: 'enough' }]);
    expect(plan([], { record: stopping }).record).toMatchObject([
      { lastStatus: 'STOPPED', desiredStatus: 'STOPPED', stopCode: 'UserInitiated', stoppedReason: 'enough' },
    ]);
  });
});

describe('a Task', () => {
  const pods = ['a', 'b'];
  const success = ended([exited(0), exited(1, { name: 'log', essential: false })], { name: 'a' });

  it('is as far as the task that is least far', () => {
    const at = (...tasks: RunTask[]) => plan(tasks, { pods }).lastStatus;
    expect(at(task({ name: 'a' }))).toBe('PROVISIONING');
    expect(at(task({ name: 'a' }), task({ name: 'b', node: undefined }))).toBe('PROVISIONING');
    expect(at(success, task({ name: 'b' }))).toBe('RUNNING');
    expect(at(success, task({ name: 'b', stopRequested: true }))).toBe('STOPPING');
    expect(at(success, { ...success, name: 'b' })).toBe('STOPPED');
  });

  it('has succeeded when in every task each essential container ended with 0', () => {
    const { outcome } = plan([success, { ...success, name: 'b' }], { pods });
    expect(outcome).toMatchObject({ succeeded: true, reason: 'TasksSucceeded' });
  });

  it.each([
    [
      'NonZeroExitCode',
      'task id-of-b: essential container app ended with exit code 3',
      ended([exited(3)], { name: 'b' }),
    ],
    [
      'NonZeroExitCode',
      'task id-of-b: essential container proxy ended with exit code 137 (OutOfMemoryError: Container killed due to memory usage)',
      ended(
        [exited(0), exited(137, { name: 'proxy', reason: 'OutOfMemoryError: Container killed due to memory usage' })],
        { name: 'b' },
      ),
    ],
    [
      'TaskFailedToStart',
      'task id-of-b: CannotPullContainerError: no such image',
      ended(
        [
          container({
            status: 'STOPPED',
            startedAt: undefined,
            startFailure: 'CannotPullContainerError: no such image',
          }),
        ],
        { name: 'b' },
      ),
    ],
  ])('has failed with %s: %s', (reason, message, failed) => {
    const { outcome } = plan([success, failed], { pods });
    expect(outcome).toEqual({ succeeded: false, reason, message: `1 of 2 tasks failed: ${message}` });
  });

  it('comes to the same end whatever pods are seen or gone on the way, and starts none twice', () => {
    const states = [task(), task({ stopRequested: true }), ended([exited(0)]), undefined];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...states), { minLength: 1, maxLength: 8 }), (seen) => {
        let record: readonly TaskRecord[] = [];
        let starts = 0;
        let stopped: TaskRecord | undefined;
        for (const state of seen) {
          const next = plan(state === undefined ? [] : [state], { record });
          starts += next.actions.filter(({ kind }) => kind === 'start').length;
          if (record.length > 0) expect(next.actions.filter(({ kind }) => kind === 'start')).toEqual([]);
          // What is STOPPED stays as it was recorded.
          if (stopped !== undefined) expect(next.record).toEqual([stopped]);
          [stopped] = next.record.filter(({ lastStatus }) => lastStatus === 'STOPPED');
          record = next.record;
        }
        expect(starts).toBe(
          seen.findIndex((state) => state !== undefined) === -1
            ? seen.length
            : seen.findIndex((state) => state !== undefined),
        );
      }),
    );
  });
});
