/** Task definition → pod, pure and total (`kubernetes-mapping §2`). */
import type { V1PodSpec, V1Volume } from '@kubernetes/client-node';
import type { EnvironmentVariable } from '../api/container-definition.ts';
import type { KubernetesOptions } from '../api/kubernetes-options.ts';
import { ANNOTATIONS, LABELS, MANAGED_BY, type OwnerReference } from '../api/meta.ts';
import { dnsName } from '../api/names.ts';
import type { TaskDefinitionSpec } from '../api/task-definition.ts';
import type { ContainerTraits } from '../ecs/task.ts';
import { cpuQuantity, cpuUnits, memoryMib, memoryQuantity } from './amounts.ts';
import { compileContainer, type TaskContext } from './container.ts';
import { startOrder } from './start-order.ts';
import { uniqueNames } from './unique-names.ts';

/** What of a pod follows from the task definition alone: compiled once, stamped for each task. */
export interface PodTemplate {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: V1PodSpec;
}

export interface TemplateInput {
  readonly definition: TaskDefinitionSpec;
  readonly family: string;
  /** Absent for a Batch job that brings its own container properties. */
  readonly revision?: number;
  /** The owner's `spec.kubernetes`; it wins over the definition's. */
  readonly kubernetes?: KubernetesOptions;
}

export interface TaskPod {
  readonly namespace: string;
  readonly name: string;
  /** 32 hex digits. */
  readonly task: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly owner: OwnerReference;
  /** Variables of this task alone, for all its containers. */
  readonly environment?: readonly EnvironmentVariable[];
}

/** Seconds a task on a node that is gone is waited for before it is given up (`kubernetes-mapping §2.6`). */
const NODE_LOSS_SECONDS = 60;

export function compileTemplate({ definition, family, revision, kubernetes }: TemplateInput): PodTemplate {
  const containers = startOrder(definition.containerDefinitions);
  const containerNames = uniqueNames(containers.map(({ name }) => name));
  const volumeNames = uniqueNames(definition.volumes.map(({ name }) => name));
  const context: TaskContext = { networkMode: definition.networkMode, containers, containerNames, volumeNames };
  const options = mergeOptions(definition.kubernetes, kubernetes);
  const traits: Record<string, ContainerTraits> = {};
  for (const container of containers) {
    const { name, essential, healthCheck } = container;
    traits[containerNames.get(name) ?? name] = {
      name,
      essential,
      ...(healthCheck !== undefined && {
        healthCheck: {
          interval: healthCheck.interval,
          retries: healthCheck.retries,
          startPeriod: healthCheck.startPeriod,
        },
      }),
    };
  }
  return {
    labels: {
      ...options.podLabels,
      [LABELS.managedBy]: MANAGED_BY,
      [LABELS.family]: dnsName(family),
      ...(revision !== undefined && { [LABELS.revision]: String(revision) }),
    },
    annotations: {
      ...options.podAnnotations,
      ...logAnnotations(definition),
      [ANNOTATIONS.family]: family,
      [ANNOTATIONS.containers]: JSON.stringify(traits),
      ...(revision !== undefined && { [ANNOTATIONS.taskDefinition]: `${family}:${revision}` }),
    },
    spec: {
      restartPolicy: 'Never',
      enableServiceLinks: false,
      automountServiceAccountToken: options.serviceAccountName !== undefined,
      terminationGracePeriodSeconds: Math.max(...containers.map(({ stopTimeout }) => stopTimeout)),
      ...taskResources(definition),
      ...hostNames(definition),
      containers: containers.map((container) => compileContainer(container, context)),
      ...(definition.volumes.length > 0 && {
        volumes: definition.volumes.map((volume) => compileVolume(volume, volumeNames)),
      }),
      ...(options.serviceAccountName !== undefined && { serviceAccountName: options.serviceAccountName }),
      ...(options.priorityClassName !== undefined && { priorityClassName: options.priorityClassName }),
      ...(options.runtimeClassName !== undefined && { runtimeClassName: options.runtimeClassName }),
      ...(options.schedulerName !== undefined && { schedulerName: options.schedulerName }),
      ...(Object.keys(options.nodeSelector).length > 0 && { nodeSelector: { ...options.nodeSelector } }),
      ...(options.imagePullSecrets.length > 0 && {
        imagePullSecrets: options.imagePullSecrets.map((secret) => ({ ...secret })),
      }),
      tolerations: [
        ...options.tolerations.map((toleration) => ({ ...toleration })),
        {
          key: 'node.kubernetes.io/not-ready',
          operator: 'Exists',
          effect: 'NoExecute',
          tolerationSeconds: NODE_LOSS_SECONDS,
        },
        {
          key: 'node.kubernetes.io/unreachable',
          operator: 'Exists',
          effect: 'NoExecute',
          tolerationSeconds: NODE_LOSS_SECONDS,
        },
      ],
    },
  };
}

