/** Finds out what a document is, and takes the inputs of AWS's calls out of it. */
import type { SourceDocument } from '../documents.ts';
import { isFields, isText } from '../fields.ts';
import { RefusedError } from '../problem.ts';
import type { AwsInput } from './aws-input.ts';
import { cloudFormationProperties, cloudFormationTemplate } from './forms/cloudformation.ts';
import type { Form, FormOptions } from './forms/form.ts';
import { describedJobDefinitions, registeredJobDefinition, submittedJob } from './forms/job.ts';
import { createdQueue, describedQueues } from './forms/queue.ts';
import { ranTask } from './forms/run-task.ts';
import { createdService, describedServices } from './forms/service.ts';
import { describedTaskDefinition, registeredTaskDefinition } from './forms/task-definition.ts';
import { containerDefinitions, terraformAttributes, terraformState } from './forms/terraform.ts';

const FORMS: readonly Form[] = [
  describedTaskDefinition,
  registeredTaskDefinition,
  describedServices,
  createdService,
  ranTask,
  describedJobDefinitions,
  registeredJobDefinition,
  submittedJob,
  describedQueues,
  createdQueue,
  cloudFormationTemplate,
  cloudFormationProperties,
  terraformState,
  terraformAttributes,
  containerDefinitions,
];

const KNOWN =
  "what the AWS command line takes or gives for register-task-definition, describe-task-definition, create-service, describe-services, run-task, register-job-definition, describe-job-definitions, submit-job, create-job-queue, describe-job-queues, create-compute-environment, describe-compute-environments, create-scheduling-policy and describe-scheduling-policies; CloudFormation templates, resources and their properties; Terraform's container_definitions, state, and show -json";

/**
 * The inputs in a document; a list that is no list of container definitions is taken item by item.
 * @throws RefusedError where it has none of the known forms
 */
export function recognize(
  { source, value }: Pick<SourceDocument, 'source' | 'value'>,
  options: FormOptions,
): readonly AwsInput[] {
  for (const form of FORMS) {
    const inputs = form(value, source, options);
    if (inputs !== undefined) return inputs;
  }
  if (Array.isArray(value) && value.length > 0 && value.every(isFields)) {
    return value.flatMap((item, index) => recognize({ source: `${source}, [${index}]`, value: item }, options));
  }
  throw new RefusedError({ source, message: unknownMessage(value) });
}

function unknownMessage(value: unknown): string {
  if (isFields(value) && isText(value.apiVersion) && isText(value.kind)) {
    return `is a Kubernetes object (${value.kind}) already; import takes files of AWS, validate takes manifests`;
  }
  const found = isFields(value) ? `fields ${Object.keys(value).slice(0, 8).join(', ') || '(none)'}` : 'no object';
  return `has none of the known forms (found: ${found}). Known: ${KNOWN}`;
}
