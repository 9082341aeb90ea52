/** AWS Batch's job queues, compute environments and scheduling policies. */
import { type Fields, isFields, isText } from '../../fields.ts';
import { type Path, pathText } from '../../problem.ts';
import type { Action, AwsInput } from '../aws-input.ts';
import type { Form } from './form.ts';
import { withoutOutput } from './output-fields.ts';

/** By the list in which they are described. */
const DESCRIBED = {
  jobQueues: 'CreateJobQueue',
  computeEnvironments: 'CreateComputeEnvironment',
  schedulingPolicies: 'CreateSchedulingPolicy',
} as const satisfies Readonly<Record<string, Action>>;

/** What `aws batch describe-job-queues`, `describe-compute-environments` and `describe-scheduling-policies` give. */
export const describedQueues: Form = (value, source) => {
  if (!isFields(value)) return undefined;
  for (const [list, action] of Object.entries(DESCRIBED)) {
    const items = value[list];
    if (!Array.isArray(items)) continue;
    return items.map((described: unknown, index) =>
      input(action, isFields(described) ? described : {}, source, [list, index]),
    );
  }
  return undefined;
};

/**
 * What `aws batch create-job-queue --cli-input-json`, `create-compute-environment` and `create-scheduling-policy` take, or
 * one of those that are described.
 */
export const createdQueue: Form = (value, source) => {
  if (!isFields(value)) return undefined;
  const action = isText(value.jobQueueName)
    ? 'CreateJobQueue'
    : isText(value.computeEnvironmentName)
      ? 'CreateComputeEnvironment'
      : isText(value.name) && ('fairsharePolicy' in value || 'quotaSharePolicy' in value)
        ? 'CreateSchedulingPolicy'
        : undefined;
  return action === undefined ? undefined : [input(action, value, source, [])];
};

function input(action: Action, value: Fields, source: string, at: Path): AwsInput {
  const { kept, changes } = withoutOutput(value, action, at);
  return { action, input: kept, source, locate: (path) => pathText([...at, ...path]), changes };
}
