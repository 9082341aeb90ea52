/**
 * Fair share scheduling in numbers, by AWS's documents: the user guide's pages `fair-share-scheduling`, `share-identifiers`,
 * `scheduling-policy-parameters`, and the API reference's `FairsharePolicy` and `ShareAttributes`.
 */
import { describe, expect, it } from 'vitest';
import { dispatch, type Queue } from '../../src/batch/dispatch.ts';
import { type FairSharePolicy, type ShareUsage, usageAt } from '../../src/batch/fair-share.ts';
import type { Waiting } from '../../src/batch/waitlist.ts';
import { environment, GIB, granted, NOW, queue, waiting } from '../support/queues.ts';

const HOUR = 3600;

const policy = (fields: Partial<FairSharePolicy> = {}): FairSharePolicy => ({
  shareDecaySeconds: HOUR,
  computeReservation: 0,
  shareDistribution: [],
  ...fields,
});

const shared = (
  jobs: readonly Waiting[],
  given: Partial<FairSharePolicy> = {},
  usage: ReadonlyMap<string, ShareUsage> = new Map(),
  fields: Partial<Queue> = {},
): Queue => queue('q', jobs, { ...fields, fairShare: { policy: policy(given), usage } });

/** A hundred jobs of one vCPU of a share. */
const of = (share: string, count = 100, fields: Partial<Waiting> = {}): Waiting =>
  waiting(share.toLowerCase(), count, { share, ...fields });

const weights = (...pairs: readonly (readonly [string, number])[]): Pick<FairSharePolicy, 'shareDistribution'> => ({
  shareDistribution: pairs.map(([shareIdentifier, weightFactor]) => ({ shareIdentifier, weightFactor })),
});

const total = (jobs: readonly Waiting[], given: Partial<FairSharePolicy>, vcpus: number): number =>
  dispatch([shared(jobs, given)], [environment('ce', vcpus)], NOW).grants.reduce((sum, { count }) => sum + count, 0);

describe('shares', () => {
  it('without a weight get the same (share-identifiers: allocated equally unless explicitly overridden)', () => {
    expect(granted([shared([of('A'), of('B')])], environment('ce', 10))).toEqual(['5 a in ce', '5 b in ce']);
  });

  it('count vCPUs and not jobs (share-identifiers: T is the vCPU usage over time)', () => {
    const big = of('A', 100, { need: { vcpus: 4, memory: GIB } });
    expect(granted([shared([big, of('B')])], environment('ce', 16))).toEqual(['2 a in ce', '8 b in ce']);
  });

  it('count what they use now with what they have used', () => {
    const usage = new Map([['A', { average: 2, inUse: 4, at: NOW }]]);
    expect(granted([shared([of('A'), of('B')], {}, usage)], environment('ce', 8))).toEqual(['1 a in ce', '7 b in ce']);
  });

  it('of weight 0.125 get eight times what one of weight 1 gets (ShareAttributes: weightFactor)', () => {
    expect(granted([shared([of('A'), of('B')], weights(['A', 0.125]))], environment('ce', 90))).toEqual([
      '10 b in ce',
      '80 a in ce',
    ]);
  });

  it('of the smallest weight leave the one of the greatest its first turn only when they have nothing left', () => {
    const jobs = [of('Least', 3), of('Most', 100)];
    const queues = [shared(jobs, weights(['Least', 999.9999], ['Most', 0.0001]))];
    expect(granted(queues, environment('ce', 100))).toEqual(['1 least in ce', '99 most in ce']);
  });

  it.each([
    [2, 5],
    [5, 2],
  ])(
    'of a prefix with weight 1 and %i identifiers have that many times the weight: X gets 10 vCPUs of 20, each of them %i (scheduling-policy-parameters: shareIdentifier)',
    (users, each) => {
      const names = ['UserA1', 'UserA2', 'UserA3', 'UserA4', 'UserA5'].slice(0, users);
      const jobs = [...names.map((name) => of(name)), of('X')];
      expect(granted([shared(jobs, weights(['UserA*', 1]))], environment('ce', 20))).toEqual([
        '10 x in ce',
        ...names.map((name) => `${each} ${name.toLowerCase()} in ce`),
      ]);
    },
  );

  it('of a prefix count those that run as well as those that wait', () => {
    const usage = new Map([['UserA1', { average: 0, inUse: 4, at: NOW }]]);
    const queues = [shared([of('UserA2'), of('X')], weights(['UserA*', 1]), usage)];
    expect(granted(queues, environment('ce', 12))).toEqual(['4 usera2 in ce', '8 x in ce']);
  });

  it('are those of one queue: what the same identifier uses of another one does not count (share-identifiers)', () => {
    const usage = new Map([['A', { average: 9, inUse: 9, at: NOW }]]);
    const used = { ...shared([], {}, usage), key: 'other' };
    expect(granted([used, shared([of('A'), of('B')])], environment('ce', 10))).toEqual(['5 a in ce', '5 b in ce']);
  });

  it('of a queue of lower priority get what the one above leaves', () => {
    const high = queue('high', [waiting('h', 4)], { priority: 10 });
    const low = shared([of('A'), of('B')], weights(['A', 0.5]));
    expect(granted([low, high], environment('ce', 10))).toEqual(['2 b in ce', '4 a in ce', '4 h in ce']);
  });

  it('are divided over all environments of the queue', () => {
    const queues = [shared([of('A'), of('B')], {}, new Map(), { environments: ['first', 'second'] })];
    expect(granted(queues, environment('first', 5), environment('second', 5))).toEqual(
      ['2 b in first', '2 a in second', '3 a in first', '3 b in second'].sort(),
    );
  });
});

