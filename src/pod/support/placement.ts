/** Which nodes a task may run on. */
import type { RuntimePlatform } from '../../api/task-definition-fields.ts';
import { ECS } from '../../aws-model/model.ts';
import { approximated, BY_ITS_FIELDS, conditional, exact, ignored, type Topic, whole } from './entry.ts';
import { PLACEMENT } from './proofs.ts';

const constraints = ignored('the cluster query language is not evaluated yet; use kubernetes.nodeSelector');

export const placement: Topic = {
  RegisterTaskDefinitionRequest: { placementConstraints: constraints, runtimePlatform: BY_ITS_FIELDS },
  ...whole(ECS, constraints, 'TaskDefinitionPlacementConstraint'),
  RuntimePlatform: {
    cpuArchitecture: exact(PLACEMENT),
    operatingSystemFamily: conditional(
      {
        'it is LINUX': exact(PLACEMENT),
        'it is a version of Windows': approximated(
          'nodes with its build of Windows are chosen; FULL and CORE are not told apart, and no such node was tried',
        ),
      },
      ({ operatingSystemFamily = 'LINUX' }: RuntimePlatform) =>
        operatingSystemFamily === 'LINUX' ? 'it is LINUX' : 'it is a version of Windows',
    ),
  },
};
