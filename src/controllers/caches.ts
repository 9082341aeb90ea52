/** The caches: what of the cluster is watched, and who looks again when it changes. */
import { type BatchJobStatus, parseBatchJob } from '../api/batch-job.ts';
import { parseCluster } from '../api/cluster.ts';
import { parseComputeEnvironment } from '../api/compute-environment.ts';
import { parseJobQueue } from '../api/job-queue.ts';
import {
  batchJobs,
  clusters,
  computeEnvironments,
  jobQueues,
  LABELS,
  MANAGED_BY,
  scheduledTasks,
  services,
  targetGroups,
  taskDefinitions,
  tasks,
} from '../api/meta.ts';
import { parseScheduledTask } from '../api/scheduled-task.ts';
import { parseService } from '../api/service.ts';
import { parseTargetGroup } from '../api/target-group.ts';
import { parseTask } from '../api/task.ts';
import { parseTaskDefinition } from '../api/task-definition.ts';
import { catchUp } from '../kube/catch-up.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Logger } from '../kube/logger.ts';
import { Reflector } from '../kube/reflector.ts';
import {
  controllerRevisions,
  coreServices,
  endpointSlices,
  nodes,
  podDisruptionBudgets,
  pods,
  type Resource,
  targetGroupBindings,
} from '../kube/resource.ts';
import type { Change, Store, Stored } from '../kube/store.ts';
import { WriteBarrier } from '../kube/write-barrier.ts';
import { type ObservedTask, observePod } from '../pod/observe.ts';
import type { DispatchLoop } from './batch/dispatch-loop.ts';
import { createIsolationCaches } from './batch/isolation-caches.ts';
import { isUncounted } from './batch/tracked-pods.ts';
import { jobsDependedOn } from './batch/ttl.ts';
import { budgetRecord } from './disruption-budget.ts';
import { nodeRecord } from './nodes.ts';
import { catchUpIfAllowed, OnDemandCache } from './optional-cache.ts';
import { type CustomRecord, keyOf, recordOf, revisionRecord, sameContent } from './records.ts';
import type { Runtime, Stores } from './runtime.ts';
import { familyOf } from './task-revisions.ts';
import { endpointSliceRecord } from './traffic/endpoint-slices.ts';
import { keptRecord } from './traffic/kept-objects.ts';
import { createRouteCaches } from './traffic/route-caches.ts';
import type { Controllers, Wake } from './wake.ts';

interface CachesOptions {
  readonly client: KubeClient;
  readonly logger: Logger;
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined;
  readonly stores: Stores;
  readonly controllers: Controllers;
  readonly wake: Wake;
  readonly queueing: DispatchLoop;
  /** Pods of this owner have a finalizer, and nobody counts them any more. */
  readonly uncounted: (owner: string) => void;
  /** A BatchJob may have to be deleted some time after its end. */
  readonly expiring: (job: string) => void;
  /** A task's pod is gone. */
  readonly departed: (task: ObservedTask) => void;
  /** An object of a kind of Longshore's is gone. */
  readonly forget: (kind: keyof Runtime['statuses'], object: CustomRecord<object, object>) => void;
}

export type Caches = ReturnType<typeof createCaches>;

/** Of all that others wait for in a job. */
const sameProgress = (a: Partial<BatchJobStatus>, b: Partial<BatchJobStatus> | undefined): boolean =>
  a.status === b?.status && a.succeededIndexes === b?.succeededIndexes && a.failedIndexes === b?.failedIndexes;

const WITHOUT_NODES =
  'tasks stay on nodes that are cordoned, one on a lost node is STOPPING until the node is gone, and DAEMON services have no tasks';

const WITHOUT_ENVIRONMENTS = 'job queues are INVALID, and their jobs wait';

