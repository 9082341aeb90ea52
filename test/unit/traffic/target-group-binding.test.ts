import { describe, expect, it } from 'vitest';
import { parseCluster } from '../../../src/api/cluster.ts';
import { targetHealth } from '../../../src/ecs/target-gate.ts';
import {
  bindingName,
  bindingOfCondition,
  isBindable,
  targetHealthType,
} from '../../../src/traffic/target-group-binding.ts';

const group = (rest: string): string => `arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/${rest}`;
const web = group('web/6d0ecf831eec9f09');

describe('a target group of AWS', () => {
  it.each<[verdict: string, bindable: boolean, allowed: string[], arn: string]>([
    ['is not to be had by default', false, [], web],
    ['is to be had by its ARN', true, [group('shop/0123456789abcdef'), web], web],
    ['not by that of another of its name', false, [group('web/0123456789abcdef')], web],
    ['by its name, whatever its id', true, [group('web/*')], web],
    ['not by that name in another account', false, [web.replace('111122223333', '444455556666')], web],
    ['by the beginning of its name', true, [group('we*')], web],
    ['by what all target groups begin with', true, [group('*')], web],
    ['not by a name that its own begins with', false, [group('web/*')], group('web-2/6d0ecf831eec9f09')],
    ['not by its name alone, which is the namespace’s own', false, [group('*')], 'web'],
  ])('%s', (_verdict, bindable, targetGroupArns, arn) => {
    expect(isBindable(arn, parseCluster({ policy: { targetGroupArns } }))).toBe(bindable);
  });
});

describe('the name of a binding', () => {
  it('is part of a label and of a condition type, however long the names are', () => {
    const name = bindingName('s'.repeat(63), group(`${'t'.repeat(32)}/6d0ecf831eec9f09`));
    expect(name).toMatch(/^tg-[a-z0-9]([-a-z0-9]*[a-z0-9])$/);
    expect(name.length).toBeLessThanOrEqual(63);
    expect(bindingOfCondition(targetHealthType(name))).toBe(name);
    expect(bindingOfCondition('Ready')).toBeUndefined();
  });

  it('begins with a letter, as that of a core Service has to, and says whose it is', () => {
    expect(bindingName('1st', web)).toMatch(/^tg-1st-web-[0-9a-f]{8}$/);
  });

  it('is another for each service and each target group, whatever they have in common', () => {
    const names = [
      bindingName('web', web),
      bindingName('web', group('web/0123456789abcdef')),
      bindingName('web-web', web),
      bindingName('web', web.replace('eu-west-1', 'eu-west-2')),
    ];
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('the health of a target', () => {
  // States and reason codes: ELBv2 API reference, TargetHealth; the condition's status: aws-load-balancer-controller 3.5.0,
  // pkg/targetgroupbinding/resource_manager.go, calculateReadinessGateTransition.
  it.each([
    ['not known before it is registered', undefined, 'UNKNOWN'],
    ['not known where the load balancer says nothing', { status: 'Unknown' }, 'UNKNOWN'],
    ['not known while it is registered', { status: 'False', reason: 'Elb.RegistrationInProgress' }, 'UNKNOWN'],
    ['not known during its first checks', { status: 'False', reason: 'Elb.InitialHealthChecking' }, 'UNKNOWN'],
    ['HEALTHY', { status: 'True', reason: '' }, 'HEALTHY'],
    ['UNHEALTHY after a wrong code', { status: 'False', reason: 'Target.ResponseCodeMismatch' }, 'UNHEALTHY'],
    ['UNHEALTHY after a timeout', { status: 'False', reason: 'Target.Timeout' }, 'UNHEALTHY'],
    ['UNHEALTHY after a failed check', { status: 'False', reason: 'Target.FailedHealthChecks' }, 'UNHEALTHY'],
    ['not known where AWS has failed', { status: 'False', reason: 'Elb.InternalError' }, 'UNKNOWN'],
    ['not known where no load balancer uses it', { status: 'False', reason: 'Target.NotInUse' }, 'UNKNOWN'],
    ['not known once it is deregistered', { status: 'False', reason: 'Target.DeregistrationInProgress' }, 'UNKNOWN'],
  ])('is %s', (_text, condition, health) => {
    expect(targetHealth(condition)).toBe(health);
  });
});
