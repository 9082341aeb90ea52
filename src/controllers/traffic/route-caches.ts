/** The caches of what carries routes: few clusters have all of these kinds, and few TargetGroups have routes. */

import type { Reflector } from '../../kube/reflector.ts';
import { gateways, httpRoutes, ingressClasses, ingresses, type Resource } from '../../kube/resource.ts';
import type { Change, Store, Stored } from '../../kube/store.ts';
import { OnDemandCache } from '../optional-cache.ts';
import { sameContent } from '../records.ts';
import type { Stores } from '../runtime.ts';
import type { Wake } from '../wake.ts';
import {
  type GatewayRecord,
  gatewayRecord,
  type IngressClassRecord,
  ingressClassRecord,
  type RouteJson,
  type RouteRecord,
  routeRecord,
} from './route-records.ts';

type Watch = <T extends Stored, Source>(
  resource: Resource,
  project: (raw: Source) => T,
  store: Store<T>,
  onChange: (change: Change<T>) => void,
  labelSelector?: string,
) => Reflector<T, Source>;

export interface RouteCaches {
  readonly gateways: OnDemandCache<GatewayRecord, Parameters<typeof gatewayRecord>[0]>;
  readonly httpRoutes: OnDemandCache<RouteRecord, RouteJson>;
  readonly ingresses: OnDemandCache<RouteRecord, RouteJson>;
  /** Absent for an operator of one namespace: they have none. */
  readonly ingressClasses: OnDemandCache<IngressClassRecord, Parameters<typeof ingressClassRecord>[0]> | undefined;
}

interface RouteCachesOptions {
  /** Of what Longshore made. */
  readonly labelSelector: string;
  readonly ofCluster: boolean;
  /** Reconciles a TargetGroup. */
  readonly enqueue: (key: string) => void;
}

export function createRouteCaches(
  watch: Watch,
  stores: Stores,
  wake: Wake,
  { labelSelector, ofCluster, enqueue }: RouteCachesOptions,
): RouteCaches {
  const wakeOwners = ({ object, previous }: Change<RouteRecord>): void => {
    for (const owner of new Set([...object.owners, ...(previous?.owners ?? [])])) wake.owner(owner);
  };
  const onGateway = ({ type, object, previous }: Change<GatewayRecord>): void => {
    // Its status changes with every route.
    if (type !== 'modified' || !sameContent(object.listeners, previous.listeners)) wake.routed();
  };
  return {
    gateways: new OnDemandCache(watch(gateways, gatewayRecord, stores.gateways, onGateway), enqueue),
    httpRoutes: new OnDemandCache(
      watch(httpRoutes, routeRecord, stores.httpRoutes, wakeOwners, labelSelector),
      enqueue,
    ),
    ingresses: new OnDemandCache(watch(ingresses, routeRecord, stores.ingresses, wakeOwners, labelSelector), enqueue),
    ingressClasses: ofCluster
      ? new OnDemandCache(
          watch(ingressClasses, ingressClassRecord, stores.ingressClasses, () => wake.routed()),
          enqueue,
        )
      : undefined,
  };
}