export function createCaches(options: CachesOptions) {
  const { client, logger, namespace, stores, controllers, wake, queueing, uncounted, expiring, departed, forget } =
    options;
  const watch = <T extends Stored, Source>(
    resource: Resource,
    project: (raw: Source, previous?: T) => T,
    store: Store<T>,
    onChange: (change: Change<T>) => void,
    labelSelector?: string,
  ): Reflector<T, Source> =>
    new Reflector<T, Source>({
      client,
      resource,
      ...(namespace !== undefined && resource.namespaced && { namespace }),
      ...(labelSelector !== undefined && { labelSelector }),
      project,
      store,
      onChange,
      logger,
    });
  const managed = `${LABELS.managedBy}=${MANAGED_BY}`;
  const needed = {
    tasks: watch(
      pods,
      observePod,
      stores.tasks,
      ({ type, object, previous }) => {
        queueing.notePod(type, object, previous);
        for (const { claim } of [object, ...(previous === undefined ? [] : [previous])])
          if (claim !== undefined) controllers.jobQueues.enqueue(`${object.namespace}/${claim.jobQueue}`);
        if (type === 'deleted') departed(object);
        else if (isUncounted(stores, object)) uncounted(object.owner);
        wake.owner(object.owner);
        wake.listed(object, previous);
        if (type === 'deleted' || object.ended) wake.daemonsBeside(object);
      },
      managed,
    ),
    revisions: watch(
      controllerRevisions,
      revisionRecord,
      stores.revisions,
      ({ object }) =>
        object.owner === '' ? wake.family(`${object.namespace}/${object.family}`) : wake.owner(object.owner),
      managed,
    ),
    taskDefinitions: watch(
      taskDefinitions,
      recordOf(parseTaskDefinition),
      stores.taskDefinitions,
      ({ type, object, previous }) => {
        if (type === 'deleted') forget('taskDefinitions', object);
        controllers.taskDefinitions.enqueue(keyOf(object));
        wake.family(`${object.namespace}/${familyOf(object)}`);
        if (previous !== undefined) wake.family(`${previous.namespace}/${familyOf(previous)}`);
      },
    ),
    services: watch(services, recordOf(parseService), stores.services, ({ type, object }) => {
      controllers.services.enqueue(keyOf(object));
      if (type === 'deleted') forget('services', object);
    }),
    batchJobs: watch(batchJobs, recordOf(parseBatchJob), stores.batchJobs, ({ type, object, previous }) => {
      controllers.batchJobs.enqueue(keyOf(object));
      if (type !== 'modified' || !sameProgress(object.status, previous?.status)) wake.dependents(object);
      if (type === 'deleted' || object.deleting) uncounted(object.uid);
      expiring(keyOf(object));
      for (const dependency of jobsDependedOn(stores, object)) expiring(keyOf(dependency));
      wake.owner(object.owner);
      if (type === 'deleted') forget('batchJobs', object);
    }),
    runTasks: watch(tasks, recordOf(parseTask), stores.runTasks, ({ type, object }) => {
      controllers.runTasks.enqueue(keyOf(object));
      wake.owner(object.owner);
      if (type === 'deleted') forget('runTasks', object);
    }),
    scheduledTasks: watch(scheduledTasks, recordOf(parseScheduledTask), stores.scheduledTasks, ({ type, object }) => {
      controllers.scheduledTasks.enqueue(keyOf(object));
      if (type === 'deleted') forget('scheduledTasks', object);
    }),
    jobQueues: watch(jobQueues, recordOf(parseJobQueue), stores.jobQueues, (change) => {
      queueing.changed();
      wake.jobQueue(change);
      if (change.type === 'deleted') forget('jobQueues', change.object);
    }),
    clusters: watch(clusters, recordOf(parseCluster), stores.clusters, ({ type, object, previous }) => {
      // A status alone changes nothing for others.
      if (previous?.uid === object.uid && previous.generation === object.generation && type === 'modified')
        controllers.clusters.enqueue(keyOf(object));
      else wake.namespace(object.namespace);
      if (type === 'deleted') forget('clusters', object);
    }),
    targetGroups: watch(targetGroups, recordOf(parseTargetGroup), stores.targetGroups, ({ type, object, previous }) => {
      if (type === 'deleted') forget('targetGroups', object);
      controllers.targetGroups.enqueue(keyOf(object));
      if (type !== 'modified' || previous?.generation !== object.generation) {
        wake.targetGroup(object);
        if (previous !== undefined) wake.targetGroup(previous);
        wake.routed(object.namespace);
      }
    }),
  };

  // Nodes have no namespace: an operator of one namespace has no right to them.
  const nodeReflector =
    namespace === undefined ? watch(nodes, nodeRecord, stores.nodes, (change) => wake.node(change)) : undefined;
  // Namespaces share them: an operator of one sees only some of what is in use.
  const environmentReflector = watch(
    computeEnvironments,
    recordOf(parseComputeEnvironment),
    stores.computeEnvironments,
    ({ type, object, previous }) => {
      if (type === 'deleted') forget('computeEnvironments', object);
      if (type === 'modified' && object.generation === previous.generation)
        return controllers.computeEnvironments.enqueue(keyOf(object));
      queueing.changed();
      wake.queues();
    },
  );
  const budgetReflector = watch(
    podDisruptionBudgets,
    budgetRecord,
    stores.budgets,
    ({ type, object, previous }) => {
      if (type !== 'modified' || object.minAvailable !== previous.minAvailable) wake.owner(object.owner);
    },
    managed,
  );
  const wakeOwner = ({ object: { owner } }: { readonly object: { readonly owner: string } }): void => wake.owner(owner);
  const coreServiceReflector = watch(
    coreServices,
    keptRecord,
    stores.coreServices,
    (change) => {
      wakeOwner(change);
      if (change.type === 'deleted') wake.nameFreed(change.object.namespace);
    },
    managed,
  );
  const endpointSliceReflector = watch(endpointSlices, endpointSliceRecord, stores.endpointSlices, wakeOwner, managed);
  const bindings = new OnDemandCache(
    watch(
      targetGroupBindings,
      keptRecord,
      stores.bindings,
      ({ type, object, previous }) => {
        // What the controller notes on it is its own.
        if (type !== 'modified' || object.deleting !== previous.deleting || !sameContent(object.spec, previous.spec))
          wake.owner(object.owner);
      },
      managed,
    ),
    (key) => controllers.services.enqueue(key),
  );
  const routeCaches = createRouteCaches(watch, stores, wake, {
    labelSelector: managed,
    ofCluster: namespace === undefined,
    enqueue: (key) => controllers.targetGroups.enqueue(key),
  });
  const isolation = createIsolationCaches(watch, stores, managed, (uid) => wake.isolated(uid));
  const onDemand = [
    bindings,
    ...Object.values(isolation),
    ...Object.values(routeCaches).filter((cache) => cache !== undefined),
  ];
  const optional = [
    coreServiceReflector,
    endpointSliceReflector,
    budgetReflector,
    ...(namespace === undefined ? [environmentReflector] : []),
    ...(nodeReflector === undefined ? [] : [nodeReflector]),
  ];

  const barriers = {
    tasks: new WriteBarrier(needed.tasks),
    revisions: new WriteBarrier(needed.revisions),
    taskDefinitions: new WriteBarrier(needed.taskDefinitions),
    services: new WriteBarrier(needed.services),
    batchJobs: new WriteBarrier(needed.batchJobs),
    runTasks: new WriteBarrier(needed.runTasks),
    scheduledTasks: new WriteBarrier(needed.scheduledTasks),
    jobQueues: new WriteBarrier(needed.jobQueues),
    computeEnvironments: new WriteBarrier(environmentReflector),
    clusters: new WriteBarrier(needed.clusters),
    targetGroups: new WriteBarrier(needed.targetGroups),
    coreServices: new WriteBarrier(coreServiceReflector),
    endpointSlices: new WriteBarrier(endpointSliceReflector),
    bindings: new WriteBarrier(bindings.reflector),
    budgets: new WriteBarrier(budgetReflector),
    serviceAccounts: new WriteBarrier(isolation.serviceAccounts.reflector),
    networkPolicies: new WriteBarrier(isolation.networkPolicies.reflector),
    httpRoutes: new WriteBarrier(routeCaches.httpRoutes.reflector),
    ingresses: new WriteBarrier(routeCaches.ingresses.reflector),
  };

  return {
    /** The operator does nothing without them. */
    needed,
    /** Absent for an operator of one namespace. */
    nodes: nodeReflector,
    /** Stays empty for an operator of one namespace. */
    computeEnvironments: environmentReflector,
    budgets: budgetReflector,
    bindings,
    isolation,
    routeCaches,
    barriers,
    all: () => [...Object.values(needed), ...optional, ...onDemand.map(({ reflector }) => reflector)],
    /** Until the signal aborts. */
    run: async (signal: AbortSignal): Promise<void> => {
      await Promise.all([...Object.values(needed), ...optional, ...onDemand].map((cache) => cache.run(signal)));
    },
    /**
     * Waits until they have all that the cluster has now: no plan is made from half a cache, nor from one that has not
     * seen the last leader's writes.
     * @throws CacheSyncError when that takes too long.
     */
    complete: async (signal: AbortSignal, timeoutMs: number): Promise<void> => {
      const within = { logger, signal, timeoutMs };
      await catchUp(Object.values(needed), within);
      if (nodeReflector === undefined) logger.info({}, `an operator of one namespace sees no nodes: ${WITHOUT_NODES}`);
      else await catchUpIfAllowed(nodeReflector, WITHOUT_NODES, within);
      if (namespace === undefined) await catchUpIfAllowed(environmentReflector, WITHOUT_ENVIRONMENTS, within);
      else logger.info({}, `an operator of one namespace sees no compute environments: ${WITHOUT_ENVIRONMENTS}`);
      await catchUpIfAllowed(coreServiceReflector, 'target groups and names get no core Service', within);
      await catchUpIfAllowed(endpointSliceReflector, 'tasks with containers that may end alone are no targets', within);
      await catchUpIfAllowed(budgetReflector, 'services get no PodDisruptionBudget', within);
    },
  };
}
