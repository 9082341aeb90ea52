/** Questions that tests of services ask of a recorded namespace. */
import type { ServiceDeploymentStatus, StoppedTask } from '../../src/api/service.ts';
import { isWanted, taskIdOf } from './invariants.ts';
import type { NamespaceHistory, Pod, Service } from './recorder.ts';

export const readyCondition = (object: { status?: { conditions?: readonly { type: string }[] } } | undefined) =>
  object?.status?.conditions?.find(({ type }) => type === 'Ready') as
    | { type: string; status: string; reason: string; message: string; observedGeneration?: number }
    | undefined;

export const conditionOf = (
  object: { status?: { conditions?: readonly { type: string; status: string }[] } } | undefined,
  type: string,
): string | undefined => object?.status?.conditions?.find((condition) => condition.type === type)?.status;

/** Pods of the service that still exist, ended ones included, oldest first. */
export const podsOf = (history: NamespaceHistory, service: string): Pod[] =>
  history
    .all('pods')
    .filter(({ metadata }) => metadata.labels?.['longshore.dev/service'] === service)
    .sort((a, b) => (BigInt(a.metadata.resourceVersion) < BigInt(b.metadata.resourceVersion) ? -1 : 1));

export const runningPods = (history: NamespaceHistory, service: string): Pod[] =>
  podsOf(history, service).filter(isWanted);

/** The service once it is steady, has seen its newest spec and runs `count` tasks. */
export function steady(history: NamespaceHistory, name: string, count: number): Service | undefined {
  const service = history.get('services', name);
  const ready = readyCondition(service);
  return ready?.status === 'True' &&
    ready.reason === 'SteadyState' &&
    service?.status?.observedGeneration === service?.metadata.generation &&
    service?.status?.runningCount === count &&
    service.status.desiredCount === count
    ? service
    : undefined;
}

export const untilSteady = (
  history: NamespaceHistory,
  name: string,
  count: number,
  timeoutMs?: number,
): Promise<Service> =>
  history.until(`service ${name} to be steady with ${count} tasks`, () => steady(history, name, count), timeoutMs);

/** As `desired/pending/running`. */
export const countsOf = ({ desiredCount, pendingCount, runningCount }: ServiceDeploymentStatus): string =>
  `${desiredCount}/${pendingCount}/${runningCount}`;

export const messagesOf = (service: Service | undefined): string[] =>
  (service?.status?.events ?? []).map(({ message }) => message);

export const stoppedTaskOf = (service: Service | undefined, pod: Pod): StoppedTask | undefined =>
  service?.status?.stoppedTasks?.find(({ task }) => task === taskIdOf(pod));
