/**
 * DAEMON services. Sources: [API-ECS] CreateService (schedulingStrategy, deploymentConfiguration), the developer guide's
 * ecs_services.md and service_definition_parameters.md, collected in `ecs-semantics §3.3, §3.12`. Played on simulated nodes.
 */
import { describe, expect, it } from 'vitest';
import { bounds } from '../../src/ecs/bounds.ts';
import { nodeOf } from '../../src/ecs/daemon-node.ts';
import { DRAINING } from '../../src/ecs/task.ts';
import { FAILED_HEALTH_CHECKS } from '../../src/ecs/task-health.ts';
import { type DaemonAction, SimulatedDaemon, type SimulatedDaemonOptions } from '../support/simulated-daemon.ts';

const steadyDaemon = (options: SimulatedDaemonOptions): SimulatedDaemon => {
  const daemon = new SimulatedDaemon(options);
  daemon.steady();
  daemon.history.length = 0;
  return daemon;
};

const ATOMIC = { nodes: 5, minimumHealthyPercent: 0 };
const HALF = { nodes: 5, minimumHealthyPercent: 50 };
const BREAKER = {
  enable: true,
  rollback: false,
  resetOnHealthyTask: true,
  thresholdConfiguration: { type: 'COUNT', value: 3 },
} as const;

/** As `+node` and `-node`. */
const signs = (actions: readonly DaemonAction[]): string[] =>
  actions.map((action) => (action.kind === 'start' ? `+${action.node}` : `-${nodeOf(action.task)}`));

const scaling = (deployment: string) => ({
  stopCode: 'ServiceSchedulerInitiated',
  stoppedReason: `Scaling activity initiated by (deployment ecs-svc/${deployment})`,
});

