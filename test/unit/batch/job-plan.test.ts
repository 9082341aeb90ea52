import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBatchJob } from '../../../src/api/batch-job.ts';
import { ArrayLedger, type LedgerText } from '../../../src/batch/array-ledger.ts';
import type { JobTask } from '../../../src/batch/attempt.ts';
import { splitIntervals } from '../../../src/batch/intervals.ts';
import type { JobPlan, JobPlanInput, JobRecord } from '../../../src/batch/job.ts';
import { jobDefinition, substitute } from '../../../src/batch/job-definition.ts';
import { jobEnvironment } from '../../../src/batch/job-environment.ts';
import { planJob } from '../../../src/batch/job-plan.ts';
import { podRetention } from '../../../src/batch/pod-retention.ts';

const NOW = 1_000_000;

function attempt(attempt: number, exitCode: number | undefined, more: Partial<JobTask> = {}): JobTask {
  const ended = exitCode !== undefined;
  return {
    id: `${more.index ?? 'x'}-${attempt}`.padStart(32, '0'),
    attempt,
    createdAt: NOW - 10_000,
    node: 'n',
    containers: [
      {
        name: 'default',
        essential: true,
        status: ended ? 'STOPPED' : 'RUNNING',
        ready: false,
        exitCode,
        startedAt: NOW - 5000,
        finishedAt: ended ? NOW - 1000 : undefined,
      },
    ],
    ended,
    stopRequested: false,
    ...more,
  };
}

const NOTHING: LedgerText = { succeededIndexes: '', failedIndexes: '', childAttempts: [] };
const recorded = (size: number, more: Partial<Omit<JobRecord, 'ledger'> & LedgerText> = {}): JobRecord => ({
  statusReason: '',
  attempts: [],
  failedAttempts: [],
  isCancelled: false,
  isTerminated: false,
  ...more,
  ledger: ArrayLedger.of(size, { ...NOTHING, ...more }),
});
const tried = (attempts: number) => ({ retryStrategy: { attempts, evaluateOnExit: [] } });
const plan = (more: Partial<JobPlanInput<JobTask>>): JobPlan<JobTask> =>
  planJob({ ...tried(1), record: recorded(more.size ?? 1), tasks: [], now: NOW, ...more });
/** What the next plan reads once the status is stored. */
const stored = ({ record }: JobPlan<JobTask>): LedgerText => record.ledger.format();

