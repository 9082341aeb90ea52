/** Core Services: what clients in the cluster reach the healthy targets of a TargetGroup by, and tasks by a name. */
import type { V1ServiceSpec } from '@kubernetes/client-node';
import { LABELS } from '../api/meta.ts';
import type { TargetGroupSpec } from '../api/target-group.ts';
import { isStickyByAddress } from './attributes.ts';
import type { DiscoveryName } from './discovery.ts';
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

/**
 * Of a name under which the tasks of a service are found. It selects those of its own service alone, whoever else has
 * pods with the label.
 * @param service value of the label of its tasks.
 */
export function discoveryService({ name, headless, ports }: DiscoveryName, service: string): V1ServiceSpec {
  return {
    ...(headless && { clusterIP: 'None', ipFamilyPolicy: 'PreferDualStack' }),
    selector: { [trafficLabel(name)]: 'selected', [LABELS.service]: service },
    ports: ports.map(({ name: port, port: number, protocol, portName, containerPort, appProtocol }) => ({
      name: port,
      port: number,
      protocol: protocol.toUpperCase(),
      targetPort: portName ?? containerPort,
      ...(appProtocol !== undefined && { appProtocol }),
    })),
  };
}