describe('a rolling update of a DAEMON', () => {
  it.each([
    { ...HALF, min: 3, atATime: 2, why: '5 nodes at 50/100: 3 stay, 2 nodes at a time' },
    { ...ATOMIC, min: 0, atATime: 5, why: '5 nodes at 0/100: all are stopped, then all started' },
    { nodes: 4, minimumHealthyPercent: 75, min: 3, atATime: 1, why: '4 nodes at 75/100: one at a time' },
    { nodes: 3, minimumHealthyPercent: 33, min: 1, atATime: 2, why: '3 nodes at 33/100: rounded up to 1' },
    { nodes: 1, minimumHealthyPercent: 0, min: 0, atATime: 1, why: '1 node at 0/100: without a task for a while' },
  ])('$why', ({ nodes, minimumHealthyPercent, min, atATime }) => {
    const daemon = steadyDaemon({ nodes, minimumHealthyPercent });
    daemon.deploy();
    const first = daemon.pass();
    expect(first.actions).toHaveLength(atATime);
    expect(first.actions.every(({ kind }) => kind === 'stop')).toBe(true);
    daemon.tick(1000);
    expect(signs(daemon.pass().actions)).toEqual(
      signs(first.actions)
        .map((sign) => sign.replace('-', '+'))
        .sort(),
    );
    daemon.steady();
    expect(bounds(nodes, minimumHealthyPercent, 100)).toEqual({ min, max: nodes });
    expect(Math.min(...daemon.history.map(({ healthy }) => healthy))).toBe(min);
    expect(Math.max(...daemon.history.map(({ live }) => live))).toBe(nodes);
    expect(new Set(daemon.live().map(({ deployment }) => deployment))).toEqual(new Set([daemon.deployments[0].id]));
    for (const stop of daemon.stops()) expect(stop).toMatchObject(scaling('1'.repeat(19)));
    expect(daemon.stops()).toHaveLength(nodes);
  });

  it('says what it waits for', () => {
    const daemon = steadyDaemon(HALF);
    daemon.deploy();
    daemon.pass();
    daemon.tick(1000);
    daemon.pass();
    expect(daemon.pass().deployments[0]?.blockedBy).toBe(
      'cannot start: 5 tasks = upper bound 5; cannot stop: 3 healthy = lower bound 3',
    );
  });

  it('is stuck where the lower bound leaves no node to begin with: 1 node at 50/100', () => {
    const daemon = steadyDaemon({ nodes: 1, minimumHealthyPercent: 50 });
    daemon.deploy();
    expect(daemon.pass()).toMatchObject({ actions: [], stuck: true, steady: false });
  });

  it('stops old tasks that are not healthy at once: they count for no bound', () => {
    const daemon = new SimulatedDaemon({ ...HALF, healthyAfterMs: () => undefined });
    daemon.pass();
    daemon.deploy();
    expect(daemon.pass().actions).toHaveLength(5);
  });

  it('goes on to a third revision in the middle of the second', () => {
    const daemon = steadyDaemon(HALF);
    daemon.deploy();
    daemon.pass();
    daemon.tick(1000);
    daemon.pass();
    daemon.deploy();
    daemon.steady();
    expect(Math.min(...daemon.history.map(({ healthy }) => healthy))).toBe(3);
    expect(daemon.live().map(({ deployment }) => deployment)).toEqual(Array(5).fill(daemon.deployments[0].id));
  });

  it('takes the node of a task that exits for the new revision', () => {
    const daemon = steadyDaemon(HALF);
    daemon.deploy();
    daemon.pass();
    const [old] = daemon.healthy();
    if (old !== undefined) daemon.end(old, 1);
    expect(daemon.pass().actions).toMatchObject([
      {
        kind: 'start',
        node: old?.node,
        deployment: daemon.deployments[0].id,
        seat: { slot: old?.slot, generation: 1 },
      },
    ]);
    daemon.steady();
  });

  it('takes no node from a deployment that works for one that the circuit breaker has given up', () => {
    const daemon = steadyDaemon({ ...HALF, circuitBreaker: BREAKER });
    daemon.options.fails = ({ deployment }) => deployment !== '1'.repeat(19);
    daemon.deploy();
    const failed = daemon.run((plan) => plan.deployments[0]?.failed === true);
    // Two nodes at a time.
    expect(failed.deployments[0]).toMatchObject({ failedTasks: 4 });
    for (let second = 0; second < 60; second++) {
      daemon.tick(1000);
      expect(daemon.pass().actions.filter(({ kind }) => kind === 'start')).toEqual([]);
    }
    expect(daemon.healthy()).toHaveLength(3);
    daemon.options.minimumHealthyPercent = 0;
    expect(daemon.pass().actions).toEqual([]);
    // Its own tasks are still replaced.
    const [old] = daemon.healthy();
    if (old !== undefined) daemon.end(old, 1);
    expect(daemon.pass().actions).toMatchObject([
      { kind: 'start', node: old?.node, deployment: old?.deployment, seat: { slot: old?.slot, generation: 2 } },
    ]);
  });

  it('waits as long for tasks of the deployment that works where these do not start any more', () => {
    const daemon = steadyDaemon({ ...HALF, circuitBreaker: BREAKER });
    daemon.options.fails = () => true;
    daemon.deploy();
    daemon.run((plan) => plan.deployments[0]?.failed === true);
    const [old] = daemon.healthy();
    if (old !== undefined) daemon.end(old, 1);
    daemon.history.length = 0;
    for (let second = 0; second < 60; second++) {
      daemon.pass();
      daemon.tick(1000);
    }
    const starts = daemon.history.flatMap(({ plan }) => plan.actions).filter(({ kind }) => kind === 'start');
    // At 10 s, then 20 s and 40 s after three that failed.
    expect(starts.length).toBeGreaterThan(3);
    expect(starts.length).toBeLessThan(7);
    expect(starts).toEqual(starts.map(() => expect.objectContaining({ node: old?.node, deployment: old?.deployment })));
  });

  it('waits longer and longer for tasks that never start, and stops no more of those that run', () => {
    const daemon = steadyDaemon(HALF);
    daemon.options.fails = ({ deployment }) => deployment !== '1'.repeat(19);
    daemon.deploy();
    const impaired = daemon.run((plan) => plan.startImpaired);
    expect(impaired.deployments[0]?.blockedBy).toContain('cannot start: throttled until ');
    daemon.run((plan) => plan.startImpaired && (plan.deployments[0]?.failedTasks ?? 0) > 6);
    expect(daemon.healthy()).toHaveLength(3);
    daemon.options.minimumHealthyPercent = 0;
    expect(daemon.pass().actions).toEqual([]);
  });
});

