/** How a task that stops leaves its target groups: deregistered, then let go on for the requests that it has (`ecs-semantics §3.10`). */
import { endedEssential, type Task } from './task.ts';

/** What of a target decides its drain. */
export interface Draining extends Task {
  /** It has been told to end. */
  readonly terminating?: true;
  /** Milliseconds that its containers wait before their SIGTERM, whoever ends the task. */
  readonly pauseMs?: number;
}

/** It serves requests, or did a moment ago: one whose essential container has ended, or that never ran, has none to finish. */
export const servesTargets = (task: Task): boolean =>
  endedEssential(task) === undefined &&
  task.containers.some(
    ({ status, endpoints = [] }) => status === 'RUNNING' && endpoints.some(({ arn }) => arn !== undefined),
  );

/** When a task that drains is to be told to end, so that its SIGTERM comes when the delay is over. Epoch milliseconds. */
export const endsDrainAt = (drainingUntil: number, { pauseMs = 0 }: Draining): number => drainingUntil - pauseMs;

/** When the drain of a task ends; undefined where it does not drain, or has been told to end. Epoch milliseconds. */
export function drainEndDue(task: Draining, now: number): number | undefined {
  if (task.drainingUntil === undefined || task.terminating || task.ended) return undefined;
  return servesTargets(task) ? endsDrainAt(task.drainingUntil, task) : now;
}
