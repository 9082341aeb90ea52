/** The API server's check of a value against the schema (kube-openapi, pkg/validation/validate), with its messages. */
import { isFields } from '../fields.ts';
import type { FieldError } from './field-error.ts';
import { isInt64, plain, quote } from './go-text.ts';
import type { CrdSchema } from './schema.ts';

/** Everything in which a value differs from its schema, rules aside. `path` is empty for the object itself. */
export function schemaErrors(value: unknown, schema: CrdSchema, path = ''): FieldError[] {
  if (value === null) return [...typeErrors(value, schema, path), ...enumErrors(value, schema, path)];
  return [
    ...typeErrors(value, schema, path),
    ...(typeof value === 'string' ? textErrors(value, schema, path) : []),
    ...(typeof value === 'number' ? numberErrors(value, schema, path) : []),
    ...(Array.isArray(value) ? listErrors(value, schema, path) : []),
    ...enumErrors(value, schema, path),
    ...(isFields(value) ? objectErrors(value, schema, path) : []),
  ];
}

const invalid = (field: string, value: unknown, detail: string): FieldError => ({
  type: 'Invalid',
  field,
  value,
  detail: `${field} in body ${detail}`,
});

/** Name of a value's type in JSON Schema. */
function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return isInt64(value) ? 'integer' : 'number';
  return typeof value;
}

function typeErrors(value: unknown, { type, nullable, format }: CrdSchema, path: string): FieldError[] {
  const given = typeOf(value);
  if (given === 'null' && nullable === true) return [];
  const fits =
    given === type || (given === 'integer' && type === 'number') || (type === 'integer' && Number.isSafeInteger(value));
  if (fits) return [];
  // The server names the format that is wanted and, where the value is no text, the format that was found.
  const found = format !== undefined && !['null', 'string', 'array'].includes(given) ? FORMATS[given] : given;
  const wanted = format !== undefined && !['null', 'string', 'array'].includes(given) ? format : type;
  const detail = `${path} in body must be of type ${wanted}: ${quote(found ?? '')}`;
  return [{ type: 'TypeInvalid', field: path, value: found ?? '', detail }];
}

const FORMATS: Readonly<Record<string, string>> = { integer: 'int64', number: 'float64' };

function textErrors(value: string, { maxLength, minLength, pattern }: CrdSchema, path: string): FieldError[] {
  const length = [...value].length;
  if (maxLength !== undefined && length > maxLength) {
    const bytes = maxLength === 1 ? 'byte' : 'bytes';
    return [{ type: 'TooLong', field: path, detail: `may not be more than ${maxLength} ${bytes}` }];
  }
  if (minLength !== undefined && length < minLength) {
    return [invalid(path, value, `should be at least ${minLength} chars long`)];
  }
  if (pattern !== undefined && !new RegExp(pattern, 'u').test(value)) {
    return [invalid(path, value, `should match '${pattern}'`)];
  }
  return [];
}

function numberErrors(value: number, { type, format, minimum, maximum }: CrdSchema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (type === 'integer' && !fitsFormat(value, format)) {
    const what = format === undefined ? '(default format)' : `with format ${format}`;
    errors.push({
      type: 'Invalid',
      field: '',
      value: '',
      detail: `Checked value must be of type integer ${what} in ${path}`,
    });
  }
  if (maximum !== undefined && value > maximum) {
    errors.push(invalid(path, value, `should be less than or equal to ${plain(maximum)}`));
  }
  if (minimum !== undefined && value < minimum) {
    errors.push(invalid(path, value, `should be greater than or equal to ${plain(minimum)}`));
  }
  return errors;
}

const fitsFormat = (value: number, format: string | undefined): boolean =>
  format === 'int32' ? Number.isInteger(value) && value >= -2147483648 && value <= 2147483647 : isInt64(value);

function enumErrors(value: unknown, { enum: allowed }: CrdSchema, path: string): FieldError[] {
  if (allowed === undefined || (value !== null && allowed.includes(value))) return [];
  const names = allowed.map((one) => quote(typeof one === 'string' ? one : JSON.stringify(one)));
  return [{ type: 'NotSupported', field: path, value, detail: `supported values: ${names.join(', ')}` }];
}

function listErrors(value: readonly unknown[], { items, minItems, maxItems }: CrdSchema, path: string): FieldError[] {
  const errors =
    items === undefined ? [] : value.flatMap((item, index) => schemaErrors(item, items, `${path}[${index}]`));
  if (minItems !== undefined && value.length < minItems) {
    errors.push(invalid(path, value.length, `should have at least ${minItems} items`));
  }
  if (maxItems !== undefined && value.length > maxItems) errors.push(tooMany(path, value.length, maxItems));
  return errors;
}

const tooMany = (field: string, value: number, most: number): FieldError => ({
  type: 'TooMany',
  field,
  value,
  detail: `must have at most ${most} ${most === 1 ? 'item' : 'items'}`,
});

function objectErrors(value: Readonly<Record<string, unknown>>, schema: CrdSchema, path: string): FieldError[] {
  const { properties = {}, additionalProperties, required = [], minProperties, maxProperties } = schema;
  const errors: FieldError[] = [];
  const size = Object.keys(value).length;
  const inner = (field: string) => (path === '' ? field : `${path}.${field}`);
  if (minProperties !== undefined && size < minProperties) {
    errors.push(invalid(path, size, `should have at least ${minProperties} properties`));
  }
  if (maxProperties !== undefined && size > maxProperties) errors.push(tooMany(path, size, maxProperties));
  for (const [field, fieldValue] of Object.entries(value)) {
    const fieldSchema = Object.hasOwn(properties, field) ? properties[field] : additionalProperties;
    if (fieldSchema !== undefined) errors.push(...schemaErrors(fieldValue, fieldSchema, inner(field)));
  }
  for (const field of required) {
    if (!Object.hasOwn(value, field)) errors.push({ type: 'Required', field: inner(field) });
  }
  return errors;
}