describe('nodes of a DAEMON', () => {
  it('have one task each, and desiredCount is their number', () => {
    const daemon = new SimulatedDaemon(ATOMIC);
    const plan = daemon.pass();
    expect(signs(plan.actions)).toEqual(['+node-0', '+node-1', '+node-2', '+node-3', '+node-4']);
    expect(plan.deployments).toMatchObject([{ desiredCount: 5, pendingCount: 5, runningCount: 0 }]);
    expect(daemon.steady().deployments).toMatchObject([{ desiredCount: 5, runningCount: 5, completed: true }]);
  });

  it('may be none', () => {
    expect(new SimulatedDaemon({ ...ATOMIC, nodes: 0 }).pass()).toMatchObject({
      actions: [],
      steady: true,
      deployments: [{ desiredCount: 0, completed: true }],
    });
  });

  it('get their task when they come, in the middle of an update as well: of the new revision', () => {
    const daemon = steadyDaemon(HALF);
    daemon.deploy();
    daemon.pass();
    daemon.nodes.set('late', 'active');
    const start = daemon.pass().actions.find((action) => action.kind === 'start');
    expect(start).toMatchObject({ node: 'late', deployment: daemon.deployments[0].id });
    daemon.steady();
  });

  it('take their task with them when they go', () => {
    const daemon = steadyDaemon(ATOMIC);
    daemon.remove('node-3');
    const plan = daemon.pass();
    expect(plan).toMatchObject({ actions: [], deployments: [{ desiredCount: 4, runningCount: 4 }] });
    expect(daemon.steady().steady).toBe(true);
  });

  it('leave behind no task that waits for one that is gone', () => {
    const daemon = new SimulatedDaemon(ATOMIC);
    daemon.pass();
    for (const task of daemon.live()) if (task.target === 'node-1') delete task.node;
    daemon.remove('node-1');
    expect(signs(daemon.pass().actions)).toEqual(['-node-1']);
  });

  it('keep their task while they are not ready, and get none', () => {
    const daemon = steadyDaemon(HALF);
    const [task] = daemon.on('node-0');
    daemon.nodes.set('node-0', 'closed');
    daemon.nodes.set('late', 'closed');
    daemon.deploy();
    const plan = daemon.steady();
    expect(daemon.on('node-0')).toEqual([task]);
    expect(daemon.on('late')).toEqual([]);
    expect(plan.deployments).toMatchObject([
      { status: 'PRIMARY', desiredCount: 4, runningCount: 4 },
      { status: 'ACTIVE', runningCount: 1 },
    ]);
    daemon.nodes.set('node-0', 'active');
    daemon.steady();
    expect(daemon.on('node-0')).toMatchObject([{ deployment: daemon.deployments[0].id }]);
  });

  it('lose their task when they no longer match, whatever the lower bound', () => {
    const daemon = steadyDaemon({ nodes: 3, minimumHealthyPercent: 90 });
    daemon.nodes.set('node-0', 'excluded');
    daemon.nodes.set('node-1', 'excluded');
    const { actions } = daemon.pass();
    expect(signs(actions)).toEqual(['-node-0', '-node-1']);
    expect(actions[0]).toMatchObject({
      ...scaling(daemon.deployments[0].id),
      because: 'node node-0 no longer matches the placement constraints',
    });
    expect(daemon.steady().deployments).toMatchObject([{ desiredCount: 1, runningCount: 1 }]);
    daemon.nodes.set('node-0', 'active');
    expect(signs(daemon.pass().actions)).toEqual(['+node-0']);
  });

  it('have one task only: a second one of another deployment goes', () => {
    const daemon = steadyDaemon(ATOMIC);
    const [task] = daemon.on('node-2');
    if (task === undefined) throw new Error('no task');
    daemon.deploy();
    daemon.nodes.set('node-0', 'closed');
    daemon.tasks.push({ ...task, id: 'f'.repeat(32), deployment: daemon.deployments[0].id, createdAt: daemon.now });
    expect(signs(daemon.pass().actions)).toContain('-node-2');
    expect(daemon.on('node-2').filter(({ stopRequested }) => !stopRequested)).toMatchObject([
      { deployment: daemon.deployments[0].id },
    ]);
  });

  it('whose scheduler finds no room for the task are tried again elsewhere in the constraints only', () => {
    const daemon = new SimulatedDaemon(ATOMIC);
    daemon.pass();
    const [task] = daemon.on('node-0');
    if (task === undefined) throw new Error('no task');
    delete task.node;
    task.unplaceable = '0/5 nodes are available: 1 Insufficient cpu';
    expect(daemon.pass()).toMatchObject({ actions: [], unplaceable: task.unplaceable });
    daemon.placement = 'changed';
    expect(signs(daemon.pass().actions)).toEqual(['-node-0']);
  });
});

