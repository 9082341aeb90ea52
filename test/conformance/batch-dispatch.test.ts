import { describe, expect, it } from 'vitest';
import { dispatch, type Environment, type Queue, type Waiting } from '../../src/batch/dispatch.ts';
import type { FairSharePolicy } from '../../src/batch/fair-share.ts';

const NOW = 1_000_000;
const GIB = 1024;

const environment = (name: string, vcpus: number, fields: Partial<Environment> = {}): Environment => ({
  name,
  isEnabled: true,
  limit: { vcpus, memory: vcpus * 4 * GIB },
  used: { vcpus: 0, memory: 0 },
  ...fields,
});

const waiting = (job: string, count: number, fields: Partial<Waiting> = {}): Waiting => ({
  job,
  name: job,
  need: { vcpus: 1, memory: GIB },
  count,
  retries: 0,
  submittedAt: 0,
  share: '',
  schedulingPriority: 0,
  ...fields,
});

const queue = (key: string, jobs: readonly Waiting[], fields: Partial<Queue> = {}): Queue => ({
  key,
  namespace: 'ns',
  priority: 1,
  createdAt: 0,
  environments: ['ce'],
  waiting: jobs,
  ...fields,
});

const granted = (queues: readonly Queue[], ...environments: readonly Environment[]): string[] =>
  dispatch(queues, environments, NOW)
    .grants.map(({ job, environment: name, count }) => `${count} ${job} in ${name}`)
    .sort();

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
        { job: 'h', reason: 'CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY' },
        { job: 'l', reason: 'CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY' },
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

  it('that are DISABLED, missing or of other namespaces take nothing', () => {
    const jobs = queue('q', [waiting('a', 5)], { environments: ['off', 'none', 'others', 'on'] });
    const off = environment('off', 9, { isEnabled: false });
    const others = environment('others', 9, { namespaces: ['elsewhere'] });
    expect(granted([jobs], off, others, environment('on', 9, { namespaces: ['ns'] }))).toEqual(['5 a in on']);
    expect(dispatch([jobs], [off, others], NOW).blocked).toMatchObject([
      { reason: 'MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT' },
    ]);
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
    const retry = { ...second, retries: 1 };
    expect(granted([queue('q', [retry, first])], environment('ce', 3))).toEqual(['1 first in ce', '2 second in ce']);
  });

  it('waits as a whole for room for its head', () => {
    const head = waiting('head', 1, { need: { vcpus: 4, memory: GIB }, submittedAt: 1 });
    const ce = environment('ce', 4, { used: { vcpus: 2, memory: GIB } });
    expect(granted([queue('q', [head, waiting('small', 1, { submittedAt: 2 })])], ce)).toEqual([]);
  });
});

describe('a queue with a fair share policy', () => {
  const policy = (fields: Partial<FairSharePolicy> = {}): FairSharePolicy => ({
    shareDecaySeconds: 3600,
    computeReservation: 0,
    shareDistribution: [],
    ...fields,
  });
  const shared = (jobs: readonly Waiting[], given: Partial<FairSharePolicy> = {}, usage = new Map()): Queue =>
    queue('q', jobs, { fairShare: { policy: policy(given), usage } });
  const of = (share: string, count = 100, fields: Partial<Waiting> = {}): Waiting =>
    waiting(share.toLowerCase(), count, { share, ...fields });

  it('gives equal shares the same (user guide, fair-share-scheduling)', () => {
    expect(granted([shared([of('A'), of('B')])], environment('ce', 10))).toEqual(['5 a in ce', '5 b in ce']);
  });

  it('gives a share of weight 0.125 eight times what one of weight 1 gets (API reference, ShareAttributes)', () => {
    const shareDistribution = [{ shareIdentifier: 'A', weightFactor: 0.125 }];
    expect(granted([shared([of('A'), of('B')], { shareDistribution })], environment('ce', 90))).toEqual([
      '10 b in ce',
      '80 a in ce',
    ]);
  });

  it('multiplies the weight of a prefix by the identifiers that have it (user guide, scheduling-policy-parameters)', () => {
    const shareDistribution = [{ shareIdentifier: 'User*', weightFactor: 1 }];
    const users = [of('UserA'), of('UserB'), of('X')];
    expect(granted([shared(users, { shareDistribution })], environment('ce', 20))).toEqual([
      '10 x in ce',
      '5 usera in ce',
      '5 userb in ce',
    ]);
  });

  it.each([
    [1, 8],
    [2, 12],
    [3, 14],
  ])(
    'keeps a part free by computeReservation 50: of %i active shares %i vCPUs of 16 are used (API reference, FairsharePolicy)',
    (active, used) => {
      const jobs = ['A', 'B', 'C'].slice(0, active).map((share) => of(share));
      const { grants } = dispatch([shared(jobs, { computeReservation: 50 })], [environment('ce', 16)], NOW);
      expect(grants.reduce((sum, { count }) => sum + count, 0)).toBe(used);
    },
  );

  it('prefers who has used less, until that has decayed (API reference, FairsharePolicy: shareDecaySeconds)', () => {
    const usage = (at: number) => new Map([['A', { average: 4, inUse: 0, at }]]);
    const jobs = [of('A'), of('B')];
    expect(granted([shared(jobs, {}, usage(NOW))], environment('ce', 10))).toEqual(['3 a in ce', '7 b in ce']);
    const longAgo = NOW - 10 * 3600 * 1000;
    expect(granted([shared(jobs, {}, usage(longAgo))], environment('ce', 10))).toEqual(['5 a in ce', '5 b in ce']);
  });

  it('takes the highest schedulingPriority of a share first, then the oldest (user guide, job_scheduling)', () => {
    const jobs = [
      waiting('old', 3, { share: 'A', submittedAt: 1 }),
      waiting('new', 3, { share: 'A', submittedAt: 2 }),
      waiting('urgent', 3, { share: 'A', submittedAt: 3, schedulingPriority: 9 }),
    ];
    expect(granted([shared(jobs)], environment('ce', 5))).toEqual(['2 old in ce', '3 urgent in ce']);
  });
});
