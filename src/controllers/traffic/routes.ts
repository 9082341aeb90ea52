/** Carries the routes of TargetGroups out: HTTPRoutes (Gateway API), and Ingresses where there is no Gateway. */
import type { TargetGroupSpec } from '../../api/target-group.ts';
import { resourceName } from '../../kube/resource.ts';
import { type PlannedRoute, planRoutes, type RouteOutcome, type RoutePlan } from '../../traffic/route-plan.ts';
import {
  isAccepted,
  ROUTES_SERVED,
  type RouteAnswer,
  routesCondition,
  routesSupport,
} from '../../traffic/route-status.ts';
import type { RoutedTargetGroup } from '../../traffic/shared-routes.ts';
import type { Sight } from '../optional-cache.ts';
import { keyOf } from '../records.ts';
import type { Runtime, Stores, TargetGroupRecord } from '../runtime.ts';
import { coreServiceOf, targetGroupNameOf, targetGroupOf } from '../target-group.ts';
import type { TrafficReport } from './implementation.ts';
import { type KeptRoutes, keepRouteObjects } from './route-objects.ts';

/** How long to wait for a cache that is still on its way. */
const SOON_MS = 1_000;

/** What somebody else has is asked for again this often: nothing tells when it goes. */
const AGAIN_MS = 60_000;

/** Of one that has had routes, the condition tells: it goes after the last of their objects. */
const hadRoutes = ({ status }: TargetGroupRecord): boolean =>
  status.conditions?.some(({ type }) => type === ROUTES_SERVED) === true;

/** The TargetGroups of a namespace that have routes, but for those whose name another one has. */
function routedGroups(stores: Stores, namespace: string): RoutedTargetGroup[] {
  return stores.targetGroups.by('namespace', namespace).flatMap((record) => {
    const { uid, name, spec, deleting } = record;
    if (spec === undefined || deleting || spec.routes.length === 0) return [];
    if (targetGroupOf(stores, namespace, targetGroupNameOf(record))?.uid !== uid) return [];
    const { port, protocol, protocolVersion, routes } = spec;
    return [{ name, uid, service: coreServiceOf(record), port, protocol, protocolVersion, routes }];
  });
}

type Sights = Readonly<Record<keyof Runtime['routeCaches'], Sight>>;

function look({ routeCaches }: Runtime, key: string): Sights {
  const { gateways, httpRoutes, ingresses, ingressClasses } = routeCaches;
  return {
    gateways: gateways.look(key),
    httpRoutes: httpRoutes.look(key),
    ingresses: ingresses.look(key),
    ingressClasses: ingressClasses?.look(key) ?? 'forbidden',
  };
}

function plan({ stores, routeCaches }: Runtime, namespace: string, sights: Sights): RoutePlan {
  const { gateways, httpRoutes, ingresses, ingressClasses } = routeCaches;
  const hasGateways = sights.gateways === 'seen' && sights.httpRoutes === 'seen';
  const hasIngresses = sights.ingresses === 'seen' && sights.ingressClasses === 'seen';
  const unreadable = Object.entries({ gateways, httpRoutes, ingresses, ingressClasses }).flatMap(([kind, cache]) =>
    cache !== undefined && sights[kind as keyof Sights] === 'forbidden' ? [resourceName(cache.reflector.resource)] : [],
  );
  return planRoutes({
    namespace,
    groups: routedGroups(stores, namespace),
    gateways: hasGateways ? [...stores.gateways.values()] : undefined,
    // Without a view of the whole cluster there is none of its IngressClasses either.
    ownGatewaysOnly: ingressClasses === undefined,
    ingressClasses: hasIngresses ? [...stores.ingressClasses.values()] : undefined,
    unreadable,
  });
}

/** One of Gateway API's kinds seen to be there and the other not is a moment of the API server, and no reason to take routes away. */
const isPassing = ({ gateways, httpRoutes }: Sights): boolean =>
  (gateways === 'absent' && httpRoutes === 'seen') || (gateways === 'seen' && httpRoutes === 'absent');

/** Where it is not clear any more what is meant, what was set up goes on. */
const isAmbiguous = ({ notCarried }: RouteOutcome): boolean =>
  notCarried?.reason === 'AmbiguousGateway' || notCarried?.reason === 'AmbiguousIngressClass';

/** As it was said before. */
function unchanged({ status }: TargetGroupRecord): TrafficReport {
  const known = status.conditions?.find(({ type }) => type === ROUTES_SERVED);
  return {
    ...(known !== undefined && { condition: { ...known, status: known.status === 'True' } }),
    support: status.fieldSupport?.filter(({ field }) => field.startsWith('spec.routes[')) ?? [],
  };
}

export async function keepRoutes(
  runtime: Runtime,
  record: TargetGroupRecord,
  spec: TargetGroupSpec,
): Promise<TrafficReport> {
  if (spec.routes.length === 0 && !hadRoutes(record)) return {};
  const { stores, barriers } = runtime;
  const { namespace, uid } = record;
  const sights = look(runtime, keyOf(record));
  if (Object.values(sights).includes('unknown') || isPassing(sights))
    return { ...unchanged(record), requeueAfterMs: SOON_MS };
  const unseen = barriers.httpRoutes.pending(uid) ?? barriers.ingresses.pending(uid);
  if (unseen !== undefined) return { ...unchanged(record), requeueWhen: unseen };

  const { httpRoutes, ingresses, outcomes } = plan(runtime, namespace, sights);
  const own = outcomes.get(uid) ?? [];
  const mayDelete = !own.some(isAmbiguous);
  const keep = (kind: 'httpRoutes' | 'ingresses', planned: readonly PlannedRoute<object>[], deletes: boolean) =>
    keepRouteObjects(runtime, kind, record, planned, deletes);
  const kept: KeptRoutes[] = [];
  if (sights.httpRoutes === 'seen' && sights.gateways === 'seen')
    kept.push(await keep('httpRoutes', httpRoutes, mayDelete));
  const written = new Set(kept.flatMap((each) => each.written));
  const answers = new Map<string, RouteAnswer>();
  for (const { name } of httpRoutes) {
    const answer = stores.httpRoutes.get(namespace, name);
    if (answer !== undefined && !written.has(name)) answers.set(name, answer);
  }
  // An Ingress goes on until a Gateway has taken over.
  const isTaken = own.every((outcome) => outcome.httpRoutes.every((name) => isAccepted(answers.get(name))));
  if (sights.ingresses === 'seen' && sights.ingressClasses === 'seen')
    kept.push(await keep('ingresses', ingresses, mayDelete && isTaken));
  const problem = kept.find((each) => each.problem !== undefined)?.problem;
  const condition =
    problem === undefined
      ? routesCondition(own, answers)
      : { type: ROUTES_SERVED, status: false, reason: 'RouteNotWritten', message: problem };
  if (problem === undefined && kept.some(({ postponed }) => postponed))
    return { ...unchanged(record), requeueAfterMs: SOON_MS };
  return {
    ...(condition !== undefined && { condition }),
    support: routesSupport(own),
    ...(problem !== undefined && { requeueAfterMs: AGAIN_MS }),
  };
}
