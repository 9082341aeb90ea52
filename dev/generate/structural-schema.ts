import { z } from 'zod';
import { isPairedCheck } from '../../src/api/schema.ts';

/** The part of a CRD's OpenAPI v3 schema that is written here. */
export interface StructuralSchema {
  type: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  description?: string;
  properties?: Record<string, StructuralSchema>;
  required?: string[];
  additionalProperties?: StructuralSchema;
  items?: StructuralSchema;
  [keyword: string]: unknown;
}

type JsonSchema = Readonly<Record<string, unknown>>;

/** Keywords that mean the same in what zod writes and in a CRD. */
const PLAIN_KEYWORDS = [
  'description',
  'default',
  'enum',
  'format',
  'maxItems',
  'maxLength',
  'maximum',
  'maxProperties',
  'minItems',
  'minLength',
  'minimum',
  'pattern',
  'type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-list-type',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-validations',
];
const OTHER_KEYWORDS = ['additionalProperties', 'items', 'properties', 'propertyNames', 'required'];
const TYPES = ['object', 'array', 'string', 'integer', 'number', 'boolean'];

/** AWS's own output has null for what was never set; the controller writes none into a status. */
export interface Options {
  readonly nullMeansAbsent: boolean;
}

/**
 * Turns a zod schema into the structural schema of a CRD.
 * @throws Error for everything that a CRD cannot say, that lacks a description, or that has no bound
 */
export function structuralSchema(schema: z.ZodType, root: string, options: Options): StructuralSchema {
  const json = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    unrepresentable: 'throw',
    cycles: 'throw',
    reused: 'inline',
    override: ({ zodSchema, path }) => refuseUnsaid(zodSchema, [root, ...path].join('.')),
  });
  return convert(json, root, options);
}

/** zod leaves out of its output what it cannot say there; nobody would miss it until it was needed. */
function refuseUnsaid(schema: z.core.$ZodType, path: string): void {
  const { type, checks = [] } = schema._zod.def;
  if (type === 'transform' || type === 'pipe') refuse(path, 'a CRD does not transform; do it after parsing');
  for (const check of checks) {
    if (check._zod.def.check === 'custom' && !isPairedCheck(check._zod.check)) {
      refuse(path, 'a refinement without its CEL twin; use withRules');
    }
  }
}

function refuse(path: string, reason: string): never {
  throw new Error(`${path}: ${reason}`);
}

const isObject = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function convert(json: JsonSchema, path: string, options: Options): StructuralSchema {
  for (const keyword of Object.keys(json)) {
    if (!PLAIN_KEYWORDS.includes(keyword) && !OTHER_KEYWORDS.includes(keyword)) {
      refuse(path, `a CRD has no keyword ${keyword}; say it with optional fields and a rule (withRules)`);
    }
  }
  const result: StructuralSchema = { type: typeOf(json, path) };
  for (const keyword of PLAIN_KEYWORDS) if (json[keyword] !== undefined) result[keyword] = json[keyword];
  if (result.type === 'object') convertObject(json, result, path, options);
  if (result.type === 'array') convertArray(json, result, path, options);
  if (result.type === 'string') checkText(result, path);
  if (result.type === 'integer') result.format = integerFormat(result);
  return result;
}

function typeOf(json: JsonSchema, path: string): StructuralSchema['type'] {
  const type = TYPES.find((known) => known === json.type);
  return (type as StructuralSchema['type'] | undefined) ?? refuse(path, `no type a CRD knows: ${String(json.type)}`);
}

function convertObject(json: JsonSchema, result: StructuralSchema, path: string, options: Options): void {
  const { properties, additionalProperties } = json;
  if (!isObject(properties)) {
    if (!isObject(additionalProperties)) refuse(path, 'an object needs properties, or one schema for its values');
    if (json.maxProperties === undefined) refuse(path, 'a map needs maxProperties, or no rule over it can be afforded');
    result.additionalProperties = convert(additionalProperties, `${path}[*]`, options);
    if (options.nullMeansAbsent) allowNull(result.additionalProperties);
    return;
  }
  // Strict or loose is zod's concern; the API server refuses unknown fields under strict field validation.
  if (additionalProperties !== undefined && additionalProperties !== false && !isEmpty(additionalProperties)) {
    refuse(path, 'properties and a schema for further fields exclude each other in a CRD');
  }
  const required = Array.isArray(json.required) ? json.required.map(String) : [];
  result.properties = Object.fromEntries(
    Object.entries(properties).map(([name, property]) => [name, convertProperty(property, `${path}.${name}`, options)]),
  );
  if (required.length > 0) result.required = required;
  // The API server drops an empty map, and would find the CRD changed each time it is applied.
  if (isEmpty(result.properties)) delete result.properties;
  if (!options.nullMeansAbsent) return;
  for (const [name, property] of Object.entries(result.properties ?? {})) {
    if (!required.includes(name) && property.default === undefined) allowNull(property);
  }
}

