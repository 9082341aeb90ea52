import { isFields, isText, without } from '../../fields.ts';
import { pathText } from '../../problem.ts';
import type { Change } from '../aws-input.ts';
import type { Form } from './form.ts';

/** What `aws ecs run-task --cli-input-json` takes. */
export const ranTask: Form = (value, source) => {
  if (!isFields(value) || !isText(value.taskDefinition) || 'service' in value || 'serviceName' in value)
    return undefined;
  const changes: Change[] =
    value.clientToken === undefined
      ? []
      : [
          {
            path: 'clientToken',
            change: 'Dropped',
            from: value.clientToken,
            reason: 'it tells a repeated call from a new one; an object has a name for that',
          },
        ];
  return [{ action: 'RunTask', input: without(value, 'clientToken'), source, locate: pathText, changes }];
};
