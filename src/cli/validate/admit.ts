/** What the API server says to an object that is made with strict field validation (apiextensions, pkg/registry/customresource). */
import { type Fields, isFields, without } from '../fields.ts';
import type { CustomResource } from './custom-resources.ts';
import { prune, withDefaults } from './decode.ts';
import { blocksRules, type FieldError, fieldErrorLine } from './field-error.ts';
import { isInt64, plain } from './go-text.ts';
import { listMapErrors } from './list-maps.ts';
import { META_FIELDS, metadataErrors, undecodable } from './object-meta.ts';
import { schemaErrors } from './openapi.ts';
import { ruleErrors } from './rules.ts';

/** The lines of the refusal; none: the object is accepted. */
export function refusal(given: Fields, resource: CustomResource): string[] {
  const broken = undecodable(given.metadata);
  if (broken !== undefined) return [broken];
  const { object, unknownFields } = prune(given, resource.schema);
  const metadata = isFields(given.metadata) ? given.metadata : {};
  const unknown = [
    ...Object.keys(metadata)
      .filter((field) => !META_FIELDS.includes(field))
      .map((field) => `metadata.${field}`),
    ...unknownFields,
  ].map((field) => `unknown field "${field}"`);
  const defaulted = withDefaults(isFields(object) ? without(object, 'status') : object, resource.schema);
  const checked = [
    ...metadataErrors(metadata, resource.namespaced),
    ...schemaErrors(defaulted, resource.schema),
    ...scaleErrors(defaulted, resource),
    ...listMapErrors(defaulted, resource.schema),
  ];
  const rules = checked.some(blocksRules) ? [RULES_NOT_CHECKED] : ruleErrors(defaulted, resource.schema);
  return [...new Set([...unknown, ...[...checked, ...rules].map(fieldErrorLine)])];
}

const RULES_NOT_CHECKED: FieldError = {
  type: 'Invalid',
  field: '',
  value: null,
  detail:
    'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
};

function scaleErrors(object: unknown, { specReplicasPath }: CustomResource): FieldError[] {
  if (specReplicasPath === undefined) return [];
  const field = specReplicasPath;
  let at = object;
  for (const key of field.slice(1).split('.')) {
    if (!isFields(at)) return [wrongType(field, at, 'map[string]interface{}')];
    if (at[key] === undefined) return [];
    at = at[key];
  }
  if (typeof at !== 'number' || !isInt64(at)) return [wrongType(field, at, 'int64')];
  if (at < 0) return [{ type: 'Invalid', field, value: at, detail: 'should be a non-negative integer' }];
  if (at > 2147483647)
    return [{ type: 'Invalid', field, value: at, detail: 'should be less than or equal to 2147483647' }];
  return [];
}

function wrongType(field: string, found: unknown, wanted: string): FieldError {
  const detail = `${field} accessor error: ${plain(found)} is of the type ${goType(found)}, expected ${wanted}`;
  return { type: 'Invalid', field, value: 0, detail };
}

function goType(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'object') return 'map[string]interface {}';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'number' ? (isInt64(value) ? 'int64' : 'float64') : 'string';
}
