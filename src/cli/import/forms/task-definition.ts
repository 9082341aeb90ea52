import { type Fields, isFields } from '../../fields.ts';
import { type Path, pathText } from '../../problem.ts';
import type { AwsInput } from '../aws-input.ts';
import type { Form } from './form.ts';
import { withoutOutput } from './output-fields.ts';

/** What `aws ecs register-task-definition --cli-input-json` takes, or the inner object of what describes one. */
export const registeredTaskDefinition: Form = (value, source) =>
  isFields(value) && 'containerDefinitions' in value ? [taskDefinition(value, source, [])] : undefined;

/** What `aws ecs describe-task-definition` and `register-task-definition` give: the tags stand beside the definition. */
export const describedTaskDefinition: Form = (value, source) => {
  if (!isFields(value) || !isFields(value.taskDefinition)) return undefined;
  const described = taskDefinition(value.taskDefinition, source, ['taskDefinition']);
  if (value.tags === undefined) return [described];
  const locate = (path: Path) => (path[0] === 'tags' ? pathText(path) : described.locate(path));
  return [{ ...described, input: { ...described.input, tags: value.tags }, locate }];
};

function taskDefinition(value: Fields, source: string, at: Path): AwsInput {
  const { kept, changes } = withoutOutput(value, 'RegisterTaskDefinition', at);
  const locate = (path: Path) => pathText([...at, ...path]);
  return { action: 'RegisterTaskDefinition', input: kept, source, locate, changes };
}
