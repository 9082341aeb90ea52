/** Finds out what a document is, and takes the inputs of AWS's calls out of it. */

import type { SourceDocument } from '../documents.ts';
import { type Fields, isFields, isText } from '../fields.ts';
import { RefusedError } from '../problem.ts';
import type { AwsInput } from './aws-input.ts';
import { describedTaskDefinition, registeredTaskDefinition } from './task-definition.ts';

/** A form in which AWS's inputs are kept; undefined where the document has another. */
type Form = (value: Fields, source: string) => readonly AwsInput[] | undefined;

const FORMS: readonly Form[] = [describedTaskDefinition, registeredTaskDefinition];

/**
 * The inputs in a document.
 * @throws RefusedError where it has none of the known forms
 */
export function recognize({ source, value }: SourceDocument): readonly AwsInput[] {
  if (isFields(value)) {
    for (const form of FORMS) {
      const inputs = form(value, source);
      if (inputs !== undefined) return inputs;
    }
  }
  throw new RefusedError({ source, message: unknownMessage(value) });
}

function unknownMessage(value: unknown): string {
  if (isFields(value) && isText(value.apiVersion) && isText(value.kind)) {
    return `is a Kubernetes object (${value.kind}) already; import takes files of AWS, validate takes manifests`;
  }
  const found = isFields(value) ? `fields ${Object.keys(value).slice(0, 8).join(', ') || '(none)'}` : 'no object';
  return `has none of the known forms (found: ${found}); known: the JSON that aws ecs register-task-definition takes or describe-task-definition gives`;
}
