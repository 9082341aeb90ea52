/** The container of a Batch job: its fields become those of a task definition, and fare as those do. */
import type { BatchTaskContainer, BatchTaskProperties } from '../../api/batch-ecs-properties.ts';
import type { BatchJobSpec } from '../../api/batch-job.ts';
import type { BatchContainerOverrides } from '../../api/batch-overrides.ts';
import { BATCH } from '../../aws-model/model.ts';
import { firelens, logging } from './annotations.ts';
import {
  approximated,
  BY_ITS_FIELDS,
  conditional,
  type Entry,
  exact,
  ignored,
  refused,
  type Table,
  type Topic,
  whole,
} from './entry.ts';
import { environment } from './environment.ts';
import { dependencyCase, health, ON_START } from './health.ts';
import { placement } from './placement.ts';
import {
  HOST_NETWORK,
  JOB_CONTAINER,
  JOB_CONTAINERS,
  JOB_DEFINITION,
  JOB_GPU,
  JOB_IMAGE,
  NETWORK,
  ORDER,
  ORDER_FAILED,
  ROLE,
  SECRETS,
  START_TIMEOUT,
  STOP_TIMEOUT,
} from './proofs.ts';
import { ulimits } from './resources.ts';
import { devices, security, userBy } from './security.ts';
import { volumes } from './volumes.ts';

/** What a topic of ECS says of a field. */
function ofEcs(topic: Topic, structure: string, field: string): Entry {
  const entry = topic[structure]?.[field];
  if (entry === undefined) throw new Error(`no topic says what becomes of ${structure}.${field}`);
  return entry;
}

const fieldsOfEcs = (topic: Topic, structure: string, ...fields: readonly string[]): Table =>
  Object.fromEntries(fields.map((field) => [field, ofEcs(topic, structure, field)]));

const NO_VPC = ignored(
  'jobs get their addresses from the network of this cluster; a NetworkPolicy takes the place of security groups',
);
const platform = ignored('the nodes of this cluster run every job: there is no Fargate platform');
const execute = ignored('kubectl exec enters every container, as far as the rights of its user allow');
export const ofSeveralNodes = refused('it is of jobs of several nodes (multinode), which are not taken');

const role = conditional(
  {
    'spec.kubernetes names a ServiceAccount': ignored('the job runs as the ServiceAccount that spec.kubernetes names'),
    'it names none': approximated(
      "the job runs as the ServiceAccount that the Cluster's mappings.roles name, and may what that may; without a mapping it runs without the role, and the condition ResolvedRefs says so",
      ROLE,
    ),
  },
  (_: object, { kubernetes }: BatchJobSpec) =>
    kubernetes?.serviceAccountName === undefined ? 'it names none' : 'spec.kubernetes names a ServiceAccount',
);

const containersOf = ({ ecsProperties }: BatchJobSpec): readonly BatchTaskContainer[] =>
  ecsProperties?.taskProperties[0]?.containers ?? [];

/** Of AWS too: vcpus and memory of SubmitJob change nothing where the definition has resourceRequirements. */
const olderOverride = (field: 'vcpus' | 'memory'): Entry =>
  conditional(
    {
      'the definition has the older form as well, or is a task definition': exact(JOB_DEFINITION),
      'the definition has resourceRequirements, or SubmitJob has': ignored(
        'resourceRequirements decide, as on AWS: only those of SubmitJob take their place',
      ),
    },
    (overrides: BatchContainerOverrides, { containerProperties }: BatchJobSpec) => {
      const type = field === 'vcpus' ? 'VCPU' : 'MEMORY';
      const isTaken = containerProperties === undefined || containerProperties[field] !== undefined;
      return isTaken && overrides.resourceRequirements.every((requirement) => requirement.type !== type)
        ? 'the definition has the older form as well, or is a task definition'
        : 'the definition has resourceRequirements, or SubmitJob has';
    },
  );

/** What containerProperties and the containers of ecsProperties both have. */
const common: Table = {
  image: exact(JOB_IMAGE),
  command: exact(JOB_CONTAINER),
  environment: BY_ITS_FIELDS,
  secrets: BY_ITS_FIELDS,
  resourceRequirements: BY_ITS_FIELDS,
  repositoryCredentials: BY_ITS_FIELDS,
  user: userBy(JOB_CONTAINER),
  privileged: exact(JOB_CONTAINER),
  readonlyRootFilesystem: exact(JOB_CONTAINER),
  ulimits,
  linuxParameters: BY_ITS_FIELDS,
  mountPoints: BY_ITS_FIELDS,
  logConfiguration: logging,
};

/** What the task has, whichever properties describe it. */
const ofTask: Table = {
  executionRoleArn: ofEcs(environment, 'RegisterTaskDefinitionRequest', 'executionRoleArn'),
  ephemeralStorage: BY_ITS_FIELDS,
  runtimePlatform: BY_ITS_FIELDS,
  volumes: BY_ITS_FIELDS,
  networkConfiguration: NO_VPC,
  enableExecuteCommand: execute,
};

