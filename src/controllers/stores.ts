/** The caches, and the indexes by which controllers and events find what they need in them. */
import { parseTaskDefinitionReference } from '../api/names.ts';
import { Store } from '../kube/store.ts';
import { DAEMON, isDaemon } from './daemons.ts';
import type { BudgetRecord } from './disruption-budget.ts';
import type { NodeRecord } from './nodes.ts';
import type {
  BatchJobRecord,
  ClusterRecord,
  RunTaskRecord,
  ServiceRecord,
  Stores,
  TaskDefinitionRecord,
} from './runtime.ts';
import { familyOf } from './task-revisions.ts';

/** `<namespace>/<family>` of a `taskDefinition` field, for finding who follows a family. */
function followed(record: { namespace: string; spec?: { taskDefinition?: string } }): string[] {
  if (record.spec?.taskDefinition === undefined) return [];
  const reference = parseTaskDefinitionReference(record.spec.taskDefinition);
  return 'error' in reference ? [] : [`${record.namespace}/${reference.family}`];
}

const namespaceOf = ({ namespace }: { namespace: string }): string[] => [namespace];

export function createStores(): Stores {
  return {
    tasks: new Store({
      owner: ({ owner }) => [owner],
      node: ({ node }) => (node === undefined ? [] : [node]),
      hostPort: ({ hostPorts = [] }) => hostPorts,
    }),
    revisions: new Store({
      owner: ({ owner }) => (owner === '' ? [] : [owner]),
      family: ({ namespace, family }) => (family === '' ? [] : [`${namespace}/${family}`]),
    }),
    taskDefinitions: new Store<TaskDefinitionRecord>({
      family: (record) => [`${record.namespace}/${familyOf(record)}`],
      namespace: namespaceOf,
    }),
    services: new Store<ServiceRecord>({
      uid: ({ uid }) => [uid],
      family: followed,
      namespace: namespaceOf,
      daemon: (service) => (isDaemon(service) ? [DAEMON] : []),
    }),
    batchJobs: new Store<BatchJobRecord>({ uid: ({ uid }) => [uid], family: followed, namespace: namespaceOf }),
    runTasks: new Store<RunTaskRecord>({ uid: ({ uid }) => [uid], family: followed, namespace: namespaceOf }),
    clusters: new Store<ClusterRecord>({ namespace: namespaceOf }),
    nodes: new Store<NodeRecord>(),
    budgets: new Store<BudgetRecord>({ owner: ({ owner }) => [owner] }),
  };
}
