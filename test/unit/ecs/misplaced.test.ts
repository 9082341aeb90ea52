import { describe, expect, it } from 'vitest';
import { planService, type ServiceTask } from '../../../src/ecs/service-plan.ts';

const DEPLOYMENT = { id: '1'.repeat(19), number: 1, completed: true };

/** A task whose pod exists, and that no node takes unless the fields say otherwise. */
const task = (slot: number, fields: Partial<ServiceTask>): ServiceTask => ({
  id: String(slot).repeat(32),
  deployment: DEPLOYMENT.id,
  slot,
  generation: 0,
  createdAt: 1_000_000,
  node: undefined,
  unplaceable: '0/3 nodes are available',
  containers: [{ name: 'web', essential: true, status: 'PENDING', ready: false }],
  ended: false,
  stopRequested: false,
  stopCause: undefined,
  podReason: undefined,
  podMessage: undefined,
  userStop: undefined,
  ...fields,
});

const planOf = (placement: string | undefined, ...tasks: ServiceTask[]) =>
  planService({
    desiredCount: tasks.length,
    minimumHealthyPercent: 100,
    maximumPercent: 200,
    healthCheckGracePeriodSeconds: 0,
    deployments: [DEPLOYMENT],
    tasks,
    now: 1_000_000,
    placement,
  });

describe('tasks that no node takes', () => {
  it('are replaced once where they are wanted has changed, and only these', () => {
    const placed = task(2, { placement: 'a', unplaceable: undefined, node: 'one' });
    const { actions } = planOf('b', task(0, { placement: 'a' }), task(1, { placement: 'b' }), placed);
    expect(actions).toMatchObject([
      { kind: 'stop', task: { slot: 0 }, because: 'no node takes it, and where tasks are placed has changed since' },
      { kind: 'start' },
    ]);
  });

  it('wait as long as it has not', () => {
    expect(planOf('a', task(0, { placement: 'a' })).actions).toEqual([]);
    expect(planOf(undefined, task(0, {})).actions).toEqual([]);
  });

  it('are not stopped twice', () => {
    const stopping = task(0, { placement: 'a', stopRequested: true });
    expect(planOf('b', stopping).actions.filter(({ kind }) => kind === 'stop')).toEqual([]);
  });
});
