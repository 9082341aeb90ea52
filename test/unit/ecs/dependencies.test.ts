import { describe, expect, it } from 'vitest';
import { gateOf, withFailedDependencies } from '../../../src/ecs/dependencies.ts';
import type { Container, DependencyCondition, Task } from '../../../src/ecs/task.ts';

const START = 1_000_000;
const NOW = START + 10_000;

const container = (name: string, more: Partial<Container> = {}): Container => ({
  name,
  essential: false,
  status: 'PENDING',
  ready: false,
  ...more,
});
const running = (more: Partial<Container> = {}) => container('d', { status: 'RUNNING', startedAt: START, ...more });
const stopped = (exitCode: number | undefined, more: Partial<Container> = {}) =>
  container('d', {
    status: 'STOPPED',
    startedAt: START,
    finishedAt: START + 5000,
    ...(exitCode !== undefined && { exitCode }),
    ...more,
  });
const task = (containers: Container[], more: Partial<Task> = {}): Task => ({
  id: 'a',
  createdAt: START,
  node: 'n',
  containers,
  ended: false,
  stopRequested: false,
  ...more,
});

function gate(condition: DependencyCondition, target: Container, now = NOW): string {
  const waiting = container('c', { dependsOn: [{ container: 'd', condition }] });
  const found = gateOf(waiting, task([waiting, target]), now);
  if (found.state === 'failed') return found.reason.replace(/^.*cannot be met: /, '');
  return found.state === 'wait' && found.until !== undefined ? `wait ${found.until - START}` : found.state;
}

describe('a dependency (ecs-semantics §1.5, the table of conditions)', () => {
  const never = 'it never started';
  const over = 'its startTimeout of 8 s is over';
  it.each<[string, Container, string, string, string, string]>([
    // target                    START   COMPLETE                 SUCCESS                  HEALTHY
    ['has not started', container('d'), 'wait', 'wait', 'wait', 'wait'],
    ['cannot start', container('d', { startFailure: 'x' }), never, never, never, never],
    ['was stopped before it started', container('d', { status: 'STOPPED' }), never, never, never, never],
    ['runs', running(), 'open', 'wait', 'wait', 'wait'],
    ['runs and is healthy', running({ ready: true }), 'open', 'wait', 'wait', 'open'],
    ['exited with 0', stopped(0), 'open', 'open', 'open', 'wait'],
    ['exited with 2', stopped(2), 'open', 'open', 'it exited with 2', 'wait'],
    ['left no code', stopped(undefined), 'open', 'it left no exit code', 'it left no exit code', 'wait'],
    ['runs, within its time', running({ startTimeout: 12 }), 'open', 'wait 12001', 'wait 12001', 'wait 12001'],
    ['runs, beyond its time', running({ startTimeout: 8 }), 'open', over, over, over],
    ['is healthy, beyond its time', running({ startTimeout: 8, ready: true }), 'open', over, over, 'open'],
    ['ended within its time', stopped(0, { startTimeout: 8 }), 'open', 'open', 'open', 'wait'],
    ['ended beyond it', stopped(0, { startTimeout: 8, finishedAt: START + 8500 }), 'open', over, over, 'wait'],
  ])('on a container that %s', (_, target, ...expected) => {
    const conditions: DependencyCondition[] = ['START', 'COMPLETE', 'SUCCESS', 'HEALTHY'];
    expect(conditions.map((condition) => gate(condition, target))).toEqual(expected);
  });

  it('is met when all are, and fails when one does', () => {
    const dependsOn = [
      { container: 'd', condition: 'START' as const },
      { container: 'e', condition: 'SUCCESS' as const },
    ];
    const waiting = container('c', { dependsOn });
    const state = (e: Container) => gateOf(waiting, task([waiting, running(), { ...e, name: 'e' }]), NOW).state;
    expect([running(), stopped(0), stopped(1)].map(state)).toEqual(['wait', 'open', 'failed']);
  });
});

describe('a container whose dependency can never be met', () => {
  const chain = [
    container('last', { dependsOn: [{ container: 'middle', condition: 'HEALTHY' }] }),
    container('middle', { dependsOn: [{ container: 'd', condition: 'SUCCESS' }] }),
    stopped(1),
  ];
  const view = (given: Task) =>
    withFailedDependencies(given, NOW).containers.map(({ status, exitCode }) => `${status} ${exitCode}`);

  it('is STOPPED with 143, and so is what waits for it, wherever it stands', () => {
    expect(view(task(chain))).toEqual(['STOPPED 143', 'STOPPED 143', 'STOPPED 1']);
    expect(view(task([...chain].reverse()))).toEqual(['STOPPED 1', 'STOPPED 143', 'STOPPED 143']);
  });

  it('has failed also where the pod ended by itself', () => {
    const ended = chain.map((one) => (one.startedAt === undefined ? { ...one, status: 'STOPPED' as const } : one));
    expect(view(task(ended, { ended: true }))).toEqual(['STOPPED 143', 'STOPPED 143', 'STOPPED 1']);
  });

  it('has not failed where the task was stopped before, or its barrier is open', () => {
    expect(view(task(chain, { stopRequested: true }))).toEqual(['PENDING undefined', 'PENDING undefined', 'STOPPED 1']);
    const released = chain.map((one) => ({ ...one, released: true as const }));
    expect(view(task(released))).toEqual(['PENDING undefined', 'PENDING undefined', 'STOPPED 1']);
  });
});
