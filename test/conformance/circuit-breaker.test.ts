import { describe, expect, it } from 'vitest';
import { rollbackTarget, type ServiceDeployment } from '../../src/controllers/service-deployments.ts';
import { type CircuitBreaker, deploymentFailures, failedAt, failureThreshold } from '../../src/ecs/circuit-breaker.ts';
import { planService } from '../../src/ecs/service-plan.ts';
import type { Container, Task } from '../../src/ecs/task.ts';

const percent = (type: 'BOUNDED_PERCENT' | 'UNBOUNDED_PERCENT', value = 50) => ({ type, value });

/** ECS developer guide, "How the Amazon ECS deployment circuit breaker detects failures" (`ecs-semantics §3.8`). */
describe('the threshold of failures', () => {
  it.each([
    [1, 3],
    [5, 3],
    [6, 3],
    [7, 4],
    [25, 13],
    [100, 50],
    [400, 200],
    [800, 200],
  ])('of %d desired tasks is %d by default', (desiredCount, threshold) => {
    expect(failureThreshold(percent('BOUNDED_PERCENT'), desiredCount)).toBe(threshold);
  });

  it.each([
    [percent('UNBOUNDED_PERCENT'), 800, 400],
    [percent('UNBOUNDED_PERCENT', 1), 3, 1],
    [percent('UNBOUNDED_PERCENT'), 0, 1],
    [percent('BOUNDED_PERCENT', 100), 150, 150],
    [{ type: 'COUNT', value: 7 } as const, 800, 7],
  ])('by %j of %d desired tasks is %d', (configuration, desiredCount, threshold) => {
    expect(failureThreshold(configuration, desiredCount)).toBe(threshold);
  });
});

const NOW = 1_000_000;
const BREAKER: CircuitBreaker = {
  enable: true,
  rollback: true,
  resetOnHealthyTask: true,
  thresholdConfiguration: percent('BOUNDED_PERCENT'),
};
const checked = { healthCheck: { interval: 5, retries: 3, startPeriod: 0 } };

function task(container: Partial<Container>, fields: Partial<Task> = {}): Task {
  const own: Container = { name: 'app', essential: true, status: 'RUNNING', ready: false, ...container };
  return {
    id: 'a',
    createdAt: 0,
    node: 'n',
    containers: [own],
    ended: own.status === 'STOPPED',
    stopRequested: false,
    ...fields,
  };
}

const exited = (ranMs: number, fields: Partial<Task> = {}, traits: Partial<Container> = {}): Task =>
  task(
    { status: 'STOPPED', exitCode: 1, startedAt: NOW - 100_000, finishedAt: NOW - 100_000 + ranMs, ...traits },
    fields,
  );

describe('a failure of a deployment (ecs-semantics §3.8)', () => {
  it.each<[string, Task, boolean]>([
    ['one that never ran', task({ status: 'STOPPED', startFailure: 'CannotPullContainerError: x' }), true],
    ['an exit before 40 s, without a check', exited(39_000), true],
    ['an exit after 40 s, without a check', exited(40_000), false],
    ['an exit before the check passed', exited(60_000, { readinessChangedAt: NOW - 100_000 }, checked), true],
    ['an exit after the check had passed', exited(60_000, { readinessChangedAt: NOW - 40_000 }, checked), false],
    ['one that is UNHEALTHY', task({ startedAt: NOW - 15_000, ...checked }), true],
    ['one whose check may still pass', task({ startedAt: NOW - 14_000, ...checked }), false],
    [
      'one stopped as UNHEALTHY',
      exited(60_000, {
        stopCause: { stopCode: 'ServiceSchedulerInitiated', stoppedReason: 'Task failed container health checks' },
      }),
      true,
    ],
    [
      'one that was scaled in',
      exited(1000, { stopCause: { stopCode: 'ServiceSchedulerInitiated', stoppedReason: 'Scaling activity' } }),
      false,
    ],
    [
      'one that its user stopped',
      exited(1000, { stopCause: { stopCode: 'UserInitiated', stoppedReason: 'x' } }),
      false,
    ],
    [
      'one whose node was lost',
      exited(1000, { stopCause: { stopCode: 'InfrastructureHealth', stoppedReason: 'x' } }),
      false,
    ],
  ])('%s: %#', (_, candidate, fails) => {
    expect(failedAt(candidate, NOW) !== undefined).toBe(fails);
  });

  it('is taken back by a task that becomes healthy later, unless that is turned off', () => {
    const healthy = task({ startedAt: NOW - 50_000 });
    const [before, after] = [exited(1000), exited(1000, {}, { startedAt: NOW - 6000, finishedAt: NOW - 5000 })];
    const count = (resetOnHealthyTask: boolean) =>
      deploymentFailures([before, healthy, after], { ...BREAKER, resetOnHealthyTask }, NOW, 0);
    expect(count(true)).toBe(1);
    expect(count(false)).toBe(2);
    expect(deploymentFailures([before, task({ startedAt: NOW - 39_000 }), after], BREAKER, NOW, 0)).toBe(2);
  });
});

