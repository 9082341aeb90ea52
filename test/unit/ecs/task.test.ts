import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextSeats } from '../../../src/ecs/slots.ts';
import { startThrottle } from '../../../src/ecs/start-throttle.ts';
import { type Container, everRan, lastStatus, type Task } from '../../../src/ecs/task.ts';
import { FAILED_HEALTH_CHECKS, healthView, taskHealth } from '../../../src/ecs/task-health.ts';

const NOW = 10_000_000;
const check = { interval: 5, retries: 3, startPeriod: 10 };
const container = (more: Partial<Container> = {}): Container => ({
  name: 'app',
  essential: true,
  status: 'RUNNING',
  ready: true,
  startedAt: NOW,
  ...more,
});
const task = (containers: Container[], more: Partial<Task> = {}): Task => ({
  id: 'a',
  createdAt: NOW,
  node: 'n',
  containers,
  ended: false,
  stopRequested: false,
  ...more,
});

describe('lastStatus (ecs-semantics §2.2: the minimum over all containers)', () => {
  it.each([
    ['PROVISIONING', task([container({ status: 'PENDING' })], { node: undefined })],
    ['PENDING', task([container(), container({ essential: false, status: 'PENDING' })])],
    ['RUNNING', task([container(), container({ essential: false, status: 'STOPPED' })])],
    ['STOPPING', task([container()], { stopRequested: true })],
    ['STOPPED', task([container({ status: 'STOPPED' })], { ended: true })],
  ])('%s', (expected, given) => {
    expect(lastStatus(given)).toBe(expected);
  });
});

describe('health', () => {
  it.each([
    ['HEALTHY', [container({ healthCheck: check })]],
    ['UNKNOWN', [container()]],
    ['HEALTHY', [container({ healthCheck: check }), container()]],
    ['UNKNOWN', [container({ essential: false, healthCheck: check })]],
    [
      'UNHEALTHY',
      [
        container({ healthCheck: check, ready: false, startedAt: NOW - 25_000 }),
        container({ healthCheck: check, ready: false }),
      ],
    ],
    ['UNKNOWN', [container({ healthCheck: check }), container({ healthCheck: check, ready: false })]],
  ] as const)('is %s by the essential containers that have a check (ecs-semantics §1.6)', (expected, containers) => {
    expect(taskHealth(task([...containers]), NOW)).toBe(expected);
  });

  it('without any check counts 40 s after RUNNING, not before', () => {
    const running = task([container()]);
    expect(healthView(running, NOW + 39_999)).toEqual({ healthy: false, unhealthy: false, changesAt: NOW + 40_000 });
    expect(healthView(running, NOW + 40_000)).toEqual({ healthy: true, unhealthy: false });
  });

  it('with a check counts at once when it passes', () => {
    expect(healthView(task([container({ healthCheck: check })]), NOW)).toEqual({ healthy: true, unhealthy: false });
  });

  it('fails after startPeriod and all retries, and not within the grace period', () => {
    const failing = task([container({ healthCheck: check, ready: false })]);
    expect(healthView(failing, NOW)).toEqual({ healthy: false, unhealthy: false, changesAt: NOW + 25_000 });
    expect(healthView(failing, NOW + 25_000)).toEqual({
      healthy: false,
      unhealthy: true,
      failure: FAILED_HEALTH_CHECKS,
    });
    expect(healthView(failing, NOW + 25_000, 60_000)).toEqual({
      healthy: false,
      unhealthy: false,
      changesAt: NOW + 60_000,
    });
  });
});

describe('start throttle (ecs-semantics §3.7)', () => {
  const neverRan = (age: number): Task =>
    task([container({ status: 'STOPPED', startedAt: undefined, finishedAt: undefined })], {
      ended: true,
      createdAt: NOW - age,
    });
  const ran = (age: number): Task =>
    task([container({ status: 'STOPPED', startedAt: NOW - age, finishedAt: NOW - age + 1 })], {
      ended: true,
      createdAt: NOW - age,
    });

  it('counts only tasks that went from PENDING to STOPPED without running', () => {
    expect(everRan(ran(5))).toBe(true);
    expect(everRan(neverRan(5))).toBe(false);
    expect(startThrottle([ran(1), ran(2), ran(3), ran(4)]).until).toBeUndefined();
    expect(startThrottle([neverRan(1), neverRan(2)]).until).toBeUndefined();
  });

  it('waits 10 s after three, doubling, at most 27 minutes', () => {
    const failures = (count: number): Task[] => Array.from({ length: count }, (_, index) => neverRan(index + 1));
    const wait = (count: number): number => (startThrottle(failures(count)).until ?? 0) - (NOW - 1);
    expect([3, 4, 5, 6].map(wait)).toEqual([10_000, 20_000, 40_000, 80_000]);
    expect(wait(30)).toBe(27 * 60_000);
  });

  it('counts a task that is being stopped since it cannot start, from the time of its stop', () => {
    const failing = (age: number): Task =>
      task([container({ status: 'PENDING', startedAt: undefined })], {
        createdAt: NOW - age - 20_000,
        stopRequested: true,
        stopCause: { stopCode: 'TaskFailedToStart', stoppedReason: 'CannotPullContainerError: m' },
        stoppingAt: NOW - age,
      });
    expect(startThrottle([failing(3), failing(2), failing(1)])).toEqual({ failures: 3, until: NOW - 1 + 10_000 });
  });

  it('does not count a task that was taken back before it ran', () => {
    const stopCause = { stopCode: 'ServiceSchedulerInitiated', stoppedReason: 'Scaling activity' } as const;
    expect(startThrottle([1, 2, 3, 4].map((age) => ({ ...neverRan(age), stopCause })))).toEqual({ failures: 0 });
  });

  it('is over with a task that ran', () => {
    expect(startThrottle([neverRan(5), neverRan(4), neverRan(3), ran(1)])).toEqual({ failures: 0 });
  });
});

describe('seats', () => {
  const seats = fc.array(
    fc.record({ slot: fc.nat(9), generation: fc.integer({ min: 1, max: 5 }), ended: fc.boolean() }),
  );

  it('are never ones that exist, and never in a slot that has a live task', () => {
    fc.assert(
      fc.property(seats, fc.nat(12), (taken, count) => {
        const next = nextSeats(taken, count);
        expect(new Set(next.map(({ slot }) => slot)).size).toBe(count);
        for (const seat of next) {
          expect(taken.some((other) => other.slot === seat.slot && !other.ended)).toBe(false);
          expect(taken.every((other) => other.slot !== seat.slot || other.generation < seat.generation)).toBe(true);
        }
      }),
    );
  });

  it('are the same for everyone who has seen the same: that makes the name a lock', () => {
    fc.assert(
      fc.property(seats, fc.nat(12), (taken, count) => {
        expect(nextSeats([...taken].reverse(), count)).toEqual(nextSeats(taken, count));
      }),
    );
  });
});
