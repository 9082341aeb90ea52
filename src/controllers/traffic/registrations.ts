/** Where the tasks of a service are to stand in the traffic: its `loadBalancers`, resolved in its namespace. */
import type { LoadBalancer } from '../../api/load-balancer.ts';
import { arnName } from '../../api/names.ts';
import type { TaskProblem } from '../../pod/problems.ts';
import type { Registration, Traffic } from '../../traffic/registration.ts';
import { targetRegistration } from '../../traffic/target-group.ts';
import type { Runtime } from '../runtime.ts';
import { coreServiceOf, targetGroupOf } from '../target-group.ts';

export function trafficOf(
  { stores }: Runtime,
  namespace: string,
  loadBalancers: readonly Partial<LoadBalancer>[],
): Traffic {
  const registrations: Registration[] = [];
  const problems: TaskProblem[] = [];
  for (const [index, given] of loadBalancers.entries()) {
    const field = `spec.loadBalancers[${index}]`;
    const { targetGroupArn = '' } = given;
    const group = targetGroupOf(stores, namespace, arnName(targetGroupArn));
    if (group?.spec === undefined) {
      const why =
        group === undefined
          ? `namespace "${namespace}" has no TargetGroup "${arnName(targetGroupArn)}"`
          : `TargetGroup ${group.name} is not valid`;
      problems.push({
        reason: 'TargetGroupNotFound',
        message: `${field}.targetGroupArn: "${targetGroupArn}": ${why}`,
        blocks: true,
      });
    } else {
      registrations.push(
        targetRegistration({ ...given, targetGroupArn } as LoadBalancer, field, coreServiceOf(group), group.spec),
      );
    }
  }
  return { registrations, problems };
}
