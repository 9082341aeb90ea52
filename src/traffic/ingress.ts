/** Ingress for routes where there is no Gateway: hosts and paths, one TargetGroup a path. */
import type { RouteNote, Translation } from './http-route.ts';
import { isHostName, pathMatches } from './patterns.ts';
import type { RoutePlace, SharedRoute } from './shared-routes.ts';

/** `spec` of an Ingress (networking.k8s.io/v1). */
export interface IngressSpec {
  readonly ingressClassName: string;
  readonly rules: readonly {
    readonly host?: string;
    readonly http: {
      readonly paths: readonly {
        readonly path: string;
        readonly pathType: 'Exact' | 'Prefix';
        readonly backend: { readonly service: { readonly name: string; readonly port: { readonly number: number } } };
      }[];
    };
  }[];
}

export interface IngressTranslation extends Translation<IngressSpec> {
  /** The TargetGroup that gets the requests: Ingress knows no weights. */
  readonly winner: RoutePlace;
}

const unserved = (field: RouteNote['field'], text: string): RouteNote => ({ field, kind: 'Unserved', text });

/** The greatest weight; of several the first by name. */
const winnerOf = ({ backends }: SharedRoute): RoutePlace =>
  backends.reduce((best, place) => (place.route.weight > best.route.weight ? place : best));

/** The `spec` of the Ingress for a route that an IngressClass carries. */
export function ingress(shared: SharedRoute): IngressTranslation {
  const { carrier, hosts, headers } = shared;
  if (carrier.kind !== 'IngressClass') throw new Error(`${shared.name} is not for an Ingress`);
  const winner = winnerOf(shared);
  const { group } = winner;
  const matches = pathMatches(shared.paths);
  const problems: RouteNote[] = [
    ...(headers.length > 0
      ? [unserved('headers', 'Ingress has no conditions on headers: that takes Gateway API')]
      : []),
    ...hosts
      .filter((host) => !isHostName(host))
      .map((host) =>
        unserved(
          'hosts',
          `Ingress has no word for the host pattern "${host}": a wildcard may only be its first label, as in *.example.com`,
        ),
      ),
    ...(matches.some(({ type }) => type === 'RegularExpression')
      ? [
          unserved(
            'paths',
            'Ingress has no patterns of paths but whole paths and those that end with /*: that takes Gateway API',
          ),
        ]
      : []),
    ...(group.protocol === 'HTTPS'
      ? [unserved('', 'Ingress has no word for targets that speak TLS: set protocol to HTTP')]
      : []),
  ];
  if (problems.length > 0) return { notes: problems, winner };
  const service = { name: group.service, port: { number: group.port } };
  const paths = matches.map(({ type, value }) => ({
    path: value,
    pathType: type === 'Exact' ? ('Exact' as const) : ('Prefix' as const),
    backend: { service },
  }));
  const everyHost: readonly (string | undefined)[] = hosts.length === 0 ? [undefined] : hosts;
  return {
    winner,
    notes: notesOf(shared, matches),
    spec: {
      ingressClassName: carrier.name,
      rules: everyHost.map((host) => ({ ...(host !== undefined && { host }), http: { paths } })),
    },
  };
}

function notesOf({ hosts, backends }: SharedRoute, matches: ReturnType<typeof pathMatches>): readonly RouteNote[] {
  const approximated = (field: RouteNote['field'], text: string): RouteNote => ({ field, kind: 'Approximated', text });
  const version = backends.find(({ group }) => (group.protocolVersion ?? 'HTTP1') !== 'HTTP1')?.group.protocolVersion;
  return [
    ...matches.flatMap(({ besides }) =>
      besides === undefined ? [] : [approximated('paths', `"${besides}/*" takes the path ${besides} as well`)],
    ),
    ...hosts
      .filter((host) => host.startsWith('*.'))
      .map((host) => approximated('hosts', `"${host}" takes one label in the place of * with Ingress, not several`)),
    ...(version === undefined
      ? []
      : [approximated('', `whether targets are asked with ${version} is the Ingress controller's to say`)]),
  ];
}
