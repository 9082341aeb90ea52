/** The core Service of a TargetGroup: what clients in the cluster reach its healthy targets by. */
import type { V1ServiceSpec } from '@kubernetes/client-node';
import type { TargetGroupSpec } from '../api/target-group.ts';
import { isStickyByAddress } from './attributes.ts';
import { trafficLabel, trafficPortName } from './registration.ts';
import { protocolOf } from './target-group.ts';

/** As Service Connect's appProtocol and KEP-3726 have them. */
function appProtocol({ protocol, protocolVersion }: TargetGroupSpec): string | undefined {
  if (protocol === 'HTTPS') return 'https';
  if (protocol !== 'HTTP') return undefined;
  return protocolVersion === 'HTTP2' || protocolVersion === 'GRPC' ? 'kubernetes.io/h2c' : 'http';
}

/**
 * @param name of the Service.
 */
export function targetGroupService(name: string, spec: TargetGroupSpec): V1ServiceSpec {
  const protocol = appProtocol(spec);
  return {
    selector: { [trafficLabel(name)]: 'selected' },
    ports: [
      {
        name: trafficPortName(name),
        port: spec.port,
        protocol: protocolOf(spec).toUpperCase(),
        targetPort: trafficPortName(name),
        ...(protocol !== undefined && { appProtocol: protocol }),
      },
    ],
    sessionAffinity: isStickyByAddress(spec) ? 'ClientIP' : 'None',
  };
}
