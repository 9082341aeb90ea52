/** Who starts next, by AWS's documents. */
import { describe, expect, it } from 'vitest';
import { dispatch, frontOf } from '../../src/batch/dispatch.ts';
import { environment, GIB, granted, NOW, queue, waiting } from '../support/queues.ts';

describe('queues that share a compute environment (API reference, CreateJobQueue: priority)', () => {
  it('are served by priority, the highest first', () => {
    const low = queue('low', [waiting('l', 5)], { priority: 1 });
    const high = queue('high', [waiting('h', 3)], { priority: 10 });
    expect(granted([low, high], environment('ce', 4))).toEqual(['1 l in ce', '3 h in ce']);
    expect(granted([low, high], environment('ce', 3))).toEqual(['3 h in ce']);
  });

  it('of which the first waits for room get none of it behind', () => {
    const high = queue('high', [waiting('h', 1, { need: { vcpus: 4, memory: GIB } })], { priority: 10 });
    const low = queue('low', [waiting('l', 5)]);
    const ce = environment('ce', 4, { used: { vcpus: 1, memory: GIB } });
    expect(dispatch([low, high], [ce], NOW)).toMatchObject({
      grants: [],
      blocked: [
        { job: 'h', reason: 'COMPUTE_ENVIRONMENT_FULL' },
        { job: 'l', reason: 'COMPUTE_ENVIRONMENT_FULL' },
      ],
    });
  });

  it('of which the first asks for more than there will ever be hold up nobody else', () => {
    const high = queue('high', [waiting('h', 1, { need: { vcpus: 5, memory: GIB } }), waiting('next', 1)], {
      priority: 10,
    });
    const low = queue('low', [waiting('l', 2)]);
    expect(dispatch([low, high], [environment('ce', 4)], NOW)).toMatchObject({
      grants: [{ job: 'l', count: 2 }],
      blocked: [
        {
          job: 'h',
          reason: 'MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE',
          message: 'it needs 5 vCPU and 1024 MiB; ce has 4 vCPU and 16384 MiB',
        },
      ],
    });
  });
});

describe('the compute environments of a queue (user guide, job_queue_parameters: compute environment order)', () => {
  it('are tried in their order, and the next one takes what the first cannot', () => {
    const jobs = queue('q', [waiting('a', 5)], { environments: ['first', 'second'] });
    expect(granted([jobs], environment('second', 9), environment('first', 2))).toEqual([
      '2 a in first',
      '3 a in second',
    ]);
  });

  it('take a job each that only one of them has room for', () => {
    const small = waiting('small', 1, { submittedAt: 1 });
    const big = waiting('big', 1, { submittedAt: 2, need: { vcpus: 3, memory: GIB } });
    const last = waiting('last', 1, { submittedAt: 3 });
    const jobs = queue('q', [big, last, small], { environments: ['first', 'second'] });
    expect(granted([jobs], environment('first', 2), environment('second', 8))).toEqual([
      '1 big in second',
      '1 last in first',
      '1 small in first',
    ]);
  });

  it('that are DISABLED, missing or of other namespaces take nothing', () => {
    const jobs = queue('q', [waiting('a', 5)], { environments: ['off', 'none', 'others', 'on'] });
    const off = environment('off', 9, { isEnabled: false });
    const others = environment('others', 9, { namespaces: ['elsewhere'] });
    expect(granted([jobs], off, others, environment('on', 9, { namespaces: ['ns'] }))).toEqual(['5 a in on']);
    expect(dispatch([jobs], [off, others], NOW).blocked).toMatchObject([{ reason: 'ACTION_REQUIRED' }]);
  });

  it('say which of them is too small for the job at the head (user guide, job_stuck_in_runnable)', () => {
    const reasonOf = (vcpus: number, memory: number) =>
      dispatch(
        [queue('q', [waiting('a', 1, { need: { vcpus, memory } })], { environments: ['first', 'second'] })],
        [environment('first', 4), environment('second', 2)],
        NOW,
      ).blocked[0]?.reason;
    expect(reasonOf(5, GIB)).toBe('MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE');
    expect(reasonOf(4, 17 * GIB)).toBe('MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT');
    expect(reasonOf(4, 16 * GIB)).toBeUndefined();
  });

  it('are bounded by memory as well', () => {
    const ce = environment('ce', 100, { limit: { vcpus: 100, memory: 3 * GIB } });
    expect(granted([queue('q', [waiting('a', 5)])], ce)).toEqual(['3 a in ce']);
  });
});

