/** What every controller works with: the client, the caches, and the helpers around writes. */
import type { BatchJobSpec, BatchJobStatus } from '../api/batch-job.ts';
import type { ClusterSpec, ClusterStatus } from '../api/cluster.ts';
import type { DefaultPolicy } from '../api/cluster-policy.ts';
import type { ComputeEnvironmentSpec, ComputeEnvironmentStatus } from '../api/compute-environment.ts';
import type { JobQueueSpec, JobQueueStatus } from '../api/job-queue.ts';
import type { ScheduledTaskSpec, ScheduledTaskStatus } from '../api/scheduled-task.ts';
import type { ServiceSpec, ServiceStatus } from '../api/service.ts';
import type { TargetGroupSpec, TargetGroupStatus } from '../api/target-group.ts';
import type { TaskSpec, TaskStatus } from '../api/task.ts';
import type { TaskDefinitionSpec, TaskDefinitionStatus } from '../api/task-definition.ts';
import type { KubeClient } from '../kube/client.ts';
import type { EventRecorder } from '../kube/event-recorder.ts';
import type { Logger } from '../kube/logger.ts';
import type { Store } from '../kube/store.ts';
import type { WriteBarrier } from '../kube/write-barrier.ts';
import type { ClusterFeatures } from '../pod/cluster-features.ts';
import type { ObservedTask } from '../pod/observe.ts';
import type { DispatchLoop } from './batch/dispatch-loop.ts';
import type { IsolationCaches } from './batch/isolation-caches.ts';
import type { Daemons } from './daemons.ts';
import type { DepartedTasks } from './departed-tasks.ts';
import type { AlarmReadings } from './deployment-alarms.ts';
import type { BudgetRecord } from './disruption-budget.ts';
import type { MountFailures } from './mount-failures.ts';
import type { NodeRecord, NodeView } from './nodes.ts';
import type { OnDemandCache } from './optional-cache.ts';
import type { CustomRecord, RevisionRecord } from './records.ts';
import type { RestartBudget } from './restart-budget.ts';
import type { StatusWriter } from './status-writer.ts';
import type { CoreServiceRecord } from './traffic/core-services.ts';
import type { EndpointSliceRecord } from './traffic/endpoint-slices.ts';
import type { KeptJson, KeptRecord } from './traffic/kept-objects.ts';
import type { RouteCaches } from './traffic/route-caches.ts';
import type { GatewayRecord, IngressClassRecord, RouteRecord } from './traffic/route-records.ts';
import type { Zones } from './zones.ts';

export type TaskDefinitionRecord = CustomRecord<TaskDefinitionSpec, TaskDefinitionStatus>;
export type ServiceRecord = CustomRecord<ServiceSpec, ServiceStatus>;
export type BatchJobRecord = CustomRecord<BatchJobSpec, BatchJobStatus>;
export type RunTaskRecord = CustomRecord<TaskSpec, TaskStatus>;

export type ScheduledTaskRecord = CustomRecord<ScheduledTaskSpec, ScheduledTaskStatus>;

export type JobQueueRecord = CustomRecord<JobQueueSpec, JobQueueStatus>;

export type ComputeEnvironmentRecord = CustomRecord<ComputeEnvironmentSpec, ComputeEnvironmentStatus>;

export type ClusterRecord = CustomRecord<ClusterSpec, ClusterStatus>;

export type TargetGroupRecord = CustomRecord<TargetGroupSpec, TargetGroupStatus>;

