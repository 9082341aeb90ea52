/** Task definition → pod, pure and total (`kubernetes-mapping §2`). */
import type { V1PodSpec } from '@kubernetes/client-node';
import { type ClusterSpec, NO_CLUSTER } from '../api/cluster.ts';
import type { Tag } from '../api/common-fields.ts';
import type { KubernetesOptions } from '../api/kubernetes-options.ts';
import { ANNOTATIONS, LABELS, MANAGED_BY } from '../api/meta.ts';
import { dnsName } from '../api/names.ts';
import type { TaskDefinitionSpec } from '../api/task-definition.ts';
import type { VolumeConfiguration } from '../api/volume-configuration.ts';
import type { DiscoveryName } from '../traffic/discovery.ts';
import { NO_TRAFFIC, type Traffic } from '../traffic/registration.ts';
import { containerTraits, labelAnnotations, logAnnotations } from './annotations.ts';
import { ALL_FEATURES, type ClusterFeatures } from './cluster-features.ts';
import { compileContainer } from './container.ts';
import { externalSecrets, type FileKey, fileKeys } from './environment.ts';
import { isPinnable } from './image-digest.ts';
import { memoryVolumes } from './memory-volumes.ts';
import { nameResolution } from './name-resolution.ts';
import { namespaces } from './namespaces.ts';
import { network } from './network.ts';
import { mergeOptions } from './options.ts';
import { placementId, scheduling, type TaskPlacement } from './placement.ts';
import { groupLabel } from './placement-constraints.ts';
import { type TaskProblem, taskProblems } from './problems.ts';
import { type ExternalSecret, resolvePullSecret, resolveRole } from './references.ts';
import { taskResources, taskSize } from './resources.ts';
import { podSecurity } from './security.ts';
import { type TaskContext, taskContext } from './task-context.ts';
import { pause, readinessGates, trafficLabels, trafficPause } from './traffic.ts';
import type { Claim } from './volume-sources.ts';
import { claims, volumes } from './volumes.ts';

/** What of a pod follows from the task definition alone: compiled once, stamped for each task. */
export interface PodTemplate {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: V1PodSpec;
  /** What it takes of a compute environment: vCPUs, and MiB. */
  readonly size: { readonly vcpus: number; readonly memory: number };
  /** Pod containers with a start barrier. */
  readonly barriers: ReadonlySet<string>;
  /** Pod container → environment files that are read when a task starts. */
  readonly files: ReadonlyMap<string, readonly FileKey[]>;
  /** Pod containers whose tag is resolved once a deployment. */
  readonly pinnable: ReadonlySet<string>;
  /** What has to be fetched before a task starts. */
  readonly externalSecrets: readonly ExternalSecret[];
  /** Claims that have to exist before a task starts. */
  readonly claims: readonly Claim[];
  /** The task definition's own: which of them a task gets is for its owner to say. */
  readonly tags: readonly Tag[];
  /** ARNs or names of the target groups that its tasks are targets in. */
  readonly targetGroups: readonly string[];
  /** Under which its tasks are found. */
  readonly names: readonly DiscoveryName[];
  /** Why no task may start, or what it starts without. */
  readonly problems: readonly TaskProblem[];
}

export interface TemplateInput {
  readonly definition: TaskDefinitionSpec;
  readonly family: string;
  /** Absent for a Batch job that brings its own container properties. */
  readonly revision?: number;
  /** The owner's `spec.kubernetes`; it wins over the definition's. */
  readonly kubernetes?: KubernetesOptions;
  /** The owner's `spec.volumeConfigurations`. Default: none. */
  readonly volumeConfigurations?: readonly VolumeConfiguration[];
  /** Absent for a Batch job, whose tasks have no group. */
  readonly placement?: TaskPlacement;
  /** Where the tasks stand in the traffic. Default: nowhere. */
  readonly traffic?: Traffic;
  /** Default: everything that the newest supported Kubernetes has. */
  readonly features?: ClusterFeatures;
  /** What names of AWS mean in the namespace. Default: what holds without a Cluster. */
  readonly cluster?: ClusterSpec;
}

