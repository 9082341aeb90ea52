/**
 * Container instance draining of services: AWS's developer guide (container-instance-draining.md) and UpdateContainerInstancesState,
 * collected in `ecs-semantics §3.12`. Played by SimulatedService on three nodes.
 */
import { describe, expect, it } from 'vitest';
import { bounds } from '../../src/ecs/bounds.ts';
import { DRAINING, lastStatus } from '../../src/ecs/task.ts';
import { SimulatedService, type SimulatedServiceOptions } from '../support/simulated-service.ts';

const steadyService = (options: SimulatedServiceOptions): SimulatedService => {
  const service = new SimulatedService(options);
  service.steady();
  service.history.length = 0;
  return service;
};

const tasksOn = (service: SimulatedService, node: string) => service.live().filter((task) => task.node === node);

const stopsOf = (service: SimulatedService) =>
  service.history.flatMap(({ plan }) => plan.actions).filter((action) => action.kind === 'stop');

describe('a node that is set to DRAINING', () => {
  it.each([
    // desired, min %, max %, fewest healthy, most live; the guide's own rows first.
    { desired: 4, min: 100, max: 200, fewest: 4, most: 6, why: 'starts as many new tasks as are to be replaced' },
    {
      desired: 4,
      min: 50,
      max: 100,
      fewest: 2,
      most: 4,
      why: 'stops two existing tasks before it starts two new ones',
    },
    { desired: 4, min: 100, max: 125, fewest: 4, most: 5, why: 'replaces one at a time' },
    { desired: 3, min: 0, max: 100, fewest: 2, most: 3, why: 'has no room for a replacement: stops first' },
    { desired: 1, min: 100, max: 200, fewest: 1, most: 2, why: 'is never without a task' },
    { desired: 1, min: 0, max: 100, fewest: 0, most: 1, why: 'is without a task for a while' },
    { desired: 9, min: 75, max: 125, fewest: 7, most: 11, why: 'moves in batches' },
  ])('at $desired tasks, $min/$max: $why', ({ desired, min, max, fewest, most }) => {
    const service = steadyService({ desiredCount: desired, minimumHealthyPercent: min, maximumPercent: max });
    const node = service.live()[0]?.node ?? '';
    const there = tasksOn(service, node).length;
    service.draining.add(node);
    service.steady();
    expect(tasksOn(service, node)).toEqual([]);
    expect(service.healthy()).toHaveLength(desired);
    const stops = stopsOf(service);
    expect(stops).toHaveLength(there);
    for (const stop of stops) expect(stop).toMatchObject({ ...DRAINING, task: { node } });
    expect(Math.min(...service.history.map(({ healthy }) => healthy))).toBeGreaterThanOrEqual(fewest);
    expect(Math.max(...service.history.map(({ live }) => live))).toBeLessThanOrEqual(most);
    const limits = bounds(desired, min, max);
    expect(fewest).toBeGreaterThanOrEqual(limits.min);
    expect(most).toBeLessThanOrEqual(limits.max);
  });

  it('starts the replacements before it stops anything where the upper bound lets it', () => {
    const service = steadyService({ desiredCount: 4, minimumHealthyPercent: 50, maximumPercent: 200 });
    service.draining.add('node-0');
    const first = service.pass();
    expect(first.actions.map(({ kind }) => kind)).toEqual(tasksOn(service, 'node-0').map(() => 'start'));
    service.steady();
    expect(Math.min(...service.history.map(({ healthy }) => healthy))).toBe(4);
  });

  it.each([100, 200])(
    'stops PENDING tasks at once, whatever the lower bound, with an upper one of %d percent',
    (maximumPercent) => {
      const service = new SimulatedService({
        desiredCount: 6,
        minimumHealthyPercent: 100,
        maximumPercent,
        healthyAfterMs: () => undefined,
      });
      service.pass();
      const pending = tasksOn(service, 'node-0');
      expect(pending.map(lastStatus)).toEqual(['PENDING', 'PENDING']);
      service.draining.add('node-0');
      service.pass();
      expect(stopsOf(service)).toMatchObject(pending.map((task) => ({ task, ...DRAINING })));
      service.tick(1000);
      service.pass();
      expect(service.live().map(({ node }) => node)).not.toContain('node-0');
      expect(service.live()).toHaveLength(6);
      expect(service.plan().startImpaired).toBe(false);
    },
  );

  it('waits, and says for what, where the bounds let nothing move', () => {
    const service = steadyService({ desiredCount: 1, minimumHealthyPercent: 50, maximumPercent: 100 });
    service.draining.add(service.live()[0]?.node ?? '');
    const plan = service.pass();
    expect(plan).toMatchObject({ actions: [], steady: false, stuck: false });
    expect(plan.deployments[0]?.blockedBy).toBe(
      'cannot start: 1 tasks = upper bound 1; cannot stop: 1 healthy = lower bound 1',
    );
  });

  it('keeps its tasks, down to the lower bound too, while their replacements find no node', () => {
    const service = steadyService({
      desiredCount: 3,
      minimumHealthyPercent: 0,
      maximumPercent: 200,
      healthyAfterMs: (task) => (task.node === undefined ? undefined : 3000),
    });
    for (const node of ['node-0', 'node-1', 'node-2']) service.draining.add(node);
    service.pass();
    for (const task of service.live()) if (task.node === undefined) task.unplaceable = '0/3 nodes are available';
    for (let second = 0; second < 60; second++) {
      expect(service.pass().actions).toEqual([]);
      service.tick(1000);
    }
    expect(service.healthy()).toHaveLength(3);
  });

  it('has its tasks back as they were when it is ACTIVE again before they were replaced', () => {
    const service = steadyService({ desiredCount: 3, minimumHealthyPercent: 100, maximumPercent: 200 });
    const before = service.live().map(({ id }) => id);
    service.draining.add('node-0');
    service.pass();
    service.draining.clear();
    service.steady();
    expect(service.live().map(({ id }) => id)).toEqual(before);
  });

  it('does not stop a protected task, but replaces it', () => {
    const service = steadyService({ desiredCount: 3, minimumHealthyPercent: 100, maximumPercent: 200 });
    const [held] = tasksOn(service, 'node-0');
    if (held) held.protectedUntil = service.now + 60_000;
    service.draining.add('node-0');
    service.run(() => service.healthy().length === 4);
    service.tick(30_000);
    service.pass();
    expect(tasksOn(service, 'node-0')).toEqual([held]);
    service.tick(60_000);
    service.steady();
    expect(tasksOn(service, 'node-0')).toEqual([]);
  });

  it('gives up its tasks of an older deployment first, also where that deployment is rolled over', () => {
    const service = steadyService({ desiredCount: 6, minimumHealthyPercent: 100, maximumPercent: 150 });
    const there = tasksOn(service, 'node-1');
    service.draining.add('node-1');
    service.deploy();
    service.run(() => stopsOf(service).length >= there.length);
    const first = stopsOf(service).slice(0, there.length);
    expect(first.map(({ task }) => task.id).sort()).toEqual(there.map(({ id }) => id).sort());
    service.steady();
    expect(Math.min(...service.history.map(({ healthy }) => healthy))).toBeGreaterThanOrEqual(6);
  });
});
