/** API group of every kind. */
export const GROUP = 'longshore.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}` as const;

/** Labels on pods and other objects that Longshore makes. */
export const LABELS = {
  /** ECS task id, 32 hex digits. */
  task: 'longshore.dev/task',
  /** Family, as a DNS name; the AWS name is in the annotation of the same key. */
  family: 'longshore.dev/family',
  revision: 'longshore.dev/revision',
  /** Service, as a DNS name. */
  service: 'longshore.dev/service',
  /** The 19 digits of the deployment's id. */
  deployment: 'longshore.dev/deployment',
  batchJob: 'longshore.dev/batch-job',
  arrayIndex: 'longshore.dev/array-index',
  attempt: 'longshore.dev/attempt',
  /** JobQueue and ComputeEnvironment of a job's pod, by metadata.name as DNS names. */
  jobQueue: 'longshore.dev/job-queue',
  computeEnvironment: 'longshore.dev/compute-environment',
  /** Task, as a DNS name. */
  runTask: 'longshore.dev/run-task',
  /** ScheduledTask that a Task or BatchJob is a run of, as a DNS name. */
  scheduledTask: 'longshore.dev/scheduled-task',
  /** Group of the task, as a DNS name: what placement spreads and keeps apart. */
  group: 'longshore.dev/group',
  /** On a task that was asked to stop or has ended: no longer selected by scale and traffic. */
  stopped: 'longshore.dev/stopped',
  /** DEACTIVATING on a task that is no longer a target, and goes on for the requests that it has. */
  lastStatus: 'longshore.dev/last-status',
  managedBy: 'app.kubernetes.io/managed-by',
} as const;

/**
 * Prefix of the labels of a pod that stands behind core Services: behind the prefix the name of one. The value is
 * `selected` where the Service selects it, `listed` where Longshore writes it into EndpointSlices itself.
 */
export const TRAFFIC_LABEL = 'traffic.longshore.dev/';

/** Value of `LABELS.managedBy`. */
export const MANAGED_BY = 'longshore';

/** Annotations: those that Longshore writes, then those that a user sets. */
export const ANNOTATIONS = {
  /** AWS name behind the derived DNS name of a label of the same key. */
  family: 'longshore.dev/family',
  service: 'longshore.dev/service',
  batchJob: 'longshore.dev/batch-job',
  runTask: 'longshore.dev/run-task',
  group: 'longshore.dev/group',
  scheduledTask: 'longshore.dev/scheduled-task',
  /** Time that the schedule has for a run, RFC 3339. */
  scheduledAt: 'longshore.dev/scheduled-at',
  /** Who started the task, in RunTask's startedBy. */
  startedBy: 'longshore.dev/started-by',
  /** Pod's container name → name, essential and healthCheck times of the task definition's container, as JSON. */
  containers: 'longshore.dev/containers',
  /** `family:revision` with the AWS name. */
  taskDefinition: 'longshore.dev/task-definition',
  /** What the pod takes of its compute environment, as JSON. */
  claim: 'longshore.dev/claim',
  /** Container → Docker labels of the task definition, as JSON. */
  dockerLabels: 'longshore.dev/docker-labels',
  /** Container → log configuration of the task definition, as JSON, for the node's log agent. */
  logConfiguration: 'longshore.dev/log-configuration',
  /** Tags that the task has on AWS, by key, as JSON. */
  tags: 'longshore.dev/tags',
  /** Which start barriers of the pod are open and which never will be, as JSON. */
  startBarriers: 'longshore.dev/start-barriers',
  /** On a claim made for a shared Docker volume: the AWS name of the volume. */
  volume: 'longshore.dev/volume',
  /** On an ExternalSecret: the `valueFrom` that it is for. */
  valueFrom: 'longshore.dev/value-from',
  /** Identity of the placement constraints and strategies that a service's task was started with. */
  placement: 'longshore.dev/placement',
  /** Id of the task in a fuller zone that a service's task stands in for (AZ rebalancing). */
  standsInFor: 'longshore.dev/stands-in-for',
  stopCode: 'longshore.dev/stop-code',
  stoppedReason: 'longshore.dev/stopped-reason',
  /** Seconds that the node gives the pod from its start; absent where it has no deadline until it is asked to stop. */
  deadline: 'longshore.dev/deadline',
  /** Container → why it did not start, as JSON: written with the stop, after which the node knows it no longer. */
  containerReasons: 'longshore.dev/container-reasons',
  /** When the stop was asked for, RFC 3339: ECS's stoppingAt. */
  stoppingAt: 'longshore.dev/stopping-at',
  /** Until when a task that is no longer a target goes on for the requests that it has, RFC 3339; its SIGTERM follows. */
  drainingUntil: 'longshore.dev/draining-until',
  /** Task definition revision: when it was deregistered, RFC 3339; it is INACTIVE from then on. */
  deregisteredAt: 'longshore.dev/deregistered-at',

  /** BatchJob: the job definition it was imported from, as SubmitJob names it. */
  jobDefinition: 'longshore.dev/job-definition',
  /** BatchJob: fields that a job definition can have and that SubmitJob had, such as "parameters,timeout". */
  submitJobFields: 'longshore.dev/submit-job-fields',

  /** JobQueue: ARN of the scheduling policy that it was imported with. */
  schedulingPolicy: 'longshore.dev/scheduling-policy',

  /** BatchJob: CancelJob; the value is the reason. */
  cancel: 'longshore.dev/cancel',
  /** BatchJob: TerminateJob; the value is the reason. */
  terminate: 'longshore.dev/terminate',
  /** BatchJob: TerminateJob for these children of an array, such as "3,5-7". */
  terminateIndexes: 'longshore.dev/terminate-indexes',
  /** Service: any new value starts a deployment. */
  forceNewDeployment: 'longshore.dev/force-new-deployment',
  /** Service: any new value rolls a deployment in progress back, and is the reason; on a deployment, the value that it has settled. */
  rollback: 'longshore.dev/rollback',
  /** TaskDefinition: numbers of revisions to make INACTIVE, such as "3,5-7". */
  deregister: 'longshore.dev/deregister',
  /** Task's pod: StopTask; the value is the reason. */
  stop: 'longshore.dev/stop',
  /** Task's pod: scale-in protection until this RFC 3339 time. */
  protectedUntil: 'longshore.dev/protected-until',
} as const;

