/** The CEL rules of a CRD, as the API server evaluates them when an object is made: rules on a change do not apply. */
import { Environment } from '@marcbachmann/cel-js';
import { isFields } from '../fields.ts';
import type { FieldError } from './field-error.ts';
import { addKubernetesFunctions } from './kubernetes-functions.ts';
import { type CelRule, type CrdSchema, schemaOfField } from './schema.ts';

const TYPE_OF_REASON = {
  FieldValueInvalid: 'Invalid',
  FieldValueForbidden: 'Forbidden',
  FieldValueRequired: 'Required',
  FieldValueDuplicate: 'Duplicate',
} as const;

const environment = addKubernetesFunctions(
  // The arguments of format are a list of whatever it shows.
  new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false }),
);
const programs = new Map<string, Program>();

type Program = (context: { readonly self: unknown }) => unknown;

/** @throws ParseError where cel-js does not know what the expression uses */
export function compileRule(expression: string): Program {
  const program = programs.get(expression) ?? environment.parse(expression);
  programs.set(expression, program);
  return program;
}

const evaluate = (expression: string, self: unknown): unknown => compileRule(expression)({ self });

/** An error for each rule that does not hold for an object with defaults. */
export function ruleErrors(value: unknown, schema: CrdSchema | undefined, path = ''): FieldError[] {
  if (schema === undefined || value === null || value === undefined) return [];
  const rules = schema['x-kubernetes-validations'] ?? [];
  const self = rules.length > 0 ? celValue(value, schema) : undefined;
  return [...rules.flatMap((rule) => brokenRule(rule, self, value, schema, path)), ...innerErrors(value, schema, path)];
}

function innerErrors(value: unknown, schema: CrdSchema, path: string): FieldError[] {
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => ruleErrors(item, schema.items, `${path}[${index}]`));
  }
  if (!isFields(value)) return [];
  return Object.entries(value).flatMap(([field, inner]) => {
    const fieldPath = schema.properties === undefined ? `${path}[${field}]` : join(path, field);
    return ruleErrors(inner, schemaOfField(schema, field), fieldPath);
  });
}

const join = (path: string, field: string): string => (path === '' ? field : `${path}.${field}`);

function brokenRule(rule: CelRule, self: unknown, value: unknown, schema: CrdSchema, path: string): FieldError[] {
  if (/\boldSelf\b/.test(rule.rule)) return [];
  const text = (rule.message ?? rule.rule).trim();
  let holds: unknown;
  try {
    holds = evaluate(rule.rule, self);
  } catch (error) {
    const detail = `${error instanceof Error ? error.message.split('\n')[0] : error} evaluating rule: ${text}`;
    return [{ type: 'Invalid', field: path, value: schema.type, detail }];
  }
  if (holds === true) return [];
  const type = TYPE_OF_REASON[rule.reason ?? 'FieldValueInvalid'];
  const scalar = schema.type !== 'object' && schema.type !== 'array';
  return [
    {
      type,
      field: rule.fieldPath === undefined ? path : join(path, rule.fieldPath.replace(/^\./, '')),
      ...(scalar && type !== 'Forbidden' && type !== 'Required' && { value }),
      ...(type !== 'Duplicate' && {
        detail: messageOf(rule, self) ?? (rule.message === undefined ? `failed rule: ${text}` : text),
      }),
    },
  ];
}

/** What the rule's own expression says; undefined where it has none, or where that fails. */
function messageOf({ messageExpression }: CelRule, self: unknown): string | undefined {
  if (messageExpression === undefined) return undefined;
  try {
    const message = evaluate(messageExpression, self);
    return typeof message === 'string' && message.trim() !== '' ? message.trim() : undefined;
  } catch {
    return undefined;
  }
}

/** CEL's reserved words; a field of that name is written with underscores in a rule. */
const RESERVED = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

/** A value as CEL sees it: whole numbers as int, null as absent, fields under the names they have in rules. */
function celValue(value: unknown, schema: CrdSchema | undefined): unknown {
  if (Array.isArray(value)) return value.map((item) => celValue(item, schema?.items));
  if (typeof value === 'number') return schema?.type === 'integer' ? BigInt(Math.trunc(value)) : value;
  if (!isFields(value)) return value;
  const isMap = schema?.properties === undefined;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([field, inner]) => [isMap ? field : celName(field), celValue(inner, schemaOfField(schema, field))]),
  );
}

/** apiserver's cel.Escape. */
const celName = (field: string): string =>
  RESERVED.has(field)
    ? `__${field}__`
    : field
        .replaceAll('__', '__underscores__')
        .replaceAll('.', '__dot__')
        .replaceAll('-', '__dash__')
        .replaceAll('/', '__slash__');
