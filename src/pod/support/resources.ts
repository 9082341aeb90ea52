/** CPU, memory and other resources. */
import type { ResourceRequirement } from '../../api/resource-requirement.ts';
import type { TaskDefinitionSpec } from '../../api/task-definition.ts';
import { ECS } from '../../aws-model/model.ts';
import { approximated, BY_ITS_FIELDS, conditional, exact, ignored, type Topic, whole } from './entry.ts';
import { PLACEMENT, RESOURCES, WITHOUT_POD_RESOURCES } from './proofs.ts';

export const ulimits = ignored('Kubernetes has no ulimits: the container runtime sets them');
const withdrawn = ignored('AWS no longer offers Elastic Inference');
const wholeGpus = ignored('only whole GPUs, by their number, can be asked of Kubernetes');

/** CPU and memory of a task as a whole. */
export const ofTheTask = conditional(
  {
    'the cluster has pod-level resources': exact(RESOURCES),
    'the cluster has none': approximated(
      'reserved by the containers together; each of them may use as much as the whole task',
      WITHOUT_POD_RESOURCES,
    ),
  },
  (_task: TaskDefinitionSpec, _spec, { podLevelResources }) =>
    podLevelResources ? 'the cluster has pod-level resources' : 'the cluster has none',
);

export const resources: Topic = {
  RegisterTaskDefinitionRequest: { cpu: ofTheTask, memory: ofTheTask, inferenceAccelerators: withdrawn },
  ContainerDefinition: {
    cpu: exact(RESOURCES),
    memory: exact(RESOURCES),
    memoryReservation: approximated(
      'reserved on the node; when the node runs short, the kernel does not push the container back to it, the kubelet evicts tasks',
    ),
    resourceRequirements: BY_ITS_FIELDS,
    ulimits,
  },
  ResourceRequirement: {
    type: conditional(
      {
        GPU: exact(PLACEMENT),
        InferenceAccelerator: withdrawn,
        NeuronDevice: ignored('only whole GPUs of NVIDIA are asked for, as nvidia.com/gpu'),
      },
      ({ type }: ResourceRequirement) => type,
    ),
    value: conditional(
      { 'it is a number of GPUs': exact(PLACEMENT), 'it is another': wholeGpus },
      ({ type, value = '' }: ResourceRequirement) =>
        type === 'GPU' && /^[1-9]\d*$/.test(value) ? 'it is a number of GPUs' : 'it is another',
    ),
    sharingStrategy: wholeGpus,
  },
  ...whole(ECS, ulimits, 'Ulimit'),
  ...whole(ECS, withdrawn, 'InferenceAccelerator'),
  ...whole(ECS, wholeGpus, 'SharingStrategy', 'NvidiaMpsAllocation'),
};
