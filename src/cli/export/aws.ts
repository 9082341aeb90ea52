/** The inputs of AWS's calls that an object stands for. */
import { ANNOTATIONS } from '../../api/meta.ts';
import { arnName, uniqueDnsName } from '../../api/names.ts';
import { shapeOf } from '../../aws-model/model.ts';
import { type Fields, isFields, isText, without } from '../fields.ts';
import { type Action, modelOf, shapeNameOf } from '../import/aws-input.ts';
import { awsProblems } from '../import/aws-schema.ts';
import { jobDefinitionReference, SHARED_FIELDS } from '../import/job.ts';
import { pathText, RefusedError } from '../problem.ts';
import { givenSpec } from './given.ts';

export interface Exported {
  readonly action: Action;
  /** The object's name. */
  readonly name: string;
  readonly input: Fields;
}

/** Kinds that stand for an input of AWS. */
export const EXPORTED_KINDS = [
  'TaskDefinition',
  'Service',
  'Task',
  'BatchJob',
  'JobQueue',
  'ComputeEnvironment',
] as const;
export type ExportedKind = (typeof EXPORTED_KINDS)[number];

export const isExportedKind = (kind: unknown): kind is ExportedKind => EXPORTED_KINDS.some((known) => known === kind);

/**
 * What the object's spec is the input of, as it was given; a BatchJob is a job definition and a SubmitJob, a JobQueue with
 * a scheduling policy is that policy and the queue.
 * `spec.kubernetes` is not AWS's and is left out.
 * @throws RefusedError where AWS's model has something against it
 */
export function exported(kind: ExportedKind, object: Fields, source: string): Exported[] {
  const metadata = isFields(object.metadata) ? object.metadata : {};
  const name = isText(metadata.name) ? metadata.name : '';
  const annotations = isFields(metadata.annotations) ? metadata.annotations : {};
  const spec = without(givenSpec(object), 'kubernetes');
  const inputs = {
    TaskDefinition: () => [{ action: 'RegisterTaskDefinition', name, input: named(spec, 'family', name) } as const],
    Service: () => [{ action: 'CreateService', name, input: named(spec, 'serviceName', name) } as const],
    Task: () => [{ action: 'RunTask', name, input: spec } as const],
    ComputeEnvironment: () => [
      { action: 'CreateComputeEnvironment', name, input: named(spec, 'computeEnvironmentName', name) } as const,
    ],
    JobQueue: () => queueInputs(named(spec, 'jobQueueName', name), name, annotations, source),
    BatchJob: () => jobInputs(spec, name, annotations, source),
  }[kind]();
  const problems = inputs.flatMap(({ action, input }) =>
    awsProblems({ action, input, source, locate: (path) => pathText(['spec', ...path]), changes: [] }),
  );
  if (problems.length > 0) throw new RefusedError(...problems);
  return inputs;
}

/** AWS requires a name where Longshore takes that of the object. */
const named = (spec: Fields, field: string, name: string): Fields =>
  spec[field] === undefined || spec[field] === null ? { ...spec, [field]: name } : spec;

/** The queue names its policy by the ARN, which only AWS knows: the annotation has the one that it was imported with. */
function queueInputs(spec: Fields, name: string, annotations: Fields, source: string): Exported[] {
  const queue = without(spec, 'schedulingPolicy');
  const { schedulingPolicy } = spec;
  if (!isFields(schedulingPolicy)) return [{ action: 'CreateJobQueue', name, input: queue }];
  const schedulingPolicyArn = annotations[ANNOTATIONS.schedulingPolicy];
  if (!isText(schedulingPolicyArn)) {
    const message = `AWS knows a scheduling policy by its ARN: give it in the annotation ${ANNOTATIONS.schedulingPolicy}`;
    throw new RefusedError({ source, path: 'spec.schedulingPolicy', message });
  }
  return [
    {
      action: 'CreateSchedulingPolicy',
      name: uniqueDnsName(arnName(schedulingPolicyArn)),
      input: named(schedulingPolicy, 'name', arnName(schedulingPolicyArn)),
    },
    { action: 'CreateJobQueue', name, input: { ...queue, schedulingPolicyArn } },
  ];
}

function jobInputs(spec: Fields, name: string, annotations: Fields, source: string): Exported[] {
  if (spec.taskDefinition !== undefined && spec.taskDefinition !== null) {
    const message = 'AWS Batch has no such field: a job that runs a task definition cannot be exported';
    throw new RefusedError({ source, path: 'spec.taskDefinition', message });
  }
  const jobName = isText(spec.jobName) ? spec.jobName : name;
  const reference = annotations[ANNOTATIONS.jobDefinition] ?? jobName;
  const ofSubmit = String(annotations[ANNOTATIONS.submitJobFields] ?? '').split(',');
  const ofDefinition = shapeOf(modelOf('RegisterJobDefinition'), shapeNameOf('RegisterJobDefinition')).members ?? {};
  const isOfDefinition = ([field]: [string, unknown]): boolean =>
    Object.hasOwn(ofDefinition, field) && !(SHARED_FIELDS.includes(field) && ofSubmit.includes(field));
  const entries = Object.entries(spec);
  const { name: jobDefinitionName } = jobDefinitionReference(reference);
  const definition = { jobDefinitionName, type: 'container', ...Object.fromEntries(entries.filter(isOfDefinition)) };
  const rest = Object.fromEntries(entries.filter((entry) => !isOfDefinition(entry)));
  const isDefinitionAlone = Object.keys(without(rest, 'jobName')).length === 0 && jobName === jobDefinitionName;
  return [
    { action: 'RegisterJobDefinition', name, input: definition },
    ...(isDefinitionAlone
      ? []
      : [{ action: 'SubmitJob' as const, name, input: { ...named(rest, 'jobName', name), jobDefinition: reference } }]),
  ];
}