export function compileTemplate({
  definition,
  family,
  revision,
  kubernetes,
  volumeConfigurations = [],
  placement,
  traffic = NO_TRAFFIC,
  features = ALL_FEATURES,
  cluster = NO_CLUSTER,
}: TemplateInput): PodTemplate {
  const task = taskContext(definition, features, cluster, volumeConfigurations, traffic);
  const options = identity(task, mergeOptions(definition.kubernetes, kubernetes));
  const podVolumes = [...(volumes(task).volumes ?? []), ...memoryVolumes(task)];
  const placedBy = placement === undefined ? undefined : placementId(placement);
  return {
    labels: {
      ...options.podLabels,
      [LABELS.managedBy]: MANAGED_BY,
      [LABELS.family]: dnsName(family),
      ...(revision !== undefined && { [LABELS.revision]: String(revision) }),
      ...(placement !== undefined && { [LABELS.group]: groupLabel(placement.group) }),
      ...trafficLabels(task),
    },
    annotations: {
      ...labelAnnotations(definition),
      ...options.podAnnotations,
      ...logAnnotations(definition),
      [ANNOTATIONS.family]: family,
      [ANNOTATIONS.containers]: JSON.stringify(containerTraits(task)),
      ...(placement !== undefined && { [ANNOTATIONS.group]: placement.group }),
      ...(placedBy !== undefined && { [ANNOTATIONS.placement]: placedBy }),
      ...(revision !== undefined && { [ANNOTATIONS.taskDefinition]: `${family}:${revision}` }),
    },
    spec: {
      restartPolicy: 'Never',
      enableServiceLinks: false,
      automountServiceAccountToken: options.serviceAccountName !== undefined,
      terminationGracePeriodSeconds:
        Math.max(...task.containers.map(({ stopTimeout }) => stopTimeout)) + trafficPause(task),
      ...taskResources(task),
      ...network(task),
      ...nameResolution(task),
      ...namespaces(task),
      securityContext: podSecurity(task),
      ...(task.start.init.length > 0 && {
        initContainers: task.start.init.map((container) => compileContainer(container, task)),
      }),
      containers: task.start.regular.map((container) => ({ ...compileContainer(container, task), ...pause(task) })),
      ...(podVolumes.length > 0 && { volumes: podVolumes }),
      ...(options.serviceAccountName !== undefined && { serviceAccountName: options.serviceAccountName }),
      ...(options.priorityClassName !== undefined && { priorityClassName: options.priorityClassName }),
      ...(options.runtimeClassName !== undefined && { runtimeClassName: options.runtimeClassName }),
      ...(options.imagePullSecrets.length > 0 && {
        imagePullSecrets: options.imagePullSecrets.map((secret) => ({ ...secret })),
      }),
      ...readinessGates(task),
      ...scheduling(task, options, placement),
    },
    size: taskSize(task),
    barriers: new Set([...task.start.barriers].map((name) => task.containerNames.get(name) ?? name)),
    pinnable: new Set(task.containers.filter(isPinnable).map(({ name }) => task.containerNames.get(name) ?? name)),
    files: fileKeys(task),
    externalSecrets: externalSecrets(task),
    claims: claims(task),
    tags: definition.tags,
    names: traffic.names,
    targetGroups: traffic.registrations.flatMap(({ targetGroup }) => targetGroup?.arn ?? []),
    problems: taskProblems(definition, cluster, { kubernetes, volumeConfigurations, placement, traffic }),
  };
}

/** As whom the task runs and pulls: `spec.kubernetes` takes the place of the role and of repositoryCredentials. */
function identity({ definition, containers, cluster }: TaskContext, options: KubernetesOptions): KubernetesOptions {
  const role = definition.taskRoleArn === undefined ? undefined : resolveRole(definition.taskRoleArn, cluster);
  const secrets = containers.flatMap(({ repositoryCredentials }) => {
    if (repositoryCredentials === undefined) return [];
    const secret = resolvePullSecret(repositoryCredentials.credentialsParameter, cluster);
    return 'unresolved' in secret ? [] : [secret.name];
  });
  return {
    ...(role !== undefined && 'serviceAccountName' in role && role),
    ...options,
    imagePullSecrets:
      options.imagePullSecrets.length > 0 ? options.imagePullSecrets : [...new Set(secrets)].map((name) => ({ name })),
  };
}
