/** In which order containers start and stop, whether they are well, and what happens when they end. */
import type { ContainerDefinition } from '../../api/container-definition.ts';
import type { TaskDefinitionSpec } from '../../api/task-definition.ts';
import { ECS } from '../../aws-model/model.ts';
import { approximated, BY_ITS_FIELDS, conditional, exact, ignored, type Topic, whole } from './entry.ts';
import { HEALTH, ORDER, ORDER_FAILED, ORDER_HEALTHY, ORDER_INIT, START_TIMEOUT, STOP_TIMEOUT } from './proofs.ts';

const notYet = ignored('not honoured yet');

export const health: Topic = {
  ContainerDefinition: {
    dependsOn: BY_ITS_FIELDS,
    startTimeout: exact(START_TIMEOUT),
    stopTimeout: conditional(
      {
        'it is the longest of the task': exact(STOP_TIMEOUT),
        'another is longer': approximated('a pod has one grace period: the longest stopTimeout of its containers'),
      },
      ({ stopTimeout }: ContainerDefinition, { containerDefinitions }: TaskDefinitionSpec) =>
        containerDefinitions.every((other) => other.stopTimeout <= stopTimeout)
          ? 'it is the longest of the task'
          : 'another is longer',
    ),
    healthCheck: BY_ITS_FIELDS,
    restartPolicy: notYet,
  },
  ContainerDependency: {
    containerName: approximated('containers of a task are stopped together, not in reverse order', ORDER),
    condition: conditional(
      {
        START: approximated('it also starts after a container that failed to start', ORDER),
        COMPLETE: exact(ORDER),
        SUCCESS: exact(ORDER, ORDER_INIT, ORDER_FAILED),
        HEALTHY: exact(ORDER_HEALTHY),
      },
      ({ condition }: ContainerDefinition['dependsOn'][number]) => condition,
    ),
  },
  HealthCheck: {
    command: exact(HEALTH),
    interval: approximated(
      'counted from the start of a check, as a readiness probe does; Docker counts from its end, so the two differ by how long a check takes',
      HEALTH,
    ),
    timeout: exact(HEALTH),
    retries: exact(HEALTH),
    startPeriod: approximated(
      'the container is UNHEALTHY when no check has passed by the end of startPeriod and retries × interval after it',
      HEALTH,
    ),
  },
  ...whole(ECS, notYet, 'ContainerRestartPolicy'),
};
