/** What the pod of a task needs so that it can stand in the traffic, and leave it without losing any. */
import type { V1Container, V1PodSpec } from '@kubernetes/client-node';
import { type Membership, pauseOf, trafficLabel } from '../traffic/registration.ts';
import type { TaskContext } from './task-context.ts';

export const membership = ({ start }: TaskContext): Membership =>
  start.regular.every(({ essential }) => essential) ? 'selected' : 'listed';

export const trafficLabels = (task: TaskContext): Record<string, string> =>
  Object.fromEntries(
    [...task.registrations.map(({ service }) => service), ...task.names].map((service) => [
      trafficLabel(service),
      membership(task),
    ]),
  );

/** Seconds. */
export const trafficPause = ({ registrations }: TaskContext): number => pauseOf(registrations);

/**
 * Before its SIGTERM each container goes on while the end of its pod gets about, whoever ends it, and whether the
 * operator is there or not.
 */
export function pause(task: TaskContext): Pick<V1Container, 'lifecycle'> {
  const seconds = trafficPause(task);
  return seconds === 0 ? {} : { lifecycle: { preStop: { sleep: { seconds } } } };
}

/** Conditions of the pod that somebody else sets. */
export function readinessGates({ registrations }: TaskContext): Pick<V1PodSpec, 'readinessGates'> {
  const types = registrations.flatMap(({ targetGroup }) => targetGroup?.readinessGate ?? []);
  return types.length === 0 ? {} : { readinessGates: types.map((conditionType) => ({ conditionType })) };
}
