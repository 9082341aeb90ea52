/** Where the tasks of a service are to stand in the traffic: its target groups and names, resolved in its namespace. */
import type { ClusterSpec } from '../../api/cluster.ts';
import type { LoadBalancer } from '../../api/load-balancer.ts';
import { arnName, parseArn } from '../../api/names.ts';
import type { ServiceConnectConfiguration } from '../../api/service-connect.ts';
import type { ServiceRegistry } from '../../api/service-registry.ts';
import type { TaskDefinitionSpec } from '../../api/task-definition.ts';
import type { TaskProblem } from '../../pod/problems.ts';
import { foreign } from '../../pod/references.ts';
import { discoveryOf } from '../../traffic/discovery.ts';
import type { Registration, Traffic } from '../../traffic/registration.ts';
import { targetRegistration } from '../../traffic/target-group.ts';
import { boundRegistration, isBindable } from '../../traffic/target-group-binding.ts';
import type { Runtime, ServiceRecord } from '../runtime.ts';
import { coreServiceOf, targetGroupOf } from '../target-group.ts';

/** Of a service's spec, what says where its tasks are to stand in the traffic. */
export interface TrafficFields {
  readonly loadBalancers?: readonly Partial<LoadBalancer>[];
  readonly serviceRegistries?: readonly ServiceRegistry[];
  readonly serviceConnectConfiguration?: ServiceConnectConfiguration | undefined;
}

export type Targets = Pick<Traffic, 'registrations' | 'problems'>;

/** Its target groups may change at any time. */
export function targetsOf(
  { stores }: Runtime,
  { namespace, name }: ServiceRecord,
  cluster: ClusterSpec,
  { loadBalancers = [] }: TrafficFields,
): Targets {
  const registrations: Registration[] = [];
  const problems: TaskProblem[] = [];
  for (const [index, given] of loadBalancers.entries()) {
    const field = `spec.loadBalancers[${index}]`;
    const { targetGroupArn = '' } = given;
    const problem = (reason: TaskProblem['reason'], why: string): void => {
      problems.push({ reason, message: `${field}.targetGroupArn: "${targetGroupArn}": ${why}`, blocks: true });
    };
    const arn = parseArn(targetGroupArn);
    const elsewhere = foreign(arn, cluster);
    const group = targetGroupOf(stores, namespace, arnName(targetGroupArn));
    if (elsewhere !== undefined) problem('ForeignReference', `it is not of this cluster: ${elsewhere}`);
    else if (isBindable(targetGroupArn, cluster))
      registrations.push(boundRegistration({ ...given, targetGroupArn } as LoadBalancer, field, name, group?.spec));
    else if (group?.spec === undefined) {
      const missing = `namespace "${namespace}" has no TargetGroup "${arnName(targetGroupArn)}"`;
      const refused = arn === undefined ? '' : ', and its Cluster does not have the ARN in policy.targetGroupArns';
      problem(
        'TargetGroupNotFound',
        group === undefined ? missing + refused : `TargetGroup ${group.name} is not valid`,
      );
    } else {
      registrations.push(
        targetRegistration({ ...given, targetGroupArn } as LoadBalancer, field, coreServiceOf(group), group.spec),
      );
    }
  }
  return { registrations, problems };
}

/** With the names, which follow from the service, its definition and the Cluster alone. */
export function withNames(
  targets: Targets,
  { serviceRegistries = [], serviceConnectConfiguration }: TrafficFields,
  definition: TaskDefinitionSpec,
  cluster: ClusterSpec,
  namespace: string,
): Traffic {
  const found = discoveryOf({ serviceRegistries, serviceConnectConfiguration, definition, cluster, namespace });
  return {
    registrations: [...targets.registrations, ...found.registrations],
    names: found.names,
    problems: [...targets.problems, ...found.problems],
  };
}