/** How the API server serves a kind. */
export interface ResourceDescriptor {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
}

const common = { group: GROUP, version: VERSION, namespaced: true, categories: ['longshore'] } as const;

export const taskDefinitions = {
  ...common,
  plural: 'taskdefinitions',
  singular: 'taskdefinition',
  kind: 'TaskDefinition',
  shortNames: ['etd'],
} as const satisfies ResourceDescriptor;

export const services = {
  ...common,
  plural: 'services',
  singular: 'service',
  kind: 'Service',
  shortNames: ['esvc'],
} as const satisfies ResourceDescriptor;

export const batchJobs = {
  ...common,
  plural: 'batchjobs',
  singular: 'batchjob',
  kind: 'BatchJob',
  shortNames: ['ebj'],
} as const satisfies ResourceDescriptor;

export const tasks = {
  ...common,
  plural: 'tasks',
  singular: 'task',
  kind: 'Task',
  shortNames: ['etask'],
} as const satisfies ResourceDescriptor;

export const clusters = {
  ...common,
  plural: 'clusters',
  singular: 'cluster',
  kind: 'Cluster',
  shortNames: ['ecluster'],
} as const satisfies ResourceDescriptor;

export const targetGroups = {
  ...common,
  plural: 'targetgroups',
  singular: 'targetgroup',
  kind: 'TargetGroup',
  shortNames: ['etg'],
} as const satisfies ResourceDescriptor;

export const scheduledTasks = {
  ...common,
  plural: 'scheduledtasks',
  singular: 'scheduledtask',
  kind: 'ScheduledTask',
  shortNames: ['esched'],
} as const satisfies ResourceDescriptor;

export const jobQueues = {
  ...common,
  plural: 'jobqueues',
  singular: 'jobqueue',
  kind: 'JobQueue',
  shortNames: ['ejq'],
} as const satisfies ResourceDescriptor;

/** Of the whole cluster: the queues of several namespaces share it. */
export const computeEnvironments = {
  ...common,
  namespaced: false,
  plural: 'computeenvironments',
  singular: 'computeenvironment',
  kind: 'ComputeEnvironment',
  shortNames: ['ece'],
} as const satisfies ResourceDescriptor;

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** The part of Kubernetes' ObjectMeta that Longshore reads, as it is in JSON: times are RFC 3339 texts. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
}

/** An object as the API server gives it; `spec` is to be parsed before it is trusted. */
export interface Resource<Spec = unknown, Status = unknown> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec: Spec;
  readonly status?: Status;
}
