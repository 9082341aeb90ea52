import type { DefaultPolicy } from '../api/cluster-policy.ts';
import {
  batchJobs,
  clusters,
  computeEnvironments,
  jobQueues,
  scheduledTasks,
  services,
  targetGroups,
  taskDefinitions,
  tasks,
} from '../api/meta.ts';
import type { KubeClient } from '../kube/client.ts';
import { Controller, type ControllerMetrics, type Requeue } from '../kube/controller.ts';
import type { EventRecorder } from '../kube/event-recorder.ts';
import type { Logger } from '../kube/logger.ts';
import type { ReflectorProblem } from '../kube/reflector.ts';
import { resourceName } from '../kube/resource.ts';
import { ALL_FEATURES, type ClusterFeatures } from '../pod/cluster-features.ts';
import type { ObservedTask } from '../pod/observe.ts';
import { DispatchLoop } from './batch/dispatch-loop.ts';
import { beginQueueing, sceneOf } from './batch/queues.ts';
import { ownersOfTracked, releaseUncounted } from './batch/tracked-pods.ts';
import { expireBatchJob } from './batch/ttl.ts';
import { reconcileBatchJob } from './batch-job.ts';
import { isRecorded } from './batch-job-status.ts';
import { createCaches } from './caches.ts';
import { reconcileCluster } from './cluster.ts';
import { probeFeatures } from './cluster-features.ts';
import { reconcileComputeEnvironment } from './compute-environment.ts';
import { Daemons } from './daemons.ts';
import { asStopped, DepartedTasks } from './departed-tasks.ts';
import { AlarmReadings } from './deployment-alarms.ts';
import { reconcileJobQueue } from './job-queue.ts';
import { MountFailures } from './mount-failures.ts';
import { nodeView } from './nodes.ts';
import { isSeen } from './optional-cache.ts';
import { type CustomRecord, keyOf, splitKey } from './records.ts';
import { RestartBudget, type RestartLimits } from './restart-budget.ts';
import { reconcileRunTask } from './run-task.ts';
import type { Runtime } from './runtime.ts';
import { reconcileScheduledTask } from './scheduled-task.ts';
import { reconcileService } from './service.ts';
import { StatusWriter } from './status-writer.ts';
import { createStores } from './stores.ts';
import { reconcileTargetGroup } from './target-group.ts';
import { reconcileTaskDefinition } from './task-definition.ts';
import { Wake } from './wake.ts';
import { Zones } from './zones.ts';

/** What queues and environments count changes all the time: people look at it, and nothing else does. */
const COUNTS_MS = 1000;

/** One look at the children of an array takes about a 20th of this: thousands that end at once cost no more than a few looks. */
const INTERVAL_MS_A_CHILD = 0.025;

