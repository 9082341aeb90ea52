/** CPU, memory and other resources. */
import { ECS } from '../../aws-model/model.ts';
import { approximated, exact, ignored, type Topic, whole } from './entry.ts';
import { RESOURCES } from './proofs.ts';

const notYet = ignored('not honoured yet');
const ulimits = ignored('Kubernetes has no ulimits: the container runtime sets them');

export const resources: Topic = {
  RegisterTaskDefinitionRequest: {
    cpu: exact(RESOURCES),
    memory: exact(RESOURCES),
    inferenceAccelerators: notYet,
  },
  ContainerDefinition: {
    cpu: exact(RESOURCES),
    memory: exact(RESOURCES),
    memoryReservation: approximated(
      'reserved on the node; when the node runs short, the kernel does not push the container back to it, the kubelet evicts tasks',
    ),
    resourceRequirements: notYet,
    ulimits,
  },
  ...whole(ECS, ulimits, 'Ulimit'),
  ...whole(ECS, notYet, 'InferenceAccelerator', 'ResourceRequirement', 'SharingStrategy', 'NvidiaMpsAllocation'),
};
