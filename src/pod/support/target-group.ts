/** CreateTargetGroup. */
import type { TargetGroupSpec } from '../../api/target-group.ts';
import { ELBV2 } from '../../aws-model/model.ts';
import { targetCheck } from '../../traffic/target-group.ts';
import { approximated, BY_ITS_FIELDS, conditional, exact, ignored, refused, type Topic, whole } from './entry.ts';
import { TARGET_CHECK, TARGETS } from './proofs.ts';

const NETWORK = 'targets have addresses of the network of this cluster';
const KUBELET = 'the kubelet takes every code from 200 to 399 for a pass';

const checkOf = (spec: object): string => {
  const check = targetCheck(spec as TargetGroupSpec);
  return check === undefined ? 'targets are not checked' : 'they are';
};

const isGrpc = ({ protocolVersion }: TargetGroupSpec): boolean => protocolVersion === 'GRPC';

export const targetGroup: Topic = {
  CreateTargetGroupInput: {
    name: exact(TARGETS),
    protocol: conditional(
      {
        'it is TCP_UDP': approximated('the core Service takes TCP alone; a second TargetGroup takes UDP'),
        'it is HTTPS or TLS': approximated(
          'the core Service hands connections on as they are: nothing ends TLS before the target',
        ),
        'it is another': exact(TARGETS),
      },
      ({ protocol }: TargetGroupSpec) => {
        if (protocol === 'TCP_UDP') return 'it is TCP_UDP';
        return protocol === 'HTTPS' || protocol === 'TLS' ? 'it is HTTPS or TLS' : 'it is another';
      },
    ),
    protocolVersion: conditional(
      {
        'it is GRPC': approximated('a target is healthy while it takes connections; what it answers is not looked at'),
        'it is another': exact(TARGETS),
      },
      (spec: TargetGroupSpec) => (isGrpc(spec) ? 'it is GRPC' : 'it is another'),
    ),
    port: exact(TARGETS),
    targetType: ignored('every target is the address of a pod'),
    vpcId: ignored(NETWORK),
    ipAddressType: ignored(NETWORK),
    healthCheckEnabled: exact(TARGET_CHECK),
    healthCheckProtocol: exact(TARGET_CHECK),
    healthCheckPort: exact(TARGET_CHECK),
    healthCheckPath: exact(TARGET_CHECK),
    healthCheckIntervalSeconds: exact(TARGET_CHECK),
    healthCheckTimeoutSeconds: exact(TARGET_CHECK),
    healthyThresholdCount: conditional(
      {
        'targets are not checked': exact(TARGET_CHECK),
        'they are': approximated(
          'one pass makes a target healthy: a new one as on AWS, and one that was unhealthy as well',
        ),
      },
      checkOf,
    ),
    unhealthyThresholdCount: exact(TARGET_CHECK),
    matcher: BY_ITS_FIELDS,
    tags: BY_ITS_FIELDS,
    targetControlPort: refused('not taken yet'),
  },
  Matcher: {
    httpCode: conditional(
      {
        'it is 200-399': exact(TARGET_CHECK),
        'it is another': approximated(KUBELET),
      },
      ({ httpCode }: { httpCode?: string }) => (httpCode === '200-399' ? 'it is 200-399' : 'it is another'),
    ),
    grpcCode: approximated('a target is healthy while it takes connections; what it answers is not looked at'),
  },
  ...whole(ELBV2, ignored('labels of the TargetGroup take their place'), 'Tag'),
};
