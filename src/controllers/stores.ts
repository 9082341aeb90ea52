/** The caches, and the indexes by which controllers and events find what they need in them. */
import type { DefaultPolicy } from '../api/cluster-policy.ts';
import { arnName, parseTaskDefinitionReference } from '../api/names.ts';
import { Store } from '../kube/store.ts';
import type { ObservedTask } from '../pod/observe.ts';
import { dependedOn, jobNameOf } from './batch/dependencies.ts';
import { DAEMON, isDaemon } from './daemons.ts';
import type { BudgetRecord } from './disruption-budget.ts';
import type { NodeRecord } from './nodes.ts';
import { computeEnvironmentNameOf, jobQueueNameOf } from './queue-names.ts';
import type {
  BatchJobRecord,
  ClusterRecord,
  ComputeEnvironmentRecord,
  JobQueueRecord,
  RunTaskRecord,
  ScheduledTaskRecord,
  ServiceRecord,
  Stores,
  TargetGroupRecord,
  TaskDefinitionRecord,
} from './runtime.ts';
import { targetGroupNameOf } from './target-group.ts';
import { familyOf } from './task-revisions.ts';
import type { KeptRecord } from './traffic/kept-objects.ts';
import type { GatewayRecord, IngressClassRecord, RouteRecord } from './traffic/route-records.ts';

/** `<namespace>/<family>` of a `taskDefinition` field, for finding who follows a family. */
function followed(record: { namespace: string; spec?: { taskDefinition?: string } }): string[] {
  if (record.spec?.taskDefinition === undefined) return [];
  const reference = parseTaskDefinitionReference(record.spec.taskDefinition);
  return 'error' in reference ? [] : [`${record.namespace}/${reference.family}`];
}

const ownedBy = ({ owner }: { owner: string }): string[] => (owner === '' ? [] : [owner]);

const namespaceOf = ({ namespace }: { namespace: string }): string[] => [namespace];

/** `<namespace>/<core Service>` of those whose endpoints Longshore writes. */
const listedBehind = ({ namespace, traffic = [] }: ObservedTask): string[] =>
  traffic.filter(({ membership }) => membership === 'listed').map(({ service }) => `${namespace}/${service}`);

const targetGroupsOf = ({ namespace, spec }: ServiceRecord): string[] =>
  (spec?.loadBalancers ?? []).map(({ targetGroupArn = '' }) => `${namespace}/${arnName(targetGroupArn)}`);

export function createStores(defaultPolicy: DefaultPolicy = 'Permissive'): Stores {
  return {
    defaultPolicy,
    tasks: new Store({
      owner: ({ owner }) => [owner],
      node: ({ node }) => (node === undefined ? [] : [node]),
      hostPort: ({ hostPorts = [] }) => hostPorts,
      listed: listedBehind,
      jobQueue: ({ namespace, claim }) => (claim === undefined ? [] : [`${namespace}/${claim.jobQueue}`]),
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
      targetGroup: targetGroupsOf,
      daemon: (service) => (isDaemon(service) ? [DAEMON] : []),
    }),
    batchJobs: new Store<BatchJobRecord>({
      uid: ({ uid }) => [uid],
      name: (job) => [`${job.namespace}/${jobNameOf(job)}`],
      dependsOn: dependedOn,
      family: followed,
      namespace: namespaceOf,
      owner: ownedBy,
    }),
    runTasks: new Store<RunTaskRecord>({
      uid: ({ uid }) => [uid],
      family: followed,
      namespace: namespaceOf,
      owner: ownedBy,
    }),
    scheduledTasks: new Store<ScheduledTaskRecord>({ uid: ({ uid }) => [uid], namespace: namespaceOf }),
    jobQueues: new Store<JobQueueRecord>({
      uid: ({ uid }) => [uid],
      name: (queue) => [`${queue.namespace}/${jobQueueNameOf(queue)}`],
      namespace: namespaceOf,
    }),
    computeEnvironments: new Store<ComputeEnvironmentRecord>({
      name: (environment) => [computeEnvironmentNameOf(environment)],
    }),
    clusters: new Store<ClusterRecord>({ namespace: namespaceOf }),
    targetGroups: new Store<TargetGroupRecord>({
      uid: ({ uid }) => [uid],
      name: (record) => [`${record.namespace}/${targetGroupNameOf(record)}`],
      namespace: namespaceOf,
    }),
    coreServices: new Store({ owner: ({ owner }) => [owner] }),
    endpointSlices: new Store({ owner: ({ owner }) => [owner] }),
    httpRoutes: new Store<RouteRecord>({ owner: ({ owners }) => owners }),
    ingresses: new Store<RouteRecord>({ owner: ({ owners }) => owners }),
    gateways: new Store<GatewayRecord>(),
    ingressClasses: new Store<IngressClassRecord>(),
    bindings: new Store({ owner: ({ owner }) => [owner] }),
    serviceAccounts: new Store<KeptRecord>(),
    networkPolicies: new Store<KeptRecord>(),
    nodes: new Store<NodeRecord>(),
    budgets: new Store<BudgetRecord>({ owner: ({ owner }) => [owner] }),
  };
}
