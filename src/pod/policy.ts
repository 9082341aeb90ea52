/** What the Cluster of a namespace does not allow, of what a task definition asks for. */
import type { ClusterSpec } from '../api/cluster.ts';
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

function taskViolations(
  definition: TaskDefinitionSpec,
  { serviceAccountName }: KubernetesOptions,
  { policy }: ClusterSpec,
): string[] {
  const { networkMode, pidMode, ipcMode, volumes } = definition;
  const violations: string[] = [];
  if (networkMode === 'host' && !policy.allowHostNetwork)
    violations.push(refused('spec.networkMode', 'host', 'allowHostNetwork: false'));
  if (pidMode === 'host' && !policy.allowHostNamespaces)
    violations.push(refused('spec.pidMode', 'host', 'allowHostNamespaces: false'));
  if (ipcMode === 'host' && !policy.allowHostNamespaces)
    violations.push(refused('spec.ipcMode', 'host', 'allowHostNamespaces: false'));
  if (serviceAccountName !== undefined && !policy.allowServiceAccountName)
    violations.push(
      refused('spec.kubernetes.serviceAccountName', serviceAccountName, 'allowServiceAccountName: false'),
    );
  for (const [index, volume] of volumes.entries()) {
    const path = hostPathOf(volume);
    if (path === undefined) continue;
    const at = `spec.volumes[${index}]`;
    if (!policy.allowHostPaths) violations.push(refused(at, path, 'allowHostPaths: false'));
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
  if (container.privileged && !policy.allowPrivileged)
    violations.push(refused('privileged', 'true', 'allowPrivileged: false'));
  const fixed =
    networkMode === 'bridge' ? container.portMappings.find(({ hostPort }) => (hostPort ?? 0) > 0) : undefined;
  if (fixed !== undefined && !policy.allowHostPorts)
    violations.push(refused('portMappings', `hostPort ${fixed.hostPort}`, 'allowHostPorts: false'));
  for (const capability of capabilities?.add ?? []) {
    const { addableCapabilities } = policy;
    if (!policy.allowAddedCapabilities)
      violations.push(refused('linuxParameters.capabilities.add', capability, 'allowAddedCapabilities: false'));
    else if (addableCapabilities.length > 0 && !addableCapabilities.includes(capability))
      violations.push(
        refused(
          'linuxParameters.capabilities.add',
          capability,
          `addableCapabilities: ${addableCapabilities.join(', ')}`,
        ),
      );
  }
  if (devices.length > 0 && !policy.allowDevices)
    violations.push(refused('linuxParameters.devices', devices[0]?.hostPath ?? '', 'allowDevices: false'));
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
