/** Pods that the finalizer of Strict accounting keeps when they are deleted. */
import { describe, expect, it } from 'vitest';
import { stopCauseOf } from '../../../src/ecs/task.ts';
import { type ObservedTask, observePod, type PodJson } from '../../../src/pod/observe.ts';

const AT = '2026-01-01T00:00:10Z';
const EARLIER = '2026-01-01T00:00:09Z';

const state = (container: object) => ({ containerStatuses: [{ name: 'app', state: container }] });
const running = state({ running: { startedAt: EARLIER } });
const ended = (finishedAt: string) => state({ terminated: { exitCode: 3, startedAt: EARLIER, finishedAt } });

function deleted(
  status: PodJson['status'],
  more: { node?: string; grace?: number; finalizers?: string[] } = {},
): ObservedTask {
  const { node = 'n1', grace = 0, finalizers = ['longshore.dev/tracked'] } = more;
  return observePod({
    metadata: {
      name: 'grades-0-1',
      uid: 'u',
      resourceVersion: '7',
      creationTimestamp: EARLIER,
      deletionTimestamp: AT,
      deletionGracePeriodSeconds: grace,
      annotations: { 'longshore.dev/containers': JSON.stringify({ app: { name: 'app', essential: true } }) },
      finalizers,
    },
    spec: { ...(node !== '' && { nodeName: node }), containers: [{ name: 'app' }] },
    status,
  });
}

describe('a deleted pod that is kept', () => {
  it('has not ended while a container runs, also where its phase is over, unless its node has gone', () => {
    expect(deleted({ phase: 'Running', ...running }).ended).toBe(false);
    const late = { phase: 'Failed', reason: 'DeadlineExceeded', ...running };
    expect(deleted(late).ended).toBe(false);
    const target = { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC' };
    expect(deleted({ ...late, conditions: [target] }).ended).toBe(true);
    expect(deleted(late, { finalizers: [] }).ended).toBe(true);
  });

  it('has ended where no node had it, or its node confirms that no container ran', () => {
    expect(deleted({ phase: 'Pending' }, { node: '' })).toMatchObject({ ended: true, tracked: true });
    expect(deleted({ phase: 'Pending' }, { grace: 30 }).ended).toBe(false);
    expect(deleted({ phase: 'Pending' }).ended).toBe(true);
    expect(deleted({ phase: 'Pending', ...running }).ended).toBe(false);
    // One that nothing keeps is gone, as whatever was seen of it last.
    expect(deleted({ phase: 'Pending' }, { node: '', finalizers: ['example.com/other'] }).ended).toBe(false);
  });

  it('was not stopped by a user where it had ended before', () => {
    const reasonOf = (finishedAt: string) =>
      stopCauseOf(deleted({ phase: 'Failed', ...ended(finishedAt) })).stoppedReason;
    expect(reasonOf(EARLIER)).toBe('Essential container in task exited');
    expect(reasonOf(AT)).toBe('Task stopped by user');
  });
});
