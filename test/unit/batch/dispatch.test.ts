/** Who starts next, over random queues and environments. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dispatch, type Environment, type Queue } from '../../../src/batch/dispatch.ts';
import { weightsOf } from '../../../src/batch/fair-share.ts';
import { type Waiting, Waitlist } from '../../../src/batch/waitlist.ts';
import { environment, GIB, NOW, queue, waiting } from '../../support/queues.ts';

const SHARES = ['A', 'B', 'C1', 'C2'];

const job = fc.record({
  count: fc.integer({ min: 1, max: 6 }),
  retries: fc.nat(2),
  vcpus: fc.constantFrom(0.25, 0.5, 1, 2, 4),
  gib: fc.integer({ min: 1, max: 8 }),
  submittedAt: fc.nat(5),
  share: fc.constantFrom(...SHARES),
  schedulingPriority: fc.nat(2),
});

type Job = typeof job extends fc.Arbitrary<infer T> ? T : never;

const waitingOf = ({ count, retries, vcpus, gib, ...rest }: Job, name: string): Waiting =>
  waiting(name, count, { ...rest, retries: Math.min(retries, count), need: { vcpus, memory: gib * GIB } });

const policy = fc.record({
  shareDecaySeconds: fc.constant(3600),
  computeReservation: fc.constantFrom(0, 0, 25, 99),
  shareDistribution: fc.constantFrom(
    [],
    [{ shareIdentifier: 'A', weightFactor: 0.25 }],
    [
      { shareIdentifier: 'B', weightFactor: 2 },
      { shareIdentifier: 'C*', weightFactor: 0.5 },
    ],
  ),
});

const queues: fc.Arbitrary<readonly Queue[]> = fc
  .array(
    fc.record({
      priority: fc.nat(2),
      environments: fc.constantFrom(['x'], ['y'], ['x', 'y'], ['y', 'x'], ['z', 'x'], ['none']),
      policy: fc.option(policy, { nil: undefined }),
      jobs: fc.array(job, { maxLength: 6 }),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((all) =>
    all.map(({ jobs, policy: given, ...fields }, at) => {
      const named = jobs.map((each, index) => waitingOf(each, `q${at}j${index}`));
      return queue(`q${at}`, named, {
        ...fields,
        createdAt: at,
        ...(given !== undefined && { fairShare: { policy: given, usage: new Map() } }),
      });
    }),
  );

const environments: fc.Arbitrary<readonly Environment[]> = fc
  .tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }), fc.nat(10), fc.boolean())
  .map(([x, y, used, isEnabled]) => [
    environment('x', x, { used: { vcpus: Math.min(used, x), memory: Math.min(used, x) * GIB } }),
    environment('y', y, { limit: { vcpus: Infinity, memory: y * GIB } }),
    environment('z', 4, { isEnabled }),
  ]);

const jobsOf = ({ waiting: { lines } }: Queue): ReadonlyMap<string, Waiting> =>
  new Map([...lines.values()].flat().map(({ waiting: each }) => [each.job, each]));

describe('dispatch', () => {
  it('takes of no environment more than it has, and starts of no job more than waits', () => {
    fc.assert(
      fc.property(queues, environments, (all, given) => {
        const { grants } = dispatch(all, given, NOW);
        const jobs = new Map(all.flatMap((each) => [...jobsOf(each)]));
        for (const { name, limit, used, isEnabled } of given) {
          const own = grants.filter((grant) => grant.environment === name);
          const total = (part: 'vcpus' | 'memory'): number =>
            own.reduce((sum, grant) => sum + grant.count * (jobs.get(grant.job)?.need[part] ?? 0), used[part]);
          expect(total('vcpus')).toBeLessThanOrEqual(limit.vcpus);
          expect(total('memory')).toBeLessThanOrEqual(limit.memory);
          if (!isEnabled) expect(own).toEqual([]);
        }
        for (const [id, { count }] of jobs) {
          const started = grants.filter((grant) => grant.job === id).reduce((sum, grant) => sum + grant.count, 0);
          expect(started).toBeLessThanOrEqual(count);
        }
      }),
    );
  });

  it('leaves nothing waiting at the head of a queue that has room', () => {
    fc.assert(
      fc.property(queues, environments, (all, given) => {
        const { grants, blocked } = dispatch(all, given, NOW);
        for (const each of all) {
          const jobs = jobsOf(each);
          const left = [...jobs.values()].some(({ job: id, count }) => {
            const started = grants.filter((grant) => grant.job === id).reduce((sum, grant) => sum + grant.count, 0);
            return started < count;
          });
          expect(blocked.some(({ queue: key }) => key === each.key)).toBe(left);
        }
      }),
    );
  });

  it('gives a queue nothing of an environment that a job of a queue of higher priority waits for', () => {
    fc.assert(
      fc.property(queues, environments, (all, given) => {
        const { grants, blocked } = dispatch(all, given, NOW);
        const byName = new Map(given.map((each) => [each.name, each]));
        for (const { queue: key, job: id } of blocked) {
          const high = all.find((each) => each.key === key) as Queue;
          const { need } = jobsOf(high).get(id) as Waiting;
          const awaited = high.environments.filter((name) => {
            const { limit, isEnabled } = byName.get(name) ?? {};
            return (
              isEnabled === true && limit !== undefined && need.vcpus <= limit.vcpus && need.memory <= limit.memory
            );
          });
          const lower = new Set(
            all.filter(({ priority }) => priority < high.priority).flatMap((low) => [...jobsOf(low).keys()]),
          );
          expect(grants.filter((grant) => lower.has(grant.job) && awaited.includes(grant.environment))).toEqual([]);
        }
      }),
    );
  });

  it('starts of a share what stands first in it, and nothing behind what waits', () => {
    fc.assert(
      fc.property(queues, environments, (all, given) => {
        const { grants } = dispatch(all, given, NOW);
        const started = new Map<string, number>();
        for (const grant of grants) started.set(grant.job, (started.get(grant.job) ?? 0) + grant.count);
        for (const { waiting: waitlist } of all) {
          for (const line of waitlist.lines.values()) {
            let isOver = false;
            for (const { waiting: each, count } of line) {
              const took = Math.min(count, started.get(each.job) ?? 0);
              started.set(each.job, (started.get(each.job) ?? 0) - took);
              if (isOver) expect(took).toBe(0);
              isOver ||= took < count;
            }
          }
        }
      }),
    );
  });

  it('gives no share more, by its weight, than another one that waits, but for its last job', () => {
    fc.assert(
      fc.property(
        fc.array(job, { minLength: 1, maxLength: 8 }),
        policy,
        fc.integer({ min: 1, max: 30 }),
        (jobs, given, vcpus) => {
          const named = jobs.map((each, index) => waitingOf({ ...each, vcpus: 1, gib: 1 }, `j${index}`));
          const shared = queue('q', named, {
            environments: ['ce'],
            fairShare: { policy: { ...given, computeReservation: 0 }, usage: new Map() },
          });
          const { grants } = dispatch([shared], [environment('ce', vcpus)], NOW);
          const names = [...shared.waiting.lines.keys()];
          const weights = weightsOf(given, names);
          const got = (share: string): number =>
            grants.reduce(
              (sum, { job: id, count }) => sum + (named.find((each) => each.job === id)?.share === share ? count : 0),
              0,
            );
          const total = (share: string): number =>
            named.reduce((sum, { share: own, count }) => sum + (own === share ? count : 0), 0);
          for (const one of names) {
            if (got(one) === 0) continue;
            for (const other of names.filter((each) => got(each) < total(each)))
              expect((got(one) - 1) * (weights.get(one) ?? NaN)).toBeLessThanOrEqual(
                got(other) * (weights.get(other) ?? NaN),
              );
          }
        },
      ),
    );
  });
});

describe('a waitlist', () => {
  it.each([true, false])('stands in the same order however its jobs came and went (shares: %s)', (hasShares) => {
    fc.assert(
      fc.property(fc.array(job, { maxLength: 12 }), fc.infiniteStream(fc.boolean()), (jobs, leaves) => {
        const named = jobs.map((each, index) => waitingOf(each, `j${index}`));
        const waitlist = new Waitlist(hasShares);
        for (const each of named) waitlist.add(each);
        const stay = named.filter((each) => {
          const { value: isGone } = leaves.next();
          if (isGone === true) waitlist.remove(each);
          return isGone !== true;
        });
        expect(new Map([...waitlist.lines].sort())).toEqual(new Map([...new Waitlist(hasShares, stay).lines].sort()));
        const places = [...waitlist.lines.values()].flat();
        expect(places.reduce((sum, { count }) => sum + count, 0)).toBe(stay.reduce((sum, { count }) => sum + count, 0));
      }),
    );
  });
});
