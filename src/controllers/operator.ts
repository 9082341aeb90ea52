/** Wires caches and controllers: watch → store → queue(owner) → reconcile. */
import { parseBatchJob } from '../api/batch-job.ts';
import { parseCluster } from '../api/cluster.ts';
import {
  batchJobs,
  clusters,
  LABELS,
  MANAGED_BY,
  services,
  targetGroups,
  taskDefinitions,
  tasks,
} from '../api/meta.ts';
import { parseService } from '../api/service.ts';
import { parseTargetGroup } from '../api/target-group.ts';
import { parseTask } from '../api/task.ts';
import { parseTaskDefinition } from '../api/task-definition.ts';
import { catchUp } from '../kube/catch-up.ts';
import type { KubeClient } from '../kube/client.ts';
import { Controller, type ControllerMetrics, type Requeue } from '../kube/controller.ts';
import type { EventRecorder } from '../kube/event-recorder.ts';
import type { Logger } from '../kube/logger.ts';
import { Reflector, type ReflectorProblem } from '../kube/reflector.ts';
import {
  controllerRevisions,
  coreServices,
  endpointSlices,
  nodes,
  podDisruptionBudgets,
  pods,
  type Resource,
  resourceName,
  targetGroupBindings,
} from '../kube/resource.ts';
import type { Change, Store, Stored } from '../kube/store.ts';
import { WriteBarrier } from '../kube/write-barrier.ts';
import { ALL_FEATURES, type ClusterFeatures } from '../pod/cluster-features.ts';
import { type ObservedTask, observePod } from '../pod/observe.ts';
import { reconcileBatchJob } from './batch-job.ts';
import { reconcileCluster } from './cluster.ts';
import { probeFeatures } from './cluster-features.ts';
import { Daemons } from './daemons.ts';
import { asStopped, DepartedTasks } from './departed-tasks.ts';
import { AlarmReadings } from './deployment-alarms.ts';
import { budgetRecord } from './disruption-budget.ts';
import { MountFailures } from './mount-failures.ts';
import { nodeRecord, nodeView } from './nodes.ts';
import { catchUpIfAllowed, isSeen, OnDemandCache } from './optional-cache.ts';
import { type CustomRecord, keyOf, recordOf, revisionRecord, sameContent } from './records.ts';
import { RestartBudget, type RestartLimits } from './restart-budget.ts';
import { reconcileRunTask } from './run-task.ts';
import type { Runtime } from './runtime.ts';
import { reconcileService } from './service.ts';
import { StatusWriter } from './status-writer.ts';
import { createStores } from './stores.ts';
import { reconcileTargetGroup } from './target-group.ts';
import { reconcileTaskDefinition } from './task-definition.ts';
import { familyOf } from './task-revisions.ts';
import { endpointSliceRecord } from './traffic/endpoint-slices.ts';
import { keptRecord } from './traffic/kept-objects.ts';
import { createRouteCaches } from './traffic/route-caches.ts';
import { Wake } from './wake.ts';
import { Zones } from './zones.ts';

export interface OperatorOptions {
  readonly client: KubeClient;
  readonly events: EventRecorder;
  readonly logger: Logger;
  readonly metrics?: ControllerMetrics;
  /** Default: all namespaces. */
  readonly namespace?: string;
  /** Reconciles of one kind at a time. */
  readonly workers: number;
  /** Absent: the default scheduler places tasks with the strategy binpack as well. */
  readonly binpackScheduler?: string | undefined;
  /** How long a leader waits for complete caches before it gives up, in milliseconds. */
  readonly cacheSyncTimeoutMs: number;
  readonly restarts: RestartLimits;
}

/** What one cache is like now. */
export interface CacheState {
  /** Plural, with its group. */
  readonly resource: string;
  readonly size: number;
  /** Has seen its first complete list. */
  readonly synced: boolean;
  /** Complete lists so far. */
  readonly lists: number;
  /** The operator works without it, less well. */
  readonly optional: boolean;
  /** Milliseconds since the watch last heard of the API server, or tried to. */
  readonly silentMs: number;
  /** Why the last list or watch failed; absent once the next one works. */
  readonly problem?: ReflectorProblem;
}

