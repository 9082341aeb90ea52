import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bounds } from '../../src/ecs/bounds.ts';
import { SimulatedService } from '../support/simulated-service.ts';

/** The worked cases of `ecs-semantics §3.3`, which cites AWS's developer guide ("deployment-type-ecs", "service_definition_parameters"). */
const WORKED = [
  { desired: 4, percent: [100, 200], min: 4, max: 8, stuck: false },
  { desired: 4, percent: [50, 100], min: 2, max: 4, stuck: false },
  { desired: 1, percent: [100, 200], min: 1, max: 2, stuck: false },
  { desired: 1, percent: [50, 100], min: 1, max: 1, stuck: true },
  { desired: 1, percent: [100, 150], min: 1, max: 1, stuck: true },
  { desired: 1, percent: [0, 100], min: 0, max: 1, stuck: false },
  { desired: 2, percent: [75, 100], min: 2, max: 2, stuck: true },
  { desired: 2, percent: [50, 150], min: 1, max: 3, stuck: false },
  { desired: 3, percent: [100, 125], min: 3, max: 3, stuck: true },
  { desired: 3, percent: [33, 100], min: 1, max: 3, stuck: false },
  { desired: 5, percent: [50, 150], min: 3, max: 7, stuck: false },
  { desired: 7, percent: [66, 133], min: 5, max: 9, stuck: false },
  { desired: 10, percent: [75, 125], min: 8, max: 12, stuck: false },
  { desired: 0, percent: [100, 200], min: 0, max: 0, stuck: false },
] as const;

function rolledOut(
  desiredCount: number,
  [minimumHealthyPercent, maximumPercent]: readonly [number, number],
): SimulatedService {
  const service = new SimulatedService({ desiredCount, minimumHealthyPercent, maximumPercent });
  service.steady();
  service.history.length = 0;
  service.deploy();
  return service;
}

describe('rolling update, the worked cases of AWS', () => {
  for (const { desired, percent, min, max, stuck } of WORKED) {
    it(`${desired} tasks at ${percent.join('/')} stay within ${min} healthy and ${max} in all${stuck ? ', and are stuck' : ''}`, () => {
      expect(bounds(desired, percent[0], percent[1])).toEqual({ min, max });
      const service = rolledOut(desired, percent);
      if (stuck) {
        expect(service.run((plan) => plan.stuck).deployments[0]?.blockedBy).toBe(
          `cannot start: ${desired} tasks = upper bound ${max}; cannot stop: ${desired} healthy = lower bound ${min}`,
        );
        expect(service.pass().actions).toEqual([]);
        return;
      }
      const end = service.steady();
      expect(end.deployments.map(({ status, runningCount }) => ({ status, runningCount }))).toEqual([
        { status: 'PRIMARY', runningCount: desired },
        { status: 'INACTIVE', runningCount: 0 },
      ]);
      expect(Math.max(...service.history.map(({ live }) => live))).toBeLessThanOrEqual(max);
      expect(Math.min(...service.history.map(({ healthy }) => healthy))).toBeGreaterThanOrEqual(min);
    });
  }

  it('4 tasks at 50/100 stop 2, start 2, wait until these are healthy, and go on', () => {
    const service = rolledOut(4, [50, 100]);
    const stops = service.pass().actions.filter(({ kind }) => kind === 'stop');
    expect(stops).toHaveLength(2);
    service.tick(1000);
    const second = service.pass();
    expect(second.actions.map(({ kind }) => kind)).toEqual(['start', 'start']);
    expect(service.pass().deployments[0]?.blockedBy).toBe(
      'cannot start: 4 tasks = upper bound 4; cannot stop: 2 healthy = lower bound 2',
    );
  });

  it('4 tasks at 100/200 start 4 at once and stop old ones one for one as new ones become healthy', () => {
    const service = rolledOut(4, [100, 200]);
    expect(service.pass().actions.map(({ kind }) => kind)).toEqual(['start', 'start', 'start', 'start']);
    expect(service.pass().deployments[0]?.blockedBy).toBe('waiting for 4 new tasks to become healthy');
  });

  it('5 tasks that become 10 by a new revision at 50/200 show PRIMARY 10/10/0 and ACTIVE 5/0/5 (the slides this project began with)', () => {
    const service = new SimulatedService({ desiredCount: 5, minimumHealthyPercent: 50, maximumPercent: 200 });
    service.steady();
    service.options.desiredCount = 10;
    service.deploy();
    const [primary, active] = service.pass().deployments;
    expect(primary).toMatchObject({ status: 'PRIMARY', desiredCount: 10, pendingCount: 10, runningCount: 0 });
    expect(active).toMatchObject({ status: 'ACTIVE', desiredCount: 5, pendingCount: 0, runningCount: 5 });
    service.history.length = 0;
    service.steady();
    expect(Math.max(...service.history.map(({ live }) => live))).toBeLessThanOrEqual(20);
    expect(Math.min(...service.history.map(({ healthy }) => healthy))).toBeGreaterThanOrEqual(5);
  });
});