describe('a deployment with so many failures as the threshold (ecs-semantics §3.8)', () => {
  const deployment = { id: '1'.repeat(19), number: 1, completed: false };
  const plan = (failures: number, fields: object = {}) =>
    planService({
      desiredCount: 1,
      minimumHealthyPercent: 100,
      maximumPercent: 200,
      healthCheckGracePeriodSeconds: 0,
      circuitBreaker: BREAKER,
      deployments: [{ ...deployment, ...fields }],
      tasks: Array.from({ length: failures }, (_, slot) => ({
        ...exited(1000, { id: String(slot) }),
        deployment: deployment.id,
        slot: 0,
        generation: slot + 1,
      })),
      now: NOW,
    });

  it.each([
    [2, false],
    [3, true],
    [4, true],
  ])('of 3: %i failures fail it: %s, and a failed one launches nothing', (failures, failed) => {
    const { actions, deployments } = plan(failures);
    expect(deployments).toMatchObject([{ failed, failedTasks: failures }]);
    expect(actions.map(({ kind }) => kind)).toEqual(failed ? [] : ['start']);
  });

  it('stays FAILED whatever its tasks do, and counts no more once it is COMPLETED', () => {
    expect(plan(0, { failed: true })).toMatchObject({ actions: [], deployments: [{ failed: true }] });
    expect(plan(5, { completed: true })).toMatchObject({
      actions: [{ kind: 'start' }],
      deployments: [{ failed: false }],
    });
  });
});

/**
 * ECS developer guide, "How the Amazon ECS deployment circuit breaker detects failures": deployment 2 fails and is rolled
 * back to 1; deployment 3, started meanwhile, can neither roll back nor launch tasks.
 */
describe('the deployment that a failing one is rolled back to', () => {
  const deployment = (number: number, state: { completed?: boolean; failed?: boolean; since?: number }) =>
    ({ number, completed: false, failed: false, ...state }) as ServiceDeployment;
  const second = deployment(2, { failed: true });
  const third = deployment(3, {});

  it('is none while the way back to the only one that was COMPLETED is under way', () => {
    const first = deployment(2.5, { since: NOW });
    expect(rollbackTarget([third, first, second], true)).toBeUndefined();
    expect(rollbackTarget([first, second], true)).toBeUndefined();
  });

  it('is the newest that is COMPLETED', () => {
    const first = deployment(1, { completed: true });
    const back = deployment(2.5, { completed: true, since: NOW });
    expect(rollbackTarget([third, back, second], true)).toBe(back);
    expect(rollbackTarget([third, deployment(2, { completed: true }), first], true)?.number).toBe(2);
    expect(rollbackTarget([second, first], false)).toBeUndefined();
  });
});
