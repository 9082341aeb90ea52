/** HTTPRoute (Gateway API) for requests that TargetGroups share. */
import { headerMatch, isHostName, pathMatches } from './patterns.ts';
import type { SharedRoute } from './shared-routes.ts';

export const GATEWAY_GROUP = 'gateway.networking.k8s.io';

interface Match {
  readonly path: { readonly type: string; readonly value: string };
  readonly headers?: readonly { readonly type: string; readonly name: string; readonly value: string }[];
}

/** `spec` of an HTTPRoute. What Gateway API would default is said, so that what is read compares with what was written. */
export interface HttpRouteSpec {
  readonly parentRefs: readonly {
    readonly group: string;
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
    readonly sectionName?: string;
  }[];
  readonly hostnames?: readonly string[];
  readonly rules: readonly {
    readonly matches: readonly Match[];
    readonly backendRefs: readonly {
      readonly group: string;
      readonly kind: string;
      readonly name: string;
      readonly port: number;
      readonly weight: number;
    }[];
  }[];
}

/** What of a route is not carried out as on AWS. */
export interface RouteNote {
  /** Below the route, e.g. `paths[0]`; empty: the route itself. */
  readonly field: 'hosts' | 'paths' | 'headers' | 'weight' | '';
  /** Approximated: more or less requests come than on AWS. Unserved: none do. */
  readonly kind: 'Approximated' | 'Unserved';
  readonly text: string;
}

export interface Translation<Spec> {
  /** Absent where the route cannot be expressed. */
  readonly spec?: Spec;
  readonly notes: readonly RouteNote[];
}

const unserved = (field: RouteNote['field'], text: string): RouteNote => ({ field, kind: 'Unserved', text });

const badHost = (host: string): RouteNote =>
  unserved(
    'hosts',
    `Gateway API has no word for the host pattern "${host}": a wildcard may only be its first label, as in *.example.com`,
  );

function problemsOf({ hosts, headers, backends }: SharedRoute): readonly RouteNote[] {
  const bad = hosts.filter((host) => !isHostName(host)).map(badHost);
  const names = headers.map(({ name }) => name.toLowerCase());
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  const secure = backends.some(({ group }) => group.protocol === 'HTTPS');
  return [
    ...bad,
    ...(twice === undefined
      ? []
      : [unserved('headers', `Gateway API takes one condition a header, and ${twice} has two`)]),
    ...(secure
      ? [unserved('', 'Gateway API has no stable word for targets that speak TLS: set protocol to HTTP')]
      : []),
  ];
}

/** The `spec` of the HTTPRoute for a route that a Gateway carries. */
export function httpRoute(shared: SharedRoute): Translation<HttpRouteSpec> {
  const { carrier, hosts, headers, backends } = shared;
  if (carrier.kind !== 'Gateway') throw new Error(`${shared.name} is not for a Gateway`);
  const problems = problemsOf(shared);
  if (problems.length > 0) return { notes: problems };
  const paths = pathMatches(shared.paths);
  const notes = paths.flatMap(({ besides }): RouteNote[] =>
    besides === undefined
      ? []
      : [{ field: 'paths', kind: 'Approximated', text: `"${besides}/*" takes the path ${besides} as well` }],
  );
  const sharedHeaders = headers.map(headerMatch);
  return {
    notes,
    spec: {
      parentRefs: [
        {
          group: GATEWAY_GROUP,
          kind: 'Gateway',
          namespace: carrier.namespace,
          name: carrier.name,
          ...(carrier.listener !== undefined && { sectionName: carrier.listener }),
        },
      ],
      ...(hosts.length > 0 && { hostnames: hosts }),
      rules: [
        {
          matches: paths.map(({ type, value }) => ({
            path: { type, value },
            ...(sharedHeaders.length > 0 && { headers: sharedHeaders }),
          })),
          backendRefs: backends.map(({ group, route }) => ({
            group: '',
            kind: 'Service',
            name: group.service,
            port: group.port,
            weight: route.weight,
          })),
        },
      ],
    },
  };
}