export const jobContainer: Topic = {
  ContainerProperties: {
    ...common,
    ...ofTask,
    jobRoleArn: role,
    vcpus: exact(JOB_CONTAINER),
    memory: exact(JOB_CONTAINER),
    fargatePlatformConfiguration: platform,
    instanceType: ofSeveralNodes,
  },
  EcsProperties: { taskProperties: BY_ITS_FIELDS },
  EcsTaskProperties: {
    ...ofTask,
    containers: BY_ITS_FIELDS,
    taskRoleArn: role,
    networkMode: conditional(
      {
        awsvpc: exact(NETWORK),
        bridge: approximated('containers of a job share one network, so two of them cannot listen on one port'),
        host: exact(HOST_NETWORK),
        none: ignored('pods always have a network; a NetworkPolicy can close it'),
      },
      ({ networkMode }: BatchTaskProperties) => networkMode ?? 'awsvpc',
    ),
    pidMode: ofEcs(security, 'RegisterTaskDefinitionRequest', 'pidMode'),
    ipcMode: ofEcs(security, 'RegisterTaskDefinitionRequest', 'ipcMode'),
    platformVersion: platform,
  },
  TaskContainerProperties: {
    ...common,
    name: exact(JOB_CONTAINERS),
    essential: exact(JOB_CONTAINERS),
    dependsOn: BY_ITS_FIELDS,
    startTimeout: exact(START_TIMEOUT),
    stopTimeout: conditional(
      {
        'it is the longest of the job': exact(STOP_TIMEOUT),
        'another is longer': approximated('a pod has one grace period: the longest stopTimeout of its containers'),
      },
      ({ stopTimeout }: BatchTaskContainer, spec: BatchJobSpec) =>
        containersOf(spec).every((other) => other.stopTimeout <= stopTimeout)
          ? 'it is the longest of the job'
          : 'another is longer',
    ),
    firelensConfiguration: firelens,
  },
  TaskContainerDependency: {
    containerName: ofEcs(health, 'ContainerDependency', 'containerName'),
    condition: conditional(
      {
        ...ON_START,
        COMPLETE: exact(ORDER),
        SUCCESS: exact(JOB_CONTAINERS, ORDER_FAILED),
      },
      ({ condition, containerName }: BatchTaskContainer['dependsOn'][number], spec: BatchJobSpec) =>
        dependencyCase(condition, containerName, containersOf(spec)),
    ),
  },
  EcsPropertiesOverride: { taskProperties: BY_ITS_FIELDS },
  TaskPropertiesOverride: { containers: BY_ITS_FIELDS },
  TaskContainerOverrides: {
    name: exact(JOB_CONTAINERS),
    command: exact(JOB_CONTAINERS),
    environment: BY_ITS_FIELDS,
    resourceRequirements: BY_ITS_FIELDS,
  },
  ContainerOverrides: {
    command: exact(JOB_CONTAINER),
    environment: BY_ITS_FIELDS,
    resourceRequirements: BY_ITS_FIELDS,
    vcpus: olderOverride('vcpus'),
    memory: olderOverride('memory'),
    instanceType: ofSeveralNodes,
  },
  KeyValuePair: { name: exact(JOB_CONTAINER), value: exact(JOB_CONTAINER) },
  ResourceRequirement: {
    type: exact(JOB_CONTAINER, JOB_GPU),
    value: exact(JOB_CONTAINER, JOB_GPU),
  },
  Secret: { name: exact(SECRETS, JOB_DEFINITION), valueFrom: ofEcs(environment, 'Secret', 'valueFrom') },
  RepositoryCredentials: fieldsOfEcs(environment, 'RepositoryCredentials', 'credentialsParameter'),
  Volume: {
    ...fieldsOfEcs(volumes, 'Volume', 'name'),
    host: BY_ITS_FIELDS,
    efsVolumeConfiguration: BY_ITS_FIELDS,
    s3filesVolumeConfiguration: BY_ITS_FIELDS,
  },
  Host: { sourcePath: exact(JOB_CONTAINER) },
  MountPoint: {
    sourceVolume: exact(JOB_CONTAINER),
    containerPath: exact(JOB_CONTAINER),
    readOnly: exact(JOB_CONTAINER),
  },
  EFSVolumeConfiguration: fieldsOfEcs(
    volumes,
    'EFSVolumeConfiguration',
    'fileSystemId',
    'rootDirectory',
    'transitEncryption',
    'transitEncryptionPort',
    'authorizationConfig',
  ),
  EFSAuthorizationConfig: fieldsOfEcs(volumes, 'EFSAuthorizationConfig', 'accessPointId', 'iam'),
  S3FilesVolumeConfiguration: fieldsOfEcs(
    volumes,
    'S3FilesVolumeConfiguration',
    'fileSystemArn',
    'rootDirectory',
    'transitEncryptionPort',
    'accessPointArn',
  ),
  EphemeralStorage: fieldsOfEcs(volumes, 'EphemeralStorage', 'sizeInGiB'),
  RuntimePlatform: fieldsOfEcs(placement, 'RuntimePlatform', 'cpuArchitecture', 'operatingSystemFamily'),
  LinuxParameters: {
    ...fieldsOfEcs(
      security,
      'LinuxParameters',
      'initProcessEnabled',
      'sharedMemorySize',
      'tmpfs',
      'maxSwap',
      'swappiness',
    ),
    devices: conditional(
      {
        'the container is privileged': approximated('it has all devices of the node, at their own paths'),
        'it is not': devices,
      },
      (parameters: object, spec: BatchJobSpec) =>
        [spec.containerProperties, ...containersOf(spec)].some(
          (container) => container?.linuxParameters === parameters && container.privileged,
        )
          ? 'the container is privileged'
          : 'it is not',
    ),
  },
  Tmpfs: fieldsOfEcs(security, 'Tmpfs', 'containerPath', 'size', 'mountOptions'),
  ...whole(BATCH, devices, 'Device'),
  ...whole(BATCH, ulimits, 'Ulimit'),
  ...whole(BATCH, logging, 'LogConfiguration'),
  ...whole(BATCH, firelens, 'FirelensConfiguration'),
  ...whole(BATCH, NO_VPC, 'NetworkConfiguration'),
  ...whole(BATCH, platform, 'FargatePlatformConfiguration'),
};
