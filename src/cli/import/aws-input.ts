import { BATCH, ECS, inputOf, type ServiceModel } from '../../aws-model/model.ts';
import type { Fields } from '../fields.ts';
import type { Path } from '../problem.ts';

/** The calls whose inputs Longshore's kinds take. */
export const ACTIONS = [
  'RegisterTaskDefinition',
  'CreateService',
  'RunTask',
  'RegisterJobDefinition',
  'SubmitJob',
  'CreateJobQueue',
  'CreateComputeEnvironment',
  'CreateSchedulingPolicy',
] as const;
export type Action = (typeof ACTIONS)[number];

/** The input of a call, under AWS's own names, and where it was found. */
export interface AwsInput {
  readonly action: Action;
  readonly input: Fields;
  /** File, and which document of it. */
  readonly source: string;
  /** Where a field of `input` is in the document. */
  readonly locate: (path: Path) => string;
  /** What the input no longer has as the document has it. */
  readonly changes: readonly Change[];
  /** Of a described job definition: its number, and whether new jobs may use it. */
  readonly revision?: number;
  readonly active?: boolean;
}

/** A field that was left out, or that means the same in other words. */
export interface Change {
  /** Where it is in the document. */
  readonly path: string;
  readonly change: 'Dropped' | 'Converted';
  /** Absent for what was not there. */
  readonly from?: unknown;
  /** Absent for what was left out. */
  readonly to?: unknown;
  readonly reason: string;
}

export const modelOf = (action: Action): ServiceModel => (BATCH.operations[action] === undefined ? ECS : BATCH);

/** Name of the shape of the call's input in AWS's model. */
export const shapeNameOf = (action: Action): string => inputOf(modelOf(action), action);
