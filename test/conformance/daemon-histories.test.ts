/** What holds for a DAEMON service in any history of its nodes, tasks and deployments. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bounds } from '../../src/ecs/bounds.ts';
import { type DaemonNode, nodeOf } from '../../src/ecs/daemon-node.ts';
import { stopDue } from '../../src/ecs/task.ts';
import { healthView } from '../../src/ecs/task-health.ts';
import { SimulatedDaemon } from '../support/simulated-daemon.ts';

const STATES: readonly DaemonNode[] = ['active', 'closed', 'draining', 'excluded'];
const NODES = 7;

/** `of` chooses a node or task. */
const step = fc.record({
  what: fc.constantFrom('tick', 'tick', 'tick', 'node', 'remove', 'deploy', 'end', 'sicken', 'busy', 'protect', 'fail'),
  of: fc.nat(NODES - 1),
  state: fc.constantFrom(...STATES),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function happen(daemon: SimulatedDaemon, { what, of, state }: Step): void {
  const live = daemon.live();
  const task = live[of % Math.max(live.length, 1)];
  const node = `node-${of}`;
  if (what === 'tick') daemon.tick(1000);
  if (what === 'node') daemon.nodes.set(node, state);
  if (what === 'remove') daemon.remove(node);
  if (what === 'deploy') daemon.deploy();
  if (what === 'busy') daemon.busy[daemon.busy.has(node) ? 'delete' : 'add'](node);
  if (task === undefined) return;
  if (what === 'end') daemon.end(task, 1);
  if (what === 'sicken' && task.containers[0]?.status === 'RUNNING') daemon.sicken(task);
  if (what === 'protect') task.protectedUntil = daemon.now + 5000;
  if (what === 'fail' && task.containers[0]?.status === 'PENDING')
    task.containers = task.containers.map((app) => ({
      ...app,
      startFailure: 'CannotPullContainerError: no such image',
    }));
}

/** One pass, and what must be true of it. The simulated cluster itself refuses a second task on a node, and a name twice. */
function checkedPass(daemon: SimulatedDaemon): void {
  const { now, nodes } = daemon;
  const plan = daemon.plan();
  expect(daemon.plan()).toEqual(plan);
  const active = [...nodes].filter(([, state]) => state === 'active').map(([name]) => name);
  const isActive = (node: string): boolean => nodes.get(node) === 'active';
  expect(plan.deployments[0]?.desiredCount).toBe(active.length);

  const counted = daemon.live().filter((task) => !task.stopRequested && isActive(nodeOf(task)));
  const healthy = counted.filter((task) => healthView(task, now).healthy);
  const lost = new Set<unknown>();
  for (const action of plan.actions) {
    if (action.kind === 'start') {
      expect(isActive(action.node ?? '')).toBe(true);
      continue;
    }
    const { task } = action;
    expect([task.ended, task.stopRequested]).toEqual([false, false]);
    const isMeant = stopDue(task) === undefined && isActive(nodeOf(task));
    if (isMeant) expect(task.protectedUntil ?? 0).toBeLessThanOrEqual(now);
    if (isMeant && healthy.includes(task)) lost.add(task);
  }
  const { min } = bounds(active.length, daemon.options.minimumHealthyPercent, 100);
  if (lost.size > 0) expect(healthy.length - lost.size).toBeGreaterThanOrEqual(min);

  daemon.pass();
  const again = daemon.plan().actions;
  const stops = new Set(plan.actions.flatMap((action) => (action.kind === 'stop' ? [action.task] : [])));
  for (const action of again) expect(action.kind === 'stop' && stops.has(action.task)).toBe(false);
  const started = new Set(plan.actions.flatMap((action) => (action.kind === 'start' ? [action.node] : [])));
  for (const action of again) expect(action.kind === 'start' && started.has(action.node)).toBe(false);
}

it('a DAEMON has at most one task on a node, none where it may not, keeps its bound, and ends with one on each', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(0, 33, 50, 75),
      fc.integer({ min: 0, max: NODES }),
      fc.integer({ min: 0, max: 4 }),
      fc.array(step, { maxLength: 60 }),
      (minimumHealthyPercent, nodes, seconds, steps) => {
        const daemon = new SimulatedDaemon({ nodes, minimumHealthyPercent, stopMs: seconds * 1000 });
        for (const one of steps) {
          happen(daemon, one);
          checkedPass(daemon);
        }
        // Everything is well from now on: the throttle's longest time, and then one node after the other.
        daemon.busy.clear();
        daemon.tick(27 * 60_000);
        daemon.history.length = 0;
        const isDone = () => daemon.history.at(-1)?.plan;
        for (let pass = 0; pass < 200 && !(isDone()?.steady || isDone()?.stuck); pass++) {
          checkedPass(daemon);
          daemon.tick(1000);
        }
        const end = daemon.pass();
        const active = [...daemon.nodes].filter(([, state]) => state === 'active').map(([name]) => name);
        const { min } = bounds(active.length, minimumHealthyPercent, 100);
        if (!end.steady) {
          expect(end).toMatchObject({ stuck: true, actions: [] });
          expect(min).toBe(active.length);
          return;
        }
        const there = daemon.live().filter((task) => daemon.nodes.get(nodeOf(task)) === 'active');
        expect(there.map(nodeOf).sort()).toEqual(active.sort());
        expect(new Set(there.map(({ deployment }) => deployment)).size).toBeLessThanOrEqual(1);
        for (const task of daemon.live()) expect(daemon.nodes.get(nodeOf(task))).toMatch(/active|closed/);
        expect(end.actions).toEqual([]);
        expect(daemon.plan().actions).toEqual([]);
      },
    ),
    { numRuns: 300 },
  );
});
