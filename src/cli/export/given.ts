/** What a user gave of an object that the API server keeps: without the defaults that the schema put in. */
import { isDeepStrictEqual } from 'node:util';
import { type Fields, isFields, isText } from '../fields.ts';
import { customResources } from '../validate/custom-resources.ts';
import { withDefaults } from '../validate/decode.ts';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * The `spec` as it was given: what kubectl apply noted, where that is what the object still has; otherwise the fields
 * that were applied on the server's side; otherwise all of it.
 */
export function givenSpec({ kind, metadata, spec }: Fields): Fields {
  const whole = isFields(spec) ? spec : {};
  if (!isFields(metadata)) return whole;
  const applied = lastApplied(metadata.annotations);
  if (applied !== undefined && isDeepStrictEqual(complete(kind, applied), complete(kind, whole))) return applied;
  const owned = appliedFields(metadata.managedFields);
  if (owned.length === 0) return whole;
  const projected = project(whole, owned);
  return isFields(projected) && isDeepStrictEqual(complete(kind, projected), complete(kind, whole)) ? projected : whole;
}

function lastApplied(annotations: unknown): Fields | undefined {
  const text = isFields(annotations) ? annotations[LAST_APPLIED] : undefined;
  if (!isText(text)) return undefined;
  try {
    const object: unknown = JSON.parse(text);
    return isFields(object) && isFields(object.spec) ? object.spec : undefined;
  } catch {
    return undefined;
  }
}

/** As the API server keeps it: defaults filled in, null left out. */
const complete = (kind: unknown, spec: Fields): unknown =>
  withoutNull(withDefaults(spec, customResources().find((one) => one.kind === kind)?.schema.properties?.spec));

function withoutNull(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNull);
  if (!isFields(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([field, inner]) => (inner === null ? [] : [[field, withoutNull(inner)]])),
  );
}

/** The fields of `spec` that each server-side apply set, in the form of managedFields (fieldsV1). */
function appliedFields(managedFields: unknown): Fields[] {
  return (Array.isArray(managedFields) ? managedFields : []).flatMap((entry: unknown) => {
    if (!isFields(entry) || entry.operation !== 'Apply' || !isFields(entry.fieldsV1)) return [];
    const spec = entry.fieldsV1['f:spec'];
    return isFields(spec) ? [spec] : [];
  });
}

/** The part of a value that one of the sets of fields names; a set without names means all of it. */
function project(value: unknown, sets: readonly Fields[]): unknown {
  if (sets.some((set) => Object.keys(set).every((name) => name === '.'))) return value;
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown, index) => {
      const within = sets.flatMap((set) => setsOfItem(set, item, index));
      return within.length === 0 ? [] : [project(item, within)];
    });
  }
  if (!isFields(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([field, inner]) => {
      const within = sets.flatMap((set) => fieldsIn(set, `f:${field}`));
      return within.length === 0 ? [] : [[field, project(inner, within)]];
    }),
  );
}

const fieldsIn = (set: Fields, name: string): Fields[] => {
  const inner = set[name];
  return isFields(inner) ? [inner] : [];
};

/** `k:{"name":"web"}` names an item by its keys, `i:0` by its place, `v:"x"` by its value. */
function setsOfItem(set: Fields, item: unknown, index: number): Fields[] {
  return Object.keys(set).flatMap((name) => {
    if (name === `i:${index}` || name === `v:${JSON.stringify(item)}`) return fieldsIn(set, name);
    if (!name.startsWith('k:') || !isFields(item)) return [];
    const keys: unknown = JSON.parse(name.slice(2));
    const isItem = isFields(keys) && Object.entries(keys).every(([key, value]) => item[key] === value);
    return isItem ? fieldsIn(set, name) : [];
  });
}
