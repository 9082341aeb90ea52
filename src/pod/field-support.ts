import type { BatchJobSpec } from '../api/batch-job.ts';
import type { ClusterSpec } from '../api/cluster.ts';
import type { ContainerDefinition } from '../api/container-definition.ts';
import type { ServiceSpec } from '../api/service.ts';
import type { FieldSupport } from '../api/status.ts';
import type { TaskDefinitionSpec } from '../api/task-definition.ts';
import { userIds } from './security.ts';

type Report = Omit<FieldSupport, 'field'>;

/** A field without an entry works as on AWS. */
type Table<T> = { readonly [Field in keyof T]?: (value: T) => Report | undefined };

const approximated = (reason: string): Report => ({ support: 'Approximated', reason });
const ignored = (reason: string): Report => ({ support: 'Ignored', reason });

const notYet = (): Report => ignored('not honoured yet');

/** What becomes of each container field that is not honoured exactly. */
const CONTAINER: Table<ContainerDefinition> = {
  repositoryCredentials: notYet,
  restartPolicy: notYet,
  environmentFiles: notYet,
  secrets: notYet,
  startTimeout: notYet,
  systemControls: notYet,
  resourceRequirements: notYet,
  linuxParameters: notYet,
  firelensConfiguration: notYet,
  credentialSpecs: notYet,
  dockerSecurityOptions: notYet,
  dnsServers: notYet,
  dnsSearchDomains: notYet,
  extraHosts: notYet,
  disableNetworking: ({ disableNetworking }) => (disableNetworking ? notYet() : undefined),
  portMappings: ({ portMappings }) =>
    portMappings.some(({ containerPortRange }) => containerPortRange !== undefined)
      ? ignored('containerPortRange is not mapped yet')
      : undefined,
  links: () =>
    approximated(
      'containers of a task share one network: the link name resolves to 127.0.0.1, and two containers cannot use one port; a name with _ does not resolve',
    ),
  dependsOn: ({ dependsOn }) =>
    dependsOn.length === 0
      ? undefined
      : approximated(
          'starts in this order; where it waits for START alone it also starts after a container that failed to start; containers of a task are stopped together, not in reverse order',
        ),
  user: ({ user = '' }) => {
    const { uid, gid } = userIds(user);
    if (uid === undefined)
      return ignored(`Kubernetes takes numeric users only: the image decides who "${user}" is; give its number`);
    if (gid === undefined && user.includes(':'))
      return approximated('Kubernetes takes numeric groups only: the image decides the group');
    return undefined;
  },
  logConfiguration: ({ logConfiguration }) =>
    ignored(
      `log driver ${logConfiguration?.logDriver}: the cluster's log agent reads standard output; see the pod's annotations`,
    ),
  dockerLabels: () => approximated("kept as JSON in the pod's annotation longshore.dev/docker-labels"),
  ulimits: ({ ulimits }) =>
    ulimits?.length ? ignored('Kubernetes has no ulimits: the container runtime sets them') : undefined,
  hostname: () =>
    approximated(
      "a pod has one host name, a DNS label: that of the first container that sets one; with networkMode host the node's",
    ),
  healthCheck: () =>
    approximated(
      "a readiness probe runs the command; Docker's order of timeout and interval differs by less than one interval",
    ),
};

/** The same for task-level fields. */
const TASK: Table<TaskDefinitionSpec> = {
  pidMode: notYet,
  ipcMode: notYet,
  ephemeralStorage: notYet,
  runtimePlatform: notYet,
  proxyConfiguration: notYet,
  inferenceAccelerators: notYet,
  trustedExecutionConfiguration: notYet,
  enableFaultInjection: ({ enableFaultInjection }) => (enableFaultInjection ? notYet() : undefined),
  volumes: ({ volumes }) =>
    volumes.some((volume) => Object.keys(volume).some((kind) => /VolumeConfiguration$/.test(kind))) ||
    volumes.some(({ configuredAtLaunch }) => configuredAtLaunch)
      ? ignored('only host volumes are made yet: every other volume is an empty directory')
      : undefined,
  executionRoleArn: () =>
    ignored('images and logs need no AWS role here; use kubernetes.imagePullSecrets for private registries'),
  taskRoleArn: () =>
    ignored(
      'no mapping from a role to a ServiceAccount exists; set kubernetes.serviceAccountName on the Service or BatchJob',
    ),
  placementConstraints: ({ placementConstraints }) =>
    placementConstraints?.length
      ? ignored('cluster query language is not evaluated yet; use kubernetes.nodeSelector')
      : undefined,
  networkMode: ({ networkMode }) =>
    networkMode === 'none' ? ignored('pods always have a network; a NetworkPolicy can close it') : undefined,
  containerDefinitions: ({ containerDefinitions }) =>
    new Set(containerDefinitions.map(({ stopTimeout }) => stopTimeout)).size > 1
      ? approximated('a pod has one grace period: the longest stopTimeout of its containers')
      : undefined,
};

const SERVICE: Table<ServiceSpec> = {
  cluster: () => ignored('the namespace stands for the cluster'),
  launchType: () =>
    ignored('the nodes of this cluster run every task; use kubernetes.nodeSelector to choose among them'),
  tags: () => ignored('tags have no use here yet; kubernetes.podLabels labels the tasks'),
};

const JOB: Table<BatchJobSpec> = {
  jobQueue: () =>
    ignored('queues do not order jobs yet: the job starts at once; its containers get the name as AWS_BATCH_JQ_NAME'),
};

const CLUSTER: Table<ClusterSpec> = {
  settings: () =>
    ignored('there is no CloudWatch here: Prometheus scrapes the operator, and the cluster the containers'),
  configuration: () => ignored('kubectl exec takes the place of ECS Exec; StorageClasses say how storage is encrypted'),
  capacityProviders: () => ignored('the nodes of this cluster run every task; use kubernetes.nodeSelector'),
  defaultCapacityProviderStrategy: () =>
    ignored('the nodes of this cluster run every task; use kubernetes.nodeSelector'),
  serviceConnectDefaults: () => ignored('Service Connect is not there yet'),
  tags: () => ignored('tags of a cluster have no use here'),
};

export const clusterFieldSupport = (spec: ClusterSpec): FieldSupport[] => [
  ...reports(CLUSTER, spec, 'spec'),
  ...reports<ClusterSpec['mappings']>(
    { alarms: () => ignored('alarms are not evaluated yet') },
    spec.mappings,
    'spec.mappings',
  ),
];

export const serviceFieldSupport = (spec: ServiceSpec): FieldSupport[] => reports(SERVICE, spec, 'spec');

export const jobFieldSupport = (spec: BatchJobSpec): FieldSupport[] => reports(JOB, spec, 'spec');

/** Every field given that is not honoured exactly, in the order of the definition (design §1). */
export function fieldSupport(spec: TaskDefinitionSpec): FieldSupport[] {
  const task = reports(TASK, spec, 'spec');
  const containers = spec.containerDefinitions.flatMap((container, index) =>
    reports(CONTAINER, container, `spec.containerDefinitions[${index}]`),
  );
  return [...task, ...containers];
}

function reports<T extends object>(table: Table<T>, value: T, path: string): FieldSupport[] {
  return (Object.keys(value) as (keyof T & string)[]).flatMap((field) => {
    const given = value[field];
    if (given === undefined || (typeof given === 'object' && given !== null && Object.keys(given).length === 0))
      return [];
    const report = table[field]?.(value);
    return report === undefined ? [] : [{ field: `${path}.${field}`, ...report }];
  });
}
