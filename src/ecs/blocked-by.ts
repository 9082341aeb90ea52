/** Names the rule that holds the next step of a service back (`status.deployments[].blockedBy`). */

export interface Standstill {
  /** The deployment has been given up. */
  readonly broken: boolean;
  readonly throttled: { readonly failures: number; readonly until?: number } | undefined;
  /** The plan has a step to do. */
  readonly acts: boolean;
  /** A task is wanted that has no room. */
  readonly shortOfRoom: boolean;
  readonly live: number;
  readonly max: number;
  readonly healthy: number;
  readonly min: number;
  /** Healthy tasks that are to go: those that may be stopped, and those under protection. */
  readonly leaving: { readonly free: number; readonly protected: number };
  /** New tasks that no node takes. */
  readonly unplaceable: number;
  /** New tasks that are not healthy yet. */
  readonly coming: number;
  readonly stopping: number;
}

/** @returns empty where nothing holds it back. */
export function whatBlocks(at: Standstill): string {
  if (at.broken) return 'cannot start: the circuit breaker has given this deployment up';
  if (at.throttled !== undefined) {
    return `cannot start: throttled until ${new Date(at.throttled.until ?? 0).toISOString()} after ${at.throttled.failures} tasks that never ran`;
  }
  if (at.acts) return '';
  if (!at.shortOfRoom) return waitingForNew(at) || cannotStop(at) || waitingToStop(at);
  const start = `cannot start: ${at.live} tasks ${at.live > at.max ? '>' : '='} upper bound ${at.max}`;
  const then = cannotStop(at) || waitingForNew(at) || waitingToStop(at);
  return then === '' ? start : `${start}; ${then}`;
}

function waitingForNew({ unplaceable, coming }: Standstill): string {
  if (unplaceable > 0) return `waiting for a node that takes ${unplaceable} new tasks`;
  return coming > 0 ? `waiting for ${coming} new tasks to become healthy` : '';
}

function cannotStop({ leaving, healthy, min }: Standstill): string {
  if (leaving.free > 0 && healthy <= min)
    return `cannot stop: ${healthy} healthy ${healthy < min ? '<' : '='} lower bound ${min}`;
  return leaving.protected > 0 ? `cannot stop: ${leaving.protected} tasks under protection` : '';
}

const waitingToStop = ({ stopping }: Standstill): string =>
  stopping > 0 ? `waiting for ${stopping} tasks to stop` : '';
