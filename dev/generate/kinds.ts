import type { z } from 'zod';
import { batchJobSpecSchema, batchJobStatusSchema } from '../../src/api/batch-job.ts';
import { clusterSpecSchema, clusterStatusSchema } from '../../src/api/cluster.ts';
import { computeEnvironmentSpecSchema, computeEnvironmentStatusSchema } from '../../src/api/compute-environment.ts';
import { jobQueueSpecSchema, jobQueueStatusSchema } from '../../src/api/job-queue.ts';
import {
  batchJobs,
  clusters,
  computeEnvironments,
  jobQueues,
  type ResourceDescriptor,
  scheduledTasks,
  services,
  targetGroups,
  taskDefinitions,
  tasks,
} from '../../src/api/meta.ts';
import { scheduledTaskSpecSchema, scheduledTaskStatusSchema } from '../../src/api/scheduled-task.ts';
import { serviceSpecSchema, serviceStatusSchema } from '../../src/api/service.ts';
import { targetGroupSpecSchema, targetGroupStatusSchema } from '../../src/api/target-group.ts';
import { taskSpecSchema, taskStatusSchema } from '../../src/api/task.ts';
import { taskDefinitionSpecSchema, taskDefinitionStatusSchema } from '../../src/api/task-definition.ts';

/** A column that `kubectl get` prints. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'date';
  readonly jsonPath: string;
  readonly description?: string;
  /** 0 (default): always. 1: with `-o wide`. */
  readonly priority?: number;
}

/** Everything that one CRD is made of. */
export interface Kind {
  readonly resource: ResourceDescriptor;
  readonly description: string;
  readonly spec: z.ZodType;
  readonly status: z.ZodType;
  readonly columns: readonly PrinterColumn[];
  readonly scale?: {
    readonly specReplicasPath: string;
    readonly statusReplicasPath: string;
    readonly labelSelectorPath: string;
  };
}

const ready = '.status.conditions[?(@.type=="Ready")]';
const age: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };
const reason: PrinterColumn = { name: 'Reason', type: 'string', jsonPath: `${ready}.reason`, priority: 1 };