export interface Operator {
  caches(): CacheState[];
  /** Of tasks that ended by themselves. */
  restarts(): RestartBudget['counts'];
  /** Keeps the caches equal to the cluster until the signal aborts. Reads only: a follower watches too. */
  watch(signal: AbortSignal): Promise<void>;
  /**
   * Reconciles everything, then whatever changes, until the signal aborts and what was under way has returned. Begins
   * once the caches have all that the cluster has at the time of the call. Needs `watch` beside it; once only.
   * @throws CacheSyncError when that takes longer than `cacheSyncTimeoutMs`.
   */
  reconcile(signal: AbortSignal): Promise<void>;
}

const WITHOUT_NODES =
  'tasks stay on nodes that are cordoned, one on a lost node is STOPPING until the node is gone, and DAEMON services have no tasks';

const WITHOUT_SLICES = 'tasks with containers that may end alone are no targets';

export function createOperator(options: OperatorOptions): Operator {
  const { client, events, logger, metrics, namespace, workers, cacheSyncTimeoutMs: timeoutMs } = options;
  const stores = createStores();
  const controllerOptions = { workers, logger, ...(metrics !== undefined && { metrics }) };
  const controller = (name: string, reconcile: (runtime: Runtime, key: string) => Promise<Requeue>): Controller =>
    new Controller({ ...controllerOptions, name, reconcile: (key) => reconcile(runtime, key) });
  const controllers = {
    taskDefinitions: controller('taskdefinition', reconcileTaskDefinition),
    services: controller('service', reconcileService),
    batchJobs: controller('batchjob', reconcileBatchJob),
    runTasks: controller('task', reconcileRunTask),
    clusters: controller('cluster', reconcileCluster),
    targetGroups: controller('targetgroup', reconcileTargetGroup),
  };
  const daemons = new Daemons();
  const zones = new Zones(stores.nodes);
  const wake = new Wake(stores, controllers, daemons, zones);

  /** A service's task that was still running is replaced, and has no record; that of a Task has one, however it went. */
  const noteDeparted = (task: ObservedTask): void => {
    if (task.ended && stores.services.by('uid', task.owner).length > 0) runtime.departed.add(task);
    if (stores.runTasks.by('uid', task.owner).length > 0) runtime.departed.add(asStopped(task, runtime.now()));
  };

  /** What was remembered of an object that is gone. */
  const forget = (kind: keyof Runtime['statuses'], { uid }: CustomRecord<object, object>): void => {
    runtime.statuses[kind].forget(uid);
    runtime.departed.forget(uid);
    runtime.mountFailures.forget(uid);
    daemons.forget(uid);
    zones.forget(uid);
    runtime.restarts.forget(uid);
    for (const barrier of Object.values(runtime.barriers)) barrier.forget(uid);
  };

  const watch = <T extends Stored, Source>(
    resource: Resource,
    project: (raw: Source) => T,
    store: Store<T>,
    onChange: (change: Change<T>) => void,
    labelSelector?: string,
  ): Reflector<T, Source> =>
    new Reflector<T, Source>({
      client,
      resource,
      ...(namespace !== undefined && { namespace }),
      ...(labelSelector !== undefined && { labelSelector }),
      project,
      store,
      onChange,
      logger,
    });
  const managed = `${LABELS.managedBy}=${MANAGED_BY}`;
  const reflectors = {
    tasks: watch(
      pods,
      observePod,
      stores.tasks,
      ({ type, object, previous }) => {
        if (type === 'deleted') noteDeparted(object);
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
    batchJobs: watch(batchJobs, recordOf(parseBatchJob), stores.batchJobs, ({ type, object }) => {
      controllers.batchJobs.enqueue(keyOf(object));
      if (type === 'deleted') forget('batchJobs', object);
    }),
    runTasks: watch(tasks, recordOf(parseTask), stores.runTasks, ({ type, object }) => {
      controllers.runTasks.enqueue(keyOf(object));
      if (type === 'deleted') forget('runTasks', object);
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
  const onDemand = [bindings, ...Object.values(routeCaches).filter((cache) => cache !== undefined)];
  const optional = [
    coreServiceReflector,
    endpointSliceReflector,
    budgetReflector,
    ...(nodeReflector === undefined ? [] : [nodeReflector]),
  ];
  const running = [...Object.values(reflectors), ...optional];
  const allReflectors = () => [...running, ...onDemand.map(({ reflector }) => reflector)];

  const barriers = {
    tasks: new WriteBarrier(reflectors.tasks),
    revisions: new WriteBarrier(reflectors.revisions),
    taskDefinitions: new WriteBarrier(reflectors.taskDefinitions),
    services: new WriteBarrier(reflectors.services),
    batchJobs: new WriteBarrier(reflectors.batchJobs),
    runTasks: new WriteBarrier(reflectors.runTasks),
    clusters: new WriteBarrier(reflectors.clusters),
    targetGroups: new WriteBarrier(reflectors.targetGroups),
    coreServices: new WriteBarrier(coreServiceReflector),
    endpointSlices: new WriteBarrier(endpointSliceReflector),
    bindings: new WriteBarrier(bindings.reflector),
    budgets: new WriteBarrier(budgetReflector),
    httpRoutes: new WriteBarrier(routeCaches.httpRoutes.reflector),
    ingresses: new WriteBarrier(routeCaches.ingresses.reflector),
  };
  let features: ClusterFeatures = ALL_FEATURES;
  const runtime: Runtime = {
    get features() {
      return features;
    },
    client,
    stores,
    departed: new DepartedTasks(),
    alarms: new AlarmReadings(client),
    mountFailures: new MountFailures(),
    daemons,
    zones,
    restarts: new RestartBudget(options.restarts, Date.now),
    barriers,
    statuses: {
      taskDefinitions: new StatusWriter(client, taskDefinitions, barriers.taskDefinitions),
      services: new StatusWriter(client, services, barriers.services),
      batchJobs: new StatusWriter(client, batchJobs, barriers.batchJobs),
      runTasks: new StatusWriter(client, tasks, barriers.runTasks),
      clusters: new StatusWriter(client, clusters, barriers.clusters),
      targetGroups: new StatusWriter(client, targetGroups, barriers.targetGroups),
    },
    binpackScheduler: options.binpackScheduler,
    bindings,
    nodes: nodeView(stores.nodes, () => nodeReflector !== undefined && isSeen(nodeReflector)),
    routeCaches,
    seesBudgets: () => isSeen(budgetReflector),
    events,
    logger,
    now: Date.now,
  };

  return {
    caches: () =>
      allReflectors().map((reflector) => ({
        optional: !Object.values(reflectors).some((needed) => needed === reflector),
        resource: resourceName(reflector.resource),
        size: reflector.size,
        synced: reflector.isSynced,
        lists: reflector.lists,
        silentMs: reflector.silentMs,
        ...(reflector.problem && { problem: reflector.problem }),
      })),
    restarts: () => runtime.restarts.counts,
    watch: async (signal) => {
      await Promise.all([...running, ...onDemand].map((cache) => cache.run(signal)));
    },
    reconcile: async (signal) => {
      // No plan is made from half a cache, nor from one that has not seen the last leader's writes.
      await catchUp(Object.values(reflectors), { logger, signal, timeoutMs });
      if (nodeReflector === undefined) logger.info({}, `an operator of one namespace sees no nodes: ${WITHOUT_NODES}`);
      else await catchUpIfAllowed(nodeReflector, WITHOUT_NODES, { logger, signal, timeoutMs });
      await catchUpIfAllowed(coreServiceReflector, 'target groups and names get no core Service', {
        logger,
        signal,
        timeoutMs,
      });
      await catchUpIfAllowed(endpointSliceReflector, WITHOUT_SLICES, { logger, signal, timeoutMs });
      await catchUpIfAllowed(budgetReflector, 'services get no PodDisruptionBudget', { logger, signal, timeoutMs });
      if (signal.aborted) return;
      features = await probeFeatures(client, logger, namespace ?? 'default');
      const missing = Object.entries(features).flatMap(([name, served]) => (served ? [] : [name]));
      if (missing.length > 0)
        logger.warn({ missing }, 'the cluster lacks features of pods: see fieldSupport of each TaskDefinition');
      logger.info(
        { tasks: stores.tasks.size, services: stores.services.size, batchJobs: stores.batchJobs.size },
        'caches are complete: reconciling',
      );
      runtime.restarts.empty();
      await Promise.all(
        Object.entries(controllers).map(([kind, each]) =>
          each.run(signal, [...stores[kind as keyof typeof controllers].values()].map(keyOf)),
        ),
      );
    },
  };
}
