/** How a task that stops leaves its target groups: deregistered, then let go on for the requests that it has (`ecs-semantics §3.10`). */
import { type Container, endedEssential, type Task } from './task.ts';

/** What of a target decides its drain. */
export interface Draining extends Task {
  /** It has been told to end. */
  readonly terminating?: true;
  /** Milliseconds that its containers wait before their SIGTERM, whoever ends the task. */
  readonly pauseMs?: number;
}

const targetsOf = ({ containers }: Task): readonly Container[] =>
  containers.filter(
    ({ status, endpoints = [] }) => status === 'RUNNING' && endpoints.some(({ arn }) => arn !== undefined),
  );

/**
 * It gets requests, so that it has some to finish. ELB waits for targets that have connections, and for no others: one that is
 * not healthy gets none, and one whose essential container has ended answers none.
 */
export const getsRequests = (task: Task): boolean =>
  endedEssential(task) === undefined && targetsOf(task).some(({ ready }) => ready);

/** When a task that drains is to be told to end, so that its SIGTERM comes when the delay is over. Epoch milliseconds. */
export const endsDrainAt = (drainingUntil: number, { pauseMs = 0 }: Draining): number => drainingUntil - pauseMs;

/** When the drain of a task ends; undefined where it does not drain, or has been told to end. Epoch milliseconds. */
export function drainEndDue(task: Draining, now: number): number | undefined {
  if (task.drainingUntil === undefined || task.terminating || task.ended) return undefined;
  // What it says of its health while it drains is no reason to end it early.
  const mayAnswer = endedEssential(task) === undefined && targetsOf(task).length > 0;
  return mayAnswer ? endsDrainAt(task.drainingUntil, task) : now;
}
