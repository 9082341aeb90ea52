/** Which Gateway takes a route. */
import type { Carrier } from './shared-routes.ts';

interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** A listener of a Gateway, as Gateway API has it. */
export interface GatewayListener {
  readonly name: string;
  readonly protocol: string;
  readonly allowedRoutes?: {
    readonly namespaces?: { readonly from?: string; readonly selector?: LabelSelector };
    readonly kinds?: readonly { readonly group?: string; readonly kind: string }[];
  };
}

export interface Gateway {
  readonly namespace: string;
  readonly name: string;
  readonly listeners: readonly GatewayListener[];
}

/** Why no carrier takes a route: a reason in CamelCase, and a text for people. */
export interface NotCarried {
  readonly reason: 'GatewayNotFound' | 'AmbiguousGateway' | 'NoImplementation' | 'AmbiguousIngressClass';
  readonly why: string;
}

/** The label that every namespace has; others are not known here. */
const labelsOf = (namespace: string): Readonly<Record<string, string>> => ({
  'kubernetes.io/metadata.name': namespace,
});

function selects(
  { matchLabels = {}, matchExpressions = [] }: LabelSelector,
  labels: Readonly<Record<string, string>>,
): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      const isIn = value !== undefined && values.includes(value);
      return operator === 'In' ? isIn : operator === 'NotIn' && !isIn;
    })
  );
}

function takesRoutesOf(
  namespace: string,
  gateway: Gateway,
  { protocol, allowedRoutes = {} }: GatewayListener,
): boolean {
  if (protocol !== 'HTTP' && protocol !== 'HTTPS') return false;
  const { kinds = [], namespaces = {} } = allowedRoutes;
  if (kinds.length > 0 && !kinds.some(({ kind }) => kind === 'HTTPRoute')) return false;
  if (namespaces.from === 'All') return true;
  if (namespaces.from === 'Selector') return selects(namespaces.selector ?? {}, labelsOf(namespace));
  return (namespaces.from ?? 'Same') === 'Same' && gateway.namespace === namespace;
}

const title = ({ namespace, name }: Gateway): string => `${namespace}/${name}`;

export type GatewayReference = Extract<Carrier, { kind: 'Gateway' }>;

/** @param named as name or namespace/name. */
export function gatewayReference(named: string, listener: string | undefined, namespace: string): GatewayReference {
  const slash = named.indexOf('/');
  return {
    kind: 'Gateway',
    namespace: slash < 0 ? namespace : named.slice(0, slash),
    name: named.slice(slash + 1),
    ...(listener !== undefined && { listener }),
  };
}

/** The Gateway that a route names. What it takes is its controller's to say. */
export function namedGateway(reference: GatewayReference, gateways: readonly Gateway[]): GatewayReference | NotCarried {
  const { namespace, name, listener } = reference;
  const gateway = gateways.find((each) => each.namespace === namespace && each.name === name);
  if (gateway === undefined) return { reason: 'GatewayNotFound', why: `there is no Gateway ${namespace}/${name}` };
  if (listener !== undefined && !gateway.listeners.some((each) => each.name === listener)) {
    const names = gateway.listeners.map((each) => each.name).join(', ');
    return {
      reason: 'GatewayNotFound',
      why: `the Gateway ${namespace}/${name} has no listener ${listener}, only ${names}`,
    };
  }
  return reference;
}

/** The only Gateway that takes routes of the namespace; undefined where none does. */
export function defaultGateway(namespace: string, gateways: readonly Gateway[]): Carrier | NotCarried | undefined {
  const candidates = gateways.filter((gateway) =>
    gateway.listeners.some((listener) => takesRoutesOf(namespace, gateway, listener)),
  );
  const [gateway, ...more] = candidates;
  if (gateway === undefined) return undefined;
  if (more.length > 0) {
    const why = `several Gateways take routes of the namespace ${namespace} (${candidates.map(title).toSorted().join(', ')}): name one in gateway`;
    return { reason: 'AmbiguousGateway', why };
  }
  return { kind: 'Gateway', namespace: gateway.namespace, name: gateway.name };
}

export interface IngressClass {
  readonly name: string;
  /** ingressclass.kubernetes.io/is-default-class. */
  readonly isDefault: boolean;
}

/** The default class, or the only one; undefined where there is none. */
export function defaultIngressClass(classes: readonly IngressClass[]): Carrier | NotCarried | undefined {
  if (classes.length === 0) return undefined;
  const defaults = classes.filter(({ isDefault }) => isDefault);
  const [one, ...more] = defaults.length > 0 ? defaults : classes;
  if (one !== undefined && more.length === 0) return { kind: 'IngressClass', name: one.name };
  const names = classes
    .map(({ name }) => name)
    .toSorted()
    .join(', ');
  const why =
    defaults.length > 1
      ? `several IngressClasses are the default (${names}): leave ingressclass.kubernetes.io/is-default-class on one of them`
      : `there are several IngressClasses (${names}) and none is the default: set ingressclass.kubernetes.io/is-default-class on one of them`;
  return { reason: 'AmbiguousIngressClass', why };
}
