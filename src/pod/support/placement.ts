/** Which nodes a task may run on, and which of them it prefers. */
import { parseClusterQuery } from '../../api/cluster-query.ts';
import type { PlacementConstraint, PlacementStrategy } from '../../api/placement.ts';
import type { ServiceSpec } from '../../api/service.ts';
import type { TaskSpec } from '../../api/task.ts';
import type { RuntimePlatform } from '../../api/task-definition-fields.ts';
import { compileConstraints } from '../placement-constraints.ts';
import { usesTaskGroups } from '../placement-query.ts';
import { approximated, BY_ITS_FIELDS, conditional, exact, type Topic } from './entry.ts';
import {
  BINPACK,
  DISTINCT_INSTANCE,
  MEMBER_OF,
  NO_WORD,
  PLACEMENT,
  RUN_TASK_DISTINCT,
  RUN_TASK_SPREAD,
  SPREAD,
} from './proofs.ts';

const expression = conditional(
  {
    'it is about nodes alone': exact(MEMBER_OF),
    'it is about task groups': approximated(
      'not (task:group == NAME) also keeps later tasks of that group off the node, as anti-affinity of Kubernetes holds both ways; a task that is stopping still keeps others off its node, until it has ended',
    ),
    'the scheduler has no word for it': approximated(
      'no task starts; the condition PlacementNotSupported names what cannot be kept, and what can be used instead',
      NO_WORD,
    ),
  },
  ({ expression: text = '' }: { readonly expression?: string | undefined }) => {
    const query = parseClusterQuery(text);
    if ('error' in query) return 'it is about nodes alone';
    const { problems } = compileConstraints({
      definition: [{ type: 'memberOf', expression: text }],
      owner: [],
      group: '',
    });
    if (problems.length > 0) return 'the scheduler has no word for it';
    return usesTaskGroups(query) ? 'it is about task groups' : 'it is about nodes alone';
  },
);

const strategy = {
  'it is spread': approximated(
    'the scheduler prefers nodes with fewer tasks of the same deployment or group, and weighs that against free CPU and memory; of several strategies the first does not always win; nodes without the label of an attribute get tasks last',
    SPREAD,
    RUN_TASK_SPREAD,
  ),
  'it is binpack with kubernetes.schedulerName': approximated(
    'that scheduler chooses the node; whether it prefers full ones is not known here',
  ),
  'it is binpack without': approximated(
    'the schedulers of --binpack-scheduler prefer nodes with the largest share of CPU or memory taken, where ECS goes by the amount left; without that option the default scheduler prefers nodes with much of both free',
    BINPACK,
  ),
  'it is random': approximated('the scheduler chooses the node, at random among equally good ones'),
};

const strategyCase = ({ type }: PlacementStrategy, { kubernetes }: ServiceSpec | TaskSpec): keyof typeof strategy => {
  if (type !== 'binpack') return type === 'spread' ? 'it is spread' : 'it is random';
  return kubernetes?.schedulerName === undefined
    ? 'it is binpack without'
    : 'it is binpack with kubernetes.schedulerName';
};

export const placement: Topic = {
  RegisterTaskDefinitionRequest: { placementConstraints: BY_ITS_FIELDS, runtimePlatform: BY_ITS_FIELDS },
  CreateServiceRequest: { placementConstraints: BY_ITS_FIELDS, placementStrategy: BY_ITS_FIELDS },
  TaskDefinitionPlacementConstraint: { type: exact(MEMBER_OF), expression },
  PlacementConstraint: {
    type: conditional(
      {
        'it is memberOf': exact(MEMBER_OF),
        'it is distinctInstance': approximated(
          'a task that is stopping still has its node to itself until it has ended; on ECS a new task may start beside it',
          DISTINCT_INSTANCE,
          RUN_TASK_DISTINCT,
        ),
      },
      ({ type }: PlacementConstraint) => (type === 'memberOf' ? 'it is memberOf' : 'it is distinctInstance'),
    ),
    expression,
  },
  PlacementStrategy: { type: conditional(strategy, strategyCase), field: conditional(strategy, strategyCase) },
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
