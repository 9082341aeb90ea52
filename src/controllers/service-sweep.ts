/** Pods of ended tasks: gone at once after planned stops, readable for a while after faults (`design §3.3`). */
import type { ClusterSpec } from '../api/cluster.ts';
import { retainedTasks } from '../ecs/task-retention.ts';
import type { ObservedTask } from '../pod/observe.ts';
import type { Runtime, ServiceRecord } from './runtime.ts';
import type { ServiceDeployment } from './service-deployments.ts';
import { sweepTasks } from './tasks.ts';

/**
 * Deletes the pods of ended tasks that nobody needs any more, all of which the status now has.
 * @returns when the next one is due, epoch milliseconds.
 */
export async function sweepService(
  runtime: Runtime,
  service: ServiceRecord,
  { stoppedTaskSeconds, stoppedTasks }: ClusterSpec['retention'],
  [primary]: readonly ServiceDeployment[],
  tasks: readonly ObservedTask[],
  restartsWait: boolean,
): Promise<number | undefined> {
  const { kept, until } = retainedTasks({
    tasks,
    primary,
    circuitBreaker: service.spec?.deploymentConfiguration.deploymentCircuitBreaker,
    readable: { tasks: stoppedTasks, seconds: stoppedTaskSeconds },
    restartsWait,
    now: runtime.now(),
  });
  const over = tasks.filter((task) => task.ended && task.stopRecorded && !kept.has(task));
  if (over.length > 0) await sweepTasks(runtime, service.namespace, over);
  return until;
}
