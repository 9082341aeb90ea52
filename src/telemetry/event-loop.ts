import type { Check } from './http.ts';

const TICK_MS = 1_000;

/**
 * Fails while the event loop stands still or turned too late the last time: what such a process has promised, timers
 * and renewals, does not happen. One late turn is over with the next.
 * @param limitMs how late a turn may be.
 */
export function eventLoopCheck(limitMs = 10_000, tickMs = TICK_MS): { readonly check: Check; stop(): void } {
  let turnedAt = performance.now();
  let lateMs = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    lateMs = now - turnedAt - tickMs;
    turnedAt = now;
  }, tickMs);
  timer.unref();
  return {
    check: () => {
      const ms = Math.max(lateMs, performance.now() - turnedAt - tickMs);
      return ms < limitMs ? undefined : `the event loop was ${(ms / 1000).toFixed(1)} s late`;
    },
    stop: () => clearInterval(timer),
  };
}
