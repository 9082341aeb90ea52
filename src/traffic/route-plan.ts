/** What objects of Gateway API and Ingress follow from the routes of a namespace's TargetGroups. */
import type { Route } from '../api/target-group-routes.ts';
import {
  defaultGateway,
  defaultIngressClass,
  type Gateway,
  gatewayReference,
  type IngressClass,
  type NotCarried,
  namedGateway,
} from './gateway.ts';
import { type HttpRouteSpec, httpRoute, type RouteNote } from './http-route.ts';
import { type IngressSpec, ingress } from './ingress.ts';
import {
  type CarriedRoute,
  type Carrier,
  type RoutedTargetGroup,
  type SharedRoute,
  sharedRoutes,
} from './shared-routes.ts';

export interface RoutesInput {
  readonly namespace: string;
  /** Those of the namespace that have routes. */
  readonly groups: readonly RoutedTargetGroup[];
  /** Undefined where Gateway API is not installed, or may not be read. */
  readonly gateways: readonly Gateway[] | undefined;
  /** Whether `gateways` has none but those of the namespace. */
  readonly ownGatewaysOnly?: boolean;
  /** Undefined where they may not be read. */
  readonly ingressClasses: readonly IngressClass[] | undefined;
  /** Resources that may not be read. */
  readonly unreadable?: readonly string[];
}

/** An object that routes requests, owned by all TargetGroups that it routes to: it goes with the last of them. */
export interface PlannedRoute<Spec> {
  readonly name: string;
  readonly spec: Spec;
  /** The TargetGroups that it routes to, by name. */
  readonly owners: readonly RoutedTargetGroup[];
}

/** What becomes of one route of a TargetGroup. */
export interface RouteOutcome {
  /** Its place in `routes`. */
  readonly index: number;
  /** Names of the HTTPRoutes that carry it. */
  readonly httpRoutes: readonly string[];
  readonly ingresses: readonly string[];
  /** Why it is not carried. */
  readonly notCarried?: NotCarried;
  readonly notes: readonly RouteNote[];
}

export interface RoutePlan {
  readonly httpRoutes: readonly PlannedRoute<HttpRouteSpec>[];
  readonly ingresses: readonly PlannedRoute<IngressSpec>[];
  /** UID of a TargetGroup → its routes, in their order. */
  readonly outcomes: ReadonlyMap<string, readonly RouteOutcome[]>;
}

const isCarrier = (carrier: Carrier | NotCarried): carrier is Carrier => 'kind' in carrier;

const unreadableText = ({ unreadable = [] }: RoutesInput): string =>
  unreadable.length === 0 ? '' : ` (the operator may not watch ${unreadable.join(' and ')})`;

/** Where a route names no Gateway: the only Gateway, else the IngressClass. */
function defaultCarrier(input: RoutesInput): Carrier | NotCarried {
  const { namespace, gateways, ingressClasses } = input;
  const carrier = defaultGateway(namespace, gateways ?? []) ?? defaultIngressClass(ingressClasses ?? []);
  if (carrier !== undefined) return carrier;
  const why =
    gateways === undefined
      ? 'neither Gateway API nor an IngressClass is there in the cluster'
      : `no Gateway takes routes of the namespace ${namespace}, and there is no IngressClass`;
  return { reason: 'NoImplementation', why: `${why}${unreadableText(input)}` };
}

function carrierOf({ gateway, listener }: Route, input: RoutesInput): Carrier | NotCarried {
  if (gateway === undefined) return defaultCarrier(input);
  if (input.gateways === undefined) {
    const why = `Gateway API, which the Gateway ${gateway} is of, is not there in the cluster${unreadableText(input)}`;
    return { reason: 'NoImplementation', why };
  }
  const reference = gatewayReference(gateway, listener, input.namespace);
  // What it is cannot be seen; whether it takes the route is its controller's to say.
  if (input.ownGatewaysOnly === true && reference.namespace !== input.namespace) return reference;
  return namedGateway(reference, input.gateways);
}

interface Draft {
  readonly httpRoutes: string[];
  readonly ingresses: string[];
  notCarried?: NotCarried;
  readonly notes: RouteNote[];
}

/** Plans the routes of one namespace. */
export function planRoutes(input: RoutesInput): RoutePlan {
  const drafts = new Map(
    input.groups.map(({ uid, routes }) => [
      uid,
      routes.map((): Draft => ({ httpRoutes: [], ingresses: [], notes: [] })),
    ]),
  );
  const draftOf = (uid: string, index: number): Draft => {
    const draft = drafts.get(uid)?.[index];
    if (draft === undefined) throw new Error(`no route ${index} of ${uid}`);
    return draft;
  };
  const carried: CarriedRoute[] = [];
  for (const group of input.groups) {
    for (const [index, route] of group.routes.entries()) {
      const carrier = carrierOf(route, input);
      if (isCarrier(carrier)) carried.push({ group, index, route, carrier });
      else draftOf(group.uid, index).notCarried = carrier;
    }
  }

  const httpRoutes: PlannedRoute<HttpRouteSpec>[] = [];
  const ingresses: PlannedRoute<IngressSpec>[] = [];
  for (const shared of sharedRoutes(carried)) {
    const own = shared.backends.map(({ group, index }) => draftOf(group.uid, index));
    const note = (notes: readonly RouteNote[]): void => {
      for (const draft of own) draft.notes.push(...notes.filter((each) => !isNoted(draft.notes, each)));
    };
    if (shared.carrier.kind === 'Gateway') {
      const { spec, notes } = httpRoute(shared);
      note(notes);
      if (spec === undefined) continue;
      httpRoutes.push({ name: shared.name, spec, owners: ownersOf(shared) });
      for (const draft of own) draft.httpRoutes.push(shared.name);
    } else {
      const { spec, notes, winner } = ingress(shared);
      note(notes);
      if (spec === undefined) continue;
      ingresses.push({ name: shared.name, spec, owners: ownersOf(shared) });
      for (const { group, index } of shared.backends) {
        const draft = draftOf(group.uid, index);
        if (group.uid === winner.group.uid) draft.ingresses.push(shared.name);
        else
          draft.notes.push({
            field: 'weight',
            kind: 'Unserved',
            text: `Ingress has no weights: ${winner.group.name} gets all of the requests`,
          });
      }
    }
  }
  const outcomes = [...drafts].map(
    ([uid, routes]) => [uid, routes.map((draft, index): RouteOutcome => ({ index, ...draft }))] as const,
  );
  return { httpRoutes, ingresses, outcomes: new Map(outcomes) };
}

const ownersOf = ({ backends }: SharedRoute): readonly RoutedTargetGroup[] => backends.map(({ group }) => group);

const isNoted = (notes: readonly RouteNote[], { field, text }: RouteNote): boolean =>
  notes.some((note) => note.field === field && note.text === text);