export interface Stores {
  /** Where the Cluster of a namespace does not say what tasks may ask of their node. */
  readonly defaultPolicy: DefaultPolicy;
  /** Indexes: `owner` (UID of the controlling object), `node`, `listed` (`<namespace>/<core Service>`), `jobQueue` (`<namespace>/<JobQueue>`). */
  readonly tasks: Store<ObservedTask>;
  /** Indexes: `owner` (UID of the Service), `family` (`<namespace>/<AWS family>`). */
  readonly revisions: Store<RevisionRecord>;
  /** Indexes: `family`. */
  readonly taskDefinitions: Store<TaskDefinitionRecord>;
  /** Indexes: `uid`, `family`, `namespace`, `daemon`, `targetGroup` (`<namespace>/<AWS name>`). */
  readonly services: Store<ServiceRecord>;
  /** Indexes: `uid`, `name` (`<namespace>/<AWS name>`), `dependsOn` (`<namespace>/<name or UID>`), `family`, `namespace`, `owner` (UID of the ScheduledTask). */
  readonly batchJobs: Store<BatchJobRecord>;
  /** Objects of kind Task, which run tasks. Indexes: `uid`, `family`, `namespace`, `owner` (UID of the ScheduledTask). */
  readonly runTasks: Store<RunTaskRecord>;
  /** Indexes: `uid`, `namespace`. */
  readonly scheduledTasks: Store<ScheduledTaskRecord>;
  /** Indexes: `uid`, `name` (`<namespace>/<AWS name>`), `namespace`. */
  readonly jobQueues: Store<JobQueueRecord>;
  /** Of the whole cluster; empty where they may not be watched. Indexes: `name` (AWS name). */
  readonly computeEnvironments: Store<ComputeEnvironmentRecord>;
  /** Indexes: `namespace`. */
  readonly clusters: Store<ClusterRecord>;
  /** Indexes: `uid`, `name` (`<namespace>/<AWS name>`), `namespace`. */
  readonly targetGroups: Store<TargetGroupRecord>;
  /** Core Services that Longshore made. Indexes: `owner` (UID). */
  readonly coreServices: Store<CoreServiceRecord>;
  /** Those that Longshore writes. Indexes: `owner` (UID). */
  readonly endpointSlices: Store<EndpointSliceRecord>;
  /** Those that Longshore made. Indexes: `owner` (UIDs of the TargetGroups). */
  readonly httpRoutes: Store<RouteRecord>;
  /** Those that Longshore made. Indexes: `owner` (UIDs of the TargetGroups). */
  readonly ingresses: Store<RouteRecord>;
  readonly gateways: Store<GatewayRecord>;
  readonly ingressClasses: Store<IngressClassRecord>;
  /** TargetGroupBindings that Longshore made. Indexes: `owner` (UID of the Service). */
  readonly bindings: Store<KeptRecord>;
  /** Those that Longshore made: of queues that isolate their jobs. */
  readonly serviceAccounts: Store<KeptRecord>;
  /** Those that Longshore made: of queues that isolate their jobs. */
  readonly networkPolicies: Store<KeptRecord>;
  /** Empty where nodes may not be watched. */
  readonly nodes: Store<NodeRecord>;
  /** Those that Longshore made; empty where they may not be watched. Indexes: `owner` (UID of the Service). */
  readonly budgets: Store<BudgetRecord>;
}

/**
 * One barrier for each cache that a controller both writes and reads. Keys: the UID of whose plans are made from it;
 * `<namespace>/<family>` for the revisions of a family.
 */
export type Barriers = {
  readonly [Cache in Exclude<keyof Stores, 'defaultPolicy' | 'nodes' | 'gateways' | 'ingressClasses'>]: WriteBarrier;
};

export interface Runtime {
  readonly client: KubeClient;
  readonly stores: Stores;
  /** Of Services, Tasks and BatchJobs. */
  readonly departed: DepartedTasks;
  /** Who of the jobs in queues starts next. */
  readonly queueing: DispatchLoop;
  readonly alarms: AlarmReadings;
  readonly mountFailures: MountFailures;
  readonly daemons: Daemons;
  readonly zones: Zones;
  readonly restarts: RestartBudget;
  readonly barriers: Barriers;
  readonly statuses: {
    readonly taskDefinitions: StatusWriter<TaskDefinitionStatus>;
    readonly services: StatusWriter<ServiceStatus>;
    readonly batchJobs: StatusWriter<BatchJobStatus>;
    readonly runTasks: StatusWriter<TaskStatus>;
    readonly scheduledTasks: StatusWriter<ScheduledTaskStatus>;
    readonly jobQueues: StatusWriter<JobQueueStatus>;
    readonly computeEnvironments: StatusWriter<ComputeEnvironmentStatus>;
    readonly clusters: StatusWriter<ClusterStatus>;
    readonly targetGroups: StatusWriter<TargetGroupStatus>;
  };
  /** Of the TargetGroupBindings. */
  readonly bindings: OnDemandCache<KeptRecord, KeptJson>;
  /** Watched from the first queue on that isolates its jobs. */
  readonly isolation: IsolationCaches;
  readonly nodes: NodeView;
  /** Watched from the first route on. */
  readonly routeCaches: RouteCaches;
  /** Whether the store has the ComputeEnvironments of the cluster. */
  readonly seesComputeEnvironments: () => boolean;
  /** Whether the store has the PodDisruptionBudgets of the cluster. */
  readonly seesBudgets: () => boolean;
  readonly events: EventRecorder;
  readonly logger: Logger;
  /** What the API server serves of pods; asked before the first plan. */
  readonly features: ClusterFeatures;
  /** Option `--binpack-scheduler`. */
  readonly binpackScheduler?: string | undefined;
  /** Epoch milliseconds. */
  readonly now: () => number;
}
