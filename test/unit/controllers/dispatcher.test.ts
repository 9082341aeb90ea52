/** The dispatcher of queues over random histories: pods are seen late, starts are refused, operators die. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_ACTIVE_SHARES } from '../../../src/batch/fair-share.ts';
import { type Demand, Dispatcher, type Scene } from '../../../src/controllers/batch/dispatcher.ts';
import { type QueuedJob, type QueueEvent, SimulatedQueues } from '../../support/simulated-queues.ts';

const GIB = 1024;
const QUEUES = ['ns/high', 'ns/low', 'ns/shared'] as const;

const scene: Scene = {
  queues: [
    { key: 'ns/high', namespace: 'ns', priority: 10, createdAt: 1, environments: ['x', 'y'] },
    { key: 'ns/low', namespace: 'ns', priority: 1, createdAt: 2, environments: ['x'] },
    {
      key: 'ns/shared',
      namespace: 'ns',
      priority: 1,
      createdAt: 3,
      environments: ['y', 'x'],
      policy: {
        shareDecaySeconds: 0,
        computeReservation: 50,
        shareDistribution: [{ shareIdentifier: 'A', weightFactor: 0.5 }],
      },
    },
  ],
  environments: [
    { name: 'x', isEnabled: true, limit: { vcpus: 4, memory: 8 * GIB } },
    { name: 'y', isEnabled: true, limit: { vcpus: 3, memory: 100 * GIB }, namespaces: ['ns'] },
  ],
};

const jobs: fc.Arbitrary<readonly QueuedJob[]> = fc
  .array(
    fc.record({
      queue: fc.constantFrom(...QUEUES),
      vcpus: fc.constantFrom(0.25, 1, 2, 3),
      gib: fc.integer({ min: 1, max: 6 }),
      failures: fc.array(fc.nat(2), { minLength: 1, maxLength: 5 }),
      submittedAt: fc.nat(5),
      share: fc.constantFrom('A', 'B', 'C'),
      schedulingPriority: fc.nat(2),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((all) =>
    all.map(({ vcpus, gib, ...job }, at) => ({
      ...job,
      job: `uid-${at}`,
      name: `job-${at}`,
      need: { vcpus, memory: gib * GIB },
    })),
  );

const pick = fc.nat(200);

const event: fc.Arbitrary<QueueEvent> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      pick,
      most: fc.option(fc.nat(3), { nil: undefined, freq: 3 }),
      refused: fc.constantFrom(0, 0, 1, 2),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom('see' as const, 'exit' as const), pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('run' as const, 'restart' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), pick }) },
);

const demand = (job: string, count: number, fields: Partial<Demand> = {}): Demand => ({
  job,
  name: job,
  queue: `ns/${job}`,
  need: { vcpus: 1, memory: GIB },
  count,
  retries: 0,
  submittedAt: 0,
  share: '',
  schedulingPriority: 0,
  ...fields,
});

describe('the dispatcher', () => {
  it('never fills an environment beyond its ceiling, and starts each attempt in the end, whatever is lost on the way', () => {
    fc.assert(
      fc.property(jobs, fc.array(event, { maxLength: 80 }), (given, events) => {
        const world = new SimulatedQueues(scene, given);
        for (const each of events) world.apply(each);
        world.settle();
      }),
      { numRuns: 500 },
    );
  });

  it('grants nothing before each job was heard: the last may be of the highest priority', () => {
    const dispatcher = new Dispatcher(() => undefined);
    dispatcher.await(['low', 'high', 'gone']);
    dispatcher.offer(demand('low', 1, { need: { vcpus: 4, memory: GIB } }));
    expect(dispatcher.run(scene, 0)).toEqual(new Set());
    dispatcher.withdraw('gone');
    dispatcher.offer(demand('high', 1, { need: { vcpus: 4, memory: GIB } }));
    expect(dispatcher.run(scene, 0)).toEqual(new Set(['high', 'low']));
    expect(dispatcher.take('high')).toEqual([{ environment: 'x', count: 1 }]);
    expect(dispatcher.take('low')).toEqual([]);
    expect(dispatcher.whyWaiting('low')).toBe(
      'COMPUTE_ENVIRONMENT_FULL - it needs 4 vCPU and 1024 MiB; 4 of 4 vCPU and 1024 of 8192 MiB of x are taken',
    );
  });

  it('grants what it can once it has waited long enough for a job that says nothing', () => {
    const dispatcher = new Dispatcher(() => undefined);
    dispatcher.await(['low', 'silent'], 1000);
    dispatcher.offer(demand('low', 1));
    expect(dispatcher.run(scene, 999)).toEqual(new Set());
    expect(dispatcher.run(scene, 1000)).toEqual(new Set(['low']));
  });

  it('counts as waiting what is neither granted nor taken', () => {
    const dispatcher = new Dispatcher(() => undefined);
    dispatcher.offer(demand('low', 6, { retries: 5 }));
    dispatcher.run(scene, 0);
    const waiting = [{ count: 2, retries: 1 }];
    expect(dispatcher.waitingIn('ns/low')).toMatchObject(waiting);
    expect(dispatcher.take('low', 1)).toEqual([{ environment: 'x', count: 1 }]);
    expect(dispatcher.run({ ...scene, environments: [] }, 0)).toEqual(new Set(['low']));
    expect(dispatcher.waitingIn('ns/low')).toMatchObject(waiting);
    dispatcher.run(
      { ...scene, environments: [{ name: 'x', isEnabled: true, limit: { vcpus: 5, memory: 8 * GIB } }] },
      0,
    );
    expect(dispatcher.waitingIn('ns/low')).toMatchObject([{ count: 1, retries: 0 }]);
  });

  it('keeps for a job what it was granted, and gives to others what it does not need any more', () => {
    const dispatcher = new Dispatcher(() => undefined);
    dispatcher.offer(demand('low', 4));
    dispatcher.run(scene, 0);
    dispatcher.offer(demand('high', 8));
    dispatcher.offer(demand('low', 2));
    dispatcher.run(scene, 0);
    expect(dispatcher.take('high')).toEqual([
      { environment: 'x', count: 2 },
      { environment: 'y', count: 3 },
    ]);
    expect(dispatcher.take('low')).toEqual([{ environment: 'x', count: 2 }]);
  });

  it('counts a pod once: as granted until it is seen, and as in use from then on', () => {
    const dispatcher = new Dispatcher(() => undefined);
    const pod = { namespace: 'ns', owner: 'low' };
    const claim = { jobQueue: 'low', computeEnvironment: 'x', vcpus: 1, memory: GIB };
    dispatcher.offer(demand('low', 3));
    dispatcher.run(scene, 0);
    dispatcher.take('low');
    for (const each of [1, 2, 3]) dispatcher.notePod(pod, undefined, { ...claim }, each);
    dispatcher.offer(demand('high', 9));
    dispatcher.run(scene, 0);
    expect(dispatcher.take('high')).toEqual([
      { environment: 'x', count: 1 },
      { environment: 'y', count: 3 },
    ]);
    expect(dispatcher.waitingIn('ns/low')).toEqual([]);
    dispatcher.withdraw('low');
    dispatcher.offer(demand('high', 9));
    dispatcher.run({ ...scene, environments: scene.environments.slice(0, 1) }, 0);
    expect(dispatcher.take('high')).toEqual([{ environment: 'x', count: 1 }]);
  });

  it('counts for a share what it was granted, though no pod of it is seen', () => {
    const dispatcher = new Dispatcher(() => undefined);
    const x = { name: 'x', isEnabled: true, limit: { vcpus: 2, memory: 9 * GIB } };
    const shared = {
      ...scene.queues[2],
      policy: { shareDecaySeconds: 0, computeReservation: 0, shareDistribution: [] },
    };
    const queues = [{ ...shared, key: 'ns/shared', namespace: 'ns', priority: 1, createdAt: 1, environments: ['x'] }];
    dispatcher.offer(demand('A', 9, { queue: 'ns/shared', share: 'A' }));
    dispatcher.run({ queues, environments: [x] }, 0);
    dispatcher.offer(demand('B', 9, { queue: 'ns/shared', share: 'B' }));
    dispatcher.run({ queues, environments: [{ ...x, limit: { vcpus: 5, memory: 9 * GIB } }] }, 0);
    expect(dispatcher.take('A')).toEqual([{ environment: 'x', count: 3 }]);
    expect(dispatcher.take('B')).toEqual([{ environment: 'x', count: 2 }]);
  });

  it('says which job has no share to wait in', () => {
    const dispatcher = new Dispatcher(() => undefined);
    for (let at = 0; at <= MAX_ACTIVE_SHARES; at++)
      dispatcher.offer(demand(`job-${at}`, 1, { queue: 'ns/shared', share: `S${at}`, submittedAt: at }));
    dispatcher.run(scene, 0);
    expect(dispatcher.whyWaiting('job-499')).toBe('waiting for its turn in queue shared');
    expect(dispatcher.whyWaiting('job-500')).toBe(
      'waiting until a share of queue shared is no longer active: shareIdentifier S500 would be one more than the 500 that may be',
    );
  });
});
