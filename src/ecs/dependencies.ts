/** dependsOn: what a container waits for, and what becomes of it when that can never come true (`ecs-semantics §1.5`). */
import type { Container, Dependency, Task } from './task.ts';

export type Gate =
  /** `until`: when a startTimeout runs out, epoch milliseconds. */
  | { readonly state: 'wait'; readonly until?: number }
  | { readonly state: 'open' }
  /** The container never runs: STOPPED with 143 and this reason. */
  | { readonly state: 'failed'; readonly reason: string };

/** What ECS's agent gives a container that its dependencies kept from running. */
export const DEPENDENCY_EXIT_CODE = 143;

const MET: Gate = { state: 'open' };
const UNMET: Gate = { state: 'wait' };

/** Whether a container that waits may start now. */
export function gateOf(container: Container, task: Task, now: number): Gate {
  let until: number | undefined;
  let waits = false;
  for (const dependency of container.dependsOn ?? []) {
    const target = task.containers.find(({ name }) => name === dependency.container);
    const gate =
      target === undefined ? neverMet(dependency, 'there is no such container') : edgeGate(dependency, target, now);
    if (gate.state === 'failed') return gate;
    if (gate.state === 'open') continue;
    waits = true;
    if (gate.until !== undefined) until = Math.min(until ?? Number.POSITIVE_INFINITY, gate.until);
  }
  if (!waits) return MET;
  return until === undefined ? UNMET : { state: 'wait', until };
}

function edgeGate(dependency: Dependency, target: Container, now: number): Gate {
  const { condition } = dependency;
  const { startedAt, finishedAt, exitCode, startTimeout } = target;
  const stopped = target.status === 'STOPPED';
  if (startedAt === undefined) {
    return stopped || target.startFailure !== undefined ? neverMet(dependency, 'it never started') : UNMET;
  }
  if (condition === 'START') return MET;
  const deadline = startTimeout === undefined ? undefined : startedAt + startTimeout * 1000;
  const late = (at: number): boolean => deadline !== undefined && at > deadline;
  if (stopped) {
    // A container that ends without having been healthy leaves those that wait for HEALTHY waiting.
    if (condition === 'HEALTHY') return UNMET;
    if (exitCode === undefined) return neverMet(dependency, 'it left no exit code');
    if (late(finishedAt ?? startedAt)) return timedOut(dependency, startTimeout);
    return condition === 'COMPLETE' || exitCode === 0 ? MET : neverMet(dependency, `it exited with ${exitCode}`);
  }
  if (condition === 'HEALTHY' && target.ready) return MET;
  if (late(now)) return timedOut(dependency, startTimeout);
  return deadline === undefined ? UNMET : { state: 'wait', until: deadline + 1 };
}

const timedOut = (dependency: Dependency, startTimeout: number | undefined): Gate =>
  neverMet(dependency, `its startTimeout of ${startTimeout} s is over`);

const neverMet = ({ container, condition }: Dependency, why: string): Gate => ({
  state: 'failed',
  reason: `CannotStartContainerError: dependency on container ${container} (${condition}) cannot be met: ${why}`,
});

/**
 * The task as ECS shows it: a container whose dependencies can never be met is STOPPED, and so are those behind it.
 * A task that is being stopped stays as it is: what has not started then simply never does.
 */
export function withFailedDependencies<T extends Task>(task: T, now: number): T {
  if (task.stopRequested || !task.containers.some(isHeld)) return task;
  let current = task;
  for (;;) {
    let failed: T | undefined;
    for (const container of current.containers) {
      const gate = isHeld(container) ? gateOf(container, current, now) : MET;
      if (gate.state !== 'failed') continue;
      const stopped: Container = { ...container, ...neverStarted(gate.reason) };
      failed = { ...current, containers: current.containers.map((one) => (one === container ? stopped : one)) };
      break;
    }
    if (failed === undefined) return current;
    current = failed;
  }
}

export const neverStarted = (reason: string) =>
  ({ status: 'STOPPED', exitCode: DEPENDENCY_EXIT_CODE, reason, startFailure: reason }) as const;

/** Its dependencies keep it from running, and nobody has given up on it. */
export const isHeld = ({ dependsOn, released, startedAt, startFailure, exitCode }: Container): boolean =>
  dependsOn !== undefined &&
  !released &&
  startedAt === undefined &&
  startFailure === undefined &&
  exitCode === undefined;
