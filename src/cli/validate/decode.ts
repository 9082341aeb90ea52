/** What the API server does to an object before it checks it (apiextensions, pkg/apiserver/schema). */
import { type Fields, isFields } from '../fields.ts';
import { type CrdSchema, schemaOfField } from './schema.ts';

export interface Decoded {
  readonly object: unknown;
  /** Paths of the fields that the schema has not, sorted; they are left out of `object`. */
  readonly unknownFields: readonly string[];
}

const META_FIELDS = ['apiVersion', 'kind', 'metadata'];

/** Leaves out what the schema has not. */
export function prune(object: Fields, schema: CrdSchema): Decoded {
  const unknownFields: string[] = [];
  const visit = (value: unknown, at: CrdSchema | undefined, path: string): unknown => {
    if (Array.isArray(value)) return value.map((item, index) => visit(item, at?.items, `${path}[${index}]`));
    if (!isFields(value)) return value;
    return Object.fromEntries(
      Object.entries(value).flatMap(([field, inner]) => {
        if (path === '' && META_FIELDS.includes(field)) return [[field, inner]];
        const fieldPath = path === '' ? field : `${path}.${field}`;
        const next = schemaOfField(at, field);
        if (next !== undefined) return [[field, visit(inner, next, fieldPath)]];
        if (at?.['x-kubernetes-preserve-unknown-fields'] === true) return [[field, inner]];
        unknownFields.push(fieldPath);
        return [];
      }),
    );
  };
  return { object: visit(object, schema, ''), unknownFields: unknownFields.sort() };
}

/** Takes a null for absence where the schema does not allow it, then fills in the defaults. */
export function withDefaults(value: unknown, schema: CrdSchema | undefined): unknown {
  if (schema === undefined) return value;
  if (Array.isArray(value)) {
    return value.map((item) =>
      withDefaults(isRefusedNull(item, schema.items) ? defaultOf(schema.items) : item, schema.items),
    );
  }
  if (!isFields(value)) return value;
  const given = Object.entries(value).filter(([field, inner]) => {
    const next = schemaOfField(schema, field);
    return !isRefusedNull(inner, next) || next?.default !== undefined;
  });
  const filled = new Map(given);
  for (const [field, next] of Object.entries(schema.properties ?? {})) {
    if (next.default === undefined) continue;
    if (!filled.has(field) || isRefusedNull(filled.get(field), next)) filled.set(field, structuredClone(next.default));
  }
  return Object.fromEntries(
    [...filled].map(([field, inner]) => [field, withDefaults(inner, schemaOfField(schema, field))]),
  );
}

const isRefusedNull = (value: unknown, schema: CrdSchema | undefined): boolean =>
  value === null && schema !== undefined && schema.nullable !== true;

const defaultOf = (schema: CrdSchema | undefined): unknown => schema?.default ?? null;
