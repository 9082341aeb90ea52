/** Lists whose items the API server keeps apart by a key (apiextensions, pkg/apiserver/schema/listtype). */
import { isFields } from '../fields.ts';
import type { FieldError } from './field-error.ts';
import { marshal } from './go-text.ts';
import { type CrdSchema, schemaOfField } from './schema.ts';

/** An error for the first repetition of each key. */
export function listMapErrors(value: unknown, schema: CrdSchema | undefined, path = ''): FieldError[] {
  if (schema === undefined) return [];
  if (Array.isArray(value)) {
    const own = schema['x-kubernetes-list-type'] === 'map' ? duplicates(value, schema, path) : [];
    return [...own, ...value.flatMap((item, index) => listMapErrors(item, schema.items, `${path}[${index}]`))];
  }
  if (!isFields(value)) return [];
  return Object.entries(value).flatMap(([field, inner]) => {
    const isMap = schema.properties === undefined;
    const fieldPath = isMap ? `${path}[${field}]` : path === '' ? field : `${path}.${field}`;
    return listMapErrors(inner, schemaOfField(schema, field), fieldPath);
  });
}

function duplicates(items: readonly unknown[], schema: CrdSchema, path: string): FieldError[] {
  const wrong = items.findIndex((item) => item !== null && !isFields(item));
  if (wrong !== -1) {
    const detail = 'must be an object for an array of list-type map';
    return [{ type: 'Invalid', field: `${path}[${wrong}]`, value: items[wrong], detail }];
  }
  const times = new Map<string, number>();
  return items.flatMap((item, index) => {
    const key = keyOf(item, schema['x-kubernetes-list-map-keys'] ?? []);
    const seen = (times.get(marshal(key)) ?? 0) + 1;
    times.set(marshal(key), seen);
    return seen === 2 ? [{ type: 'Duplicate' as const, field: `${path}[${index}]`, value: key }] : [];
  });
}

const keyOf = (item: unknown, fields: readonly string[]): object =>
  Object.fromEntries(
    fields.flatMap((field) => (isFields(item) && Object.hasOwn(item, field) ? [[field, item[field]]] : [])),
  );
