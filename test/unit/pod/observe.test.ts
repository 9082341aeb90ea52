import { describe, expect, it } from 'vitest';
import { lastStatus, runningSince, stopCauseOf, stopDue } from '../../../src/ecs/task.ts';
import { observePod, type PodJson } from '../../../src/pod/observe.ts';

const traits = JSON.stringify({ app: { name: 'App', essential: true }, log: { name: 'log', essential: false } });
const AT = '2026-01-01T00:00:00Z';

function pod(
  status: PodJson['status'],
  more: { annotations?: Record<string, string>; labels?: Record<string, string>; deletionTimestamp?: string } = {},
): PodJson {
  return {
    metadata: {
      name: 'web-abc123-4-2',
      namespace: 'default',
      uid: 'u',
      resourceVersion: '7',
      creationTimestamp: AT,
      labels: { 'longshore.dev/task': 'ab'.repeat(16), 'longshore.dev/deployment': '1'.repeat(19) },
      ownerReferences: [{ uid: 'owner', controller: true }],
      ...more,
      annotations: { 'longshore.dev/containers': traits, ...more.annotations },
    },
    spec: { nodeName: 'n1', containers: [{ name: 'app' }, { name: 'log' }] },
    status,
  };
}

const running = { running: { startedAt: AT } };
const ended = (exitCode: number, reason = 'Error') => ({
  terminated: { exitCode, reason, startedAt: AT, finishedAt: AT },
});
const states = (app: object, log: object) => ({
  phase: 'Running',
  startTime: AT,
  containerStatuses: [
    { name: 'app', ready: true, state: app },
    { name: 'log', ready: true, state: log },
  ],
});

