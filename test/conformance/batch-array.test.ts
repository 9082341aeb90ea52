import { describe, expect, it } from 'vitest';
import type { JobStatus } from '../../src/api/batch-job.ts';
import { ArrayLedger } from '../../src/batch/array-ledger.ts';
import type { JobTask } from '../../src/batch/attempt.ts';
import type { Dependencies } from '../../src/batch/dependencies.ts';
import type { JobPlanInput } from '../../src/batch/job.ts';
import { planJob } from '../../src/batch/job-plan.ts';

const NOW = 1_000_000_000;

/** A child by a letter: . none yet, q without a node, s STARTING, r RUNNING for a minute, 0 and 1 exited with that code. */
function child(letter: string, index: number): JobTask[] {
  if (letter === '.') return [];
  const exitCode = /\d/.test(letter) ? Number(letter) : undefined;
  const status = exitCode !== undefined ? 'STOPPED' : letter === 'r' ? 'RUNNING' : 'PENDING';
  return [
    {
      id: `${index}`.padStart(32, '0'),
      index,
      attempt: 1,
      createdAt: NOW - 90_000,
      ...(letter !== 'q' && { node: 'n' }),
      containers: [
        {
          name: 'default',
          essential: true,
          status,
          ready: false,
          exitCode,
          ...(status !== 'PENDING' && { startedAt: NOW - 60_000 }),
          ...(status === 'STOPPED' && { finishedAt: NOW - 1000 }),
        },
      ],
      ended: exitCode !== undefined,
      stopRequested: false,
    },
  ];
}

interface Row {
  readonly source: string;
  readonly rule: string;
  readonly children: string;
  readonly attempts?: number;
  readonly asked?: Partial<JobPlanInput<JobTask>>;
  readonly status: JobStatus;
  readonly reason?: string;
  readonly summary: Partial<Record<JobStatus, number>>;
  /** `<index>.<attempt>`. */
  readonly starts?: readonly string[];
  /** Indexes. */
  readonly stops?: readonly number[];
}

const ARRAYS = 'user guide, array_jobs';
const STATES = 'user guide, job_states';
const RETRIES = 'user guide, job_retries';
const TIMEOUTS = 'user guide, job_timeouts';
const CANCEL = 'API reference, CancelJob';
const TERMINATE = 'API reference, TerminateJob';
/** `ecs-semantics §5.6, §5.14`, from what users saw. */
const FIELD = 'ecs-semantics §5.6';

const cancel = { cancel: 'not needed' };
const terminate = { terminate: 'wrong input' };
const twoOfThem = { terminateChildren: { has: (index: number) => index < 2, reason: 'wrong input' } };
const WAITING: Dependencies = {
  kind: 'waiting',
  because: 'waiting for job b (RUNNING)',
  isUnknown: false,
  byIndex: '',
  gate: () => 'waiting',
};

