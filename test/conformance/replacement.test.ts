/**
 * What ECS does with tasks that are unhealthy, have exited or cannot start (`ecs-semantics §3.4, §3.7, §3.15`), played by
 * SimulatedService. Sources: developer guide "Amazon ECS services" and "update-service-parameters" (replacement of unhealthy
 * tasks, AWS What's New 2023-10-23), What's New 2025-11 (same revision during a rollout), "service-throttle-logic",
 * "task-scale-in-protection".
 */
import { describe, expect, it } from 'vitest';
import { FAILED_HEALTH_CHECKS } from '../../src/ecs/task-health.ts';
import { SimulatedService, type SimulatedServiceOptions } from '../support/simulated-service.ts';

type Simulated = SimulatedService['tasks'][number];

function steady(options: SimulatedServiceOptions): SimulatedService {
  const service = new SimulatedService(options);
  service.steady();
  service.tick(60_000);
  service.history.length = 0;
  return service;
}

const setReady = (tasks: readonly Simulated[], ready: boolean): void => {
  for (const task of tasks) task.containers = task.containers.map((container) => ({ ...container, ready }));
};

const kinds = (service: SimulatedService): string[] => service.pass().actions.map(({ kind }) => kind);
const mostLive = (service: SimulatedService): number => Math.max(...service.history.map(({ live }) => live));

describe('unhealthy tasks', () => {
  it.each([
    // desired, min %, max %, unhealthy, first step, most tasks at a time
    { desired: 4, min: 100, max: 200, unhealthy: 1, first: ['start'], most: 5, why: 'its replacement starts first' },
    { desired: 4, min: 100, max: 200, unhealthy: 4, first: Array(4).fill('start'), most: 8, why: 'all are replaced' },
    { desired: 4, min: 50, max: 100, unhealthy: 1, first: ['stop'], most: 4, why: 'no room: it stops first' },
    { desired: 4, min: 50, max: 100, unhealthy: 3, first: ['stop'], most: 4, why: 'no room: they stop one at a time' },
    { desired: 1, min: 100, max: 200, unhealthy: 1, first: ['start'], most: 2, why: 'one that is all there is' },
    { desired: 4, min: 100, max: 125, unhealthy: 2, first: ['stop', 'start'], most: 5, why: 'room for one of two' },
  ])('$unhealthy of $desired at $min/$max: $why', ({ desired, min, max, unhealthy, first, most }) => {
    const service = steady({ desiredCount: desired, minimumHealthyPercent: min, maximumPercent: max });
    const sick = service.live().slice(0, unhealthy);
    setReady(sick, false);
    expect(kinds(service)).toEqual(first);
    const end = service.steady();
    expect(end.deployments[0]).toMatchObject({ runningCount: desired, completed: true });
    for (const task of sick) expect(task.stopCause).toEqual(FAILED_HEALTH_CHECKS);
    expect(mostLive(service)).toBe(most);
    const well = service.history.map(({ healthy }) => healthy);
    expect(Math.min(...well)).toBe(desired - unhealthy);
  });

  it('whose replacement turns unhealthy too: either stops, so that no more than desired remain', () => {
    const service = steady({ desiredCount: 1, minimumHealthyPercent: 100, maximumPercent: 200 });
    const [sick] = service.live();
    setReady(service.live(), false);
    service.pass();
    const [replacement] = service.live().filter((task) => task !== sick);
    if (sick === undefined || replacement === undefined) throw new Error('no replacement');
    replacement.containers = sick.containers.map((container) => ({ ...container, startedAt: service.now }));
    service.tick(20_000);
    service.pass();
    expect(service.live().filter(({ stopRequested }) => !stopRequested)).toHaveLength(1);
  });

  it('that gets well while its replacement starts stays, and the replacement goes', () => {
    const service = steady({ desiredCount: 2, minimumHealthyPercent: 100, maximumPercent: 200 });
    const before = service.live().map(({ id }) => id);
    setReady(service.live().slice(0, 1), false);
    expect(kinds(service)).toEqual(['start']);
    setReady(service.live().slice(0, 1), true);
    expect(kinds(service)).toEqual(['stop']);
    service.steady();
    expect(service.live().map(({ id }) => id)).toEqual(before);
  });

  it('are replaced although they are protected: protection is against scale-in and deployments', () => {
    const service = steady({ desiredCount: 2, minimumHealthyPercent: 100, maximumPercent: 200 });
    const [sick] = service.live();
    if (sick === undefined) throw new Error('no task');
    sick.protectedUntil = service.now + 3_600_000;
    setReady([sick], false);
    service.steady();
    expect(sick.stopCause).toEqual(FAILED_HEALTH_CHECKS);
  });
});

describe('tasks that have exited', () => {
  it.each([
    [100, 200],
    [50, 100],
    [100, 101],
  ])('are replaced straight away at %i/%i', (minimumHealthyPercent, maximumPercent) => {
    const service = steady({ desiredCount: 3, minimumHealthyPercent, maximumPercent });
    for (const task of service.live().slice(1)) service.end(task, 1);
    expect(kinds(service)).toEqual(['start', 'start']);
  });

  it('during a rollout come back on the revision that they had', () => {
    const service = steady({ desiredCount: 4, minimumHealthyPercent: 100, maximumPercent: 200 });
    const [former] = service.deployments;
    service.deploy();
    service.pass();
    const [lost] = service.live().filter(({ deployment }) => deployment === former.id);
    if (lost === undefined) throw new Error('no old task');
    service.end(lost, 1);
    expect(service.pass().actions).toMatchObject([{ kind: 'start', deployment: former.id }]);
  });

  it('never slow the service down, however often', () => {
    const service = steady({ desiredCount: 1, minimumHealthyPercent: 100, maximumPercent: 200 });
    for (let crash = 0; crash < 20; crash++) {
      for (const task of service.live()) service.end(task, 1);
      expect(kinds(service)).toEqual(['start']);
      service.tick(3000);
    }
  });
});

describe('the start throttle', () => {
  const failing = (): SimulatedService =>
    new SimulatedService({
      desiredCount: 1,
      minimumHealthyPercent: 100,
      maximumPercent: 200,
      healthyAfterMs: () => undefined,
    });

  /** Tries once more, however long it has to wait, and fails. @returns how long it waited. */
  function failOnce(service: SimulatedService): number {
    const from = service.now;
    let plan = service.pass();
    if (plan.startImpaired) {
      service.now = plan.wakeAt ?? service.now;
      plan = service.pass();
    }
    for (const task of service.live()) service.end(task, 1);
    return service.now - from;
  }

  it('waits 10 s after three tasks that never ran, twice as long after each further one, and 27 minutes at most', () => {
    const service = failing();
    const waits = Array.from({ length: 13 }, () => failOnce(service) / 1000);
    expect(waits).toEqual([0, 0, 0, 10, 20, 40, 80, 160, 320, 640, 1280, 1620, 1620]);
  });

  it('ends with a new revision', () => {
    const service = failing();
    for (let failure = 0; failure < 5; failure++) failOnce(service);
    expect(service.pass()).toMatchObject({ actions: [], startImpaired: true });
    service.deploy();
    expect(service.pass()).toMatchObject({ actions: [{ kind: 'start' }], startImpaired: false });
  });

  it('does not count tasks whose node was lost', () => {
    const service = failing();
    for (let loss = 0; loss < 5; loss++) {
      expect(kinds(service)).toEqual(['start']);
      for (const task of service.live()) {
        task.stopCause = { stopCode: 'InfrastructureHealth', stoppedReason: 'Host EC2 (instance node-0) terminated.' };
        service.end(task, 1);
      }
    }
  });
});
