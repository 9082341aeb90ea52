/** Which revision a service is to run, and what stands in the way. */
import type { ServiceSpec } from '../api/service.ts';
import { type TaskProblem, taskProblems } from '../pod/problems.ts';
import type { DiscoveryName } from '../traffic/discovery.ts';
import type { ClusterView } from './cluster-view.ts';
import { blockedBy, clusterProblems, foreignReferences } from './references.ts';
import type { Runtime, ServiceRecord } from './runtime.ts';
import { lastMade, needsDeployment, type ServiceDeployment } from './service-deployments.ts';
import { placementOf, templateOf } from './service-template.ts';
import { resolveTaskDefinition, type TaskRevision } from './task-revisions.ts';
import { targetsOf, withNames } from './traffic/registrations.ts';

export interface Trouble {
  readonly reason: string;
  readonly message: string;
  readonly stalled: boolean;
}

export interface Wanted {
  /** What a deployment is to be made of; absent where the newest one is what is wanted, or nothing can be made. */
  readonly next?: TaskRevision;
  /** Under which the tasks of that deployment are to be found. */
  readonly names?: readonly DiscoveryName[];
  /** Why no deployment is made although one is wanted: what runs goes on. */
  readonly trouble?: Trouble;
  /** What means nothing here, of the revision that is wanted, or else of the one that runs. */
  readonly problems: readonly TaskProblem[];
}

export function wantedRevision(
  runtime: Runtime,
  service: ServiceRecord,
  spec: ServiceSpec,
  cluster: ClusterView,
  /** PRIMARY first. */
  deployments: readonly ServiceDeployment[],
): Wanted {
  const { taskDefinition } = spec;
  const [primary] = deployments;
  // What has failed is not tried again for as long as nothing else is asked for.
  const newest = lastMade(deployments);
  const own = [...clusterProblems(cluster), ...foreignReferences(cluster, { cluster: spec.cluster, taskDefinition })];
  const running = primary === undefined ? [] : templateOf(runtime, service, primary, cluster.spec).problems;
  const blocked = blockedBy(own);
  if (blocked !== undefined) return { trouble: blocked, problems: [...own, ...running] };
  const resolved = resolveTaskDefinition(runtime.stores, service.namespace, taskDefinition, newest);
  if ('waiting' in resolved) {
    const trouble = { reason: 'TaskDefinitionNotFound', message: resolved.waiting, stalled: false };
    return { trouble, problems: running };
  }
  if (!needsDeployment(service, resolved, newest)) return { problems: running };
  const placement = placementOf(runtime, service, '');
  const targets = targetsOf(runtime, service, cluster.spec, spec);
  const traffic = withNames(targets, spec, resolved.definition, cluster.spec, service.namespace);
  const problems = taskProblems(resolved.definition, cluster.spec, { ...spec, placement, traffic });
  const trouble = blockedBy(problems);
  return trouble === undefined ? { next: resolved, names: traffic.names, problems } : { trouble, problems };
}
