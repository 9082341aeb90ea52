/** EndpointSlices that Longshore writes: of tasks whose pod's readiness says less than ECS knows (design §3, decision 4). */

/** Kubernetes' own controller puts as many into one. */
const ENDPOINTS_A_SLICE = 100;

export type AddressType = 'IPv4' | 'IPv6';

/** As an EndpointSlice has it: the name is that of the core Service's port. */
export interface SlicePort {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
}

/** One task behind a core Service. */
export interface TaskEndpoint {
  readonly pod: { readonly name: string; readonly uid: string };
  readonly address: string;
  readonly ports: readonly SlicePort[];
  readonly node?: string;
  readonly zone?: string;
  /** Being deleted: it takes what no other can. */
  readonly terminating: boolean;
}

/** An endpoint as the API has it. */
export interface EndpointJson {
  readonly addresses: readonly string[];
  readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean };
  readonly nodeName?: string;
  readonly zone?: string;
  readonly targetRef?: {
    readonly kind?: string;
    readonly name?: string;
    readonly uid?: string;
    readonly namespace?: string;
  };
}

export interface Slice {
  readonly name: string;
  readonly addressType: AddressType;
  readonly ports: readonly SlicePort[];
  readonly endpoints: readonly EndpointJson[];
}

const textOf = (ports: readonly SlicePort[]): string =>
  ports.map(({ name, port, protocol }) => `${name}=${port}/${protocol}`).join(',');

const addressType = (address: string): AddressType => (address.includes(':') ? 'IPv6' : 'IPv4');

/**
 * The slices of a core Service, of which as few as possible differ from those that are there: an endpoint stays in its slice.
 * @param known those that are there.
 */
export function slicesOf(
  service: string,
  namespace: string,
  endpoints: readonly TaskEndpoint[],
  known: readonly Slice[],
): Slice[] {
  const groups = Map.groupBy(endpoints, ({ address, ports }) => `${addressType(address)}/${textOf(ports)}`);
  const names = new Set(known.map(({ name }) => name));
  return [...groups.values()].flatMap((group) => {
    const [{ address, ports } = { address: '', ports: [] }] = group;
    const type = addressType(address);
    const waiting = new Map(group.map((endpoint) => [endpoint.pod.uid, endpointOf(endpoint, namespace)]));
    const slices = known
      .filter((slice) => slice.addressType === type && textOf(slice.ports) === textOf(ports))
      .map((slice) => {
        const own = slice.endpoints.flatMap(({ targetRef: { uid = '' } = {} }) => {
          const endpoint = waiting.get(uid);
          waiting.delete(uid);
          return endpoint === undefined ? [] : [endpoint];
        });
        return { ...slice, endpoints: own };
      });
    for (const endpoint of waiting.values()) {
      let slice = slices.find((one) => one.endpoints.length < ENDPOINTS_A_SLICE);
      if (slice === undefined) {
        slice = {
          name: freeName([service, type.toLowerCase(), ...ports.slice(0, 1).map(({ port }) => port)].join('-'), names),
          addressType: type,
          ports,
          endpoints: [],
        };
        slices.push(slice);
      }
      slice.endpoints.push(endpoint);
    }
    return slices.filter((slice) => slice.endpoints.length > 0);
  });
}

function endpointOf({ pod, address, node, zone, terminating }: TaskEndpoint, namespace: string): EndpointJson {
  return {
    addresses: [address],
    conditions: { ready: !terminating, serving: true, terminating },
    ...(node !== undefined && { nodeName: node }),
    ...(zone !== undefined && { zone }),
    targetRef: { kind: 'Pod', name: pod.name, namespace, uid: pod.uid },
  };
}

function freeName(stem: string, taken: Set<string>): string {
  let number = 1;
  while (taken.has(`${stem}-${number}`)) number++;
  const name = `${stem}-${number}`;
  taken.add(name);
  return name;
}