describe('rolling update, any service', () => {
  const percents = fc
    .tuple(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 100, max: 300 }))
    .filter(([a, b]) => a + b !== 200);

  it('never leaves its bounds and ends steady or stuck, whatever the percentages and speeds', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 12 }),
        percents,
        fc.integer({ min: 0, max: 9 }),
        fc.integer({ min: 0, max: 9 }),
        (desired, percent, slow, stop) => {
          const { min, max } = bounds(desired, percent[0], percent[1]);
          const service = new SimulatedService({
            desiredCount: desired,
            minimumHealthyPercent: percent[0],
            maximumPercent: percent[1],
            healthyAfterMs: (task) => 1000 + 1000 * ((task.slot * 7 + slow) % 5),
            stopMs: 1000 * stop,
          });
          service.steady();
          service.history.length = 0;
          service.deploy();
          service.run((plan) => plan.steady || plan.stuck);
          for (const { live, healthy } of service.history) {
            expect(live).toBeLessThanOrEqual(max);
            expect(healthy).toBeGreaterThanOrEqual(min);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('survives crashes of old and new tasks and a second deployment on the way, and then does nothing more', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.array(fc.tuple(fc.nat(20), fc.nat(7)), { maxLength: 6 }),
        fc.nat(15),
        (desired, crashes, again) => {
          const service = new SimulatedService({
            desiredCount: desired,
            minimumHealthyPercent: 50,
            maximumPercent: 200,
          });
          service.steady();
          service.deploy();
          for (let second = 0; second < 25; second++) {
            if (second === again) service.deploy();
            for (const [at, which] of crashes) {
              const running = service
                .live()
                .filter((task) => task.containers[0]?.status === 'RUNNING' && !task.stopRequested);
              const victim = running[which % Math.max(running.length, 1)];
              if (at === second && victim !== undefined) service.end(victim, 1);
            }
            service.pass();
            service.tick(1000);
          }
          const end = service.steady();
          expect(end.deployments[0]).toMatchObject({ runningCount: desired, pendingCount: 0, completed: true });
          expect(service.pass().actions).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('a service whose tasks cannot start (ecs-semantics §3.7)', () => {
  it('replaces each in the pass that stops it, until three have failed, and then waits', () => {
    const service = new SimulatedService({
      desiredCount: 1,
      minimumHealthyPercent: 100,
      maximumPercent: 200,
      healthyAfterMs: () => undefined,
      stopMs: 0,
    });
    const fail = (): void => {
      for (const task of service.live()) {
        task.containers = task.containers.map((container) => ({
          ...container,
          startFailure: 'CannotPullContainerError: not found',
        }));
      }
    };
    const kinds: string[][] = [];
    service.pass();
    for (let pass = 0; pass < 3; pass++) {
      fail();
      kinds.push(service.pass().actions.map(({ kind }) => kind));
      service.tick(1);
    }
    expect(kinds).toEqual([['stop', 'start'], ['stop', 'start'], ['stop']]);
    const waiting = service.pass();
    expect(waiting).toMatchObject({ actions: [], startImpaired: true });
    expect(waiting.deployments[0]?.blockedBy).toMatch(
      /^cannot start: throttled until .* after 3 tasks that never ran$/,
    );
    service.now = waiting.wakeAt ?? 0;
    expect(service.pass().actions.map(({ kind }) => kind)).toEqual(['start']);
  });
});

describe('scale-in protection (ecs-semantics §3.15)', () => {
  it('holds a protected task back from scale-in and from a rollout, until it expires', () => {
    const service = new SimulatedService({ desiredCount: 2, minimumHealthyPercent: 50, maximumPercent: 200 });
    service.steady();
    const [kept] = service.live();
    if (kept === undefined) throw new Error('no task runs');
    kept.protectedUntil = service.now + 60_000;
    service.options.desiredCount = 0;
    for (let second = 0; second < 30; second++, service.tick(1000)) service.pass();
    expect(service.live()).toEqual([kept]);
    service.options.desiredCount = 2;
    service.deploy();
    for (let second = 0; second < 20; second++, service.tick(1000)) service.pass();
    expect(service.live().filter(({ deployment }) => deployment === kept.deployment)).toEqual([kept]);
    service.now = kept.protectedUntil;
    service.steady();
    expect(service.live()).not.toContain(kept);
  });
});