/** One task's pod from its template. */
export function stampPod(template: PodTemplate, pod: TaskPod): object {
  const injected = pod.environment ?? [];
  const spec =
    injected.length === 0
      ? template.spec
      : {
          ...template.spec,
          containers: template.spec.containers.map((container) => ({
            ...container,
            env: [
              ...(container.env ?? []).filter(({ name }) => !injected.some((own) => own.name === name)),
              ...injected,
            ],
          })),
        };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: pod.name,
      namespace: pod.namespace,
      labels: { ...template.labels, ...pod.labels, [LABELS.task]: pod.task },
      annotations: { ...template.annotations, ...pod.annotations },
      ownerReferences: [pod.owner],
    },
    spec,
  };
}

const NO_OPTIONS: KubernetesOptions = {
  nodeSelector: {},
  tolerations: [],
  imagePullSecrets: [],
  podLabels: {},
  podAnnotations: {},
};

/** The owner's options win over the definition's; lists and maps add up. */
function mergeOptions(
  definition: KubernetesOptions = NO_OPTIONS,
  owner: KubernetesOptions = NO_OPTIONS,
): KubernetesOptions {
  return {
    ...definition,
    ...owner,
    nodeSelector: { ...definition.nodeSelector, ...owner.nodeSelector },
    tolerations: [...definition.tolerations, ...owner.tolerations],
    imagePullSecrets: [...definition.imagePullSecrets, ...owner.imagePullSecrets],
    podLabels: { ...definition.podLabels, ...owner.podLabels },
    podAnnotations: { ...definition.podAnnotations, ...owner.podAnnotations },
  };
}

/** Task cpu and memory are ceilings for the sum of the containers: pod-level resources (Kubernetes 1.34 and later). */
function taskResources({ cpu, memory }: TaskDefinitionSpec): Pick<V1PodSpec, 'resources'> {
  if (cpu === undefined && memory === undefined) return {};
  const amounts = {
    ...(cpu !== undefined && { cpu: cpuQuantity(cpuUnits(cpu)) }),
    ...(memory !== undefined && { memory: memoryQuantity(memoryMib(memory)) }),
  };
  return { resources: { requests: amounts, limits: amounts } };
}

/** Links resolve to the task's own address: its containers share one network. */
function hostNames(definition: TaskDefinitionSpec): Pick<V1PodSpec, 'hostAliases' | 'hostname'> {
  const names = definition.containerDefinitions.flatMap(({ links }) => links.flatMap((link) => link.split(':')));
  const hostname = definition.containerDefinitions.find((container) => container.hostname !== undefined)?.hostname;
  return {
    ...(names.length > 0 && { hostAliases: [{ ip: '127.0.0.1', hostnames: [...new Set(names)] }] }),
    ...(hostname !== undefined && { hostname: dnsName(hostname) }),
  };
}

function compileVolume(volume: TaskDefinitionSpec['volumes'][number], names: ReadonlyMap<string, string>): V1Volume {
  const name = names.get(volume.name) ?? volume.name;
  const path = volume.host?.sourcePath ?? '';
  return path === '' ? { name, emptyDir: {} } : { name, hostPath: { path, type: 'DirectoryOrCreate' } };
}

/** What AWS would send elsewhere stays readable where a node's log agent looks: in the pod's annotations. */
function logAnnotations(definition: TaskDefinitionSpec): Record<string, string> {
  const labels = Object.fromEntries(
    definition.containerDefinitions
      .filter((c) => Object.keys(c.dockerLabels).length > 0)
      .map((c) => [c.name, c.dockerLabels]),
  );
  const logs = Object.fromEntries(
    definition.containerDefinitions
      .filter((c) => c.logConfiguration !== undefined)
      .map((c) => [c.name, c.logConfiguration]),
  );
  return {
    ...(Object.keys(labels).length > 0 && { [ANNOTATIONS.dockerLabels]: JSON.stringify(labels) }),
    ...(Object.keys(logs).length > 0 && { [ANNOTATIONS.logConfiguration]: JSON.stringify(logs) }),
  };
}
