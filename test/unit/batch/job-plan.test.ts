import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBatchJob } from '../../../src/api/batch-job.ts';
import { formatIntervals, parseIntervals } from '../../../src/batch/intervals.ts';
import { jobDefinition, substitute } from '../../../src/batch/job-definition.ts';
import { jobEnvironment } from '../../../src/batch/job-environment.ts';
import { type JobPlan, type JobPlanInput, type JobTask, planJob } from '../../../src/batch/job-plan.ts';

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

const empty = { succeededIndexes: '', failedIndexes: '', attempts: [] };
const plan = (more: Partial<JobPlanInput<JobTask>>): JobPlan<JobTask> =>
  planJob({ attempts: 1, record: empty, tasks: [], now: NOW, ...more });

describe('a single job', () => {
  it('starts attempt 1, follows it, and succeeds with exit code 0', () => {
    expect(plan({}).actions).toMatchObject([{ kind: 'start', attempt: 1 }]);
    expect(plan({ tasks: [attempt(1, undefined)] })).toMatchObject({
      actions: [],
      record: { status: 'RUNNING', startedAt: NOW - 5000 },
    });
    expect(plan({ tasks: [attempt(1, 0)] })).toMatchObject({
      actions: [],
      record: { status: 'SUCCEEDED', statusReason: 'Essential container in task exited', stoppedAt: NOW - 1000 },
    });
  });

  it('tries again while attempts are left, and then has FAILED with all of them listed', () => {
    expect(plan({ attempts: 2, tasks: [attempt(1, 7)] })).toMatchObject({
      actions: [{ kind: 'start', attempt: 2 }],
      record: { status: 'RUNNABLE' },
    });
    const over = plan({ attempts: 2, tasks: [attempt(1, 7), attempt(2, 8)] });
    expect(over.actions).toEqual([]);
    expect(over.record).toMatchObject({
      status: 'FAILED',
      attempts: [
        { attempt: 1, exitCode: 7 },
        { attempt: 2, exitCode: 8 },
      ],
    });
  });

  it('goes on from the recorded attempts when the pods are gone', () => {
    const record = plan({ attempts: 2, tasks: [attempt(1, 7)] }).record;
    expect(plan({ attempts: 2, record }).actions).toMatchObject([{ kind: 'start', attempt: 2 }]);
    const done = plan({ tasks: [attempt(1, 0)] }).record;
    expect(plan({ record: done })).toMatchObject({ actions: [], record: { status: 'SUCCEEDED' } });
  });

  it('is stopped at its timeout, counted from RUNNING, and not tried again', () => {
    expect(plan({ timeoutSeconds: 60, tasks: [attempt(1, undefined)] }).wakeAt).toBe(NOW - 5000 + 60_000);
    const late = plan({ timeoutSeconds: 60, attempts: 3, tasks: [attempt(1, undefined)], now: NOW + 60_000 });
    expect(late.actions).toMatchObject([{ kind: 'stop', stoppedReason: 'Job attempt duration exceeded timeout' }]);
    const stopCause = { stopCode: 'UserInitiated', stoppedReason: 'Job attempt duration exceeded timeout' } as const;
    expect(plan({ attempts: 3, tasks: [attempt(1, 143, { stopCause })] })).toMatchObject({
      actions: [],
      record: { status: 'FAILED', statusReason: 'Job attempt duration exceeded timeout' },
    });
  });
});

describe('an array job', () => {
  it('starts a child for each index from 0 and is PENDING until all have ended', () => {
    const first = plan({ size: 3 });
    expect(first.actions).toMatchObject([{ index: 0 }, { index: 1 }, { index: 2 }]);
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
      actions: [],
      record: { status: 'PENDING', succeededIndexes: '0' },
      statusSummary: { SUCCEEDED: 1, RUNNING: 1, RUNNABLE: 1 },
    });
  });

  it('has FAILED with AWS’s reason when a child used up its attempts, and only then', () => {
    const tasks = [attempt(1, 0, { index: 0 }), attempt(1, 9, { index: 1 })];
    expect(plan({ size: 2, attempts: 2, tasks }).actions).toMatchObject([{ kind: 'start', index: 1, attempt: 2 }]);
    expect(plan({ size: 2, attempts: 2, tasks: [...tasks, attempt(2, 9, { index: 1 })] })).toMatchObject({
      actions: [],
      record: { status: 'FAILED', statusReason: 'Array Child Job failed', succeededIndexes: '0', failedIndexes: '1' },
    });
  });

  it('never runs an index again that is recorded, whatever became of its pods', () => {
    const record = { ...empty, succeededIndexes: '0-2', failedIndexes: '3' };
    expect(plan({ size: 5, record }).actions).toMatchObject([{ index: 4, attempt: 1 }]);
  });
});

describe('what an attempt is given', () => {
  it('the variables of Batch, the index only in an array', () => {
    expect(jobEnvironment({ jobId: 'J', attempt: 2 })).toEqual([
      { name: 'AWS_BATCH_JOB_ID', value: 'J' },
      { name: 'AWS_BATCH_JOB_ATTEMPT', value: '2' },
    ]);
    expect(
      jobEnvironment({ jobId: 'J', index: 0, attempt: 1, jobQueue: 'arn:aws:batch:eu-west-1:1:job-queue/high' }),
    ).toEqual([
      { name: 'AWS_BATCH_JOB_ID', value: 'J:0' },
      { name: 'AWS_BATCH_JOB_ATTEMPT', value: '1' },
      { name: 'AWS_BATCH_JQ_NAME', value: 'high' },
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

describe('intervals', () => {
  it('are read back as they were written, in the shortest form', () => {
    expect(formatIntervals([3, 1, 2, 7])).toBe('1-3,7');
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(300)), (indexes) => {
        const text = formatIntervals(indexes);
        expect([...parseIntervals(text)].sort((a, b) => a - b)).toEqual([...indexes].sort((a, b) => a - b));
      }),
    );
  });

  it.each(['x', '3-', '5-3', '-1'])('refuse "%s" and say what is allowed', (text) => {
    expect(() => parseIntervals(text)).toThrow('write 3 or 5-7');
  });
});
