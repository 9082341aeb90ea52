/** A pod that was made with a deadline, as those of isolated queues are. */
import { describe, expect, it } from 'vitest';
import { endedAttempt } from '../../../src/batch/attempt.ts';
import { retryVerdict } from '../../../src/batch/retry.ts';
import { type ObservedTask, observePod, type PodJson } from '../../../src/pod/observe.ts';

const AT = '2026-01-01T00:00:00Z';
const running = { running: { startedAt: AT } };
const killed = { terminated: { exitCode: 143, reason: 'Error', startedAt: AT, finishedAt: AT } };
const outlived = { phase: 'Failed', reason: 'DeadlineExceeded' };

const observe = (
  activeDeadlineSeconds: number,
  state: object,
  status: object = {},
  annotations: Record<string, string> = {},
): ObservedTask => {
  const pod: PodJson = {
    metadata: {
      name: 'job-1',
      uid: 'u',
      resourceVersion: '7',
      creationTimestamp: AT,
      annotations: {
        'longshore.dev/containers': JSON.stringify({ app: { name: 'app', essential: true } }),
        'longshore.dev/deadline': '60',
        ...annotations,
      },
    },
    spec: { nodeName: 'n1', activeDeadlineSeconds, containers: [{ name: 'app' }] },
    status: {
      phase: 'Running',
      startTime: AT,
      containerStatuses: [{ name: 'app', ready: true, state }],
      ...status,
    },
  };
  return observePod(pod);
};

describe('a pod with a deadline of its own', () => {
  it('was not told to stop while its time lasts', () => {
    expect(observe(60, running)).toMatchObject({ stopRequested: false, stopCause: undefined, ended: false });
    expect(observe(60, running).terminating).toBeUndefined();
  });

  it('was told to stop when its deadline was brought forward', () => {
    expect(observe(1, running)).toMatchObject({ stopRequested: true, terminating: true });
  });

  it('is STOPPING when its time is over and its containers have their grace', () => {
    expect(observe(60, running, outlived)).toMatchObject({ ended: false, stopRequested: true, terminating: true });
  });

  it('has timed out when its time is over, and is not tried again', () => {
    const task = observe(60, killed, outlived);
    expect(task.ended).toBe(true);
    const attempt = endedAttempt(task, 0);
    expect(attempt).toMatchObject({
      succeeded: false,
      exitCode: 143,
      statusReason: 'Job attempt duration exceeded timeout',
    });
    expect(retryVerdict({ attempts: 3, evaluateOnExit: [] }, 1, attempt).retry).toBe(false);
  });

  it('has ended for the recorded reason where it was stopped before', () => {
    const stopped = { 'longshore.dev/stop-code': 'UserInitiated', 'longshore.dev/stopped-reason': 'enough' };
    expect(observe(1, killed, outlived, stopped).stopCause).toEqual({
      stopCode: 'UserInitiated',
      stoppedReason: 'enough',
    });
  });
});
