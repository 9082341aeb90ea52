/** What the caches keep of the objects that carry routes, and of what these hang on. */
import { targetGroups } from '../../api/meta.ts';
import type { KubeObject } from '../../kube/resource.ts';
import type { Stored } from '../../kube/store.ts';
import type { Gateway, GatewayListener, IngressClass } from '../../traffic/gateway.ts';
import type { ParentCondition, RouteAnswer } from '../../traffic/route-status.ts';

/** An HTTPRoute or an Ingress that Longshore made. */
export interface RouteRecord extends Stored, RouteAnswer {
  /** UIDs of the TargetGroups that it leads to. */
  readonly owners: readonly string[];
  readonly spec: object;
}

export interface RouteJson extends KubeObject {
  readonly spec?: object;
  readonly status?: { readonly parents?: readonly { readonly conditions?: readonly ParentCondition[] }[] };
}

const storedOf = ({ metadata: { uid, namespace = '', name, resourceVersion } }: KubeObject): Stored => ({
  uid,
  namespace,
  name,
  resourceVersion,
});

export function routeRecord(raw: RouteJson): RouteRecord {
  const { metadata, spec = {}, status } = raw;
  return {
    ...storedOf(raw),
    owners: (metadata.ownerReferences ?? []).filter(({ kind }) => kind === targetGroups.kind).map(({ uid }) => uid),
    spec,
    generation: metadata.generation ?? 0,
    parents: (status?.parents ?? []).map(({ conditions = [] }) => conditions),
  };
}

export interface GatewayRecord extends Stored, Gateway {}

export const gatewayRecord = (
  raw: KubeObject & { readonly spec?: { readonly listeners?: readonly GatewayListener[] } },
): GatewayRecord => ({ ...storedOf(raw), listeners: raw.spec?.listeners ?? [] });

export interface IngressClassRecord extends Stored, IngressClass {}

const DEFAULT_CLASS = 'ingressclass.kubernetes.io/is-default-class';

export const ingressClassRecord = (raw: KubeObject): IngressClassRecord => ({
  ...storedOf(raw),
  isDefault: raw.metadata.annotations?.[DEFAULT_CLASS] === 'true',
});
