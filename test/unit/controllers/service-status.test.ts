import { describe, expect, it } from 'vitest';
import { parseService } from '../../../src/api/service.ts';
import type { ServiceRecord } from '../../../src/controllers/runtime.ts';
import { serviceStatus, stoppedTask } from '../../../src/controllers/service-status.ts';
import type { Container, StopCode } from '../../../src/ecs/task.ts';
import type { ObservedTask } from '../../../src/pod/observe.ts';

const NOW = Date.parse('2026-01-01T00:10:00Z');

function stopped(number: number, stopCode: StopCode): ObservedTask {
  const finishedAt = NOW - number * 1000;
  return {
    uid: `u${number}`,
    namespace: 'default',
    name: `web-abc123-${number}-1`,
    resourceVersion: '1',
    owner: 'owner',
    id: String(number).padStart(32, '0'),
    taskDefinition: 'web:1',
    deployment: '1'.repeat(19),
    slot: number,
    deleting: false,
    generation: 1,
    attempt: 1,
    createdAt: finishedAt - 1000,
    containers: [{ name: 'web', essential: true, status: 'STOPPED', ready: false, exitCode: 1, finishedAt }],
    ended: true,
    acknowledged: true,
    stopRequested: true,
    stopRecorded: true,
    stopCause: { stopCode, stoppedReason: 'why' },
  };
}

const service: ServiceRecord = {
  uid: 'owner',
  namespace: 'default',
  name: 'web',
  resourceVersion: '1',
  generation: 1,
  createdAt: NOW,
  deleting: false,
  owner: '',
  annotations: {},
  spec: parseService({ taskDefinition: 'web', desiredCount: 1 }),
  given: {},
  status: {},
};

describe('stopped tasks in the status of a service', () => {
  it('have the times of ECS: startedAt where they were RUNNING, stoppingAt where somebody asked for the stop', () => {
    const at = (seconds: number) => new Date(NOW - seconds * 1000).toISOString().replace('.000', '');
    const asked = { ...stopped(1, 'UserInitiated'), stoppingAt: NOW - 30_000 };
    const [container] = asked.containers as [Container];
    const ran = { ...asked, containers: [{ ...container, startedAt: NOW - 60_000, finishedAt: NOW - 20_000 }] };
    expect(stoppedTask(ran)).toMatchObject({ startedAt: at(60), stoppingAt: at(30), stoppedAt: at(20) });
    expect(stoppedTask(asked)).not.toHaveProperty('startedAt');
    expect(stoppedTask({ ...ran, stopRequested: false })).not.toHaveProperty('stoppingAt');
  });

  const tasks = [
    ...Array.from({ length: 12 }, (_, index) => stopped(index, 'ServiceSchedulerInitiated')),
    stopped(20, 'EssentialContainerExited'),
    stopped(30, 'TaskFailedToStart'),
  ];
  const input = { service, serviceName: 'web', deployments: [], events: [], now: NOW };

  it('are the newest first, and a rollout does not push out a crash', () => {
    const shown = serviceStatus({ ...input, tasks }).stoppedTasks ?? [];
    expect(shown).toHaveLength(10);
    expect(shown.map(({ stoppedAt }) => stoppedAt)).toEqual(
      [...shown.map(({ stoppedAt }) => stoppedAt)].sort().reverse(),
    );
    expect(shown.slice(-2).map(({ stopCode }) => stopCode)).toEqual(['EssentialContainerExited', 'TaskFailedToStart']);
  });

  it('stay when their pods are gone, each once', () => {
    const before = serviceStatus({ ...input, tasks: tasks.slice(-2) });
    const after = serviceStatus({
      ...input,
      service: { ...service, status: before },
      tasks: [stopped(20, 'EssentialContainerExited')],
    });
    expect(after.stoppedTasks).toEqual(before.stoppedTasks);
  });
});