export const KINDS: readonly Kind[] = [
  {
    resource: taskDefinitions,
    description:
      'An Amazon ECS task definition: the containers that run together as one task. Every change of spec makes a new revision of the family.',
    spec: taskDefinitionSpecSchema,
    status: taskDefinitionStatusSchema,
    columns: [
      { name: 'Family', type: 'string', jsonPath: '.status.family' },
      { name: 'Revision', type: 'integer', jsonPath: '.status.latestRevision' },
      { name: 'Ready', type: 'string', jsonPath: `${ready}.status` },
      reason,
      age,
    ],
  },
  {
    resource: services,
    description:
      'An Amazon ECS service: keeps a number of tasks of a task definition running, and replaces them with those of another revision under the rules of deploymentConfiguration.',
    spec: serviceSpecSchema,
    status: serviceStatusSchema,
    scale: {
      specReplicasPath: '.spec.desiredCount',
      statusReplicasPath: '.status.runningCount',
      labelSelectorPath: '.status.selector',
    },
    columns: [
      { name: 'Status', type: 'string', jsonPath: '.status.status' },
      { name: 'Desired', type: 'integer', jsonPath: '.status.desiredCount' },
      { name: 'Pending', type: 'integer', jsonPath: '.status.pendingCount' },
      { name: 'Running', type: 'integer', jsonPath: '.status.runningCount' },
      { name: 'TaskDef', type: 'string', jsonPath: '.status.taskDefinition' },
      {
        name: 'Rollout',
        type: 'string',
        jsonPath: '.status.deployments[?(@.status=="PRIMARY")].rolloutState',
        description: 'State of the newest deployment.',
      },
      reason,
      age,
    ],
  },
  {
    resource: batchJobs,
    description: 'An AWS Batch job, or an array of jobs: runs a container to its end, and again when it fails.',
    spec: batchJobSpecSchema,
    status: batchJobStatusSchema,
    columns: [
      { name: 'Status', type: 'string', jsonPath: '.status.status' },
      { name: 'Succeeded', type: 'integer', jsonPath: '.status.arrayProperties.statusSummary.SUCCEEDED' },
      { name: 'Failed', type: 'integer', jsonPath: '.status.arrayProperties.statusSummary.FAILED' },
      { name: 'Total', type: 'integer', jsonPath: '.status.arrayProperties.size' },
      { name: 'Queue', type: 'string', jsonPath: '.spec.jobQueue' },
      reason,
      age,
    ],
  },
  {
    resource: tasks,
    description: 'Tasks of an Amazon ECS task definition that are run once, as RunTask does: none is ever replaced.',
    spec: taskSpecSchema,
    status: taskStatusSchema,
    columns: [
      { name: 'Status', type: 'string', jsonPath: '.status.lastStatus' },
      { name: 'Count', type: 'integer', jsonPath: '.status.desiredCount' },
      { name: 'Pending', type: 'integer', jsonPath: '.status.pendingCount' },
      { name: 'Running', type: 'integer', jsonPath: '.status.runningCount' },
      { name: 'Stopped', type: 'integer', jsonPath: '.status.stoppedCount' },
      { name: 'TaskDef', type: 'string', jsonPath: '.status.taskDefinition' },
      reason,
      age,
    ],
  },
  {
    resource: clusters,
    description:
      'An Amazon ECS cluster: what its namespace stands for on AWS, what ARNs and other names of AWS mean in it, and what is allowed. Optional; at most one a namespace.',
    spec: clusterSpecSchema,
    status: clusterStatusSchema,
    columns: [
      { name: 'Cluster', type: 'string', jsonPath: '.status.clusterName' },
      { name: 'Account', type: 'string', jsonPath: '.spec.account' },
      { name: 'Region', type: 'string', jsonPath: '.spec.region' },
      { name: 'Ready', type: 'string', jsonPath: `${ready}.status` },
      reason,
      age,
    ],
  },
  {
    resource: targetGroups,
    description:
      'A target group of Elastic Load Balancing: the tasks of services that share the traffic of a port, how they are checked, and how long those that stop go on for the requests that they have.',
    spec: targetGroupSpecSchema,
    status: targetGroupStatusSchema,
    columns: [
      { name: 'Protocol', type: 'string', jsonPath: '.spec.protocol' },
      { name: 'Port', type: 'integer', jsonPath: '.spec.port' },
      { name: 'Service', type: 'string', jsonPath: '.status.service', description: 'Core Service of the targets.' },
      { name: 'Ready', type: 'string', jsonPath: `${ready}.status` },
      reason,
      age,
    ],
  },
  {
    resource: scheduledTasks,
    description:
      'A schedule of EventBridge Scheduler: runs tasks, or a job, at set times. Each run is a Task or a BatchJob of its own.',
    spec: scheduledTaskSpecSchema,
    status: scheduledTaskStatusSchema,
    columns: [
      { name: 'Schedule', type: 'string', jsonPath: '.spec.scheduleExpression' },
      { name: 'Timezone', type: 'string', jsonPath: '.spec.scheduleExpressionTimezone' },
      { name: 'State', type: 'string', jsonPath: '.spec.state' },
      { name: 'Active', type: 'integer', jsonPath: '.status.activeCount' },
      { name: 'Last', type: 'date', jsonPath: '.status.lastScheduleTime' },
      { name: 'Next', type: 'string', jsonPath: '.status.nextScheduleTime' },
      reason,
      age,
    ],
  },
  {
    resource: jobQueues,
    description:
      'A job queue of AWS Batch: BatchJobs wait in it for room in its compute environments, and start by priority, in their order or by fair shares.',
    spec: jobQueueSpecSchema,
    status: jobQueueStatusSchema,
    columns: [
      { name: 'State', type: 'string', jsonPath: '.spec.state' },
      { name: 'Status', type: 'string', jsonPath: '.status.status' },
      { name: 'Priority', type: 'integer', jsonPath: '.spec.priority' },
      { name: 'Runnable', type: 'integer', jsonPath: '.status.runnable' },
      { name: 'Running', type: 'integer', jsonPath: '.status.running' },
      {
        name: 'Environments',
        type: 'string',
        jsonPath: '.spec.computeEnvironmentOrder[*].computeEnvironment',
        priority: 1,
      },
      {
        name: 'Blocked',
        type: 'string',
        jsonPath: '.status.blocked.reason',
        description: 'Why the job at the head of the queue does not start.',
        priority: 1,
      },
      reason,
      age,
    ],
  },
  {
    resource: computeEnvironments,
    description:
      'A compute environment of AWS Batch: how much the jobs of its queues may have at a time, on which nodes, and which namespaces may use it. Of the whole cluster.',
    spec: computeEnvironmentSpecSchema,
    status: computeEnvironmentStatusSchema,
    columns: [
      { name: 'State', type: 'string', jsonPath: '.spec.state' },
      { name: 'Status', type: 'string', jsonPath: '.status.status' },
      { name: 'MaxvCpus', type: 'integer', jsonPath: '.spec.computeResources.maxvCpus' },
      { name: 'UsedvCpus', type: 'number', jsonPath: '.status.usedVcpus' },
      { name: 'UsedMiB', type: 'number', jsonPath: '.status.usedMemoryMiB', priority: 1 },
      reason,
      age,
    ],
  },
];
