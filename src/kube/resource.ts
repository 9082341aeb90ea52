/** A resource type of the API server, as far as its paths need it. */
export interface Resource {
  /** API group; '' is the core group. */
  readonly group: string;
  readonly version: string;
  /** The lower-case plural of the URL, such as `pods`. */
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

export const pods: Resource = { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true };
export const configMaps: Resource = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};
export const podTemplates: Resource = {
  group: '',
  version: 'v1',
  plural: 'podtemplates',
  kind: 'PodTemplate',
  namespaced: true,
};
export const persistentVolumeClaims: Resource = {
  group: '',
  version: 'v1',
  plural: 'persistentvolumeclaims',
  kind: 'PersistentVolumeClaim',
  namespaced: true,
};
/** Of the External Secrets Operator, where that is installed. */
export const externalSecrets: Resource = {
  group: 'external-secrets.io',
  version: 'v1',
  plural: 'externalsecrets',
  kind: 'ExternalSecret',
  namespaced: true,
};
export const nodes: Resource = { group: '', version: 'v1', plural: 'nodes', kind: 'Node', namespaced: false };
export const events: Resource = {
  group: 'events.k8s.io',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
};
export const leases: Resource = {
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
};
export const podDisruptionBudgets: Resource = {
  group: 'policy',
  version: 'v1',
  plural: 'poddisruptionbudgets',
  kind: 'PodDisruptionBudget',
  namespaced: true,
};
export const serviceAccounts: Resource = {
  group: '',
  version: 'v1',
  plural: 'serviceaccounts',
  kind: 'ServiceAccount',
  namespaced: true,
};
export const networkPolicies: Resource = {
  group: 'networking.k8s.io',
  version: 'v1',
  plural: 'networkpolicies',
  kind: 'NetworkPolicy',
  namespaced: true,
};
/** Of Kubernetes: what has an address of its own, before the endpoints behind it. */
export const coreServices: Resource = {
  group: '',
  version: 'v1',
  plural: 'services',
  kind: 'Service',
  namespaced: true,
};
export const endpointSlices: Resource = {
  group: 'discovery.k8s.io',
  version: 'v1',
  plural: 'endpointslices',
  kind: 'EndpointSlice',
  namespaced: true,
};
/** Of Gateway API, where that is installed. */
export const gateways: Resource = {
  group: 'gateway.networking.k8s.io',
  version: 'v1',
  plural: 'gateways',
  kind: 'Gateway',
  namespaced: true,
};
export const httpRoutes: Resource = { ...gateways, plural: 'httproutes', kind: 'HTTPRoute' };
export const ingresses: Resource = {
  group: 'networking.k8s.io',
  version: 'v1',
  plural: 'ingresses',
  kind: 'Ingress',
  namespaced: true,
};
export const ingressClasses: Resource = {
  ...ingresses,
  plural: 'ingressclasses',
  kind: 'IngressClass',
  namespaced: false,
};
/** Of the AWS Load Balancer Controller, where that is installed. */
export const targetGroupBindings: Resource = {
  group: 'elbv2.k8s.aws',
  version: 'v1beta1',
  plural: 'targetgroupbindings',
  kind: 'TargetGroupBinding',
  namespaced: true,
};
export const controllerRevisions: Resource = {
  group: 'apps',
  version: 'v1',
  plural: 'controllerrevisions',
  kind: 'ControllerRevision',
  namespaced: true,
};

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
}

export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

/** A type of client-node as the API server's JSON has it: those types declare `Date` where JSON has strings. */
export type Raw<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? Raw<Item>[]
    : T extends object
      ? { [Key in keyof T]: Raw<T[Key]> }
      : T;

/** The plural with its group, as RBAC and kubectl have it: `pods`, `services.longshore.dev`. */
export function resourceName({ plural, group }: Resource): string {
  return group === '' ? plural : `${plural}.${group}`;
}

/** `group/version` as an object's `apiVersion` has it. */
export function apiVersion(resource: Resource): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

export interface Place {
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
}

/** The URL path of a collection or an object. A namespaced resource without a namespace means all namespaces. */
export function resourcePath(resource: Resource, at: Place): string {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const scope =
    resource.namespaced && at.namespace !== undefined ? `/namespaces/${encodeURIComponent(at.namespace)}` : '';
  const name = at.name === undefined ? '' : `/${encodeURIComponent(at.name)}`;
  const subresource = at.subresource === undefined ? '' : `/${at.subresource}`;
  return `${root}${scope}/${resource.plural}${name}${subresource}`;
}
