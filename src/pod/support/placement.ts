/** Which nodes a task may run on. */
import { ECS } from '../../aws-model/model.ts';
import { ignored, type Topic, whole } from './entry.ts';

const notYet = ignored('not honoured yet; use kubernetes.nodeSelector');
const constraints = ignored('the cluster query language is not evaluated yet; use kubernetes.nodeSelector');

export const placement: Topic = {
  RegisterTaskDefinitionRequest: { placementConstraints: constraints, runtimePlatform: notYet },
  ...whole(ECS, constraints, 'TaskDefinitionPlacementConstraint'),
  ...whole(ECS, notYet, 'RuntimePlatform'),
};
