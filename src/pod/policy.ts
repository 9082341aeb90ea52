/** What the Cluster of a namespace does not allow, of what a task definition asks for. */
import type { ClusterSpec } from '../api/cluster.ts';
import type { ClusterPolicy } from '../api/cluster-policy.ts';
import type { ContainerDefinition } from '../api/container-definition.ts';
import type { KubernetesOptions } from '../api/kubernetes-options.ts';
import type { TaskDefinitionSpec } from '../api/task-definition.ts';
import { resolveImage } from './references.ts';
import { hostPathOf } from './volume-sources.ts';

/** `path: what is not allowed`, for each. */
export function policyViolations(
  definition: TaskDefinitionSpec,
  options: KubernetesOptions,
  cluster: ClusterSpec,
): string[] {
  return [
    ...taskViolations(definition, options, cluster),
    ...definition.containerDefinitions.flatMap((container, index) =>
      containerViolations(container, definition, cluster).map(
        (violation) => `spec.containerDefinitions[${index}].${violation}`,
      ),
    ),
  ];
}

const refused = (path: string, value: string, rule: string): string =>
  `${path}: ${value} is not allowed: the namespace's Cluster has policy.${rule}`;
const forbidden = (path: string, value: string, flag: keyof ClusterPolicy): string =>
  `${path}: ${value} is not allowed: the namespace's Cluster does not have policy.${flag}: true`;

function taskViolations(
  definition: TaskDefinitionSpec,
  { serviceAccountName }: KubernetesOptions,
  { policy }: ClusterSpec,
): string[] {
  const { networkMode, pidMode, ipcMode, volumes } = definition;
  const violations: string[] = [];
  if (networkMode === 'host' && policy.allowHostNetwork === false)
    violations.push(forbidden('spec.networkMode', 'host', 'allowHostNetwork'));
  if (pidMode === 'host' && policy.allowHostNamespaces === false)
    violations.push(forbidden('spec.pidMode', 'host', 'allowHostNamespaces'));
  if (ipcMode === 'host' && policy.allowHostNamespaces === false)
    violations.push(forbidden('spec.ipcMode', 'host', 'allowHostNamespaces'));
  if (serviceAccountName !== undefined && policy.allowServiceAccountName === false)
    violations.push(forbidden('spec.kubernetes.serviceAccountName', serviceAccountName, 'allowServiceAccountName'));
  for (const [index, volume] of volumes.entries()) {
    const path = hostPathOf(volume);
    if (path === undefined) continue;
    const at = `spec.volumes[${index}]`;
    if (policy.allowHostPaths === false) violations.push(forbidden(at, path, 'allowHostPaths'));
    else if (!underAny(path, policy.hostPathPrefixes))
      violations.push(refused(at, path, `hostPathPrefixes: ${policy.hostPathPrefixes.join(', ')}`));
  }
  return violations;
}

function containerViolations(
  container: ContainerDefinition,
  { networkMode }: TaskDefinitionSpec,
  cluster: ClusterSpec,
): string[] {
  const { policy } = cluster;
  const { capabilities, devices = [] } = container.linuxParameters ?? {};
  const violations: string[] = [];
  if (container.privileged && policy.allowPrivileged === false)
    violations.push(forbidden('privileged', 'true', 'allowPrivileged'));
  const fixed =
    networkMode === 'bridge' ? container.portMappings.find(({ hostPort }) => (hostPort ?? 0) > 0) : undefined;
  if (fixed !== undefined && policy.allowHostPorts === false)
    violations.push(forbidden('portMappings', `hostPort ${fixed.hostPort}`, 'allowHostPorts'));
  for (const capability of capabilities?.add ?? []) {
    const { addableCapabilities } = policy;
    if (policy.allowAddedCapabilities === false)
      violations.push(forbidden('linuxParameters.capabilities.add', capability, 'allowAddedCapabilities'));
    else if (addableCapabilities.length > 0 && !addableCapabilities.includes(capability))
      violations.push(
        refused(
          'linuxParameters.capabilities.add',
          capability,
          `addableCapabilities: ${addableCapabilities.join(', ')}`,
        ),
      );
  }
  if (devices.length > 0 && policy.allowDevices === false)
    violations.push(forbidden('linuxParameters.devices', devices[0]?.hostPath ?? '', 'allowDevices'));
  const image = resolveImage(container.image, cluster);
  const { imagePrefixes } = policy;
  if (imagePrefixes.length > 0 && !imagePrefixes.some((prefix) => image.startsWith(prefix)))
    violations.push(refused('image', image, `imagePrefixes: ${imagePrefixes.join(', ')}`));
  return violations;
}

/** Whole components count: `/var/log` has `/var/log/app` below it, and not `/var/logs`. No prefix: every path is. */
function underAny(path: string, prefixes: readonly string[]): boolean {
  // What climbs is judged by where it may end up: nowhere that is known.
  if (prefixes.length === 0) return true;
  if (path.split('/').includes('..')) return false;
  const slashed = (text: string): string => `${text.replace(/\/+/g, '/').replace(/\/$/, '')}/`;
  return prefixes.some((prefix) => slashed(path).startsWith(slashed(prefix)));
}
