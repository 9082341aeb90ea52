/** What follows from a TargetGroup for the tasks that are its targets. */
import type { LoadBalancer } from '../api/load-balancer.ts';
import type { TargetGroupSpec } from '../api/target-group.ts';
import { attributeOf } from './attributes.ts';
import { type Registration, type TargetCheck, type TargetGroupTraits, trafficPortName } from './registration.ts';

/** ELBv2's own where the attribute is not given. */
const DEREGISTRATION_DELAY = 300;

/**
 * Seconds that a target goes on for the requests that it has.
 * @param spec absent of a target group of AWS whose attributes nobody has said.
 */
export const deregistrationDelay = (spec: TargetGroupSpec | undefined): number =>
  Number((spec && attributeOf(spec, 'deregistration_delay.timeout_seconds')) ?? DEREGISTRATION_DELAY);

export const protocolOf = ({ protocol }: TargetGroupSpec): Registration['protocol'] =>
  protocol === 'UDP' ? 'udp' : 'tcp';

const isApplication = ({ protocol }: TargetGroupSpec): boolean => protocol === 'HTTP' || protocol === 'HTTPS';

/** The check as AWS would make it (API reference, CreateTargetGroup); absent where there is none. */
export function targetCheck(spec: TargetGroupSpec): TargetCheck | undefined {
  if (!spec.healthCheckEnabled) return undefined;
  // What AWS asks of a gRPC server, any answer of its own will do: that it takes connections.
  const isGrpc = spec.protocolVersion === 'GRPC';
  const protocol = isGrpc ? 'TCP' : (spec.healthCheckProtocol ?? (isApplication(spec) ? 'HTTP' : 'TCP'));
  const timeout = isApplication(spec) ? 5 : protocol === 'TCP' ? 10 : 6;
  const interval = spec.healthCheckIntervalSeconds;
  return {
    protocol,
    ...(spec.healthCheckPort !== 'traffic-port' && { port: Number(spec.healthCheckPort) }),
    path: spec.healthCheckPath ?? '/',
    intervalSeconds: interval,
    timeoutSeconds: spec.healthCheckTimeoutSeconds ?? Math.min(timeout, interval - 1),
    unhealthyThresholdCount: spec.unhealthyThresholdCount,
  };
}

export function targetGroupTraits(arn: string, spec: TargetGroupSpec): TargetGroupTraits {
  const check = targetCheck(spec);
  return { arn, ...(check !== undefined && { check }), delaySeconds: deregistrationDelay(spec) };
}

/**
 * A service's tasks as targets.
 * @param service name of the core Service of the target group.
 */
export function targetRegistration(
  { containerName, containerPort, targetGroupArn }: LoadBalancer,
  field: string,
  service: string,
  spec: TargetGroupSpec,
): Registration {
  return {
    field,
    service,
    container: containerName,
    containerPort,
    protocol: protocolOf(spec),
    portName: trafficPortName(service),
    targetGroup: targetGroupTraits(targetGroupArn, spec),
  };
}
