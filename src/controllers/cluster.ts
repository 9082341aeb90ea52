/** Cluster: says which of several speaks for the namespace, and what of it is not honoured. Others read it through `cluster-view`. */
import type { ClusterSpec, ClusterStatus } from '../api/cluster.ts';
import type { Requeue } from '../kube/controller.ts';
import { clusterFieldSupport } from '../pod/field-support.ts';
import { clusterHolder, clusterNameOf } from './cluster-view.ts';
import { type ConditionInput, kstatus, withTimes } from './conditions.ts';
import { splitKey } from './records.ts';
import type { ClusterRecord, Runtime } from './runtime.ts';

export async function reconcileCluster(runtime: Runtime, key: string): Promise<Requeue> {
  const { stores, barriers } = runtime;
  const [namespace, name] = splitKey(key);
  const cluster = stores.clusters.get(namespace, name);
  if (cluster === undefined || cluster.deleting) return {};
  const unseen = barriers.clusters.pending(cluster.uid);
  if (unseen !== undefined) return { requeueWhen: unseen };
  const holder = clusterHolder(stores, namespace);
  const holds = holder === undefined || holder.uid === cluster.uid;
  const status: ClusterStatus = {
    observedGeneration: cluster.generation,
    status: holds ? 'ACTIVE' : 'INACTIVE',
    clusterName: clusterNameOf(cluster),
    ...arnOf(cluster),
    fieldSupport: cluster.spec === undefined ? [] : clusterFieldSupport(cluster.spec),
    conditions: withTimes(
      conditions(cluster, holds ? undefined : holder),
      cluster.status.conditions,
      cluster.generation,
      runtime.now(),
    ),
  };
  await runtime.statuses.clusters.write(cluster, status, { urgent: true, now: runtime.now() });
  return {};
}

function conditions(cluster: ClusterRecord, other: ClusterRecord | undefined): ConditionInput[] {
  if (other !== undefined) {
    const message = `namespace "${cluster.namespace}" belongs to the older Cluster ${other.name}: a namespace stands for one cluster; delete one of them`;
    return kstatus('stalled', 'NamespaceTaken', message);
  }
  if (cluster.spec === undefined) return kstatus('stalled', 'InvalidSpec', cluster.problem ?? 'the spec is not valid');
  return kstatus('ready', 'Active', `namespace "${cluster.namespace}" stands for cluster ${clusterNameOf(cluster)}`);
}

function arnOf(cluster: ClusterRecord): Pick<ClusterStatus, 'clusterArn'> {
  const { account, region }: Partial<ClusterSpec> = cluster.spec ?? {};
  if (account === undefined || region === undefined) return {};
  return { clusterArn: `arn:${partitionOf(region)}:ecs:${region}:${account}:cluster/${clusterNameOf(cluster)}` };
}

const PARTITIONS: readonly (readonly [prefix: string, partition: string])[] = [
  ['cn-', 'aws-cn'],
  ['us-gov-', 'aws-us-gov'],
];

const partitionOf = (region: string): string => PARTITIONS.find(([prefix]) => region.startsWith(prefix))?.[1] ?? 'aws';
