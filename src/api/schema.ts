import { z } from 'zod';

/** Everything below is immutable once parsed. */
export type DeepReadonly<T> = T extends (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

/** What a schema yields: defaults applied, no null, read-only. */
export type Parsed<Schema extends z.ZodType> = DeepReadonly<z.output<Schema>>;

/**
 * A rule over several fields, said once for both checkers: zod (controller, command line, tests) and the
 * API server (CEL). `cel` is evaluated where the schema stands, after defaulting; null counts as absent there.
 */
export type Rule<Value> = {
  readonly field?: string;
  /** The rule refuses what AWS has and Longshore has not yet: `longshore import` may leave it out. */
  readonly unsupported?: true;
} & (
  | {
      readonly message: string;
      readonly holds: (value: Value) => boolean;
      readonly cel: string;
    }
  | {
      /** The reason to refuse, undefined when the rule holds. */
      readonly refuses: (value: Value) => string | undefined;
      readonly cel: string;
      /** CEL `messageExpression` giving the same text. */
      readonly celMessage: string;
    }
);

/**
 * CEL for the text that `text` makes of the values that the expressions stand for: one text for both checkers.
 * Of all ways to put a text together, `format` is the one whose cost the API server can bound.
 */
export function celText(text: (...values: string[]) => string, ...expressions: string[]): string {
  const places = expressions.map((_, index) => `\u0000${index}\u0000`);
  const used: string[] = [];
  const format = text(...places)
    .replaceAll('%', '%%')
    .replaceAll(/\0(\d+)\0/g, (_, index: string) => {
      used.push(expressions[Number(index)] ?? '');
      return '%s';
    });
  return used.length === 0
    ? JSON.stringify(format.replaceAll('%%', '%'))
    : `${JSON.stringify(format)}.format([${used.join(', ')}])`;
}

/** CEL: whether a map that may be absent has a text under a key; null in it counts as absent. */
export const celHasKey = (map: string, key: string): string =>
  `(has(${map}) && '${key}' in ${map} && dyn(${map}['${key}']) != null)`;

/** CEL: position of the first element that `breaks`. */
export const celFirst = (list: string, variable: string, breaks: string): string =>
  `${list}.map(${variable}, ${breaks}).indexOf(true)`;

interface KubernetesValidation {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly fieldPath?: string;
}

const VALIDATIONS = 'x-kubernetes-validations';

function addValidation<Schema extends z.ZodType>(schema: Schema, validation: KubernetesValidation): Schema {
  const existing = schema.meta()?.[VALIDATIONS];
  return schema.meta({ ...schema.meta(), [VALIDATIONS]: [...(Array.isArray(existing) ? existing : []), validation] });
}

interface Problem {
  readonly message: string;
  readonly path?: PropertyKey[];
  readonly params?: { readonly unsupported: true };
}

const pairedChecks = new WeakSet<object>();

/**
 * Whether a zod check was attached by this module, and so is either said to the API server as well or known not to be.
 * The generator refuses all others: a bare `.refine` would be missing from the CRD without a word.
 */
export const isPairedCheck = (check: object): boolean => pairedChecks.has(check);

function withCheck<Schema extends z.ZodType>(
  schema: Schema,
  problemsOf: (value: z.output<Schema>) => readonly Problem[],
): Schema {
  const check: z.core.CheckFn<z.output<Schema>> = (payload) => {
    for (const { message, path = [], params } of problemsOf(payload.value)) {
      payload.issues.push({
        code: 'custom',
        message,
        path,
        input: payload.value,
        continue: true,
        ...(params !== undefined && { params }),
      });
    }
  };
  pairedChecks.add(check);
  return schema.check(check);
}

function problem(
  message: string | undefined,
  { field, unsupported }: Pick<Rule<unknown>, 'field' | 'unsupported'>,
): readonly Problem[] {
  if (message === undefined) return [];
  return [
    {
      message,
      ...(field !== undefined && { path: field.split('.') }),
      ...(unsupported && { params: { unsupported } }),
    },
  ];
}

/** Attaches rules to a schema, as a zod check and as its CEL twin. */
export function withRules<Schema extends z.ZodType>(schema: Schema, ...rules: Rule<z.output<Schema>>[]): Schema {
  return rules.reduce((current, rule) => {
    const refuses =
      'refuses' in rule ? rule.refuses : (v: z.output<Schema>) => (rule.holds(v) ? undefined : rule.message);
    return addValidation(
      withCheck(current, (value) => problem(refuses(value), rule)),
      {
        rule: rule.cel,
        ...('message' in rule ? { message: rule.message } : { messageExpression: rule.celMessage }),
        ...(rule.field === undefined ? {} : { fieldPath: `.${rule.field}` }),
      },
    );
  }, schema);
}

/** A check that CEL cannot express, such as a search for cycles: the API server accepts, the controller reports. */
export function withControllerRule<Schema extends z.ZodType>(
  schema: Schema,
  refuses: (value: z.output<Schema>) => string | undefined,
  field?: string,
): Schema {
  return withCheck(schema, (value) => problem(refuses(value), field === undefined ? {} : { field }));
}

const UNCHANGED = 'self == oldSelf';

/** A field that cannot change once it is set; only the API server sees the old value. */
export function immutable<Schema extends z.ZodType>(schema: Schema, message: string): Schema {
  return addValidation(schema, { rule: UNCHANGED, message });
}

/** A rule about what may become of what was; only the API server sees the old value. */
export const withTransitionRule = <Schema extends z.ZodType>(schema: Schema, cel: string, message: string): Schema =>
  addValidation(schema, { rule: cel, message });

/** What is immutable where it stands by itself, for a place where it may change. */
export function mutable<Schema extends z.ZodType>(schema: Schema): Schema {
  const { [VALIDATIONS]: validations, ...others } = schema.meta() ?? {};
  const kept = (Array.isArray(validations) ? (validations as KubernetesValidation[]) : []).filter(
    ({ rule }) => rule !== UNCHANGED,
  );
  return schema.meta({ ...others, [VALIDATIONS]: kept });
}

/** A list that server-side apply merges by `key`, whose values the API server keeps unique; zod checks the same. */
export function keyedList<Item extends z.ZodObject>(item: Item, key: string, bounds: { min?: number; max: number }) {
  const items = z
    .array(item)
    .min(bounds.min ?? 0)
    .max(bounds.max);
  return withCheck(items, (elements) => {
    const values = elements.map((element): unknown => Reflect.get(element, key));
    return values.flatMap((value, index) =>
      values.indexOf(value) === index
        ? []
        : [{ message: `Duplicate value: ${JSON.stringify(value)}; each ${key} may occur once`, path: [index] }],
    );
  }).meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [key] });
}

/** An optional list; absent and empty say the same. */
export const list = <Item extends z.ZodType>(item: Item, max: number) => z.array(item).max(max).default([]);

/** An optional map of texts; absent and empty say the same. */
export const textMap = (max: number, maxValue = 4096) =>
  withCheck(z.record(z.string(), z.string().max(maxValue)), (map) => {
    const size = Object.keys(map).length;
    return size > max ? [{ message: `Too many properties: ${size}, at most ${max}` }] : [];
  })
    .meta({ maxProperties: max })
    .default({});

/** An object that is taken with whatever is in it, for a rule to speak about. */
export const openObject = (text: string) =>
  z.looseObject({}).meta({ 'x-kubernetes-preserve-unknown-fields': true }).describe(text);

/** An optional switch; absent says false. */
export const flag = () => z.boolean().default(false);

/** A whole number of 32 bits within [min, max]. */
export const integer = (min = -2147483648, max = 2147483647) => z.int32().min(min).max(max);

/** RFC 3339 time. */
export const timestamp = () => z.string().max(64).meta({ format: 'date-time' });

/** ECS names: families, services, containers, volumes (`ecs-semantics` §1.1). */
export const awsName = (max = 255) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[A-Za-z0-9_-]+$/);
