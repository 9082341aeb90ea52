import { describe, expect, it } from 'vitest';
import type { TargetGate } from '../../../src/ecs/target-gate.ts';
import type { Container, Task } from '../../../src/ecs/task.ts';
import { FAILED_HEALTH_CHECKS, type HealthStatus, healthView } from '../../../src/ecs/task-health.ts';

const NOW = 10_000_000;
const [WEB, API] = ['web', 'api'].map(
  (name) => `arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/${name}/6d0ecf831eec9f09`,
) as [string, string];
const gate = (arn: string, health: HealthStatus): TargetGate => ({ service: 'tg', arn, health });
const target = (gates: TargetGate[], more: Partial<Container> = {}): Task => ({
  id: 'a',
  createdAt: NOW,
  node: 'n',
  containers: [
    {
      name: 'app',
      essential: true,
      status: 'RUNNING',
      ready: true,
      startedAt: NOW,
      endpoints: gates.map(({ service, arn }) => ({ service, port: 80, protocol: 'tcp', portName: 'lb-0', arn })),
      ...more,
    },
  ],
  ended: false,
  stopRequested: false,
  targetGates: gates,
});
const failed = (stoppedReason: string) => ({
  healthy: false,
  unhealthy: true,
  failure: { stopCode: 'ServiceSchedulerInitiated', stoppedReason },
});

describe('a target of AWS', () => {
  it('is healthy once every load balancer says so, with no wait of 40 s', () => {
    expect(healthView(target([gate(WEB, 'HEALTHY'), gate(API, 'HEALTHY')]), NOW)).toEqual({
      healthy: true,
      unhealthy: false,
    });
    expect(healthView(target([gate(WEB, 'HEALTHY'), gate(API, 'UNKNOWN')]), NOW + 3_600_000)).toEqual({
      healthy: false,
      unhealthy: false,
      changesAt: undefined,
    });
  });

  it('is unhealthy once one of them says so, but not within the grace period', () => {
    const failing = target([gate(WEB, 'HEALTHY'), gate(API, 'UNHEALTHY')]);
    expect(healthView(failing, NOW)).toEqual(failed(`Task failed ELB health checks in (target-group ${API})`));
    expect(healthView(failing, NOW, 60_000)).toEqual({ healthy: false, unhealthy: false, changesAt: NOW + 60_000 });
    expect(healthView(failing, NOW + 60_000, 60_000)).toMatchObject({ unhealthy: true });
  });

  it('needs the checks of its containers as well, whose failure is the one that is told', () => {
    const healthCheck = { interval: 5, retries: 3, startPeriod: 0 };
    const unready = { healthCheck, ready: false };
    expect(healthView(target([gate(WEB, 'HEALTHY')], unready), NOW)).toMatchObject({
      healthy: false,
      changesAt: NOW + 15_000,
    });
    expect(healthView(target([gate(WEB, 'UNHEALTHY')], unready), NOW + 15_000)).toEqual(
      failed(FAILED_HEALTH_CHECKS.stoppedReason),
    );
  });
});
