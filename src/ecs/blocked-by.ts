/** Names the rule that holds the next step of a rollout back (`status.deployments[].blockedBy`). */
export function whatBlocks(at: {
  broken: boolean;
  throttled?: { failures: number; until?: number };
  missing: number;
  startable: number;
  live: number;
  max: number;
  healthy: number;
  min: number;
  healthyOld: number;
  coming: number;
  actions: number;
}): string {
  if (at.broken) return 'cannot start: the circuit breaker has given this deployment up';
  if (at.throttled !== undefined) {
    return `cannot start: throttled until ${new Date(at.throttled.until ?? 0).toISOString()} after ${at.throttled.failures} tasks that never ran`;
  }
  if (at.actions > 0) return '';
  if (at.startable < at.missing) {
    const start = `cannot start: ${at.live} tasks = upper bound ${at.max}`;
    return at.healthyOld > 0 ? `${start}; cannot stop: ${at.healthy} healthy = lower bound ${at.min}` : start;
  }
  if (at.coming > 0) return `waiting for ${at.coming} new tasks to become healthy`;
  return at.healthyOld > 0 ? `cannot stop: ${at.healthy} healthy = lower bound ${at.min}` : '';
}
