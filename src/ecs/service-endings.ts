/** Tasks that end for a reason of their own: no bound holds them (`ecs-semantics §2.3, §3.2, §3.12`). */
import type { ServicePlanInput, ServiceTask, Stop } from './service-plan.ts';
import { drains, scaling, stopOf } from './service-view.ts';
import { DRAINING, lastStatus, stopDue } from './task.ts';

export function endings<T extends ServiceTask>(input: ServicePlanInput<T>): Stop<T>[] {
  const isLive = ({ ended, stopRequested }: T): boolean => !ended && !stopRequested;
  const ending = (task: T): Stop<T>[] => {
    const due = stopDue(task);
    return due === undefined ? [] : [stopOf(task, due, due.because)];
  };
  const pendingOnDraining = (task: T): Stop<T>[] =>
    isLive(task) && drains(task, input.draining) && lastStatus(task) !== 'RUNNING'
      ? [stopOf(task, DRAINING, `it is pending, and node ${task.node} is DRAINING`)]
      : [];
  // What nobody could place says nothing yet: changed constraints hold for it, too.
  const misplaced = (task: T): Stop<T>[] =>
    isLive(task) && task.unplaceable !== undefined && task.placement !== input.placement
      ? [stopOf(task, scaling(task), 'no node takes it, and where tasks are placed has changed since')]
      : [];
  const rules = [ending, pendingOnDraining, misplaced];
  return firstOfEach(rules.flatMap((rule) => input.tasks.flatMap(rule)));
}

/** The first stop of each task: later rules have nothing more to say of it. */
function firstOfEach<T extends ServiceTask>(stops: readonly Stop<T>[]): Stop<T>[] {
  const seen = new Set<T>();
  return stops.filter(({ task }) => {
    const isFirst = !seen.has(task);
    seen.add(task);
    return isFirst;
  });
}
