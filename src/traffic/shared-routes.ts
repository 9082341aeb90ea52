/** Which TargetGroups share which requests: as an action of AWS forwards to several target groups by weight. */
import { hashedDnsName } from '../api/names.ts';
import type { Route } from '../api/target-group-routes.ts';

/** A TargetGroup, as far as routes lead to it. */
export interface RoutedTargetGroup {
  /** Of the object. */
  readonly name: string;
  readonly uid: string;
  /** Name of its core Service. */
  readonly service: string;
  /** Of its core Service. */
  readonly port: number;
  readonly protocol: string;
  readonly protocolVersion?: string | undefined;
  readonly routes: readonly Route[];
}

/** One route of a TargetGroup. */
export interface RoutePlace {
  readonly group: RoutedTargetGroup;
  /** Its place in `routes`. */
  readonly index: number;
  readonly route: Route;
}

/** What carries routes out: a Gateway, or an IngressClass. */
export type Carrier =
  | { readonly kind: 'Gateway'; readonly namespace: string; readonly name: string; readonly listener?: string }
  | { readonly kind: 'IngressClass'; readonly name: string };

export interface CarriedRoute extends RoutePlace {
  readonly carrier: Carrier;
}

/** Requests that go to the same TargetGroups by the same weights: one rule of one object. */
export interface SharedRoute {
  /** Follows from the conditions alone: it stays while weights change and TargetGroups come and go. */
  readonly name: string;
  readonly carrier: Carrier;
  /** Lower case; none: every host. */
  readonly hosts: readonly string[];
  /** None: every path. */
  readonly paths: readonly string[];
  readonly headers: Route['headers'];
  /** By name; at least one. */
  readonly backends: readonly RoutePlace[];
}

/** One host, path and set of headers, and who gets its requests. */
interface Atom {
  readonly carrier: Carrier;
  readonly host: string | undefined;
  readonly path: string | undefined;
  readonly headers: Route['headers'];
  readonly backends: RoutePlace[];
}

/** Conditions hold all together, and names and values of headers in any case of letters. */
const headersKey = (headers: Route['headers']): string =>
  JSON.stringify(
    headers
      .map(({ name, values }) =>
        JSON.stringify([name.toLowerCase(), values.map((value) => value.toLowerCase()).toSorted()]),
      )
      .toSorted(),
  );

const orEvery = (patterns: readonly string[]): readonly (string | undefined)[] =>
  patterns.length === 0 ? [undefined] : patterns;

function atomsOf(routes: readonly CarriedRoute[]): readonly Atom[] {
  const atoms = new Map<string, Atom>();
  for (const { carrier, ...place } of routes) {
    const { headers } = place.route;
    for (const host of orEvery(place.route.hosts.map((pattern) => pattern.toLowerCase()))) {
      for (const path of orEvery(place.route.paths)) {
        const key = JSON.stringify([carrier, host, path, headersKey(headers)]);
        const atom = atoms.get(key) ?? { carrier, host, path, headers, backends: [] };
        atoms.set(key, atom);
        // As on AWS, of two rules with the same conditions the second is never reached.
        if (!atom.backends.some(({ group }) => group.uid === place.group.uid)) atom.backends.push(place);
      }
    }
  }
  return [...atoms.values()];
}

const backendsKey = ({ carrier, backends }: Atom): string =>
  JSON.stringify([carrier, backends.map(({ group, index }) => [group.uid, index])]);

/**
 * The fewest objects that say who gets what. Routes of different TargetGroups with one condition in common share exactly
 * the requests that both ask for.
 */
export function sharedRoutes(routes: readonly CarriedRoute[]): readonly SharedRoute[] {
  const sorted = routes.toSorted((a, b) =>
    a.group.name < b.group.name ? -1 : a.group.name > b.group.name ? 1 : a.index - b.index,
  );
  const alike = Map.groupBy(atomsOf(sorted), backendsKey);
  return [...alike.values()].flatMap((atoms) => {
    const byHost = Map.groupBy(atoms, ({ host }) => host);
    const hostsOfPaths = Map.groupBy(byHost, ([, own]) => JSON.stringify(own.map(({ path }) => path)));
    return [...hostsOfPaths.values()].map((hosts) =>
      toShared(
        hosts.map(([host]) => host),
        hosts[0]?.[1] ?? [],
      ),
    );
  });
}

function toShared(hosts: readonly (string | undefined)[], atoms: readonly Atom[]): SharedRoute {
  const [atom] = atoms;
  if (atom === undefined) throw new Error('a shared route has at least one condition');
  const given = (texts: readonly (string | undefined)[]): readonly string[] =>
    texts.filter((text) => text !== undefined).toSorted();
  const conditions = { hosts: given(hosts), paths: given(atoms.map(({ path }) => path)) };
  const { carrier, headers, backends } = atom;
  const identity = JSON.stringify([carrier, conditions, headersKey(headers)]);
  const [host = 'any-host'] = conditions.hosts;
  return { name: hashedDnsName(host, identity), carrier, ...conditions, headers, backends };
}
