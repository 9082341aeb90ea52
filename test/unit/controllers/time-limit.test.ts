/** When jobStateTimeLimitActions cancel a job. */
import { expect, it } from 'vitest';
import { parseBatchJob } from '../../../src/api/batch-job.ts';
import { type JobQueueStatus, parseJobQueue } from '../../../src/api/job-queue.ts';
import { type QueueOfJob, timeLimitOf } from '../../../src/controllers/batch/queues.ts';
import type { BatchJobRecord } from '../../../src/controllers/runtime.ts';
import type { ObservedTask } from '../../../src/pod/observe.ts';

const MAX_RESOURCE = 'MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE';
const CAPACITY = 'CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY';
const NOON = Date.parse('2026-11-23T12:00:00Z');

const common = {
  namespace: 'ns',
  resourceVersion: '1',
  generation: 1,
  createdAt: 0,
  deleting: false,
  owner: '',
  annotations: {},
  given: {},
};

const job: BatchJobRecord = {
  ...common,
  uid: 'job-uid',
  name: 'big',
  spec: parseBatchJob({ jobQueue: 'q', taskDefinition: 'family' }),
  status: {},
};

function queued(reasons: readonly string[], status: Partial<JobQueueStatus> = {}): QueueOfJob {
  const spec = parseJobQueue({
    priority: 1,
    computeEnvironmentOrder: [{ order: 1, computeEnvironment: 'ce' }],
    jobStateTimeLimitActions: reasons.map((reason, index) => ({
      reason,
      state: 'RUNNABLE',
      maxTimeSeconds: 600 * (index + 1),
      action: 'CANCEL',
    })),
  });
  return { kind: 'queue', queue: { ...common, uid: 'queue-uid', name: 'q', spec, status }, spec };
}

const blocked = (uid: string, reason: string): Partial<JobQueueStatus> => ({
  blocked: { job: uid, name: 'big', reason, message: 'it needs more', since: '2026-11-23T12:00:00Z' },
});

const task = (fields: Partial<ObservedTask>): ObservedTask =>
  ({ createdAt: NOON, ended: false, ...fields }) as ObservedTask;

it('counts from when its queue said that the job at its head cannot run', () => {
  expect(timeLimitOf(queued([MAX_RESOURCE], blocked('job-uid', MAX_RESOURCE)), job, [])).toEqual({
    at: NOON + 600_000,
    reason: `Canceled by JobStateTimeLimit action due to reason: ${MAX_RESOURCE}`,
  });
});

it('is for the reasons that the queue names, and for the head of the queue', () => {
  expect(timeLimitOf(queued([MAX_RESOURCE], blocked('other-uid', MAX_RESOURCE)), job, [])).toBeUndefined();
  expect(timeLimitOf(queued([CAPACITY], blocked('job-uid', MAX_RESOURCE)), job, [])).toBeUndefined();
  expect(timeLimitOf(queued([MAX_RESOURCE], blocked('job-uid', 'COMPUTE_ENVIRONMENT_FULL')), job, [])).toBeUndefined();
  expect(timeLimitOf({ kind: 'none' }, job, [task({ unplaceable: '0/3 nodes are available' })])).toBeUndefined();
});

it('counts from the first pod that no node takes, where the queue names that reason', () => {
  const tasks = [
    task({ createdAt: NOON + 5000, unplaceable: '0/3 nodes are available' }),
    task({ createdAt: NOON + 1000, unplaceable: '0/3 nodes are available' }),
    task({ createdAt: NOON - 9000 }),
    task({ createdAt: NOON - 9000, unplaceable: '', ended: true }),
  ];
  expect(timeLimitOf(queued([MAX_RESOURCE, CAPACITY]), job, tasks)).toEqual({
    at: NOON + 1000 + 1_200_000,
    reason: `Canceled by JobStateTimeLimit action due to reason: ${CAPACITY}`,
  });
  expect(timeLimitOf(queued([MAX_RESOURCE]), job, tasks)).toBeUndefined();
});
