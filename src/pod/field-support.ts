/** What becomes of the fields of a spec: read off the tables in `support/`. */
import type { BatchJobSpec } from '../api/batch-job.ts';
import type { ClusterSpec } from '../api/cluster.ts';
import type { ComputeEnvironmentSpec } from '../api/compute-environment.ts';
import type { JobQueueSpec } from '../api/job-queue.ts';
import type { ScheduledTaskSpec } from '../api/scheduled-task.ts';
import type { ServiceSpec } from '../api/service.ts';
import type { FieldSupport } from '../api/status.ts';
import type { TargetGroupSpec } from '../api/target-group.ts';
import type { TaskSpec } from '../api/task.ts';
import type { TaskDefinitionSpec } from '../api/task-definition.ts';
import { type Member, type ServiceModel, shapeOf } from '../aws-model/model.ts';
import { attributeSupport } from '../traffic/attributes.ts';
import { ALL_FEATURES, type ClusterFeatures } from './cluster-features.ts';
import { BY_ITS_FIELDS, type Conditional, type Support, type Topic, type Verdict } from './support/entry.ts';
import { INPUTS, type Input } from './support/tables.ts';

/** What becomes of one field that was given. */
export interface FieldReport {
  /** Path of the field, e.g. spec.containerDefinitions[0].links. */
  readonly field: string;
  readonly support: Exclude<Support, 'Refused'>;
  /** What differs from AWS, and why; empty where nothing does. */
  readonly reason: string;
}

interface Specs {
  readonly TaskDefinition: TaskDefinitionSpec;
  readonly Service: ServiceSpec;
  readonly Task: TaskSpec;
  readonly Cluster: ClusterSpec;
  readonly TargetGroup: TargetGroupSpec;
  readonly BatchJob: BatchJobSpec;
  readonly ScheduledTask: ScheduledTaskSpec;
  readonly JobQueue: JobQueueSpec;
  readonly ComputeEnvironment: ComputeEnvironmentSpec;
}

const NO_PROMETHEUS = 'queries need the URL of a Prometheus in mappings.alarmEvaluation.prometheusUrl';

/** What the API server takes of a status's list. */
const MAX_REPORTS = 200;

export const fieldSupport = (spec: TaskDefinitionSpec, features: ClusterFeatures = ALL_FEATURES): FieldSupport[] =>
  inexact(allFieldSupport('TaskDefinition', spec, spec, features));

export const serviceFieldSupport = (spec: ServiceSpec): FieldSupport[] => inexact(allFieldSupport('Service', spec));

export const runTaskFieldSupport = (spec: TaskSpec): FieldSupport[] => inexact(allFieldSupport('Task', spec));

export const clusterFieldSupport = (spec: ClusterSpec): FieldSupport[] => [
  ...inexact(allFieldSupport('Cluster', spec)),
  ...(spec.mappings.alarmEvaluation.prometheusUrl !== undefined ||
  spec.mappings.alarms.every(({ query }) => query === undefined)
    ? []
    : [{ field: 'spec.mappings.alarms', support: 'Ignored' as const, reason: NO_PROMETHEUS }]),
];

export const targetGroupFieldSupport = (spec: TargetGroupSpec): FieldSupport[] => [
  ...inexact(allFieldSupport('TargetGroup', spec)),
  ...attributeSupport(spec),
];

export const jobFieldSupport = (spec: BatchJobSpec): FieldSupport[] => inexact(allFieldSupport('BatchJob', spec));

export const jobQueueFieldSupport = (spec: JobQueueSpec): FieldSupport[] => inexact(allFieldSupport('JobQueue', spec));

export const computeEnvironmentFieldSupport = (spec: ComputeEnvironmentSpec): FieldSupport[] =>
  inexact(allFieldSupport('ComputeEnvironment', spec));

export const scheduledTaskFieldSupport = (spec: ScheduledTaskSpec): FieldSupport[] =>
  inexact(scheduleFieldReports(spec, spec));