describe('a single job', () => {
  it('starts attempt 1, follows it, and succeeds with exit code 0', () => {
    expect(plan({})).toMatchObject({ starts: [{ attempt: 1 }], record: { status: 'RUNNABLE' } });
    expect(plan({ tasks: [attempt(1, undefined)] })).toMatchObject({
      starts: [],
      stops: [],
      record: { status: 'RUNNING', startedAt: NOW - 5000 },
    });
    expect(plan({ tasks: [attempt(1, 0)] })).toMatchObject({
      starts: [],
      stops: [],
      record: { status: 'SUCCEEDED', statusReason: 'Essential container in task exited', stoppedAt: NOW - 1000 },
    });
  });

  it('tries again while attempts are left, and then has FAILED with all of them listed', () => {
    expect(plan({ ...tried(2), tasks: [attempt(1, 7)] })).toMatchObject({
      starts: [{ attempt: 2 }],
      record: { status: 'RUNNABLE', statusReason: 'Essential container in task exited' },
    });
    const over = plan({ ...tried(2), tasks: [attempt(1, 7), attempt(2, 8)] });
    expect(over.starts).toEqual([]);
    expect(over.record).toMatchObject({
      status: 'FAILED',
      attempts: [
        { attempt: 1, exitCode: 7 },
        { attempt: 2, exitCode: 8 },
      ],
    });
  });

  it('goes on from the recorded attempts when the pods are gone', () => {
    const failed = [
      { attempt: 1, task: 'x', exitCode: 7, statusReason: 'Essential container in task exited', stoppedAt: NOW },
    ];
    const record = recorded(1, {
      attempts: failed,
      childAttempts: [{ attempts: 1, indexes: '0' }],
      status: 'RUNNABLE',
    });
    expect(plan({ ...tried(2), record })).toMatchObject({
      starts: [{ attempt: 2 }],
      results: [],
      record: { attempts: failed },
    });
    expect(plan({ record: recorded(1, { status: 'SUCCEEDED', succeededIndexes: '0' }) })).toMatchObject({
      starts: [],
      record: { status: 'SUCCEEDED' },
    });
  });

  it('whose task is gone without a trace has lost its host', () => {
    const record = recorded(1, { status: 'RUNNING', childAttempts: [{ attempts: 1, indexes: '0' }] });
    expect(plan({ record })).toMatchObject({
      starts: [],
      record: { status: 'FAILED', statusReason: 'Host EC2 (instance unknown) terminated.' },
    });
    expect(plan({ ...tried(2), record })).toMatchObject({
      starts: [{ attempt: 2 }],
      record: { status: 'RUNNABLE', attempts: [{ attempt: 1, stoppedAt: NOW }] },
    });
    expect(plan({ departed: [attempt(1, undefined)] }).record).toMatchObject({
      status: 'FAILED',
      attempts: [{ statusReason: 'Host EC2 (instance n) terminated.' }],
    });
    expect(plan({ departed: [attempt(1, 0)] }).record.status).toBe('SUCCEEDED');
  });

  it('does not take an exit with 0 for a success where the task was told to stop before', () => {
    const told = { stopRequested: true, stoppingAt: NOW - 2000 };
    expect(plan({ tasks: [attempt(1, 0, told)] }).record.status).toBe('FAILED');
    expect(plan({ tasks: [attempt(1, 0, { ...told, stoppingAt: NOW - 500 })] }).record.status).toBe('SUCCEEDED');
  });

  it('is stopped at its timeout, counted from RUNNING, and not tried again', () => {
    expect(plan({ timeoutSeconds: 60, tasks: [attempt(1, undefined)] }).wakeAt).toBe(NOW - 5000 + 60_000);
    const late = plan({ timeoutSeconds: 60, ...tried(3), tasks: [attempt(1, undefined)], now: NOW + 60_000 });
    expect(late.stops).toMatchObject([{ stoppedReason: 'Job attempt duration exceeded timeout' }]);
    const stopCause = { stopCode: 'UserInitiated', stoppedReason: 'Job attempt duration exceeded timeout' } as const;
    expect(plan({ ...tried(3), tasks: [attempt(1, 143, { stopCause })] })).toMatchObject({
      starts: [],
      record: { status: 'FAILED', statusReason: 'Job attempt duration exceeded timeout' },
    });
  });

  it('that never started says so as AWS does, and why as the reason of its container', () => {
    const why = 'CannotPullContainerError: no such image';
    const [container] = attempt(1, undefined).containers;
    const containers = container === undefined ? [] : [{ ...container, startedAt: undefined, startFailure: why }];
    expect(plan({ tasks: [attempt(1, undefined, { ended: true, containers })] }).record).toMatchObject({
      status: 'FAILED',
      statusReason: 'Task failed to start',
      attempts: [{ reason: why, statusReason: 'Task failed to start' }],
    });
  });

  it('says why no node takes it', () => {
    const unplaceable = '0/3 nodes are available: 3 Insufficient cpu.';
    expect(plan({ tasks: [attempt(1, undefined, { node: undefined, unplaceable })] }).record).toMatchObject({
      status: 'RUNNABLE',
      statusReason: `CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - ${unplaceable}`,
    });
  });
});

describe('an array job', () => {
  it('starts a child for each index from 0 and is PENDING until all have ended', () => {
    const first = plan({ size: 3 });
    expect(first.starts).toMatchObject([{ index: 0 }, { index: 1 }, { index: 2 }]);
    expect(first.record.status).toBe('PENDING');
    const half = plan({
      size: 3,
      tasks: [
        attempt(1, 0, { index: 0 }),
        attempt(1, undefined, { index: 1 }),
        attempt(1, undefined, { index: 2, node: undefined }),
      ],
    });
    expect(half).toMatchObject({
      starts: [],
      record: { status: 'PENDING' },
      statusSummary: { SUCCEEDED: 1, RUNNING: 1, RUNNABLE: 1 },
    });
    expect(stored(half)).toEqual({
      succeededIndexes: '0',
      failedIndexes: '',
      childAttempts: [{ attempts: 1, indexes: '0-2' }],
    });
  });

  it('has FAILED with AWS’s reason when a child used up its attempts, and only then', () => {
    const tasks = [attempt(1, 0, { index: 0 }), attempt(1, 9, { index: 1 })];
    expect(plan({ size: 2, ...tried(2), tasks }).starts).toMatchObject([{ index: 1, attempt: 2 }]);
    const over = plan({ size: 2, ...tried(2), tasks: [...tasks, attempt(2, 9, { index: 1 })] });
    expect(over).toMatchObject({
      starts: [],
      record: {
        status: 'FAILED',
        statusReason: 'Array Child Job failed',
        failedAttempts: [
          { index: 1, attempt: 2 },
          { index: 1, attempt: 1 },
        ],
      },
    });
    expect(over.results.map(({ index, attempt: number }) => [index, number])).toEqual([
      [1, 1],
      [0, 1],
      [1, 2],
    ]);
    expect(stored(over)).toMatchObject({ succeededIndexes: '0', failedIndexes: '1' });
  });

  it('starts retries before first attempts', () => {
    const { starts } = plan({ size: 3, ...tried(2), tasks: [attempt(1, 9, { index: 1 })] });
    expect(starts.map(({ index, attempt: number }) => [index, number])).toEqual([
      [1, 2],
      [0, 1],
      [2, 1],
    ]);
  });

  it('never runs an index again that is recorded, whatever became of its pods', () => {
    const record = recorded(5, {
      succeededIndexes: '0-2',
      failedIndexes: '3',
      childAttempts: [{ attempts: 1, indexes: '0-3' }],
    });
    expect(plan({ size: 5, record })).toMatchObject({ starts: [{ index: 4, attempt: 1 }], results: [] });
  });

  it('goes on with the next attempt of a child whose last one was recorded and is gone', () => {
    const record = recorded(2, { childAttempts: [{ attempts: 2, indexes: '0' }] });
    expect(plan({ size: 2, ...tried(3), record }).starts).toMatchObject([
      { index: 0, attempt: 3 },
      { index: 1, attempt: 1 },
    ]);
  });
});

