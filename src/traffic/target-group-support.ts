/** What of a TargetGroup is not honoured exactly, and why. */
import type { FieldSupport } from '../api/status.ts';
import type { TargetGroupSpec } from '../api/target-group.ts';
import { attributeOf } from './target-group.ts';

/** Attributes that mean something here. */
const HONOURED = ['deregistration_delay.timeout_seconds', 'stickiness.enabled', 'stickiness.type'];

export function targetGroupSupport(spec: TargetGroupSpec): FieldSupport[] {
  const report = (support: FieldSupport['support'], field: string, reason: string): FieldSupport => ({
    field: `spec.${field}`,
    support,
    reason,
  });
  const { matcher, healthyThresholdCount, protocol, protocolVersion, tags } = spec;
  const checked = spec.healthCheckEnabled;
  const isGrpc = protocolVersion === 'GRPC';
  const httpCheck =
    checked &&
    !isGrpc &&
    spec.healthCheckProtocol !== 'TCP' &&
    (protocol === 'HTTP' || protocol === 'HTTPS' || spec.healthCheckProtocol !== undefined);
  const sticky = attributeOf(spec, 'stickiness.enabled') === 'true';
  const stickyByAddress = sticky && attributeOf(spec, 'stickiness.type') === 'source_ip';
  return [
    ...(spec.vpcId === undefined
      ? []
      : [report('Ignored', 'vpcId', 'targets have addresses of the network of this cluster')]),
    ...(spec.ipAddressType === undefined
      ? []
      : [report('Ignored', 'ipAddressType', 'the network of this cluster decides the family of addresses')]),
    ...(protocol === 'TCP_UDP'
      ? [report('Approximated', 'protocol', 'the core Service takes TCP alone; use a second TargetGroup for UDP')]
      : []),
    ...(isGrpc && checked
      ? [
          report(
            'Approximated',
            'protocolVersion',
            'a gRPC target is healthy while it takes connections; its answer is not looked at',
          ),
        ]
      : []),
    ...(httpCheck && matcher?.httpCode !== '200-399'
      ? [
          report(
            'Approximated',
            'matcher',
            `every code from 200 to 399 is healthy, where AWS takes ${matcher?.httpCode ?? '200'}: the kubelet knows no other codes`,
          ),
        ]
      : []),
    ...(checked && healthyThresholdCount > 1
      ? [
          report(
            'Approximated',
            'healthyThresholdCount',
            'one pass makes a target healthy, a new one as on AWS, and one that was unhealthy as well',
          ),
        ]
      : []),
    ...spec.targetGroupAttributes.flatMap(({ key }, index) =>
      HONOURED.includes(key) && (key === 'deregistration_delay.timeout_seconds' || stickyByAddress || !sticky)
        ? []
        : [
            report(
              'Ignored',
              `targetGroupAttributes[${index}]`,
              key.startsWith('stickiness.')
                ? 'a core Service keeps clients to a target by their address alone: stickiness.type source_ip'
                : `nothing in this cluster does what ${key} asks for`,
            ),
          ],
    ),
    ...(tags.length > 0 ? [report('Ignored', 'tags', 'use labels of the object')] : []),
  ];
}