/** Of a ScheduledTask, those of what its target runs as well. */
export function scheduleFieldReports(spec: ScheduledTaskSpec, given: object): FieldReport[] {
  const { runTask, submitJob } = spec.target;
  const target: unknown = Reflect.get(given, 'target');
  const targetReports = (field: 'runTask' | 'submitJob', report: (input: object) => FieldReport[]): FieldReport[] => {
    const input: unknown = isObject(target) ? Reflect.get(target, field) : undefined;
    return isObject(input)
      ? report(input).map((entry) => ({ ...entry, field: entry.field.replace(/^spec/, `spec.target.${field}`) }))
      : [];
  };
  return [
    ...allFieldSupport('ScheduledTask', spec, given),
    ...(runTask === undefined ? [] : targetReports('runTask', (input) => allFieldSupport('Task', runTask, input))),
    ...(submitJob === undefined
      ? []
      : targetReports('submitJob', (input) => allFieldSupport('BatchJob', submitJob, input))),
  ];
}

/**
 * What becomes of every AWS field that was given, in the order of the spec. A field that has fields of its own is not
 * listed, but they are; nor are the fields of one that is Ignored as a whole. `kubernetes` and other fields that are not
 * AWS's have no entry.
 * @param spec as parsed
 * @param given what to report on; default: all of the spec, with the defaults that parsing put in
 * @param features of the cluster; default: all
 */
export function allFieldSupport<Kind extends keyof Specs>(
  kind: Kind,
  spec: Specs[Kind],
  given: object = spec,
  features: ClusterFeatures = ALL_FEATURES,
): FieldReport[] {
  const { model, structures, table }: Input = INPUTS[kind];
  const context = { model, table, spec, features };
  return Object.entries(given).flatMap(([field, value]) => {
    const structure = structures.find((name) => shapeOf(model, name).members?.[field] !== undefined);
    return structure === undefined
      ? []
      : fieldReports(context, { structure, field, parsed: spec, path: 'spec' }, value);
  });
}

interface Context {
  readonly model: ServiceModel;
  readonly table: Topic;
  readonly spec: object;
  readonly features: ClusterFeatures;
}

interface Place {
  readonly structure: string;
  readonly field: string;
  /** The structure that has the field, as parsed. */
  readonly parsed: object;
  /** Path of the structure. */
  readonly path: string;
}

function fieldReports(context: Context, { structure, field, parsed, path }: Place, given: unknown): FieldReport[] {
  const member = shapeOf(context.model, structure).members?.[field];
  const entry = context.table[structure]?.[field];
  if (member === undefined || entry === undefined || given === undefined || given === null) return [];
  const here = `${path}.${field}`;
  if (entry === BY_ITS_FIELDS) return reportsWithin(context, member, given, Reflect.get(parsed, field), here);
  const { support, reason } = verdictOf(entry, parsed, context);
  // What is refused was not parsed.
  if (support === 'Refused' || (support !== 'Exact' && saysNothing(given))) return [];
  return [{ field: here, support, reason }];
}

function reportsWithin(
  context: Context,
  { shape: name }: Member,
  given: unknown,
  parsed: unknown,
  path: string,
): FieldReport[] {
  const { type, member } = shapeOf(context.model, name);
  if (Array.isArray(given) && Array.isArray(parsed) && member !== undefined) {
    return given.flatMap((item, index) => reportsWithin(context, member, item, parsed[index], `${path}[${index}]`));
  }
  if (type !== 'structure' || !isObject(given) || !isObject(parsed)) return [];
  return Object.entries(given).flatMap(([field, value]) =>
    fieldReports(context, { structure: name, field, parsed, path }, value),
  );
}

function verdictOf(entry: Verdict | Conditional, parsed: object, { spec, features }: Context): Verdict {
  if (!('cases' in entry)) return entry;
  const name = entry.choose(parsed, spec, features);
  const verdict = entry.cases[name];
  if (verdict === undefined) throw new Error(`the support table has no case ${name}`);
  return verdict;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Where such a value is ignored, nothing is lost. */
const saysNothing = (value: unknown): boolean =>
  value === false || value === '' || (isObject(value) && Object.keys(value).length === 0);

/** What a status shows; where that would be too much, items of lists are put together. */
function inexact(reports: readonly FieldReport[]): FieldSupport[] {
  const shown = reports.flatMap(({ field, support, reason }) =>
    support === 'Exact' ? [] : [{ field, support, reason }],
  );
  if (shown.length <= MAX_REPORTS) return shown;
  const together = shown.map((report) => ({ ...report, field: report.field.replaceAll(/\[\d+\]/g, '[]') }));
  return [...new Map(together.map((report) => [report.field, report])).values()];
}
