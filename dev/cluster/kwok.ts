import { join } from 'node:path';
import type { ApiClient } from './api.ts';
import type { Authority } from './certificates.ts';
import { bind } from './control-plane.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { freePort } from './ports.ts';
import type { Session } from './session.ts';

const stages = join(import.meta.dirname, 'kwok-stages.yaml');

/** Marks the nodes that KWOK plays: real ones beside them are left alone. */
const owned = { key: 'longshore.dev/node', value: 'kwok' };

const role = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'longshore:kwok' },
  rules: [
    { apiGroups: [''], resources: ['nodes', 'pods'], verbs: ['get', 'list', 'watch', 'update', 'patch', 'delete'] },
    { apiGroups: [''], resources: ['nodes/status', 'pods/status'], verbs: ['update', 'patch'] },
    {
      apiGroups: ['coordination.k8s.io'],
      resources: ['leases'],
      verbs: ['get', 'list', 'watch', 'create', 'update', 'patch'],
    },
    { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'update', 'patch'] },
  ],
};

const zones = ['a', 'b', 'c'];

/** A node that KWOK plays as soon as it is created. */
export const simulatedNode = (name: string, index: number, labels: Readonly<Record<string, string>> = {}) => {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        ...labels,
        [owned.key]: owned.value,
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        'topology.kubernetes.io/region': 'local',
        'topology.kubernetes.io/zone': `local-${zones[index % zones.length]}`,
        'node.kubernetes.io/instance-type': 'kwok',
      },
    },
    status: {
      capacity: { cpu: '256', memory: '1Ti', pods: '20000', 'ephemeral-storage': '1Ti' },
      allocatable: { cpu: '256', memory: '1Ti', pods: '20000', 'ephemeral-storage': '1Ti' },
    },
  };
};

/** Makes `count` nodes and starts KWOK, which plays their kubelets by the stages of kwok-stages.yaml. */
export async function startKwok(session: Session, authority: Authority, api: ApiClient, count: number): Promise<void> {
  const kubeconfig = await writeKubeconfig(
    join(session.dir, 'config', 'kwok.kubeconfig'),
    authority,
    session.state.server,
    { user: 'longshore-kwok' },
  );
  await api.create('/apis/rbac.authorization.k8s.io/v1/clusterroles', role);
  await bind(api, 'longshore:kwok', 'longshore:kwok', 'longshore-kwok');
  for (let index = 0; index < count; index += 1)
    await api.create('/api/v1/nodes', simulatedNode(`kwok-${index}`, index));
  session.start('kwok', session.tools.kwok, [
    `--kubeconfig=${kubeconfig}`,
    `--config=${stages}`,
    '--manage-all-nodes=false',
    `--manage-nodes-with-label-selector=${owned.key}=${owned.value}`,
    '--node-lease-duration-seconds=40',
    '--cidr=10.0.0.0/8',
    '--node-ip=192.0.2.10',
    `--server-address=127.0.0.1:${await freePort('127.0.0.1')}`,
  ]);
}
