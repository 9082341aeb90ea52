import { describe, expect, it } from 'vitest';
import { endedEssential, lastStatus, runningSince, stopDue } from '../../../src/ecs/task.ts';
import { containerHealth } from '../../../src/ecs/task-health.ts';
import { observePod } from '../../../src/pod/observe.ts';

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();
const run = (from: number, to: number, exitCode: number) => ({
  terminated: { exitCode, reason: 'Error', startedAt: at(from), finishedAt: at(to) },
});
const running = (from: number) => ({ running: { startedAt: at(from) } });
const backOff = { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } };

/** A pod of one container with a restart policy of 60 s that ignores 5; its image took 2 s. */
const observe = (state: object, lastState?: object, { essential = true, phase = 'Running' } = {}) =>
  observePod({
    metadata: {
      name: 'web-abc123-4-2',
      uid: 'u',
      resourceVersion: '7',
      creationTimestamp: at(0),
      annotations: {
        'longshore.dev/containers': JSON.stringify({
          app: {
            name: 'App',
            essential,
            healthCheck: { interval: 10, retries: 3, startPeriod: 0 },
            restartPolicy: { ignoredExitCodes: [5], restartAttemptPeriod: 60 },
          },
        }),
      },
    },
    spec: { nodeName: 'n1', containers: [{ name: 'app' }] },
    status: {
      phase,
      startTime: at(0),
      containerStatuses: [{ name: 'app', ready: false, state, ...(lastState !== undefined && { lastState }) }],
    },
  });

describe('a container with a restart policy', () => {
  it.each([
    ['has ended and is about to be restarted', run(2, 62, 1), undefined],
    ['waits for its restart', backOff, run(2, 62, 1)],
    ['runs again', running(63), run(2, 62, 1)],
    ['runs for the third time', running(130), run(63, 129, 0)],
  ])('keeps its task RUNNING while it %s', (_what, state, lastState) => {
    const task = observe(state, lastState);
    expect(lastStatus(task)).toBe('RUNNING');
    expect(stopDue(task)).toBeUndefined();
    expect(runningSince(task)).toBeLessThanOrEqual(Date.parse(at(2)));
  });

  it.each([
    ['ended with an ignored code', run(2, 62, 5), undefined, 5],
    ['ended too soon', run(2, 61, 1), undefined, 1],
    ['ended too soon and waits for the kubelet', backOff, run(2, 61, 1), 1],
    ['ended too soon, and the kubelet has restarted it', running(63), run(2, 61, 1), 1],
    ['ended too soon after a restart', run(63, 64, 3), run(2, 62, 1), 3],
    // Stopped by the deadline after the kubelet's restart: the code that ended the task is the earlier one.
    ['ended too soon, and again with the task', run(63, 64, 143), run(2, 61, 1), 1],
  ])('ends its task when it %s', (_what, state, lastState, exitCode) => {
    const task = observe(state, lastState);
    expect(stopDue(task)).toMatchObject({ stopCode: 'EssentialContainerExited' });
    expect(endedEssential(task)).toMatchObject({ exitCode });
  });

  it('is STOPPED when it is not essential and ECS would not have restarted it', () => {
    const task = observe(backOff, run(2, 61, 1), { essential: false });
    expect(task.containers).toMatchObject([{ status: 'STOPPED', exitCode: 1 }]);
    expect(lastStatus(task)).toBe('RUNNING');
  });

  it('has ended for good with its pod', () => {
    const task = observe(run(2, 62, 143), undefined, { phase: 'Failed' });
    expect(task.containers).toMatchObject([{ status: 'STOPPED', exitCode: 143, startedAt: Date.parse(at(2)) }]);
  });

  it('has the time of its health check anew after a restart', () => {
    const [container] = observe(running(63), run(2, 62, 1)).containers;
    if (container === undefined) throw new Error('no container');
    expect(containerHealth(container, Date.parse(at(92)))).toBe('UNKNOWN');
    expect(containerHealth(container, Date.parse(at(93)))).toBe('UNHEALTHY');
  });
});