describe('schedulingPriority (share-identifiers; API reference, SubmitJob: schedulingPriorityOverride)', () => {
  it('decides within a share, then the oldest comes first', () => {
    const jobs = [
      waiting('old', 3, { share: 'A', submittedAt: 1 }),
      waiting('new', 3, { share: 'A', submittedAt: 2 }),
      waiting('urgent', 3, { share: 'A', submittedAt: 3, schedulingPriority: 9999 }),
    ];
    expect(granted([shared(jobs)], environment('ce', 5))).toEqual(['2 old in ce', '3 urgent in ce']);
  });

  it('decides nothing between shares', () => {
    const jobs = [of('A', 10, { schedulingPriority: 9999 }), of('B', 10)];
    expect(granted([shared(jobs)], environment('ce', 6))).toEqual(['3 a in ce', '3 b in ce']);
  });

  it('is above a failed attempt of a lower one, which is the first of its own', () => {
    const jobs = [
      waiting('failed', 2, { share: 'A', submittedAt: 3, retries: 2 }),
      waiting('old', 2, { share: 'A', submittedAt: 1 }),
      waiting('urgent', 2, { share: 'A', submittedAt: 2, schedulingPriority: 1 }),
    ];
    expect(granted([shared(jobs)], environment('ce', 3))).toEqual(['1 failed in ce', '2 urgent in ce']);
  });
});

describe('computeReservation', () => {
  it.each([
    [50, 16, [8, 12, 14]],
    [25, 64, [48, 60, 63]],
    [0, 16, [16, 16, 16]],
  ])(
    '%i of %i vCPUs leaves %j to 1, 2, 3 active shares (FairsharePolicy: computeReservation)',
    (percent, vcpus, left) => {
      const names = ['A', 'B', 'C'];
      const got = names.map((_, at) => {
        const jobs = names.slice(0, at + 1).map((share) => of(share));
        return total(jobs, { computeReservation: percent }, vcpus);
      });
      expect(got).toEqual(left);
    },
  );

  it('is there for a share that comes later', () => {
    const usage = new Map([['A', { average: 8, inUse: 8, at: NOW }]]);
    const used = { vcpus: 8, memory: 8 * GIB };
    const ce = environment('ce', 16, { used });
    expect(granted([shared([of('A')], { computeReservation: 50 }, usage)], ce)).toEqual([]);
    expect(granted([shared([of('A'), of('B')], { computeReservation: 50 }, usage)], ce)).toEqual(['4 b in ce']);
  });

  it('keeps its part of unmanagedvCpus where there is no ceiling, and nothing without (CreateComputeEnvironment: unmanagedvCpus)', () => {
    const limit = { vcpus: Infinity, memory: Infinity };
    const queues = [shared([of('A'), of('B')], { computeReservation: 50 })];
    const got = (unmanagedVcpus?: number): number =>
      dispatch(queues, [environment('ce', 0, { limit, unmanagedVcpus })], NOW).grants.reduce(
        (sum, { count }) => sum + count,
        0,
      );
    expect(got(16)).toBe(12);
    expect(got()).toBe(200);
  });

  it('says what it keeps', () => {
    const usage = new Map([['A', { average: 8, inUse: 8, at: NOW }]]);
    const ce = environment('ce', 16, { used: { vcpus: 8, memory: 8 * GIB } });
    expect(dispatch([shared([of('A')], { computeReservation: 50 }, usage)], [ce], NOW).blocked).toMatchObject([
      {
        reason: 'COMPUTE_ENVIRONMENT_FULL',
        message:
          'it needs 1 vCPU and 1024 MiB; 8 of 16 vCPU and 8192 of 65536 MiB of ce are taken, 8 vCPU are kept for shares that are not active',
      },
    ]);
  });

  it('keeps no job waiting for ever that needs more than it leaves: alone in its queue it starts', () => {
    const big = of('A', 2, { need: { vcpus: 10, memory: GIB } });
    expect(granted([shared([big], { computeReservation: 99 })], environment('ce', 32))).toEqual(['1 a in ce']);
  });

  it('counts a share as active that has run within the time of decay, and not after it (fair-share-scheduling: Note)', () => {
    const left = (at: number): string[] => {
      const usage = new Map([
        ['A', { average: 0, inUse: 0, at }],
        ['B', { average: 0, inUse: 1, at: NOW }],
      ]);
      const ce = environment('ce', 16, { used: { vcpus: 1, memory: GIB } });
      return granted([shared([of('B')], { computeReservation: 50 }, usage)], ce);
    };
    expect(left(NOW - HOUR * 1000)).toEqual(['11 b in ce']);
    expect(left(NOW - HOUR * 1000 - 1)).toEqual(['7 b in ce']);
  });
});

