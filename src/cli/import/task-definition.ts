import { ECS, shapeOf } from '../../aws-model/model.ts';
import { type Fields, isFields } from '../fields.ts';
import { type Path, pathText } from '../problem.ts';
import type { AwsInput, Change } from './aws-input.ts';

/** What `aws ecs register-task-definition --cli-input-json` takes, or the inner object of what describes one. */
export function registeredTaskDefinition(value: Fields, source: string): AwsInput[] | undefined {
  if (!('containerDefinitions' in value)) return undefined;
  return [taskDefinitionInput(value, source, [])];
}

/** What `aws ecs describe-task-definition` gives: its tags stand beside the definition. */
export function describedTaskDefinition(value: Fields, source: string): AwsInput[] | undefined {
  const { taskDefinition, tags } = value;
  if (!isFields(taskDefinition) || !('containerDefinitions' in taskDefinition)) return undefined;
  const { input, changes } = taskDefinitionInput(taskDefinition, source, ['taskDefinition']);
  const tagged = tags === undefined ? input : { ...input, tags };
  const locate = (path: Path) => pathText(path[0] === 'tags' ? path : ['taskDefinition', ...path]);
  return [{ action: 'RegisterTaskDefinition', input: tagged, source, locate, changes }];
}

function taskDefinitionInput(value: Fields, source: string, at: Path): AwsInput {
  const { kept, changes } = withoutOutput(value, 'TaskDefinition', 'RegisterTaskDefinitionRequest', at);
  const locate = (path: Path) => pathText([...at, ...path]);
  return { action: 'RegisterTaskDefinition', input: kept, source, locate, changes };
}

/** Leaves out what AWS's answer has and its input has not: AWS writes it, nobody asks for it. */
export function withoutOutput(
  value: Fields,
  output: string,
  input: string,
  at: Path,
  model = ECS,
): { readonly kept: Fields; readonly changes: Change[] } {
  const asked = shapeOf(model, input).members ?? {};
  const answered = shapeOf(model, output).members ?? {};
  const isOutput = (field: string) => field in answered && !(field in asked);
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
