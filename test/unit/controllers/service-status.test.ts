import { describe, expect, it } from 'vitest';
import { parseService } from '../../../src/api/service.ts';
import type { ServiceRecord } from '../../../src/controllers/runtime.ts';
import { serviceStatus } from '../../../src/controllers/service-status.ts';
import type { StopCode } from '../../../src/ecs/task.ts';
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
  annotations: {},
  spec: parseService({ taskDefinition: 'web', desiredCount: 1 }),
  given: {},
  status: {},
};

describe('stopped tasks in the status of a service', () => {
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
