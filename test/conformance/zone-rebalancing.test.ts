/**
 * AZ rebalancing (`ecs-semantics §3.14`): developer guide, "Balancing an Amazon ECS service across Availability Zones"
 * (service-rebalancing) and its event messages; what counts as balanced was seen by users of AWS.
 */
import { describe, expect, it } from 'vitest';
import type { NodeAttributes } from '../../src/ecs/balance.ts';
import { planService, type ServicePlan, type ServiceTask } from '../../src/ecs/service-plan.ts';

const NOW = 10_000_000;
const DEPLOYMENT = { id: '1'.repeat(19), number: 1, completed: true };
const ZONES = ['a', 'b', 'c'];
/** One node a zone, of the same name. */
const ATTRIBUTES: NodeAttributes = new Map(ZONES.map((zone) => [zone, { 'ecs.availability-zone': zone }]));

let made = 0;
function task(zone: string, fields: Partial<ServiceTask> = {}): ServiceTask {
  made += 1;
  return {
    id: String(made).padStart(32, '0'),
    deployment: DEPLOYMENT.id,
    slot: made,
    generation: 1,
    createdAt: NOW - 1_000_000 + made,
    node: zone,
    containers: [{ name: 'app', essential: true, status: 'RUNNING', ready: true, startedAt: NOW - 900_000 }],
    ended: false,
    stopRequested: false,
    ...fields,
  };
}
/** As `aab`: a task in each of these zones. */
const layout = (zones: string): ServiceTask[] => [...zones].map((zone) => task(zone));
const starting = { containers: [{ name: 'app', essential: true, status: 'PENDING' as const, ready: false }] };

const plan = (tasks: readonly ServiceTask[], given: object = {}): ServicePlan<ServiceTask> =>
  planService({
    desiredCount: tasks.length,
    minimumHealthyPercent: 100,
    maximumPercent: 200,
    healthCheckGracePeriodSeconds: 0,
    deployments: [DEPLOYMENT],
    tasks,
    attributes: ATTRIBUTES,
    zones: ZONES,
    now: NOW,
    ...given,
  });
const startsOf = ({ actions }: ServicePlan<ServiceTask>) =>
  actions.flatMap((action) => (action.kind === 'start' ? [action.standIn] : []));
const stopsOf = ({ actions }: ServicePlan<ServiceTask>) =>
  actions.flatMap((action) => (action.kind === 'stop' ? [action.task] : []));

describe('a steady service', () => {
  it.each([
    ['3/1/1, as AWS has shown it', 'aaabc', 'c'],
    ['5/0/0', 'aaaaa', 'ccb'],
    ['2/0/0', 'aa', 'c'],
    ['0/3/1: none in a zone that is new', 'bbbc', 'a'],
  ])('of %s starts stand-ins where fewest tasks are, and stops none', (_what, zones, to) => {
    const next = plan(layout(zones));
    expect(
      startsOf(next)
        .map((standIn) => standIn?.zone)
        .sort(),
    ).toEqual([...to].sort());
    expect(stopsOf(next)).toEqual([]);
    expect(next).toMatchObject({ steady: true, zones: { balanced: false } });
  });

  it.each([
    ['2/2/1', 'aabbc'],
    ['1/1/0', 'ab'],
    ['1/0/0', 'a'],
    ['no task at all', ''],
  ])('of %s is balanced', (_what, zones) => {
    expect(plan(layout(zones))).toMatchObject({ actions: [], steady: true, zones: { balanced: true } });
  });

  it('says how many tasks each zone has, in the order of their names', () => {
    expect(plan(layout('cca')).zones?.counts).toEqual([
      ['a', 1],
      ['b', 0],
      ['c', 2],
    ]);
  });

  it('starts no more stand-ins than the upper bound has room for', () => {
    expect(startsOf(plan(layout('aaaaaa'), { maximumPercent: 120 }))).toHaveLength(1);
    expect(plan(layout('aaaa'), { maximumPercent: 120 })).toMatchObject({ actions: [], zones: { balanced: false } });
  });

  it('leaves a protected task where it is, and moves another', () => {
    const [first, second, other] = layout('aab') as [ServiceTask, ServiceTask, ServiceTask];
    const safe = { protectedUntil: NOW + 60_000 };
    expect(startsOf(plan([first, { ...second, ...safe }, other]))).toEqual([{ zone: 'c', standsInFor: first.id }]);
    expect(plan([{ ...first, ...safe }, { ...second, ...safe }, other]).actions).toEqual([]);
  });

  it.each([
    ['rebalancing is off', { zones: undefined }],
    ['tasks can run in one zone only', { zones: ['a'] }],
    ['a deployment is under way', { deployments: [{ id: '2'.repeat(19), number: 2, completed: false }, DEPLOYMENT] }],
    ['tasks are missing', { desiredCount: 4 }],
  ])('is left alone where %s', (_why, given) => {
    expect(startsOf(plan(layout('aaa'), given)).filter((standIn) => standIn !== undefined)).toEqual([]);
  });
});