describe('a DRAINING node of a DAEMON', () => {
  it('has its task stopped after those of others, and gets none', () => {
    const daemon = steadyDaemon({ nodes: 3, minimumHealthyPercent: 90 });
    daemon.nodes.set('node-0', 'draining');
    daemon.busy.add('node-0');
    const waiting = daemon.pass();
    expect(waiting).toMatchObject({ actions: [], steady: true, deployments: [{ desiredCount: 2, runningCount: 3 }] });
    daemon.busy.clear();
    const [stop, ...others] = daemon.pass().actions;
    expect(others).toEqual([]);
    expect(stop).toMatchObject({ kind: 'stop', task: { node: 'node-0' }, ...DRAINING });
    daemon.steady();
    expect(daemon.on('node-0')).toEqual([]);
  });

  it('has a PENDING task stopped at once', () => {
    const daemon = new SimulatedDaemon(ATOMIC);
    daemon.pass();
    daemon.nodes.set('node-0', 'draining');
    daemon.busy.add('node-0');
    expect(daemon.pass().actions).toMatchObject([{ kind: 'stop', task: { node: 'node-0' }, ...DRAINING }]);
  });

  it('keeps its task when it is ACTIVE again before the others have ended', () => {
    const daemon = steadyDaemon(ATOMIC);
    const before = daemon.live();
    daemon.nodes.set('node-0', 'draining');
    daemon.busy.add('node-0');
    daemon.pass();
    daemon.nodes.set('node-0', 'active');
    daemon.steady();
    expect(daemon.live()).toEqual(before);
  });

  it('has no task replaced there that ends by itself', () => {
    const daemon = steadyDaemon(ATOMIC);
    daemon.nodes.set('node-0', 'draining');
    daemon.busy.add('node-0');
    const [task] = daemon.on('node-0');
    if (task !== undefined) daemon.end(task, 1);
    expect(daemon.pass().actions).toEqual([]);
  });
});

describe('a task of a DAEMON', () => {
  it('that ends by itself is replaced on its node at once', () => {
    const daemon = steadyDaemon(ATOMIC);
    const [task] = daemon.on('node-4');
    if (task !== undefined) daemon.end(task, 1);
    expect(daemon.pass().actions).toMatchObject([{ kind: 'start', node: 'node-4', seat: { generation: 2 } }]);
  });

  it('that is unhealthy makes way for its replacement, one at a time', () => {
    const daemon = steadyDaemon(ATOMIC);
    for (const task of daemon.live().slice(0, 2)) daemon.sicken(task);
    const [stop, ...others] = daemon.pass().actions;
    expect(others).toEqual([]);
    expect(stop).toMatchObject({ kind: 'stop', ...FAILED_HEALTH_CHECKS });
    expect(daemon.pass().actions).toEqual([]);
    daemon.steady();
    expect(daemon.stops()).toHaveLength(2);
  });

  it('that is protected is not stopped by an update', () => {
    const daemon = steadyDaemon(ATOMIC);
    const [held] = daemon.on('node-1');
    if (held !== undefined) held.protectedUntil = daemon.now + 60_000;
    daemon.deploy();
    expect(signs(daemon.pass().actions)).not.toContain('-node-1');
    const waits = daemon.run((plan) => plan.protection !== undefined);
    expect(waits).toMatchObject({ stuck: false, wakeAt: held?.protectedUntil, protection: { tasks: 1 } });
    expect(waits.deployments[0]?.blockedBy).toBe('cannot stop: 1 tasks under protection');
    daemon.tick(61_000);
    expect(signs(daemon.pass().actions)).toContain('-node-1');
  });
});