describe('the end that a user asks for', () => {
  const running = attempt(1, undefined, { index: 0 });
  const placeless = attempt(1, undefined, { index: 1, node: undefined });

  it('CancelJob takes what has no place yet, and lets the rest end', () => {
    const cancelled = plan({ size: 3, ...tried(2), cancel: 'no longer needed', tasks: [running, placeless] });
    expect(cancelled).toMatchObject({
      starts: [],
      stops: [{ task: placeless, stopCode: 'UserInitiated', stoppedReason: 'no longer needed' }],
      record: { status: 'PENDING', isCancelled: true },
    });
    expect(stored(cancelled).failedIndexes).toBe('2');
    // Its pod was deleted, and there was nothing to write the reason on.
    const over = plan({
      size: 3,
      ...tried(2),
      cancel: 'no longer needed',
      tasks: [attempt(1, 0, { index: 0 })],
      departed: [placeless],
    });
    expect(over.results).toMatchObject([{ index: 0 }, { index: 1, statusReason: 'no longer needed' }, { index: 2 }]);
    expect(over.record).toMatchObject({ status: 'FAILED', statusReason: 'no longer needed' });
    expect(stored(over)).toMatchObject({ succeededIndexes: '0', failedIndexes: '1-2' });
  });

  it('says that it was cancelled or terminated also where the status did not, before the task had ended', () => {
    const stopped = attempt(1, 143, { stopCause: { stopCode: 'UserInitiated', stoppedReason: 'enough' } });
    const flags = { isCancelled: false, isTerminated: false, statusReason: 'enough', status: 'FAILED' };
    expect(plan({ terminate: 'enough', tasks: [stopped] }).record).toMatchObject({ ...flags, isTerminated: true });
    expect(plan({ cancel: 'enough', tasks: [stopped] }).record).toMatchObject({ ...flags, isCancelled: true });
    // Somebody stopped its task, for whatever reason.
    expect(plan({ cancel: 'too late', tasks: [stopped] }).record).toMatchObject(flags);
  });

  it('TerminateJob stops everything, or the children that it names', () => {
    expect(plan({ size: 2, terminate: 'enough', tasks: [running, placeless] })).toMatchObject({
      stops: [{ stoppedReason: 'enough' }, { stoppedReason: 'enough' }],
      record: { isTerminated: true },
    });
    const some = plan({
      size: 3,
      terminateChildren: { has: (index) => index !== 1, reason: 'enough' },
      tasks: [running],
    });
    expect(some).toMatchObject({ stops: [{ task: running }], starts: [{ index: 1 }] });
    expect(stored(some).failedIndexes).toBe('2');
  });
});

describe('pods of ended attempts', () => {
  const all = Array.from({ length: 1250 }, (_, index) => attempt(1, index % 50 === 0 ? 1 : 0, { index }));

  it('stay up to a number, failed ones first, and go by the thousand as long as the job goes on', () => {
    const keep = (tasks: readonly JobTask[], isJobOver: boolean) =>
      podRetention({ tasks, readable: { tasks: 100, seconds: 3600 }, isJobOver, now: NOW });
    expect(keep(all.slice(0, 1099), false).over).toEqual([]);
    const { over } = keep(all, false);
    expect(over).toHaveLength(1150);
    expect(over.filter(({ index = 0 }) => index % 50 === 0)).toEqual([]);
    expect(keep(all.slice(0, 101), true).over).toHaveLength(1);
  });

  it('go when their time is over', () => {
    const at = (now: number) =>
      podRetention({ tasks: all.slice(0, 3), readable: { tasks: 100, seconds: 60 }, isJobOver: false, now });
    expect(at(NOW)).toEqual({ over: [], until: NOW - 1000 + 60_000 });
    expect(at(NOW + 59_000).over).toHaveLength(3);
  });
});

