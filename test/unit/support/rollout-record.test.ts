import { describe, expect, it } from 'vitest';
import { type HistoryEntry, NamespaceHistory } from '../../support/recorder.ts';
import { countsAsHealthy, extremesSince, instantsOf, rolloutViolations } from '../../support/rollout-record.ts';

const START = '2026-11-22T12:00:00Z';
const at = (seconds: number): number => Date.parse(START) + seconds * 1000;

interface PodState {
  readonly ready?: boolean;
  readonly stopped?: boolean;
  readonly evicted?: boolean;
  readonly unchecked?: boolean;
  readonly phase?: string;
}

const pod = (name: string, { ready = true, stopped, evicted, unchecked, phase = 'Running' }: PodState = {}) => ({
  metadata: {
    name,
    uid: name,
    labels: { 'longshore.dev/service': 'web', 'longshore.dev/task': name },
    ...(evicted && { deletionTimestamp: START }),
  },
  spec: {
    containers: [{ name: 'web', ...(!unchecked && { readinessProbe: {} }) }],
    ...(stopped && { activeDeadlineSeconds: 1 }),
  },
  status: {
    phase,
    conditions: evicted ? [{ type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI' }] : [],
    containerStatuses: [{ name: 'web', ready, state: { running: { startedAt: START } } }],
  },
});

const web = (desiredCount: number, generation: number, observedGeneration: number) => ({
  metadata: { name: 'web', uid: 'web', generation },
  spec: { desiredCount, deploymentConfiguration: { minimumHealthyPercent: 50, maximumPercent: 100 } },
  status: { observedGeneration },
});

/** Each with the next resourceVersion, from 1. */
function record(...objects: readonly (ReturnType<typeof pod> | ReturnType<typeof web> | string)[]): NamespaceHistory {
  const history = new NamespaceHistory(() => Promise.reject(new Error('no server')));
  const known = new Set<string>();
  objects.forEach((object, index) => {
    const deleted = typeof object === 'string';
    const shown = deleted ? pod(object) : object;
    const kind = 'desiredCount' in shown.spec ? 'services' : 'pods';
    const type = deleted ? 'DELETED' : known.has(shown.metadata.name) ? 'MODIFIED' : 'ADDED';
    known.add(shown.metadata.name);
    history.add({ kind, type, object: shown, resourceVersion: BigInt(index + 1), seenAt: at(0) } as HistoryEntry);
  });
  return history;
}

describe('the record of a rollout', () => {
  it('names each step below the lower bound, and none that has it', () => {
    const tasks = [web(4, 1, 1), pod('a-0-1'), pod('a-1-1'), pod('a-2-1'), pod('a-3-1')];
    const down = [pod('a-0-1', { stopped: true }), pod('a-1-1', { stopped: true })];
    expect(rolloutViolations(record(...tasks, ...down), 'web')).toEqual([]);
    expect(rolloutViolations(record(...tasks, ...down, pod('a-2-1', { ready: false })), 'web')).toEqual([
      'resourceVersion 8, a-2-1: 1 healthy tasks are below the lower bound 2',
    ]);
    expect(extremesSince(record(...tasks, ...down), 'web', { metadata: { resourceVersion: '5' } })).toEqual({
      fewestHealthy: 2,
      mostLive: 4,
    });
  });

  it('names each task above the upper bound: one that is stopping counts, one that has ended does not', () => {
    const tasks = [web(2, 1, 1), pod('a-0-1'), pod('a-1-1'), pod('a-1-1', { stopped: true })];
    expect(rolloutViolations(record(...tasks, pod('b-0-1')), 'web')).toEqual([
      'resourceVersion 5, b-0-1: 3 tasks are above the upper bound 2',
    ]);
    const ended = pod('a-1-1', { stopped: true, phase: 'Failed' });
    expect(rolloutViolations(record(...tasks, ended, pod('b-0-1')), 'web')).toEqual([]);
    expect(rolloutViolations(record(...tasks, 'a-1-1', pod('b-0-1')), 'web')).toEqual([]);
  });

  it('names two live tasks of one slot', () => {
    expect(rolloutViolations(record(web(2, 1, 1), pod('a-0-1'), pod('a-0-2')), 'web')).toEqual([
      'I3 at resourceVersion 3: a-0-1 and a-0-2 live in one slot',
    ]);
  });

  it('holds a step to the spec that the status shows to be seen, and to any that may be', () => {
    const late = [web(2, 1, 1), pod('a-0-1'), pod('a-1-1'), web(1, 2, 1)];
    expect(instantsOf(record(...late, pod('a-2-1')), 'web').at(-1)).toMatchObject({ min: 1, max: 2 });
    expect(rolloutViolations(record(web(1, 2, 2), pod('a-0-1'), pod('a-1-1')), 'web')).toHaveLength(1);
    expect(rolloutViolations(record(web(2, 1, 1), web(1, 2, 1), pod('a-0-1'), pod('a-1-1')), 'web')).toEqual([]);
  });

  it('holds against nobody what Kubernetes evicts', () => {
    const tasks = [web(2, 1, 1), pod('a-0-1'), pod('a-1-1')];
    const evicted = [pod('a-0-1', { evicted: true }), pod('a-1-1', { stopped: true })];
    expect(rolloutViolations(record(...tasks, ...evicted), 'web')).toEqual([]);
  });

  it('takes a task without any check as healthy after 40 s', () => {
    const unchecked = pod('a-0-1', { unchecked: true, ready: false }) as never;
    expect([39, 40].map((seconds) => countsAsHealthy(unchecked, at(seconds)))).toEqual([false, true]);
    const checked = pod('a-0-1', { ready: false }) as never;
    expect(countsAsHealthy(checked, at(100))).toBe(false);
  });
});
