import { uniqueDnsName } from '../api/names.ts';
import type { PortMapping } from '../api/port-mapping.ts';

/** Of a port in a pod: RFC 6335, with a letter in it. */
const LONGEST = 15;
const isPortName = (name: string): boolean =>
  name.length <= LONGEST && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) && /[a-z]/.test(name);

/**
 * What a port of a pod is called, which SRV records and the targetPort of a core Service name: the name that the task
 * definition gives it where Kubernetes takes it, else one with a short hash; without a name, protocol and number.
 */
export function portNameOf({ name, protocol, containerPort }: PortMapping): string | undefined {
  if (name === undefined) return containerPort === undefined ? undefined : `${protocol}-${containerPort}`;
  return [name, uniqueDnsName(name, LONGEST)].find(isPortName) ?? `p-${uniqueDnsName(`${name}_`, 9)}`;
}
