import { type ServiceModel, shapeOf } from '../../../aws-model/model.ts';
import type { Fields } from '../../fields.ts';
import { type Path, pathText } from '../../problem.ts';
import { type Action, type Change, modelOf, shapeNameOf } from '../aws-input.ts';

/** The structure in which AWS describes what the call made. */
const DESCRIBED: Readonly<Partial<Record<Action, string>>> = {
  RegisterTaskDefinition: 'TaskDefinition',
  CreateService: 'Service',
  RegisterJobDefinition: 'JobDefinition',
  CreateJobQueue: 'JobQueueDetail',
  CreateComputeEnvironment: 'ComputeEnvironmentDetail',
  CreateSchedulingPolicy: 'SchedulingPolicyDetail',
};

export interface WithoutOutput {
  readonly kept: Fields;
  readonly changes: readonly Change[];
}

/** Leaves out what AWS's answer has and its input has not: AWS writes it, nobody asks for it. */
export function withoutOutput(value: Fields, action: Action, at: Path): WithoutOutput {
  const model = modelOf(action);
  const asked = membersOf(model, shapeNameOf(action));
  const answered = membersOf(model, DESCRIBED[action] ?? shapeNameOf(action));
  const isOutput = (field: string) => Object.hasOwn(answered, field) && !Object.hasOwn(asked, field);
  const entries = Object.entries(value);
  return {
    kept: Object.fromEntries(entries.filter(([field]) => !isOutput(field))),
    changes: entries
      .filter(([field]) => isOutput(field))
      .map(([field, from]) => ({
        path: pathText([...at, field]),
        change: 'Dropped',
        from,
        reason: 'AWS writes it in its answer; it is no input',
      })),
  };
}

const membersOf = (model: ServiceModel, shape: string) => shapeOf(model, shape).members ?? {};
