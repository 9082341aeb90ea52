/** What the tool knows of each kind. */
import type { z } from 'zod';
import { batchJobSpecSchema, parseBatchJob } from '../api/batch-job.ts';
import { clusterSpecSchema, parseCluster } from '../api/cluster.ts';
import { computeEnvironmentSpecSchema, parseComputeEnvironment } from '../api/compute-environment.ts';
import { jobQueueSpecSchema, parseJobQueue } from '../api/job-queue.ts';
import { parseScheduledTask, scheduledTaskSpecSchema } from '../api/scheduled-task.ts';
import { parseService, serviceSpecSchema } from '../api/service.ts';
import { parseTargetGroup, targetGroupSpecSchema } from '../api/target-group.ts';
import { parseTask, taskSpecSchema } from '../api/task.ts';
import { parseTaskDefinition, taskDefinitionSpecSchema } from '../api/task-definition.ts';
import { allFieldSupport, type FieldReport, scheduleFieldReports } from '../pod/field-support.ts';
import type { Fields } from './fields.ts';

interface KindEntry {
  readonly schema: z.ZodType;
  /** What becomes of every field of a valid spec. */
  readonly support: (spec: Fields) => readonly FieldReport[];
}

const KINDS = {
  TaskDefinition: {
    schema: taskDefinitionSpecSchema,
    support: (spec: Fields) => allFieldSupport('TaskDefinition', parseTaskDefinition(spec), spec),
  },
  Service: {
    schema: serviceSpecSchema,
    support: (spec: Fields) => allFieldSupport('Service', parseService(spec), spec),
  },
  BatchJob: {
    schema: batchJobSpecSchema,
    support: (spec: Fields) => allFieldSupport('BatchJob', parseBatchJob(spec), spec),
  },
  Task: {
    schema: taskSpecSchema,
    support: (spec: Fields) => allFieldSupport('Task', parseTask(spec), spec),
  },
  Cluster: {
    schema: clusterSpecSchema,
    support: (spec: Fields) => allFieldSupport('Cluster', parseCluster(spec), spec),
  },
  TargetGroup: {
    schema: targetGroupSpecSchema,
    support: (spec: Fields) => allFieldSupport('TargetGroup', parseTargetGroup(spec), spec),
  },
  JobQueue: {
    schema: jobQueueSpecSchema,
    support: (spec: Fields) => allFieldSupport('JobQueue', parseJobQueue(spec), spec),
  },
  ComputeEnvironment: {
    schema: computeEnvironmentSpecSchema,
    support: (spec: Fields) => allFieldSupport('ComputeEnvironment', parseComputeEnvironment(spec), spec),
  },
  ScheduledTask: {
    schema: scheduledTaskSpecSchema,
    support: (spec: Fields) => scheduleFieldReports(parseScheduledTask(spec), spec),
  },
} as const satisfies Readonly<Record<string, KindEntry>>;

export type KindName = keyof typeof KINDS;

export const kindEntry = (kind: KindName): KindEntry => KINDS[kind];

export const isKindName = (kind: string): kind is KindName => Object.hasOwn(KINDS, kind);
