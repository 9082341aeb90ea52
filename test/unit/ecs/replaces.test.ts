import { describe, expect, it } from 'vitest';
import { limitRestarts, restartsOf } from '../../../src/ecs/limited-restarts.ts';
import type { ServicePlan, ServiceTask } from '../../../src/ecs/service-plan.ts';
import { SimulatedService } from '../../support/simulated-service.ts';

const steadyService = (maximumPercent = 200): SimulatedService => {
  const service = new SimulatedService({ desiredCount: 3, minimumHealthyPercent: 50, maximumPercent });
  service.steady();
  return service;
};

const replacedBy = ({ actions }: ServicePlan<ServiceTask>) =>
  actions.flatMap((action) => (action.kind === 'start' ? [action.replaces] : []));

const turnUnhealthy = (service: SimulatedService): void => {
  const [task] = service.tasks;
  const [app] = task?.containers ?? [];
  if (task === undefined || app === undefined) throw new Error('no task');
  task.containers = [{ ...app, ready: false }];
  service.now += 60_000;
};

describe('a start', () => {
  it('is a first one in a new service, in a rollout and above a raised desired count', () => {
    const service = new SimulatedService({ desiredCount: 2, minimumHealthyPercent: 100, maximumPercent: 200 });
    expect(replacedBy(service.pass())).toEqual([undefined, undefined]);
    service.steady();
    service.options.desiredCount = 3;
    expect(replacedBy(service.pass())).toEqual([undefined]);
    service.steady();
    service.deploy();
    expect(replacedBy(service.pass())).toEqual([undefined, undefined, undefined]);
  });

  it('takes the place of a task that ended by itself, beside one that is missing', () => {
    const service = steadyService();
    const [task] = service.tasks;
    if (task !== undefined) service.end(task, 1);
    service.options.desiredCount = 4;
    expect(replacedBy(service.pass())).toEqual(['ended', undefined]);
  });

  it('takes the place of an unhealthy task, which goes on meanwhile', () => {
    const service = steadyService();
    turnUnhealthy(service);
    expect(replacedBy(service.pass())).toEqual(['unhealthy']);
  });

  it('takes the place of an unhealthy task that had to make room for it', () => {
    const service = steadyService(100);
    turnUnhealthy(service);
    expect(service.pass().actions).toMatchObject([{ kind: 'stop' }]);
    const [task] = service.tasks;
    if (task !== undefined) service.end(task, 143);
    expect(replacedBy(service.pass())).toEqual(['unhealthy']);
  });
});

describe('protection', () => {
  const protect = (service: SimulatedService, count: number): number => {
    const until = service.now + 3_600_000;
    for (const task of service.tasks.slice(0, count)) task.protectedUntil = until;
    return until;
  };

  it('that alone holds a deployment up is said, blames no percentage, and wakes the scheduler at its end', () => {
    const service = steadyService();
    const until = protect(service, 2);
    service.deploy();
    const plan = service.run(({ protection }) => protection !== undefined);
    expect(plan).toMatchObject({ protection: { deployment: '1'.repeat(19), tasks: 2 }, stuck: false, wakeAt: until });
    expect(plan.deployments[0]).toMatchObject({ completed: false, blockedBy: 'cannot stop: 2 tasks under protection' });
    service.now = until;
    service.steady();
  });

  it('that holds up a scale-in counts only what is too much', () => {
    const service = steadyService();
    protect(service, 3);
    service.options.desiredCount = 2;
    expect(service.pass()).toMatchObject({ protection: { tasks: 1 }, actions: [] });
  });

  it('of tasks that are wanted says nothing', () => {
    const service = steadyService();
    protect(service, 3);
    expect(service.pass().protection).toBeUndefined();
    service.deploy();
    // The new ones are still to become healthy: that is what it waits for.
    service.pass();
    expect(service.pass().protection).toBeUndefined();
  });
});

describe('the budget of restarts', () => {
  const crashed = (): SimulatedService => {
    const service = steadyService();
    for (const task of service.tasks.slice(0, 2)) service.end(task, 1);
    service.options.desiredCount = 4;
    return service;
  };

  it('holds restarts back, and nothing else', () => {
    const service = crashed();
    const plan = service.plan();
    expect(restartsOf(plan)).toBe(2);
    const limited = limitRestarts(plan, 1, service.now + 50);
    expect(replacedBy(limited)).toEqual(['ended', undefined]);
    expect(limited).toMatchObject({ operationsThrottled: true, steady: false, wakeAt: service.now + 50 });
    expect(limited.deployments).toMatchObject([
      { pendingCount: 2, blockedBy: 'cannot start: the budget of restarts of all services is used up for now' },
    ]);
  });

  it('changes nothing of a plan that it covers', () => {
    const service = crashed();
    const plan = service.plan();
    expect(limitRestarts(plan, 2, service.now + 50)).toBe(plan);
  });
});
