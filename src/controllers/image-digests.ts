/** Pins the images of a deployment by what its first task has pulled. */
import { failedAt } from '../ecs/circuit-breaker.ts';
import { resolveDigests } from '../pod/image-digest.ts';
import type { ObservedTask } from '../pod/observe.ts';
import type { ClusterView } from './cluster-view.ts';
import type { Runtime, ServiceRecord } from './runtime.ts';
import { recordDigests, type ServiceDeployment } from './service-deployments.ts';
import { templateOf } from './service-template.ts';

/** Once a deployment. @returns whether it was recorded in this pass: whoever starts tasks is to know. */
export async function pinImages(
  runtime: Runtime,
  service: ServiceRecord,
  cluster: ClusterView,
  deployment: ServiceDeployment,
  tasks: readonly ObservedTask[],
): Promise<boolean> {
  if (deployment.record.digests !== undefined) return false;
  const own = tasks.filter((task) => task.deployment === deployment.id);
  if (own.length === 0) return false;
  const now = runtime.now();
  const failures = own.filter((task) => failedAt(task, now) !== undefined).length;
  const digests = resolveDigests(templateOf(runtime, service, deployment, cluster.spec), own, failures);
  if (digests === undefined) return false;
  await recordDigests(runtime, service, deployment, digests);
  return true;
}
