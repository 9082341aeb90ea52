/** Why tasks of a definition cannot start in a namespace, or not with all that it asks for. */
import type { ClusterSpec } from '../api/cluster.ts';
import type { KubernetesOptions } from '../api/kubernetes-options.ts';
import type { TaskDefinitionSpec } from '../api/task-definition.ts';
import type { VolumeConfiguration } from '../api/volume-configuration.ts';
import type { Traffic } from '../traffic/registration.ts';
import { mergeOptions } from './options.ts';
import { placementProblems, type TaskPlacement } from './placement.ts';
import { policyViolations } from './policy.ts';
import { resolveFile, resolvePullSecret, resolveRole, resolveSecret, type Unresolved } from './references.ts';
import { resolveVolume } from './volume-sources.ts';

export interface TaskProblem {
  readonly reason:
    | 'MappingMissing'
    | 'VolumeConfigurationMismatch'
    | 'ServiceDiscoveryMismatch'
    | 'NotAllowed'
    | 'PlacementNotSupported'
    | 'TargetGroupNotFound'
    | 'LoadBalancerMismatch'
    | 'ForeignReference'
    | 'ClusterInvalid';
  /** `field path: what is wrong and what to do`. */
  readonly message: string;
  /** No task may start; otherwise it starts without what is missing. */
  readonly blocks: boolean;
}

/** What the Service or job that runs a definition says of its tasks. */
interface Launch {
  readonly kubernetes?: KubernetesOptions | undefined;
  readonly volumeConfigurations: readonly VolumeConfiguration[];
  /** Absent for a Batch job. */
  readonly placement?: TaskPlacement | undefined;
  /** Default: nowhere. */
  readonly traffic?: Traffic | undefined;
}

/** @param launch absent: of the definition alone, which leaves to the launch what it does. */
export function taskProblems(definition: TaskDefinitionSpec, cluster: ClusterSpec, launch?: Launch): TaskProblem[] {
  const options = mergeOptions(definition.kubernetes, launch?.kubernetes);
  return [
    ...policyViolations(definition, options, cluster).map(
      (message): TaskProblem => ({ reason: 'NotAllowed', message, blocks: true }),
    ),
    ...placementProblems(definition, launch?.placement).map(
      (message): TaskProblem => ({ reason: 'PlacementNotSupported', message, blocks: true }),
    ),
    ...unresolvedReferences(definition, options, cluster),
    ...(launch === undefined ? [] : mismatches(definition, launch.volumeConfigurations, cluster)),
    ...(launch?.traffic?.problems ?? []),
    ...trafficMismatches(definition, launch?.traffic?.registrations ?? []),
  ];
}

function unresolvedReferences(
  { containerDefinitions, taskRoleArn, volumes }: TaskDefinitionSpec,
  options: KubernetesOptions,
  cluster: ClusterSpec,
): TaskProblem[] {
  const problems: TaskProblem[] = [];
  const check = (path: string, result: object | Unresolved, blocks = true): void => {
    if ('unresolved' in result)
      problems.push({ reason: 'MappingMissing', message: `${path}: ${result.unresolved}`, blocks });
  };
  if (taskRoleArn !== undefined && options.serviceAccountName === undefined)
    check('spec.taskRoleArn', resolveRole(taskRoleArn, cluster), !cluster.policy.allowUnmappedRoles);
  for (const [index, volume] of volumes.entries())
    if (!volume.configuredAtLaunch) check(`spec.volumes[${index}]`, resolveVolume(volume, cluster));
  for (const [index, container] of containerDefinitions.entries()) {
    const at = `spec.containerDefinitions[${index}]`;
    for (const [position, { valueFrom }] of container.secrets.entries())
      check(`${at}.secrets[${position}].valueFrom`, resolveSecret(valueFrom, cluster));
    for (const [position, { value }] of container.environmentFiles.entries())
      check(`${at}.environmentFiles[${position}].value`, resolveFile(value, cluster));
    const credentials = container.repositoryCredentials?.credentialsParameter;
    if (credentials !== undefined && options.imagePullSecrets.length === 0)
      check(`${at}.repositoryCredentials.credentialsParameter`, resolvePullSecret(credentials, cluster));
  }
  return problems;
}

function mismatches(
  { volumes }: TaskDefinitionSpec,
  configurations: readonly VolumeConfiguration[],
  cluster: ClusterSpec,
): TaskProblem[] {
  const atLaunch = volumes.filter(({ configuredAtLaunch }) => configuredAtLaunch);
  const unknown = configurations.flatMap(({ name }, index) =>
    atLaunch.some((volume) => volume.name === name)
      ? []
      : [
          // Text: AWS (go-to-k/cdkd#811).
          `spec.volumeConfigurations[${index}].name: "${name}": Volume configuration provided but no matching configuredAtLaunch volume found in task definition.`,
        ],
  );
  // A name that is misspelt is one mistake, not two.
  const missing = unknown.length > 0 ? [] : atLaunch;
  const unresolved = missing.flatMap((volume) => {
    const resolved = resolveVolume(volume, cluster, configurations);
    return 'unresolved' in resolved ? [`spec.volumeConfigurations: ${resolved.unresolved}`] : [];
  });
  return [...unknown, ...unresolved].map((message) => ({
    reason: 'VolumeConfigurationMismatch',
    message,
    blocks: true,
  }));
}

/** Texts: AWS. */
function trafficMismatches(
  { containerDefinitions }: TaskDefinitionSpec,
  registrations: Traffic['registrations'],
): TaskProblem[] {
  return registrations.flatMap(({ field, container, containerPort, protocol }): TaskProblem[] => {
    const problem = (at: string, message: string): TaskProblem[] => [
      { reason: 'LoadBalancerMismatch', message: `${field}.${at}: ${message}`, blocks: true },
    ];
    const found = containerDefinitions.find(({ name }) => name === container);
    if (found === undefined)
      return problem('containerName', `The container ${container} does not exist in the task definition.`);
    return found.portMappings.some((port) => port.containerPort === containerPort && port.protocol === protocol)
      ? []
      : problem('containerPort', `The container ${container} did not have a container port ${containerPort} defined.`);
  });
}

/** Of a long list the first few say enough for one condition. */
const SHOWN = 5;

/** One reason and text for all of them: what blocks comes first, and what is not allowed before what is missing. */
export function summary(
  problems: readonly TaskProblem[],
): { reason: TaskProblem['reason']; message: string } | undefined {
  const rank = ({ blocks, reason }: TaskProblem): number => (blocks ? 0 : 2) + (reason === 'NotAllowed' ? 0 : 1);
  const [first, ...others] = [...problems].sort((a, b) => rank(a) - rank(b));
  if (first === undefined) return undefined;
  const texts = [first, ...others].map(({ message }) => message);
  const more = texts.length > SHOWN ? `; and ${texts.length - SHOWN} more` : '';
  return { reason: first.reason, message: texts.slice(0, SHOWN).join('; ') + more };
}