describe('a pod as a task', () => {
  it('has its seat, owner and containers under their AWS names', () => {
    const task = observePod(pod(states(running, running)));
    expect(task).toMatchObject({
      id: 'ab'.repeat(16),
      slot: 4,
      generation: 2,
      owner: 'owner',
      node: 'n1',
      ended: false,
    });
    expect(task.containers.map(({ name, status }) => [name, status])).toEqual([
      ['App', 'RUNNING'],
      ['log', 'RUNNING'],
    ]);
  });

  it('is to be stopped when its essential container exits, whatever the code', () => {
    expect(stopDue(observePod(pod(states(ended(0, 'Completed'), running))))).toMatchObject({
      stopCode: 'EssentialContainerExited',
      stoppedReason: 'Essential container in task exited',
      because: 'essential container App exited with 0',
    });
  });

  it('goes on when a container that is not essential exits', () => {
    expect(stopDue(observePod(pod(states(running, ended(1)))))).toBeUndefined();
  });

  it.each([
    ['ImagePullBackOff', 'CannotPullContainerError: m'],
    ['CreateContainerConfigError', 'ResourceInitializationError: m'],
    ['CreateContainerError', 'CannotCreateContainerError: m'],
  ])('fails to start where the kubelet would wait for ever: %s', (reason, stoppedReason) => {
    const task = observePod(pod(states({ waiting: { reason, message: 'm' } }, running)));
    expect(stopDue(task)).toMatchObject({ stopCode: 'TaskFailedToStart', stoppedReason });
  });

  it('is waited for while an image is being pulled for the first time', () => {
    expect(
      stopDue(observePod(pod(states({ waiting: { reason: 'ErrImagePull', message: 'm' } }, running)))),
    ).toBeUndefined();
  });

  it.each([
    // pkg/kubelet/util/manager/watch_based_manager.go
    'failed to sync configmap cache: timed out waiting for the condition',
    'failed to sync secret cache: timed out waiting for the condition',
    'object "default"/"settings" not registered',
  ])('is waited for while the kubelet has not read what its environment names: %s', (message) => {
    const waiting = { waiting: { reason: 'CreateContainerConfigError', message } };
    expect(stopDue(observePod(pod(states(waiting, running))))).toBeUndefined();
  });

  it.each([
    `configmap "${'ab'.repeat(16)}-app" not found`,
    'failed to sync configmap cache: timed out waiting for the condition',
  ])('holds a container back behind its start barrier: %s', (message) => {
    const dependsOn = [{ container: 'log', condition: 'COMPLETE' }];
    const held = JSON.stringify({
      app: { name: 'App', essential: true, barrier: 'app', dependsOn },
      log: { name: 'log', essential: false },
    });
    const waiting = { waiting: { reason: 'CreateContainerConfigError', message } };
    const task = observePod(pod(states(waiting, running), { annotations: { 'longshore.dev/containers': held } }));
    expect(task.containers[0]).toMatchObject({ status: 'PENDING', held: true });
    expect(stopDue(task)).toBeUndefined();
  });

  it('waits at its start barrier while its image cannot be pulled, and fails once that is open', () => {
    const dependsOn = [{ container: 'log', condition: 'COMPLETE' }];
    const held = JSON.stringify({
      app: { name: 'App', essential: true, barrier: 'app', dependsOn },
      log: { name: 'log', essential: false },
    });
    const waiting = { waiting: { reason: 'ImagePullBackOff', message: 'm' } };
    const at = (startBarriers: object) =>
      observePod(
        pod(states(waiting, running), {
          annotations: {
            'longshore.dev/containers': held,
            'longshore.dev/start-barriers': JSON.stringify(startBarriers),
          },
        }),
      );
    expect(at({ opened: [], failed: {} }).containers[0]).toMatchObject({ status: 'PENDING', held: true });
    expect(stopDue(at({ opened: [], failed: {} }))).toBeUndefined();
    expect(stopDue(at({ opened: ['App'], failed: {} }))).toMatchObject({
      stoppedReason: 'CannotPullContainerError: m',
    });
  });

  it.each(['ErrImagePull', 'ImagePullBackOff'])(
    'is RUNNING without a container that is not essential: %s',
    (reason) => {
      const task = observePod(pod(states(running, { waiting: { reason, message: 'm' } })));
      expect(lastStatus(task)).toBe('RUNNING');
      expect(runningSince(task)).toBe(Date.parse(AT));
      expect(task.containers[1]).toMatchObject({ status: 'STOPPED', reason: 'CannotPullContainerError: m' });
      expect(task.containers[1]?.exitCode).toBeUndefined();
      expect(stopDue(task)).toBeUndefined();
    },
  );

  it('keeps why a container did not start, when the node has put something else in its place', () => {
    const reason = 'CannotPullContainerError: m';
    const lost = { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown', startedAt: null, finishedAt: null } };
    const task = observePod(
      pod(
        { ...states(ended(0), lost), phase: 'Failed' },
        { annotations: { 'longshore.dev/container-reasons': JSON.stringify({ log: reason }) } },
      ),
    );
    expect(task.containers[1]).toMatchObject({ status: 'STOPPED', reason });
    expect(task.containers[1]?.exitCode).toBeUndefined();
  });

  it('names a command that cannot be started as ECS does', () => {
    const failed = {
      terminated: {
        exitCode: 128,
        reason: 'StartError',
        message: 'no such file',
        finishedAt: AT,
        startedAt: '1970-01-01T00:00:00Z',
      },
    };
    const task = observePod(pod(states(failed, running)));
    expect(stopDue(task)).toMatchObject({
      stopCode: 'TaskFailedToStart',
      stoppedReason: 'CannotStartContainerError: no such file',
    });
  });

  it('says out of memory as ECS does', () => {
    const task = observePod(pod(states(ended(137, 'OOMKilled'), running)));
    expect(task.containers[0]).toMatchObject({
      exitCode: 137,
      reason: 'OutOfMemoryError: Container killed due to memory usage',
    });
  });

  it('was stopped by its user when the pod was deleted', () => {
    const task = observePod(pod({ ...states(ended(143), ended(143)), phase: 'Failed' }, { deletionTimestamp: AT }));
    expect(stopCauseOf(task)).toEqual({ stopCode: 'UserInitiated', stoppedReason: 'Task stopped by user' });
  });

  it.each([
    ['DeletionByTaintManager', {}, 'InfrastructureHealth', 'Host EC2 (instance n1) terminated.'],
    ['DeletionByPodGC', {}, 'InfrastructureHealth', 'Host EC2 (instance n1) terminated.'],
    ['EvictionByEvictionAPI', {}, 'InfrastructureHealth', 'Host EC2 (instance n1) evicted the task.'],
    ['PreemptionByScheduler', {}, 'InfrastructureHealth', 'Preempted: said so'],
    [
      'TerminationByKubelet',
      { reason: 'Evicted', message: 'The node was low on resource: memory.' },
      'InfrastructureHealth',
      'Evicted: The node was low on resource: memory.',
    ],
  ])('was ended by Kubernetes, not by its containers: %s', (reason, more, stopCode, stoppedReason) => {
    const conditions = [{ type: 'DisruptionTarget', status: 'True', reason, message: 'said so' }];
    const task = observePod(pod({ ...states(ended(137), ended(143)), phase: 'Failed', conditions, ...more }));
    expect(stopCauseOf(task)).toEqual({ stopCode, stoppedReason });
  });

  it('of a service leaves a DRAINING instance when it is evicted', () => {
    const conditions = [{ type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI', message: '' }];
    const status = { ...states(ended(137), ended(143)), phase: 'Failed', conditions };
    const task = observePod(pod(status, { labels: { 'longshore.dev/service': 'web' } }));
    expect(stopCauseOf(task)).toEqual({
      stopCode: 'ServiceSchedulerInitiated',
      stoppedReason: 'Task stopped because its container instance is in DRAINING state',
    });
  });

  it('waits for its volumes until its node is ready for its containers, and ends where it waits in vain', () => {
    const waiting = { waiting: { reason: 'ContainerCreating' } };
    const at = (status: string) =>
      observePod(pod({ ...states(waiting, waiting), conditions: [{ type: 'PodReadyToStartContainers', status }] }));
    expect(at('False').mountingSince).toBe(Date.parse(AT));
    expect(at('True')).not.toHaveProperty('mountingSince');
    expect(stopDue(at('False'))).toBeUndefined();
    const stoppedReason = 'ResourceInitializationError: no such server';
    const cause = { stopCode: 'TaskFailedToStart', stoppedReason };
    expect(stopDue({ ...at('False'), startFailure: stoppedReason })).toMatchObject(cause);
    expect(stopCauseOf({ ...at('False'), startFailure: stoppedReason })).toEqual(cause);
  });

  it('has not ended while a container of a pod beyond its deadline still has its grace', () => {
    const failed = { phase: 'Failed', reason: 'DeadlineExceeded' };
    expect(observePod(pod({ ...states(ended(3), running), ...failed })).ended).toBe(false);
    expect(observePod(pod({ ...states(ended(3), ended(0)), ...failed })).ended).toBe(true);
    // Nobody hears of it again: its node is gone.
    expect(observePod(pod({ ...states(ended(3), running), ...failed }, { deletionTimestamp: AT })).ended).toBe(true);
  });

  const saying = (reason: string, app: object, log: object) => ({
    ...states(app, log),
    conditions: [{ type: 'Ready', status: 'False', reason }],
  });

  it.each([
    ['all containers have ended', 'PodCompleted', ended(0)],
    ['one runs on for its grace', 'PodFailed', running],
  ])('is ending once the kubelet has said that nothing follows: %s', (_what, reason, log) => {
    const task = observePod(pod(saying(reason, ended(0), log)));
    expect(task).toMatchObject({ ended: false, ending: true, stopRequested: true });
    expect(lastStatus(task)).toBe('STOPPING');
    expect(stopDue(task)).toBeUndefined();
  });

  it('that was evicted by its node says so only with its phase', () => {
    const evicted = {
      ...states(ended(5), ended(5)),
      conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet' }],
      phase: 'Failed',
      reason: 'Evicted',
      message: 'The node was low on resource: memory.',
    };
    expect(stopCauseOf(observePod(pod(evicted)))).toEqual({
      stopCode: 'InfrastructureHealth',
      stoppedReason: 'Evicted: The node was low on resource: memory.',
    });
  });

  it('that its node rejects when that starts anew ends for that, whatever the exit codes', () => {
    const message = 'Pod was rejected: The node had condition: [DiskPressure]. ';
    const task = observePod(pod({ ...states(ended(5), ended(5)), phase: 'Failed', reason: 'Evicted', message }));
    expect(stopCauseOf(task)).toEqual({ stopCode: 'InfrastructureHealth', stoppedReason: `Evicted: ${message}` });
  });

  it('whose stop was asked for has ended with its last container', () => {
    const annotations = { 'longshore.dev/stop-code': 'UserInitiated', 'longshore.dev/stopped-reason': 'enough' };
    const task = observePod(pod(saying('PodFailed', ended(0), ended(0)), { annotations }));
    expect(task).toMatchObject({ ended: true, stopCause: { stopCode: 'UserInitiated' } });
    expect(task).not.toHaveProperty('ending');
  });

  it('has not ended while the kubelet is to restart a container', () => {
    const task = observePod(pod(saying('ContainersNotReady', ended(0), ended(1))));
    expect(task).toMatchObject({ ended: false, stopRequested: false });
  });

  it('keeps the recorded cause', () => {
    const annotations = {
      'longshore.dev/stop-code': 'ServiceSchedulerInitiated',
      'longshore.dev/stopped-reason': 'why',
    };
    const task = observePod(pod({ ...states(ended(143), ended(143)), phase: 'Failed' }, { annotations }));
    expect(stopCauseOf(task)).toEqual({ stopCode: 'ServiceSchedulerInitiated', stoppedReason: 'why' });
  });

  it('is stopped on the annotation of its user, with the reason given', () => {
    const task = observePod(pod(states(running, running), { annotations: { 'longshore.dev/stop': 'maintenance' } }));
    expect(stopDue(task)).toMatchObject({ stopCode: 'UserInitiated', stoppedReason: 'maintenance' });
  });
});

it('of a deleted pod knows when it was deleted also once its node has confirmed that, later', () => {
  const deletedAt = (deletionTimestamp: string, deletionGracePeriodSeconds: number, state: object): PodJson => {
    const { metadata, ...rest } = pod(states(state, state), { deletionTimestamp });
    return { ...rest, metadata: { ...metadata, deletionGracePeriodSeconds } };
  };
  // Seen on Kubernetes 1.36: the kubelet's own deletion, of 0 s, is not let into the past.
  const asked = observePod(deletedAt('2026-01-01T00:00:30Z', 30, running));
  const confirmed = deletedAt('2026-01-01T00:00:02Z', 0, ended(5));
  expect(observePod(confirmed, asked).stoppingAt).toBe(Date.parse(AT));
  expect(stopCauseOf(observePod(confirmed, asked))).toMatchObject({ stopCode: 'UserInitiated' });
  // Another pod of that name.
  expect(observePod(confirmed, { ...asked, uid: 'other' }).stoppingAt).toBe(Date.parse('2026-01-01T00:00:02Z'));
});
