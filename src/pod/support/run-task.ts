/** RunTask. */
import type { TaskSpec } from '../../api/task.ts';
import { ECS } from '../../aws-model/model.ts';
import { approximated, BY_ITS_FIELDS, conditional, exact, ignored, refused, type Topic, whole } from './entry.ts';
import {
  RUN_TASK_COUNT,
  RUN_TASK_NO_ROOM,
  RUN_TASK_OVERRIDES,
  RUN_TASK_PINNED,
  RUN_TASK_STARTED_BY,
  RUN_TASK_VOLUME,
} from './proofs.ts';
import { ofTheTask } from './resources.ts';
import { managedEbsVolume } from './volumes.ts';

const withdrawn = refused('AWS no longer offers Elastic Inference');
const asAnnotation = approximated(
  'on a task they are JSON in the annotation longshore.dev/tags; kubernetes.podLabels gives it labels',
  RUN_TASK_STARTED_BY,
);

export const runTask: Topic = {
  RunTaskRequest: {
    taskDefinition: exact(RUN_TASK_PINNED),
    cluster: ignored('the namespace stands for the cluster'),
    count: exact(RUN_TASK_COUNT),
    overrides: BY_ITS_FIELDS,
    group: exact(RUN_TASK_STARTED_BY),
    startedBy: exact(RUN_TASK_STARTED_BY),
    launchType: approximated(
      'the nodes of this cluster run every task; with EC2 one that no node has room for has failed, with FARGATE it waits',
      RUN_TASK_NO_ROOM,
    ),
    capacityProviderStrategy: approximated(
      'the nodes of this cluster run every task; with a strategy one that no node has room for waits',
      RUN_TASK_NO_ROOM,
    ),
    platformVersion: ignored('the nodes of this cluster run every task: there is no Fargate platform'),
    networkConfiguration: ignored(
      'tasks get their addresses from the network of this cluster; a NetworkPolicy takes the place of security groups',
    ),
    placementConstraints: BY_ITS_FIELDS,
    placementStrategy: BY_ITS_FIELDS,
    enableExecuteCommand: ignored('kubectl exec enters every container, as far as the rights of its user allow'),
    enableECSManagedTags: asAnnotation,
    propagateTags: conditional(
      { 'it is NONE': exact(RUN_TASK_STARTED_BY), 'it is another': asAnnotation },
      ({ propagateTags }: TaskSpec) => (propagateTags === 'NONE' ? 'it is NONE' : 'it is another'),
    ),
    tags: asAnnotation,
    referenceId: ignored('it stays on the object, and nothing uses it'),
    clientToken: ignored('the name of the object makes a repeated apply harmless'),
    volumeConfigurations: BY_ITS_FIELDS,
  },
  TaskOverride: {
    containerOverrides: BY_ITS_FIELDS,
    cpu: ofTheTask,
    memory: ofTheTask,
    ephemeralStorage: BY_ITS_FIELDS,
    executionRoleArn: ignored(
      'images, logs and secrets need no AWS role here: repositoryCredentials and secrets are Secrets of the namespace',
    ),
    taskRoleArn: conditional(
      {
        'spec.kubernetes names a ServiceAccount': ignored('tasks run as the ServiceAccount that spec.kubernetes names'),
        'it names none': approximated(
          "tasks run as the ServiceAccount that the Cluster's mappings.roles name, and may what that may; without a mapping they run without the role, and the condition ResolvedRefs says so",
        ),
      },
      (_overrides: object, { kubernetes }: TaskSpec) =>
        kubernetes?.serviceAccountName === undefined ? 'it names none' : 'spec.kubernetes names a ServiceAccount',
    ),
    inferenceAcceleratorOverrides: withdrawn,
  },
  ContainerOverride: {
    name: exact(RUN_TASK_OVERRIDES),
    command: exact(RUN_TASK_OVERRIDES),
    environment: BY_ITS_FIELDS,
    environmentFiles: BY_ITS_FIELDS,
    cpu: exact(RUN_TASK_OVERRIDES),
    memory: exact(RUN_TASK_OVERRIDES),
    memoryReservation: approximated(
      'reserved on the node; when the node runs short, the kernel does not push the container back to it, the kubelet evicts tasks',
    ),
    resourceRequirements: BY_ITS_FIELDS,
  },
  ...whole(ECS, withdrawn, 'InferenceAcceleratorOverride'),
  TaskVolumeConfiguration: {
    name: approximated(
      "the volume is a PersistentVolumeClaim of the task, which is deleted with its pod: only when the Cluster's retention is over",
      RUN_TASK_VOLUME,
    ),
    managedEBSVolume: BY_ITS_FIELDS,
  },
  TaskManagedEBSVolumeConfiguration: { ...managedEbsVolume, terminationPolicy: BY_ITS_FIELDS },
  TaskManagedEBSVolumeTerminationPolicy: {
    deleteOnTermination: conditional(
      {
        'it is true': exact(RUN_TASK_VOLUME),
        'it is false': ignored('the claim is deleted with its pod; take what is to stay from it before'),
      },
      ({ deleteOnTermination }: { readonly deleteOnTermination: boolean }) =>
        deleteOnTermination ? 'it is true' : 'it is false',
    ),
  },
};