describe('a stand-in', () => {
  const [moving, ...staying] = layout('aaab') as [ServiceTask, ...ServiceTask[]];
  const standIn = (fields: Partial<ServiceTask> = {}) =>
    task('c', { standsInFor: moving.id, standInZone: 'c', ...fields });
  const among = (one: ServiceTask, given: object = {}) =>
    plan([moving, ...staying, one], { desiredCount: 4, ...given });

  it('that is not healthy yet is no surplus, and the service stays steady', () => {
    expect(among(standIn(starting))).toMatchObject({ actions: [], steady: true, zones: { balanced: false } });
  });

  it('that is healthy lets the task stop that it stands in for, with the reason of AWS', () => {
    expect(among(standIn()).actions).toMatchObject([
      {
        kind: 'stop',
        task: { id: moving.id },
        stopCode: 'ServiceSchedulerInitiated',
        stoppedReason: `Availability-zone rebalancing initiated by (deployment ecs-svc/${DEPLOYMENT.id})`,
      },
    ]);
  });

  it('is a task like any other once that one is stopping, and no further one is started before it has ended', () => {
    const going = {
      ...moving,
      stopRequested: true,
      stopCause: {
        stopCode: 'ServiceSchedulerInitiated' as const,
        stoppedReason: `Availability-zone rebalancing initiated by (deployment ecs-svc/${DEPLOYMENT.id})`,
      },
    };
    const next = plan([going, ...staying, standIn()], { desiredCount: 4 });
    expect(next).toMatchObject({
      actions: [],
      steady: true,
      zones: {
        counts: [
          ['a', 2],
          ['b', 1],
          ['c', 1],
        ],
      },
    });
  });

  it('takes the place of the one that it stands in for where that one ends by itself', () => {
    const lost = { ...moving, ended: true, containers: [] };
    expect(plan([lost, ...staying, standIn()], { desiredCount: 4 })).toMatchObject({
      actions: [],
      zones: { balanced: true },
    });
  });

  it('is surplus, as any task, where the other one has come under protection or rebalancing was turned off', () => {
    const safe = plan([{ ...moving, protectedUntil: NOW + 60_000 }, ...staying, standIn(starting)], {
      desiredCount: 4,
    });
    expect(stopsOf(safe)).toHaveLength(1);
    expect(stopsOf(among(standIn(starting), { zones: undefined }))).toHaveLength(1);
  });

  it('that no node takes is waited for, and said', () => {
    const waiting = standIn({ ...starting, node: undefined, unplaceable: '0/3 nodes are available' });
    const next = among(waiting);
    expect(next).toMatchObject({ actions: [], steady: true, zones: { unplaceable: ['c'] } });
    expect(next.unplaceable).toBeUndefined();
  });

  it('that never ran is tried again when the start throttle lets it', () => {
    const failed = (slot: number) =>
      standIn({
        slot,
        ended: true,
        stoppingAt: NOW - 1000,
        containers: [],
        stopCause: { stopCode: 'TaskFailedToStart', stoppedReason: 'no' },
      });
    const next = plan([moving, ...staying, failed(101), failed(102), failed(103)], { desiredCount: 4 });
    expect(next.actions).toEqual([]);
    expect(next.wakeAt).toBeGreaterThan(NOW);
  });
});
