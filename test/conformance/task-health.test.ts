/**
 * When a task counts as healthy for the service scheduler (`ecs-semantics §3.3`; developer guide, "service definition
 * parameters", minimumHealthyPercent): behind a load balancer or not, with a health check on an essential container or not.
 */
import { describe, expect, it } from 'vitest';
import type { Container, Task } from '../../src/ecs/task.ts';
import { FAILED_HEALTH_CHECKS, failedTargetChecks, healthView } from '../../src/ecs/task-health.ts';

const STARTED = Date.parse('2026-11-22T12:00:00Z');
const at = (seconds: number): number => STARTED + seconds * 1000;

const container = (fields: Partial<Container> = {}): Container => ({
  name: 'web',
  essential: true,
  status: 'RUNNING',
  ready: true,
  startedAt: STARTED,
  ...fields,
});
const task = (...containers: Container[]): Task => ({
  id: 'a',
  createdAt: STARTED,
  node: 'node-1',
  containers,
  ended: false,
  stopRequested: false,
});
const target = {
  endpoints: [{ service: 'public', port: 80, protocol: 'tcp', portName: 'public', arn: 'public' }] as const,
  targetCheck: { interval: 30, retries: 2, startPeriod: 0 },
};
const checked = { healthCheck: { interval: 10, retries: 3, startPeriod: 20 } };
const helper = { name: 'helper', ...checked };

const healthy = { healthy: true, unhealthy: false };
const undecided = { healthy: false, unhealthy: false };

describe('a task counts as healthy', () => {
  it('without load balancer and health check 40 s after it is RUNNING', () => {
    expect(healthView(task(container()), at(39))).toEqual({ ...undecided, changesAt: at(40) });
    expect(healthView(task(container()), at(40))).toEqual(healthy);
  });

  it('with a health check when it is HEALTHY', () => {
    expect(healthView(task(container(checked)), at(1))).toEqual(healthy);
    const failing = task(container({ ...checked, ready: false }));
    expect(healthView(failing, at(49))).toEqual({ ...undecided, changesAt: at(50) });
    expect(healthView(failing, at(50))).toMatchObject({ unhealthy: true, failure: FAILED_HEALTH_CHECKS });
  });

  it('behind a load balancer when its target is healthy, however long it has been RUNNING', () => {
    expect(healthView(task(container(target)), at(1))).toEqual(healthy);
    const failing = task(container({ ...target, ready: false }));
    expect(healthView(failing, at(59))).toEqual({ ...undecided, changesAt: at(60) });
    expect(healthView(failing, at(60))).toMatchObject({ unhealthy: true, failure: failedTargetChecks('public') });
    const unchecked = { endpoints: target.endpoints };
    expect(healthView(task(container(unchecked)), at(1))).toEqual(healthy);
  });

  it('behind a load balancer with a health check when both say so', () => {
    const both = (isTargetReady: boolean, isHelperReady: boolean): Task =>
      task(container({ ...target, ready: isTargetReady }), container({ ...helper, ready: isHelperReady }));
    expect(healthView(both(true, true), at(1))).toEqual(healthy);
    expect(healthView(both(false, true), at(1))).toMatchObject({ ...undecided, changesAt: at(60) });
    expect(healthView(both(true, false), at(1))).toMatchObject({ ...undecided, changesAt: at(50) });
    expect(healthView(both(true, false), at(50))).toMatchObject({ failure: FAILED_HEALTH_CHECKS });
    expect(healthView(both(false, true), at(60))).toMatchObject({ failure: failedTargetChecks('public') });
  });

  it('in all of its target groups at once', () => {
    const other = {
      ...target,
      endpoints: [{ service: 'private', port: 81, protocol: 'tcp' as const, portName: 'private', arn: 'private' }],
    };
    const both = task(container(target), container({ name: 'admin', ...other, ready: false }));
    expect(healthView(both, at(1)).healthy).toBe(false);
    expect(healthView(both, at(60)).failure).toEqual(failedTargetChecks('private'));
  });

  it('and is not replaced before healthCheckGracePeriodSeconds are over', () => {
    const failing = task(container({ ...target, ready: false }));
    expect(healthView(failing, at(60), 300_000)).toEqual({ ...undecided, changesAt: at(300) });
    expect(healthView(failing, at(300), 300_000).unhealthy).toBe(true);
  });
});
