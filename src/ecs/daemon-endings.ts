/** Daemon tasks that end whatever the bounds: for a reason of their own, or for one of their node's (`ecs-semantics §3.12`). */
import { type DaemonTask, nodeOf } from './daemon-node.ts';
import type { DaemonPlanInput } from './daemon-plan.ts';
import { endings } from './service-endings.ts';
import type { Stop } from './service-plan.ts';
import { scaling, stopOf } from './service-view.ts';
import { DRAINING, lastStatus } from './task.ts';

export function daemonEndings<T extends DaemonTask>(input: DaemonPlanInput<T>): Stop<T>[] {
  const own = endings({ ...input, desiredCount: 0, maximumPercent: 0 });
  const ending = new Set(own.map(({ task }) => task));
  const others = input.tasks.filter((task) => !task.ended && !task.stopRequested && !ending.has(task));
  return [...own, ...others.flatMap((task) => leaving(task, input))];
}

function leaving<T extends DaemonTask>(task: T, { nodes, busy }: DaemonPlanInput<T>): Stop<T>[] {
  const node = nodeOf(task);
  const stop = (because: string): Stop<T>[] => [stopOf(task, scaling(task), because)];
  switch (nodes.get(node)) {
    case undefined:
      // Kubernetes deletes what ran on a node that is gone; it leaves what waits for one.
      return task.node === undefined ? stop(`node ${node} is gone`) : [];
    case 'excluded':
      return stop(`node ${node} no longer matches the placement constraints`);
    case 'draining': {
      const isRunning = lastStatus(task) === 'RUNNING';
      if (isRunning && busy.has(node)) return [];
      const because = isRunning ? 'the tasks of others there have ended' : 'the task is pending';
      return [stopOf(task, DRAINING, `node ${node} is DRAINING, and ${because}`)];
    }
    case 'active':
      return [];
    case 'closed':
      // No node will take it: where it is wanted is decided anew when the node is open again.
      return task.node === undefined ? stop(`node ${node} takes no task at present`) : [];
  }
}
