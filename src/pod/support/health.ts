/** In which order containers start and stop, whether they are well, and what happens when they end. */
import type { ContainerDefinition } from '../../api/container-definition.ts';
import type { TaskDefinitionSpec } from '../../api/task-definition.ts';
import { approximated, BY_ITS_FIELDS, conditional, exact, ignored, type Topic, type Verdict } from './entry.ts';
import {
  HEALTH,
  ORDER,
  ORDER_FAILED,
  ORDER_HEALTHY,
  ORDER_INIT,
  ORDER_START_FAILED,
  RESTART,
  START_TIMEOUT,
  STOP_TIMEOUT,
} from './proofs.ts';

const noRules = ignored('the cluster does not restart single containers: Kubernetes 1.35 does');

/** What differs where the cluster has restart rules. */
const restarting = (verdict: Verdict) =>
  conditional(
    { 'the cluster has container restart rules': verdict, 'the cluster has none': noRules },
    (_policy: object, _spec: object, { containerRestartRules }) =>
      containerRestartRules ? 'the cluster has container restart rules' : 'the cluster has none',
  );

/** Of a task's dependencies as of a job's: what START comes to. */
export const ON_START = {
  'START, of an essential container': approximated(
    'where that one fails to start, the container that waits for it may run until the operator has stopped the task',
    ORDER,
  ),
  'START, of another': exact(ORDER_START_FAILED),
};

/** The case of a dependency on one of these containers. */
export function dependencyCase<Condition extends string>(
  condition: Condition,
  containerName: string,
  containers: readonly { readonly name: string; readonly essential: boolean }[],
) {
  if (condition !== 'START') return condition as Exclude<Condition, 'START'>;
  return containers.some(({ name, essential }) => name === containerName && essential)
    ? 'START, of an essential container'
    : 'START, of another';
}

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
    restartPolicy: BY_ITS_FIELDS,
  },
  ContainerDependency: {
    containerName: approximated('containers of a task are stopped together, not in reverse order', ORDER),
    condition: conditional(
      {
        ...ON_START,
        COMPLETE: exact(ORDER),
        SUCCESS: exact(ORDER, ORDER_INIT, ORDER_FAILED),
        HEALTHY: exact(ORDER_HEALTHY),
      },
      (
        { condition, containerName }: ContainerDefinition['dependsOn'][number],
        { containerDefinitions }: TaskDefinitionSpec,
      ) => dependencyCase(condition, containerName, containerDefinitions),
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
  ContainerRestartPolicy: {
    enabled: restarting(
      approximated(
        'the kubelet restarts it: at once, but a second time within 10 minutes after 10 s, then after twice as long, up to 5 minutes',
        RESTART,
      ),
    ),
    ignoredExitCodes: restarting(exact(RESTART)),
    restartAttemptPeriod: restarting(
      approximated(
        'the kubelet also restarts it after a shorter run: an essential container then ends the task as soon as the operator sees it, another runs on',
        RESTART,
      ),
    ),
  },
};
