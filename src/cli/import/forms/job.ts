import { type Fields, isFields, isText } from '../../fields.ts';
import { type Path, pathText } from '../../problem.ts';
import type { Action, AwsInput } from '../aws-input.ts';
import type { Form } from './form.ts';
import { withoutOutput } from './output-fields.ts';

/** What `aws batch register-job-definition --cli-input-json` takes, or one of those that describe-job-definitions gives. */
export const registeredJobDefinition: Form = (value, source) =>
  isFields(value) && isText(value.jobDefinitionName) ? [jobDefinition(value, source, [])] : undefined;

/** What `aws batch describe-job-definitions` gives. */
export const describedJobDefinitions: Form = (value, source) => {
  if (!isFields(value) || !Array.isArray(value.jobDefinitions)) return undefined;
  return value.jobDefinitions.map((described: unknown, index) =>
    jobDefinition(isFields(described) ? described : {}, source, ['jobDefinitions', index]),
  );
};

/** What `aws batch submit-job --cli-input-json` takes. */
export const submittedJob: Form = (value, source) =>
  isFields(value) && isText(value.jobName) && ('jobDefinition' in value || 'jobQueue' in value)
    ? [{ action: 'SubmitJob', input: value, source, locate: pathText, changes: [] }]
    : undefined;

function jobDefinition(value: Fields, source: string, at: Path): AwsInput {
  const action: Action = 'RegisterJobDefinition';
  const { kept, changes } = withoutOutput(value, action, at);
  const { revision, status } = value;
  return {
    action,
    input: kept,
    source,
    locate: (path) => pathText([...at, ...path]),
    changes,
    ...(typeof revision === 'number' && { revision }),
    ...(isText(status) && { active: status === 'ACTIVE' }),
  };
}