const rows: readonly Row[] = [
  {
    source: ARRAYS,
    rule: 'the index begins with 0, and each child has one of its own',
    children: '...',
    status: 'PENDING',
    summary: { RUNNABLE: 3 },
    starts: ['0.1', '1.1', '2.1'],
  },
  {
    source: FIELD,
    rule: 'the parent stays PENDING whatever its children do',
    children: 'qsr01',
    status: 'PENDING',
    summary: { RUNNABLE: 1, STARTING: 1, RUNNING: 1, SUCCEEDED: 1, FAILED: 1 },
  },
  {
    source: ARRAYS,
    rule: 'a child that failed leaves the others alone',
    children: '1rr',
    status: 'PENDING',
    summary: { RUNNING: 2, FAILED: 1 },
  },
  { source: FIELD, rule: 'all succeeded', children: '000', status: 'SUCCEEDED', reason: '', summary: { SUCCEEDED: 3 } },
  {
    source: ARRAYS,
    rule: 'if a child fails, the parent fails',
    children: '010',
    status: 'FAILED',
    reason: 'Array Child Job failed',
    summary: { SUCCEEDED: 2, FAILED: 1 },
  },
  {
    source: RETRIES,
    rule: 'a child that is tried again is RUNNABLE',
    children: '01r',
    attempts: 2,
    status: 'PENDING',
    summary: { SUCCEEDED: 1, RUNNABLE: 1, RUNNING: 1 },
    starts: ['1.2'],
  },
  {
    source: 'user guide, best-practices',
    rule: 'a retry is placed at the front of the queue',
    children: '..1.',
    attempts: 2,
    status: 'PENDING',
    summary: { RUNNABLE: 4 },
    starts: ['2.2', '0.1', '1.1', '3.1'],
  },
  {
    source: STATES,
    rule: 'children that wait for another job are PENDING',
    children: '...',
    asked: { dependencies: WAITING },
    status: 'PENDING',
    reason: 'waiting for job b (RUNNING) (3 children wait)',
    summary: { PENDING: 3 },
  },

  {
    source: CANCEL,
    rule: 'cancels the children before STARTING, and leaves the others',
    children: '.qsr0',
    asked: cancel,
    status: 'PENDING',
    summary: { RUNNABLE: 1, STARTING: 1, RUNNING: 1, SUCCEEDED: 1, FAILED: 1 },
    stops: [1],
  },
  {
    source: CANCEL,
    rule: 'the parent is cancelled when all children have ended',
    children: '.0',
    asked: cancel,
    status: 'FAILED',
    reason: 'not needed',
    summary: { SUCCEEDED: 1, FAILED: 1 },
  },
  {
    source: CANCEL,
    rule: 'what waits is cancelled after all its dependencies have completed',
    children: '..',
    asked: { ...cancel, dependencies: WAITING },
    status: 'PENDING',
    summary: { PENDING: 2 },
  },
  {
    source: RETRIES,
    rule: 'cancelled jobs are not retried',
    children: '10',
    attempts: 3,
    asked: cancel,
    status: 'FAILED',
    reason: 'not needed',
    summary: { SUCCEEDED: 1, FAILED: 1 },
  },
  {
    source: CANCEL,
    rule: 'what has succeeded stays so',
    children: '00',
    asked: cancel,
    status: 'SUCCEEDED',
    reason: '',
    summary: { SUCCEEDED: 2 },
  },
  {
    source: TERMINATE,
    rule: 'stops STARTING and RUNNING as well',
    children: '.qsr0',
    asked: terminate,
    status: 'PENDING',
    summary: { RUNNABLE: 1, STARTING: 1, RUNNING: 1, SUCCEEDED: 1, FAILED: 1 },
    stops: [1, 2, 3],
  },
  {
    source: TERMINATE,
    rule: 'is final',
    children: '01',
    attempts: 3,
    asked: terminate,
    status: 'FAILED',
    reason: 'wrong input',
    summary: { SUCCEEDED: 1, FAILED: 1 },
  },
  {
    source: ARRAYS,
    rule: 'single children are terminated without affecting the others',
    children: 'r.r.',
    asked: twoOfThem,
    status: 'PENDING',
    summary: { RUNNING: 2, RUNNABLE: 1, FAILED: 1 },
    stops: [0],
    starts: ['3.1'],
  },

  {
    source: TIMEOUTS,
    rule: 'each child by itself, from its own RUNNING',
    children: 'qsr0',
    asked: { timeoutSeconds: 60 },
    status: 'PENDING',
    summary: { RUNNABLE: 1, STARTING: 1, RUNNING: 1, SUCCEEDED: 1 },
    stops: [2],
  },
  {
    source: TIMEOUTS,
    rule: 'not before the time is over',
    children: 'rr',
    asked: { timeoutSeconds: 61 },
    status: 'PENDING',
    summary: { RUNNING: 2 },
  },
];

const NO_CHILDREN = { SUBMITTED: 0, PENDING: 0, RUNNABLE: 0, STARTING: 0, RUNNING: 0, SUCCEEDED: 0, FAILED: 0 };

describe('an array of Batch', () => {
  it.each(rows)('$source: $rule: $children is $status', (row) => {
    const { children, attempts = 1, asked, status, reason, summary, starts = [], stops = [] } = row;
    const size = children.length;
    const ledger = ArrayLedger.of(size, { succeededIndexes: '', failedIndexes: '', childAttempts: [] });
    const record = {
      statusReason: '',
      ledger,
      attempts: [],
      failedAttempts: [],
      isCancelled: false,
      isTerminated: false,
    };
    const plan = planJob({
      size,
      retryStrategy: { attempts, evaluateOnExit: [] },
      record,
      tasks: [...children].flatMap(child),
      ...asked,
      now: NOW,
    });
    expect(plan.record.status).toBe(status);
    if (reason !== undefined) expect(plan.record.statusReason).toBe(reason);
    expect(plan.statusSummary).toEqual({ ...NO_CHILDREN, ...summary });
    expect(plan.starts.map(({ index, attempt }) => `${index}.${attempt}`)).toEqual(starts);
    expect(plan.stops.map(({ task }) => task.index)).toEqual(stops);
  });
});
