/** Where a pod stands in the traffic. */
import { TRAFFIC_LABEL } from '../api/meta.ts';
import type { Membership } from '../traffic/registration.ts';
import type { ObservedTask, PodJson } from './observe.ts';
import { SharedValues } from './shared-values.ts';

export interface TrafficMembership {
  /** Name of the core Service. */
  readonly service: string;
  readonly membership: Membership;
}

/** Tasks of one deployment stand behind the same core Services: they share the record. */
const sharedTraffic = new SharedValues<readonly TrafficMembership[]>();

export function trafficOf({
  metadata,
  spec,
  status,
}: PodJson): Pick<ObservedTask, 'traffic' | 'addresses' | 'pauseMs'> {
  const labels = Object.entries(metadata.labels ?? {}).filter(([key]) => key.startsWith(TRAFFIC_LABEL));
  const pause = spec?.containers?.[0]?.lifecycle?.preStop?.sleep?.seconds;
  if (labels.length === 0 && pause === undefined) return {};
  const traffic = sharedTraffic.get(JSON.stringify(labels), () =>
    labels.map(([label, value]) => ({
      service: label.slice(TRAFFIC_LABEL.length),
      membership: value === 'listed' ? 'listed' : 'selected',
    })),
  );
  const listed = traffic.some(({ membership }) => membership === 'listed');
  const addresses = listed ? status?.podIPs?.map(({ ip }) => ip) : undefined;
  return {
    ...(labels.length > 0 && { traffic }),
    ...(addresses !== undefined && { addresses }),
    ...(pause !== undefined && { pauseMs: pause * 1000 }),
  };
}

export function hostPortsOf(spec: PodJson['spec']): Pick<ObservedTask, 'hostPorts'> {
  const hostPorts = (spec?.containers ?? []).flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort = 0, protocol = 'TCP' }) => (hostPort > 0 ? [`${protocol}/${hostPort}`] : [])),
  );
  return hostPorts.length === 0 ? {} : { hostPorts };
}