describe('what an attempt is given', () => {
  it('the variables of Batch, the index only in an array', () => {
    expect(jobEnvironment({ jobId: 'J', computeEnvironment: 'prod', attempt: 2 })).toEqual([
      { name: 'AWS_BATCH_JOB_ID', value: 'J' },
      { name: 'AWS_BATCH_JOB_ATTEMPT', value: '2' },
      { name: 'AWS_BATCH_CE_NAME', value: 'prod' },
    ]);
    expect(
      jobEnvironment({
        jobId: 'J',
        index: 0,
        attempt: 1,
        jobQueue: 'arn:aws:batch:eu-west-1:1:job-queue/high',
        computeEnvironment: 'prod',
      }),
    ).toEqual([
      { name: 'AWS_BATCH_JOB_ID', value: 'J:0' },
      { name: 'AWS_BATCH_JOB_ATTEMPT', value: '1' },
      { name: 'AWS_BATCH_JQ_NAME', value: 'high' },
      { name: 'AWS_BATCH_CE_NAME', value: 'prod' },
      { name: 'AWS_BATCH_JOB_ARRAY_INDEX', value: '0' },
    ]);
  });

  it('its parameters in the command; a placeholder without value stays', () => {
    expect(substitute(['cp', 'Ref::in', 's3://Ref::bucket/x', 'Ref::none'], { in: 'a', bucket: 'b' })).toEqual([
      'cp',
      'a',
      's3://b/x',
      'Ref::none',
    ]);
  });

  it('overrides: the command replaced, the environment merged by name, resources by type', () => {
    const spec = parseBatchJob({
      containerProperties: {
        image: 'busybox',
        command: ['a'],
        environment: [
          { name: 'A', value: '1' },
          { name: 'B', value: '1' },
        ],
        resourceRequirements: [
          { type: 'VCPU', value: '0.25' },
          { type: 'MEMORY', value: '64' },
          { type: 'GPU', value: '1' },
        ],
      },
      containerOverrides: {
        command: ['b'],
        environment: [{ name: 'B', value: '2' }],
        resourceRequirements: [
          { type: 'MEMORY', value: '128' },
          { type: 'GPU', value: '2' },
        ],
      },
    });
    expect(jobDefinition(spec).containerDefinitions).toMatchObject([
      {
        name: 'default',
        command: ['b'],
        cpu: 256,
        memory: 128,
        resourceRequirements: [{ type: 'GPU', value: '2' }],
        environment: [
          { name: 'A', value: '1' },
          { name: 'B', value: '2' },
        ],
      },
    ]);
  });
});

describe('the ledger', () => {
  it('is read back as it was written, in the shortest form', () => {
    const text: LedgerText = {
      succeededIndexes: '1-3,7',
      failedIndexes: '0',
      childAttempts: [
        { attempts: 1, indexes: '0-2,7' },
        { attempts: 3, indexes: '3' },
      ],
    };
    expect(ArrayLedger.of(10, text).format()).toEqual(text);
    fc.assert(
      fc.property(fc.array(fc.nat(3), { minLength: 1, maxLength: 300 }), (attempts) => {
        const ledger = ArrayLedger.of(attempts.length, NOTHING);
        for (const [index, made] of attempts.entries()) {
          ledger.noteMade(index, made);
          if (made === 2) ledger.noteOutcome(index, 'succeeded');
          if (made === 3) ledger.noteOutcome(index, 'failed');
        }
        const again = ArrayLedger.of(attempts.length, ledger.format());
        expect(attempts.map((_, index) => again.made(index))).toEqual(attempts);
        expect(attempts.map((_, index) => again.hasSucceeded(index))).toEqual(attempts.map((made) => made === 2));
        expect(attempts.map((_, index) => again.hasFailed(index))).toEqual(attempts.map((made) => made === 3));
      }),
    );
  });

  it.each(['x', '3-', '5-3', '-1'])('refuses the interval "%s" and says what is allowed', (text) => {
    expect(() => splitIntervals(text)).toThrow('write 3 or 5-7');
  });
});
