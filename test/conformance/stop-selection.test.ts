/**
 * Which tasks stop when a service is scaled in (`ecs-semantics §3.12`, "Stop selection"): developer guide, "Amazon ECS
 * services" (service scheduler) and "Use strategies to define Amazon ECS task placement"; UpdateService, desiredCount.
 */
import { describe, expect, it } from 'vitest';
import type { NodeAttributes, Strategy } from '../../src/ecs/balance.ts';
import { planService, type ServiceTask } from '../../src/ecs/service-plan.ts';

const NOW = 10_000_000;
const DEPLOYMENT = { id: '1'.repeat(19), number: 1, completed: true };
const ZONE: Strategy = { type: 'spread', field: 'attribute:ecs.availability-zone' };
const INSTANCE: Strategy = { type: 'spread', field: 'instanceId' };
/** Zones a and b of two nodes each, racks across them. */
const ATTRIBUTES: NodeAttributes = new Map<string, Record<string, string>>([
  ['a1', { 'ecs.availability-zone': 'a', rack: '1' }],
  ['a2', { 'ecs.availability-zone': 'a', rack: '2' }],
  ['b1', { 'ecs.availability-zone': 'b', rack: '1' }],
  ['b2', { 'ecs.availability-zone': 'b' }],
]);

const task = (node: string | undefined, slot: number, fields: Partial<ServiceTask> = {}): ServiceTask => ({
  id: String(slot).padStart(32, '0'),
  deployment: DEPLOYMENT.id,
  slot,
  generation: 1,
  createdAt: NOW - 1_000_000 + slot,
  ...(node !== undefined && { node }),
  containers: [{ name: 'app', essential: true, status: 'RUNNING', ready: true, startedAt: NOW - 900_000 }],
  ended: false,
  stopRequested: false,
  ...fields,
});

function stopped(tasks: readonly ServiceTask[], desiredCount: number, placementStrategy: readonly Strategy[]) {
  const { actions } = planService({
    desiredCount,
    minimumHealthyPercent: 100,
    maximumPercent: 200,
    healthCheckGracePeriodSeconds: 0,
    deployments: [DEPLOYMENT],
    tasks,
    placementStrategy,
    attributes: ATTRIBUTES,
    now: NOW,
  });
  return actions.flatMap((action) => (action.kind === 'stop' ? [action.task.node ?? '-'] : []));
}

describe('scale-in', () => {
  it.each<{ why: string; strategy: Strategy[]; on: string[]; desired: number; stops: string[] }>([
    {
      why: 'without a strategy: the zone with most tasks first',
      strategy: [],
      on: ['a1', 'a1', 'a2', 'b1'],
      desired: 3,
      stops: ['a1'],
    },
    {
      why: 'without a strategy: in that zone the instance with most',
      strategy: [],
      on: ['a1', 'a2', 'a2', 'b1', 'b1'],
      desired: 4,
      stops: ['a2'],
    },
    {
      why: 'without a strategy: until the zones are even, then from both',
      strategy: [],
      on: ['a1', 'a1', 'a2', 'a2', 'b1', 'b2'],
      desired: 3,
      stops: ['a2', 'a1', 'b2'],
    },
    {
      why: 'spread over zones is undone',
      strategy: [ZONE],
      on: ['a1', 'a2', 'b1', 'b1', 'b1'],
      desired: 4,
      stops: ['b1'],
    },
    {
      why: 'spread over zones, then instances',
      strategy: [ZONE, INSTANCE],
      on: ['a1', 'a1', 'a2', 'b1', 'b2'],
      desired: 4,
      stops: ['a1'],
    },
    {
      why: 'spread over instances does not look at zones',
      strategy: [INSTANCE],
      on: ['a1', 'a2', 'a2', 'b1', 'b1', 'b1'],
      desired: 5,
      stops: ['b1'],
    },
    {
      why: 'spread over an attribute: nodes without it count as one',
      strategy: [{ type: 'spread', field: 'attribute:rack' }],
      on: ['a1', 'b1', 'a2', 'b2', 'b2'],
      desired: 2,
      stops: ['b2', 'b1', 'b2'],
    },
    {
      why: 'binpack empties the instance that has least',
      strategy: [{ type: 'binpack', field: 'memory' }],
      on: ['a1', 'a1', 'a1', 'b1', 'b2', 'b2'],
      desired: 3,
      stops: ['b1', 'b2', 'b2'],
    },
  ])('$why', ({ strategy, on, desired, stops }) => {
    const tasks = on.map((node, slot) => task(node, slot));
    expect(stopped(tasks, desired, strategy)).toEqual(stops);
  });

  it('takes any with the strategy random, always the same of the same tasks', () => {
    const tasks = ['a1', 'a1', 'b1', 'b2'].map((node, slot) =>
      task(node, slot, { id: 'bdac'.charAt(slot).repeat(32) }),
    );
    const random: Strategy[] = [{ type: 'random' }];
    expect(stopped(tasks, 2, random)).toEqual(['b1', 'a1']);
    expect(stopped(tasks.toReversed(), 2, random)).toEqual(['b1', 'a1']);
  });

  it('takes those that do not run before all others, wherever they are', () => {
    const pending = task('b1', 9, { containers: [{ name: 'app', essential: true, status: 'PENDING', ready: false }] });
    const tasks = [task('a1', 0), task('a1', 1), task('a1', 2), pending, task(undefined, 10)];
    expect(stopped(tasks, 3, []).sort()).toEqual(['-', 'b1']);
  });

  it('leaves protected tasks, and takes the next in turn', () => {
    const tasks = [
      task('a1', 0, { protectedUntil: NOW + 1 }),
      task('a1', 1, { protectedUntil: NOW + 1 }),
      task('b1', 2),
    ];
    expect(stopped(tasks, 1, [])).toEqual(['b1']);
  });
});