function convertProperty(json: unknown, path: string, options: Options): StructuralSchema {
  if (!isObject(json)) refuse(path, 'no schema');
  const result = convert(json, path, options);
  if (result.description === undefined) refuse(path, 'a field needs a description');
  // A default that says the same as absence is not written into every stored object.
  if (isZero(result)) delete result.default;
  if (result.default !== undefined) result.default = withInnerDefaults(result);
  return result;
}

/**
 * Without it the API server drops a null when an object is created, but refuses it in server-side apply. A field with a
 * default needs none: the default takes the place of the null, which it would not if null were allowed. Rules need not
 * care: to CEL a null is absent. An enum does: the API server finds null in none, not even in one that lists it, so that
 * a rule takes its place.
 */
function allowNull(schema: StructuralSchema): void {
  schema.nullable = true;
  if (!Array.isArray(schema.enum)) return;
  const values = schema.enum.map((value) => JSON.stringify(value)).join(', ');
  const rules = schema['x-kubernetes-validations'];
  delete schema.enum;
  schema['x-kubernetes-validations'] = [
    { rule: `self in [${values}]`, message: `supported values: ${values}` },
    ...(Array.isArray(rules) ? rules : []),
  ];
}

function isZero({ default: value, properties }: StructuralSchema): boolean {
  if (isObject(value)) return properties === undefined && isEmpty(value);
  return Array.isArray(value) ? value.length === 0 : value === false || value === 0 || value === '';
}

/** The API server checks the default of an object as it stands, before those of its fields are applied. */
function withInnerDefaults({ default: value, properties }: StructuralSchema): unknown {
  if (!isObject(value) || properties === undefined) return value;
  const inner = Object.entries(properties).flatMap(([name, property]) =>
    property.default === undefined ? [] : [[name, property.default]],
  );
  return { ...Object.fromEntries(inner), ...value };
}

const isEmpty = (value: unknown) => isObject(value) && Object.keys(value).length === 0;

function convertArray(json: JsonSchema, result: StructuralSchema, path: string, options: Options): void {
  if (!isObject(json.items)) refuse(path, 'an array needs one schema for its items');
  if (result.maxItems === undefined) refuse(path, 'an array needs maxItems, or no rule over it can be afforded');
  const items = convert(json.items, `${path}[]`, options);
  result.items = items;
  const keys = result['x-kubernetes-list-map-keys'];
  for (const key of Array.isArray(keys) ? keys.map(String) : []) {
    if (!items.required?.includes(key)) refuse(path, `the list's key ${key} must be a required field of its items`);
  }
}

function checkText(result: StructuralSchema, path: string): void {
  const { pattern } = result;
  if (result.enum === undefined && result.maxLength === undefined) {
    refuse(path, 'a text needs maxLength, or no rule over it can be afforded');
  }
  if (typeof pattern !== 'string') return;
  if (/\(\?[=!<]|\\[1-9k]/.test(pattern)) refuse(path, `Go knows no look-around and no back-references: ${pattern}`);
  result.pattern = pattern.replaceAll('\\/', '/');
}

/** Strips the bounds that zod writes for every whole number, and names the width instead. */
function integerFormat(result: StructuralSchema): 'int32' | 'int64' {
  const narrow = typeof result.maximum === 'number' && result.maximum <= 2147483647;
  if (result.minimum === Number.MIN_SAFE_INTEGER || result.minimum === -2147483648) delete result.minimum;
  if (result.maximum === Number.MAX_SAFE_INTEGER || result.maximum === 2147483647) delete result.maximum;
  return narrow ? 'int32' : 'int64';
}