describe('shareDecaySeconds (FairsharePolicy)', () => {
  it('lets recent use count: who has used less gets more', () => {
    const usage = new Map([['A', { average: 4, inUse: 0, at: NOW }]]);
    expect(granted([shared([of('A'), of('B')], {}, usage)], environment('ce', 10))).toEqual(['3 a in ce', '7 b in ce']);
  });

  it('lets no use count that is older', () => {
    const usage = new Map([['A', { average: 1000, inUse: 0, at: NOW - HOUR * 1000 - 1 }]]);
    expect(granted([shared([of('A'), of('B')], {}, usage)], environment('ce', 10))).toEqual(['5 a in ce', '5 b in ce']);
  });

  it.each([
    [0, 9],
    [20, 9 * Math.exp(-1)],
    [60, 9 * Math.exp(-3)],
  ])('3600: of an average of 9 vCPUs %i minutes later %d are left', (minutes, left) => {
    const later = NOW + minutes * 60_000;
    expect(usageAt(policy(), { average: 9, inUse: 0, at: NOW }, later).average).toBeCloseTo(left, 9);
  });

  it('3600: of 9 vCPUs that are in use all are in the average an hour later, but for a twentieth', () => {
    const { average } = usageAt(policy(), { average: 0, inUse: 9, at: NOW }, NOW + HOUR * 1000);
    expect(average).toBeCloseTo(9 * (1 - Math.exp(-3)), 9);
  });

  it('0 stands for 600', () => {
    const usage: ShareUsage = { average: 9, inUse: 2, at: NOW };
    const later = NOW + 300_000;
    const [zero, tenMinutes] = [0, 600].map((shareDecaySeconds) =>
      usageAt(policy({ shareDecaySeconds }), usage, later),
    );
    expect(zero).toEqual(tenMinutes);
  });
});

describe('500 active shares (ShareAttributes: shareIdentifier)', () => {
  const name = (at: number): string => `S${at}`;

  it('are served, and the jobs of one more wait until another one is no longer active', () => {
    const usage = new Map(
      Array.from({ length: 499 }, (_, at) => [name(at), { average: 0, inUse: 1, at: NOW }] as const),
    );
    const jobs = [
      of('First', 1, { submittedAt: 1 }),
      of('Second', 1, { submittedAt: 2 }),
      of(name(7), 1, { submittedAt: 3 }),
    ];
    const { grants, crowdedOut } = dispatch([shared(jobs, {}, usage)], [environment('ce', 10)], NOW);
    expect(grants.map(({ job }) => job)).toEqual(['first', 's7']);
    expect(crowdedOut).toEqual([{ queue: 'q', shares: new Set(['Second']) }]);
  });
});
