/** HTTPRoutes and Ingresses, each owned by all TargetGroups that it leads to: it goes with the last of them. */
import { LABELS, MANAGED_BY, targetGroups } from '../../api/meta.ts';
import { isAlreadyExists, isForbidden, isInvalid, isNotFound } from '../../kube/errors.ts';
import {
  apiVersion,
  httpRoutes,
  ingresses,
  type KubeObject,
  type OwnerReference,
  resourceName,
} from '../../kube/resource.ts';
import type { PlannedRoute } from '../../traffic/route-plan.ts';
import type { RoutedTargetGroup } from '../../traffic/shared-routes.ts';
import type { Runtime, TargetGroupRecord } from '../runtime.ts';
import { ownerReference } from '../tasks.ts';
import { includes } from './kept-objects.ts';
import { type RouteJson, routeRecord } from './route-records.ts';

const RESOURCES = { httpRoutes, ingresses } as const;

export interface KeptRoutes {
  /** Names of what was written. */
  readonly written: readonly string[];
  /** Something is not deleted yet: what takes its place is not there. */
  readonly postponed: boolean;
  /** What is in the way. */
  readonly problem?: string;
}

/** None of them is the controller: an object has at most one. */
const referenceTo = (owner: RoutedTargetGroup): OwnerReference => ({
  ...ownerReference(targetGroups, owner),
  controller: false,
  blockOwnerDeletion: false,
});

/**
 * Writes what of the plan is this TargetGroup's to write: an object is written by the first of its owners, and deleted by any
 * of those that had it, once all that is planned is there, so that no request is without a route in between.
 */
export async function keepRouteObjects(
  runtime: Runtime,
  kind: keyof typeof RESOURCES,
  record: TargetGroupRecord,
  planned: readonly PlannedRoute<object>[],
  mayDelete: boolean,
): Promise<KeptRoutes> {
  const { client, stores, barriers } = runtime;
  const { namespace, uid } = record;
  const written: string[] = [];
  try {
    for (const route of planned) {
      if (route.owners[0]?.uid !== uid) continue;
      const resourceVersion = await write(runtime, kind, namespace, route);
      if (resourceVersion === undefined) continue;
      if ('problem' in resourceVersion) return { written, postponed: false, ...resourceVersion };
      barriers[kind].note(uid, resourceVersion.resourceVersion);
      written.push(route.name);
    }
    if (!mayDelete) return { written, postponed: false };
    const leftovers = stores[kind].by('owner', uid).filter(({ name }) => planned.every((each) => each.name !== name));
    const isThere = ({ name }: { name: string }): boolean =>
      written.includes(name) || stores[kind].get(namespace, name) !== undefined;
    if (leftovers.length > 0 && !planned.every(isThere)) return { written, postponed: true };
    for (const { name, uid: leftover } of leftovers) {
      try {
        await client.delete(RESOURCES[kind], { namespace, name }, { preconditions: { uid: leftover } });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
    return { written, postponed: false };
  } catch (error) {
    if (!isForbidden(error) && !isInvalid(error)) throw error;
    return { written, postponed: false, problem: `${resourceName(RESOURCES[kind])}: ${error.message}` };
  }
}

type Written = { readonly resourceVersion: string } | { readonly problem: string } | undefined;

/** @returns undefined where all is as it should be. */
async function write(
  { client, stores }: Runtime,
  kind: keyof typeof RESOURCES,
  namespace: string,
  { name, spec, owners }: PlannedRoute<object>,
): Promise<Written> {
  const resource = RESOURCES[kind];
  const known = stores[kind].get(namespace, name);
  const ownerReferences = owners.map(referenceTo);
  if (known !== undefined) {
    const uids = owners.map(({ uid }) => uid);
    if (includes(known.spec, spec) && includes(known.owners, uids)) return undefined;
    const patch = { metadata: { uid: known.uid, ownerReferences }, spec };
    const { metadata } = await client.patch<KubeObject>(resource, { namespace, name }, patch);
    return { resourceVersion: metadata.resourceVersion };
  }
  const body = {
    apiVersion: apiVersion(resource),
    kind: resource.kind,
    metadata: { name, namespace, labels: { [LABELS.managedBy]: MANAGED_BY }, ownerReferences },
    spec,
  };
  try {
    const { metadata } = await client.create<KubeObject>(resource, { namespace }, body);
    return { resourceVersion: metadata.resourceVersion };
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const existing = await client.get<RouteJson>(resource, { namespace, name });
    const isOurs =
      existing.metadata.labels?.[LABELS.managedBy] === MANAGED_BY && routeRecord(existing).owners.length > 0;
    if (isOurs) return { resourceVersion: existing.metadata.resourceVersion };
    return { problem: `${resource.kind} "${name}" exists and does not belong to a TargetGroup: delete or rename it` };
  }
}