describe('a queue without a scheduling policy (user guide, job_scheduling)', () => {
  it('is first in, first out, and failed attempts come first', () => {
    const first = waiting('first', 2, { submittedAt: 1 });
    const second = waiting('second', 2, { submittedAt: 2 });
    expect(granted([queue('q', [second, first])], environment('ce', 3))).toEqual(['1 second in ce', '2 first in ce']);
    const retries = { ...second, retries: 2 };
    expect(granted([queue('q', [retries, first])], environment('ce', 3))).toEqual(['1 first in ce', '2 second in ce']);
  });

  it('has at its front what of an array has failed, and not its other children (user guide, best-practices)', () => {
    const array = waiting('array', 5, { submittedAt: 2, retries: 1 });
    const older = waiting('older', 3, { submittedAt: 1 });
    expect(granted([queue('q', [array, older])], environment('ce', 1))).toEqual(['1 array in ce']);
    expect(granted([queue('q', [array, older])], environment('ce', 4))).toEqual(['1 array in ce', '3 older in ce']);
    expect(granted([queue('q', [array, older])], environment('ce', 6))).toEqual(['3 array in ce', '3 older in ce']);
  });

  it('ignores schedulingPriority and shareIdentifier (API reference, SubmitJob)', () => {
    const first = waiting('first', 1, { submittedAt: 1, schedulingPriority: 1, share: 'A' });
    const second = waiting('second', 1, { submittedAt: 2, schedulingPriority: 9, share: 'B' });
    expect(granted([queue('q', [second, first])], environment('ce', 1))).toEqual(['1 first in ce']);
  });

  it('waits as a whole for room for its head', () => {
    const head = waiting('head', 1, { need: { vcpus: 4, memory: GIB }, submittedAt: 1 });
    const ce = environment('ce', 4, { used: { vcpus: 2, memory: GIB } });
    expect(granted([queue('q', [head, waiting('small', 1, { submittedAt: 2 })])], ce)).toEqual([]);
  });
});

describe('the front of a queue (GetJobQueueSnapshot)', () => {
  const fair = { policy: { shareDecaySeconds: 0, computeReservation: 0, shareDistribution: [] }, usage: new Map() };

  it('is what would start next, in its order', () => {
    const jobs = [waiting('late', 3, { submittedAt: 2 }), waiting('early', 500, { submittedAt: 1 })];
    expect(frontOf(queue('q', jobs), 100, NOW)).toEqual(['early', 'late']);
    expect(frontOf(queue('q', jobs), 1, NOW)).toEqual(['early']);
    expect(frontOf(queue('q', []), 100, NOW)).toEqual([]);
  });

  it('goes from share to share', () => {
    const jobs = [
      waiting('a1', 1, { share: 'a', submittedAt: 1 }),
      waiting('a2', 1, { share: 'a', submittedAt: 2 }),
      waiting('b1', 1, { share: 'b', submittedAt: 3 }),
    ];
    expect(frontOf(queue('q', jobs, { fairShare: fair }), 100, NOW)).toEqual(['a1', 'b1', 'a2']);
  });

  it('of shares looks at 1000 attempts', () => {
    const jobs = [
      waiting('array', 1000, { share: 'a', submittedAt: 1 }),
      waiting('behind', 1, { share: 'a', submittedAt: 2 }),
    ];
    expect(frontOf(queue('q', jobs, { fairShare: fair }), 100, NOW)).toEqual(['array']);
  });
});
