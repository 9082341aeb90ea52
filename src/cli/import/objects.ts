/** The objects that inputs of AWS become. */

import { parseTaskDefinitionReference } from '../../api/names.ts';
import { type Manifest, manifestOf } from '../manifest.ts';
import type { Path, Problem } from '../problem.ts';
import type { AwsInput, Change } from './aws-input.ts';
import { isJobOfItsOwn, jobOf, namedDefinition } from './job.ts';
import { queueOf, refuseLonePolicy } from './queue.ts';

export interface Imported {
  readonly manifest: Manifest;
  readonly source: string;
  readonly changes: readonly Change[];
  /** File and path of a field of `spec`. */
  readonly place: (path: Path) => Omit<Problem, 'message'>;
}

/**
 * The object of an input that AWS's model has nothing against; `spec` is the input. A SubmitJob takes its job definition
 * from among all inputs; a job definition that no SubmitJob names becomes a job of its own, in its newest revision.
 * @throws RefusedError for a SubmitJob without its job definition
 */
export function toObjects(from: AwsInput, all: readonly AwsInput[], namespace: string | undefined): Imported[] {
  const { action, input, source, changes, locate } = from;
  if (action === 'SubmitJob') return [jobOf(from, namedDefinition(from, all), all, namespace)];
  if (action === 'RegisterJobDefinition')
    return isJobOfItsOwn(from, all) ? [jobOf(undefined, from, all, namespace)] : [];
  if (action === 'CreateJobQueue') return [queueOf(from, all, namespace)];
  if (action === 'CreateSchedulingPolicy') {
    refuseLonePolicy(from, all);
    return [];
  }
  const manifest = {
    // Of the whole cluster.
    CreateComputeEnvironment: () =>
      manifestOf('ComputeEnvironment', String(input.computeEnvironmentName), undefined, input),
    CreateService: () => manifestOf('Service', String(input.serviceName), namespace, input),
    // RunTask names no task: it goes by what it runs.
    RunTask: () => manifestOf('Task', familyOf(input.taskDefinition), namespace, input),
    RegisterTaskDefinition: () => manifestOf('TaskDefinition', String(input.family), namespace, input),
  }[action]();
  return [{ manifest, source, changes, place: (path) => ({ source, path: locate(path) }) }];
}

function familyOf(taskDefinition: unknown): string {
  const reference = parseTaskDefinitionReference(String(taskDefinition));
  // The schema refuses what is no reference.
  return 'error' in reference ? 'task' : reference.family;
}
