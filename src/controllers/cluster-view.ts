/** What its Cluster says of a namespace, for the controllers of everything else. */
import { type ClusterSpec, NO_CLUSTER } from '../api/cluster.ts';
import { completePolicy, type DefaultPolicy } from '../api/cluster-policy.ts';
import { clusters, type OwnerReference } from '../api/meta.ts';
import type { ClusterRecord, Stores } from './runtime.ts';
import { ownerReference } from './tasks.ts';

export interface ClusterView {
  /** What holds in the namespace; without a Cluster, what one that says nothing would say. */
  readonly spec: ClusterSpec;
  /** AWS name; absent without a Cluster. */
  readonly name?: string;
  /** The Cluster, as what is made for it names its owner; absent without a Cluster. */
  readonly owner?: OwnerReference;
  /** Why nothing may start: the namespace's Cluster cannot be read, so that what it allows is not known. */
  readonly problem?: string;
}

export const clusterNameOf = (cluster: ClusterRecord): string => cluster.spec?.clusterName ?? cluster.name;

/** The Cluster that speaks for a namespace: the oldest, where several claim it. */
export function clusterHolder(stores: Stores, namespace: string): ClusterRecord | undefined {
  const claims = stores.clusters.by('namespace', namespace).filter(({ deleting }) => !deleting);
  // Times have whole seconds: of two made in one, the one that is ACTIVE keeps it.
  const active = ({ status }: ClusterRecord): number => (status.status === 'ACTIVE' ? 0 : 1);
  return [...claims].sort((a, b) => a.createdAt - b.createdAt || active(a) - active(b) || (a.uid < b.uid ? -1 : 1))[0];
}

const WITHOUT: Readonly<Record<DefaultPolicy, ClusterView>> = {
  Permissive: { spec: NO_CLUSTER },
  Restricted: { spec: { ...NO_CLUSTER, policy: completePolicy(NO_CLUSTER.policy, 'Restricted') } },
};
const views = new WeakMap<ClusterRecord, ClusterView>();

/** The same object as long as the Cluster is the same, so that what follows from it can be kept. */
export function clusterView(stores: Stores, namespace: string): ClusterView {
  const holder = clusterHolder(stores, namespace);
  const { defaultPolicy } = stores;
  if (holder === undefined) return WITHOUT[defaultPolicy];
  const known = views.get(holder);
  if (known !== undefined) return known;
  const { spec } = holder;
  const view: ClusterView =
    spec === undefined
      ? {
          ...WITHOUT[defaultPolicy],
          name: holder.name,
          problem: `Cluster ${holder.name} is not valid: ${holder.problem}`,
        }
      : {
          spec: { ...spec, policy: completePolicy(spec.policy, defaultPolicy) },
          name: clusterNameOf(holder),
          owner: ownerReference(clusters, holder),
        };
  views.set(holder, view);
  return view;
}
