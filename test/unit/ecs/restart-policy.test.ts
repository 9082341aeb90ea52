import { describe, expect, it } from 'vitest';
import { type EndedRun, restartsAfter } from '../../../src/ecs/restart-policy.ts';

const policy = { ignoredExitCodes: [0, 143], restartAttemptPeriod: 60 };
const run = (exitCode: number | undefined, seconds: number): EndedRun => ({
  ...(exitCode !== undefined && { exitCode }),
  startedAt: 1_000_000,
  finishedAt: 1_000_000 + seconds * 1000,
});

// amazon-ecs-agent, ecs-agent/api/container/restart/restart_tracker.go: ShouldRestart.
describe('a container with a restart policy', () => {
  it.each([
    ['is restarted after a run of the period', run(1, 60), true],
    ['is not restarted after a shorter one', run(1, 59.999), false],
    ['is not restarted after an ignored exit code', run(143, 600), false],
    ['is not restarted after an unknown exit code', run(undefined, 600), false],
    ['is not restarted where it never ran', { exitCode: 128 }, false],
  ])('%s', (_what, ended, restarts) => {
    expect(restartsAfter(policy, ended)).toBe(restarts);
  });

  it('is restarted after exit code 0, too', () => {
    expect(restartsAfter({ ...policy, ignoredExitCodes: [] }, run(0, 60))).toBe(true);
  });
});
