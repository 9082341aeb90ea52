/** The caches of what an isolated queue has in its namespace: watched from the first such queue on. */
import { isDeepStrictEqual } from 'node:util';
import type { Reflector } from '../../kube/reflector.ts';
import { type KubeObject, networkPolicies, type Resource, serviceAccounts } from '../../kube/resource.ts';
import type { Change, Store, Stored } from '../../kube/store.ts';
import { OnDemandCache } from '../optional-cache.ts';
import type { Stores } from '../runtime.ts';
import { type KeptJson, type KeptRecord, keptRecord } from '../traffic/kept-objects.ts';

type Watch = <T extends Stored, Source>(
  resource: Resource,
  project: (raw: Source) => T,
  store: Store<T>,
  onChange: (change: Change<T>) => void,
  labelSelector?: string,
) => Reflector<T, Source>;

export interface AccountJson extends KubeObject {
  readonly automountServiceAccountToken?: boolean;
}

export interface IsolationCaches {
  readonly serviceAccounts: OnDemandCache<KeptRecord, AccountJson>;
  readonly networkPolicies: OnDemandCache<KeptRecord, KeptJson>;
}

/** What of a ServiceAccount matters; Kubernetes has no `spec` for it. */
export const accountRecord = ({ automountServiceAccountToken, ...object }: AccountJson): KeptRecord =>
  keptRecord({ ...object, spec: { automountServiceAccountToken } });

/** The API server leaves out empty lists. */
export const policyRecord = ({ spec, ...object }: KeptJson): KeptRecord =>
  keptRecord({ ...object, spec: { ingress: [], egress: [], ...spec } });

/** @param wake looks again at the object with this UID. */
export function createIsolationCaches(
  watch: Watch,
  stores: Stores,
  labelSelector: string,
  wake: (uid: string) => void,
): IsolationCaches {
  const onChange = ({ type, object, previous }: Change<KeptRecord>): void => {
    const isSame =
      type === 'modified' &&
      object.owner === previous.owner &&
      object.deleting === previous.deleting &&
      isDeepStrictEqual(object.spec, previous.spec);
    if (isSame) return;
    wake(object.owner);
    if (previous !== undefined && previous.owner !== object.owner) wake(previous.owner);
  };
  return {
    serviceAccounts: new OnDemandCache(
      watch(serviceAccounts, accountRecord, stores.serviceAccounts, onChange, labelSelector),
      wake,
    ),
    networkPolicies: new OnDemandCache(
      watch(networkPolicies, policyRecord, stores.networkPolicies, onChange, labelSelector),
      wake,
    ),
  };
}
