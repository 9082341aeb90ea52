import { describe, expect, it } from 'vitest';
import { observePod, type PodJson } from '../../../src/pod/observe.ts';
import { targetHealthType } from '../../../src/traffic/target-group-binding.ts';

const ARN = 'arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/6d0ecf831eec9f09';
const traits = JSON.stringify({
  app: { name: 'app', essential: true, endpoints: [{ service: 'tg-web', port: 80, arn: ARN }] },
});

const gatesOf = (gates: string[], conditions: NonNullable<PodJson['status']>['conditions'] = []) =>
  observePod({
    metadata: {
      name: 'web-abc123-0-0',
      uid: 'u',
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      annotations: { 'longshore.dev/containers': traits },
    },
    spec: { containers: [{ name: 'app' }], readinessGates: gates.map((conditionType) => ({ conditionType })) },
    status: { conditions },
  }).targetGates;

describe('the gates of a pod', () => {
  const own = targetHealthType('tg-web');

  it('say of each target group what its load balancer says, and why', () => {
    const of = { service: 'tg-web', arn: ARN };
    expect(gatesOf([own])).toEqual([{ ...of, health: 'UNKNOWN' }]);
    expect(gatesOf([own], [{ type: own, status: 'True', reason: '', message: '' }])).toEqual([
      { ...of, health: 'HEALTHY' },
    ]);
    const message = 'Health checks failed with these codes: [503]';
    expect(gatesOf([own], [{ type: own, status: 'False', reason: 'Target.ResponseCodeMismatch', message }])).toEqual([
      { ...of, health: 'UNHEALTHY', description: message },
    ]);
  });

  it('that somebody else has put there say nothing of it', () => {
    expect(gatesOf([targetHealthType('k8s-default-web-1234567890'), 'example.com/ready'])).toBeUndefined();
    expect(gatesOf([])).toBeUndefined();
    // Without the gate the condition is none of the task's.
    expect(gatesOf([], [{ type: own, status: 'False', reason: 'Target.Timeout' }])).toBeUndefined();
  });
});
