/** Pods of ended tasks: gone at once after planned stops, readable for a while after faults (`design §3.3`). */
import type { ClusterSpec } from '../api/cluster.ts';
import { failedAt } from '../ecs/circuit-breaker.ts';
import { stoppedAt } from '../ecs/task.ts';
import type { ObservedTask } from '../pod/observe.ts';
import type { Runtime, ServiceRecord } from './runtime.ts';
import type { ServiceDeployment } from './service-deployments.ts';
import { sweepTasks } from './tasks.ts';

/**
 * Deletes the pods of ended tasks, all of which the status now has: planned stops at once, others after the retention.
 * @returns when the next one is due, epoch milliseconds.
 */
export async function sweepService(
  runtime: Runtime,
  service: ServiceRecord,
  { stoppedTaskSeconds, stoppedTasks }: ClusterSpec['retention'],
  deployments: readonly ServiceDeployment[],
  tasks: readonly ObservedTask[],
): Promise<number | undefined> {
  const now = runtime.now();
  const overAt = (task: ObservedTask): number => stoppedAt(task) + stoppedTaskSeconds * 1000;
  const ended = tasks.filter((task) => task.ended && task.stopRecorded);
  const faults = ended.filter((task) => !isPlanned(task)).sort((a, b) => stoppedAt(b) - stoppedAt(a));
  const kept = faults.slice(0, stoppedTasks).filter((task) => now < overAt(task));
  // An older deployment that still has tasks gets its lost ones back: their pods are the memory of it.
  const rolling = new Set(
    tasks.filter((task) => !task.ended && task.deployment !== deployments[0]?.id).map(({ deployment }) => deployment),
  );
  // While a circuit breaker watches the newest one, the pods are its count.
  const [primary] = deployments;
  const breaker = service.spec?.deploymentConfiguration.deploymentCircuitBreaker;
  const isWatched = breaker?.enable === true && primary?.completed === false && !primary.failed;
  const counted = isWatched
    ? ended.filter((task) => task.deployment === primary.id && failedAt(task, now) !== undefined)
    : [];
  const needed = new Set([...kept, ...counted, ...faults.filter((task) => rolling.has(task.deployment))]);
  const over = ended.filter((task) => !needed.has(task));
  if (over.length > 0) await sweepTasks(runtime, service.namespace, over);
  const oldest = kept.at(-1);
  return oldest === undefined ? undefined : overAt(oldest);
}

/** The scheduler meant it: nobody needs to read why. */
const isPlanned = (task: ObservedTask): boolean => task.stopCause?.stopCode === 'ServiceSchedulerInitiated';