export interface OperatorOptions {
  readonly client: KubeClient;
  readonly events: EventRecorder;
  readonly logger: Logger;
  readonly metrics?: ControllerMetrics;
  /** Default: all namespaces. */
  readonly namespace?: string;
  /** Reconciles of one kind at a time. */
  readonly workers: number;
  /** Default: Permissive. */
  readonly defaultPolicy?: DefaultPolicy;
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

export function createOperator(options: OperatorOptions): Operator {
  const { client, events, logger, metrics, namespace, workers, cacheSyncTimeoutMs: timeoutMs } = options;
  const stores = createStores(options.defaultPolicy);
  const controllerOptions = { workers, logger, ...(metrics !== undefined && { metrics }) };
  const controller = (
    name: string,
    reconcile: (runtime: Runtime, key: string) => Promise<Requeue>,
    minIntervalMs?: (key: string) => number,
  ): Controller =>
    new Controller({
      ...controllerOptions,
      name,
      reconcile: (key) => reconcile(runtime, key),
      ...(minIntervalMs !== undefined && { minIntervalMs }),
    });
  const intervalOfJob = (key: string): number =>
    INTERVAL_MS_A_CHILD * (stores.batchJobs.get(...splitKey(key))?.spec?.arrayProperties?.size ?? 0);
  const controllers = {
    taskDefinitions: controller('taskdefinition', reconcileTaskDefinition),
    services: controller('service', reconcileService),
    batchJobs: controller('batchjob', reconcileBatchJob, intervalOfJob),
    runTasks: controller('task', reconcileRunTask),
    scheduledTasks: controller('scheduledtask', reconcileScheduledTask),
    jobQueues: controller('jobqueue', reconcileJobQueue, () => COUNTS_MS),
    computeEnvironments: controller('computeenvironment', reconcileComputeEnvironment, () => COUNTS_MS),
    clusters: controller('cluster', reconcileCluster),
    targetGroups: controller('targetgroup', reconcileTargetGroup),
  };
  const uncounted = controller('uncountedpods', releaseUncounted);
  const expiring = controller('batchjobttl', expireBatchJob);
  const daemons = new Daemons();
  const zones = new Zones(stores.nodes);
  const wake = new Wake(stores, controllers, daemons, zones);
  const queueing = new DispatchLoop({
    scene: () => sceneOf(stores),
    ran: (jobs) => {
      for (const job of jobs) wake.granted(job);
      wake.queues();
    },
    now: Date.now,
  });

  /** A service's task that was still running is replaced, and has no record; those of a Task or a job have one, however they went. */
  const noteDeparted = (task: ObservedTask): void => {
    if (task.ended && stores.services.by('uid', task.owner).length > 0) runtime.departed.add(task);
    if (stores.runTasks.by('uid', task.owner).length > 0) runtime.departed.add(asStopped(task, runtime.now()));
    // Most are swept, and the status knows them: nobody is to remember them, a follower least of all.
    const unknown = stores.batchJobs.by('uid', task.owner).some((job) => !isRecorded(job, task));
    if (unknown) runtime.departed.addAttempt(task);
  };

  /** What was remembered of an object that is gone. */
  const forget = (kind: keyof Runtime['statuses'], { uid }: CustomRecord<object, object>): void => {
    runtime.statuses[kind].forget(uid);
    runtime.departed.forget(uid);
    runtime.mountFailures.forget(uid);
    daemons.forget(uid);
    zones.forget(uid);
    runtime.restarts.forget(uid);
    // A job that is deleted while it starts may have pods that nobody has seen yet.
    void queueing
      .gone(uid, () => runtime.barriers.tasks.pending(uid))
      .then(() => {
        for (const barrier of Object.values(runtime.barriers)) barrier.forget(uid);
      });
  };

  const caches = createCaches({
    client,
    logger,
    namespace,
    stores,
    controllers,
    wake,
    queueing,
    uncounted: (owner) => uncounted.enqueue(owner),
    expiring: (job) => expiring.enqueue(job),
    departed: noteDeparted,
    forget,
  });
  const { barriers, bindings, isolation, routeCaches } = caches;
  let features: ClusterFeatures = ALL_FEATURES;
  const runtime: Runtime = {
    get features() {
      return features;
    },
    client,
    stores,
    departed: new DepartedTasks(),
    queueing,
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
      scheduledTasks: new StatusWriter(client, scheduledTasks, barriers.scheduledTasks),
      jobQueues: new StatusWriter(client, jobQueues, barriers.jobQueues),
      computeEnvironments: new StatusWriter(client, computeEnvironments, barriers.computeEnvironments),
      clusters: new StatusWriter(client, clusters, barriers.clusters),
      targetGroups: new StatusWriter(client, targetGroups, barriers.targetGroups),
    },
    binpackScheduler: options.binpackScheduler,
    bindings,
    isolation,
    nodes: nodeView(stores.nodes, () => caches.nodes !== undefined && isSeen(caches.nodes)),
    routeCaches,
    seesComputeEnvironments: () => isSeen(caches.computeEnvironments),
    seesBudgets: () => isSeen(caches.budgets),
    events,
    logger,
    now: Date.now,
  };

  return {
    caches: () =>
      caches.all().map((reflector) => ({
        optional: !Object.values(caches.needed).some((needed) => needed === reflector),
        resource: resourceName(reflector.resource),
        size: reflector.size,
        synced: reflector.isSynced,
        lists: reflector.lists,
        silentMs: reflector.silentMs,
        ...(reflector.problem && { problem: reflector.problem }),
      })),
    restarts: () => runtime.restarts.counts,
    watch: (signal) => caches.run(signal),
    reconcile: async (signal) => {
      await caches.complete(signal, timeoutMs);
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
      beginQueueing(stores, queueing.dispatcher, Date.now());
      await Promise.all([
        ...Object.entries(controllers).map(([kind, each]) =>
          each.run(signal, [...stores[kind as keyof typeof controllers].values()].map(keyOf)),
        ),
        uncounted.run(signal, ownersOfTracked(stores)),
        expiring.run(signal, [...stores.batchJobs.values()].map(keyOf)),
      ]);
    },
  };
}
