/**
 * TargetGroupBinding of the AWS Load Balancer Controller: it registers the endpoints of a core Service in a target group of
 * AWS, and writes what the load balancer says of each target into a condition of its pod (design/2026-11-22-target-group-binding.md).
 */
import type { V1ServiceSpec } from '@kubernetes/client-node';
import type { ClusterSpec } from '../api/cluster.ts';
import type { LoadBalancer } from '../api/load-balancer.ts';
import { arnName, hashedDnsName } from '../api/names.ts';
import type { TargetGroupSpec } from '../api/target-group.ts';
import { type Registration, trafficLabel, trafficPortName } from './registration.ts';
import { deregistrationDelay, protocolOf } from './target-group.ts';

/** The controller's prefix of condition types; behind it the name of the binding. */
const TARGET_HEALTH = 'target-health.elbv2.k8s.aws/';

/** Whether tasks of the namespace may be registered in this target group of AWS. */
export const isBindable = (arn: string, { policy }: Pick<ClusterSpec, 'policy'>): boolean =>
  policy.targetGroupArns.some((entry) => (entry.endsWith('*') ? arn.startsWith(entry.slice(0, -1)) : entry === arn));

/**
 * Of the binding and of its core Service, at most 63 characters, since it is part of a label and of a condition type. The
 * controller lets one binding have a target group, and none change it: each service has one of its own for each of them.
 * @param service name of the object.
 */
export const bindingName = (service: string, arn: string): string =>
  `tg-${hashedDnsName(`${service}-${arnName(arn)}`, `${service} ${arn}`, 60)}`;

export const targetHealthType = (binding: string): string => `${TARGET_HEALTH}${binding}`;

/** The binding that a condition is of; undefined where it is of none. */
export const bindingOfCondition = (type: string): string | undefined =>
  type.startsWith(TARGET_HEALTH) ? type.slice(TARGET_HEALTH.length) : undefined;

/** A registration in a target group of AWS. */
export interface BoundRegistration extends Registration {
  readonly targetGroup: NonNullable<Registration['targetGroup']>;
}

export const isBound = (registration: Registration): registration is BoundRegistration =>
  registration.targetGroup?.readinessGate === targetHealthType(registration.service);

/**
 * A service's tasks as targets of AWS. Its load balancer checks them, and no probe does so twice.
 * @param service name of the object.
 * @param group TargetGroup of its name in the namespace: of what cannot be asked of AWS, it has the protocol and the delay.
 */
export function boundRegistration(
  { containerName, containerPort, targetGroupArn: arn }: LoadBalancer,
  field: string,
  service: string,
  group: TargetGroupSpec | undefined,
): BoundRegistration {
  const name = bindingName(service, arn);
  return {
    field,
    service: name,
    container: containerName,
    containerPort,
    protocol: group === undefined ? 'tcp' : protocolOf(group),
    portName: trafficPortName(name),
    targetGroup: { arn, delaySeconds: deregistrationDelay(group), readinessGate: targetHealthType(name) },
  };
}

/** Without an address of its own: clients come through the load balancer. */
export const bindingService = ({ service, containerPort, protocol }: Registration): V1ServiceSpec => ({
  clusterIP: 'None',
  selector: { [trafficLabel(service)]: 'selected' },
  ports: [
    {
      name: trafficPortName(service),
      port: containerPort,
      protocol: protocol.toUpperCase(),
      targetPort: trafficPortName(service),
    },
  ],
});

/** Whether a core Service is that of a binding. */
export const isBindingService = (name: string, spec: object): boolean => {
  const { clusterIP, ports = [] } = spec as V1ServiceSpec;
  return clusterIP === 'None' && ports.some((port) => port.name === trafficPortName(name));
};

export interface TargetGroupBindingSpec {
  readonly targetGroupARN: string;
  readonly targetType: 'ip';
  readonly serviceRef: { readonly name: string; readonly port: string };
}

export const targetGroupBinding = ({ service, targetGroup }: BoundRegistration): TargetGroupBindingSpec => ({
  targetGroupARN: targetGroup.arn,
  targetType: 'ip',
  // By its name: the port that containers listen on may be another in the next deployment.
  serviceRef: { name: service, port: trafficPortName(service) },
});
