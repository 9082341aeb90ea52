/** Values of every shape that a schema allows, whether or not the rules over several fields hold. */
import fc, { type Arbitrary } from 'fast-check';
import type { StructuralSchema } from '../../dev/generate/structural-schema.ts';

/** What stands for a field that its schema alone says too little about, by its path: `containerDefinitions[].image`. */
export type Instead = Readonly<Record<string, Arbitrary<unknown>>>;

/** At most so many items of a list or map, so that a definition stays small. */
const MANY = 3;

export function arbitraryOf(schema: StructuralSchema, instead: Instead, path = ''): Arbitrary<unknown> {
  const given = instead[path];
  if (given !== undefined) return given;
  if (Array.isArray(schema.enum)) return fc.constantFrom(...schema.enum);
  if (schema.type === 'boolean') return fc.boolean();
  if (schema.type === 'integer') return integerOf(schema);
  if (schema.type === 'string') return textOf(schema);
  if (schema.type === 'array') {
    const { items, minItems, maxItems } = schema;
    const maxLength = Math.min(MANY, numberOr(maxItems, MANY));
    if (items === undefined) throw new Error(`${path} has no items`);
    return fc.array(arbitraryOf(items, instead, `${path}[]`), { minLength: numberOr(minItems, 0), maxLength });
  }
  const { properties, required = [], additionalProperties } = schema;
  if (properties === undefined && additionalProperties !== undefined) {
    const key = fc.stringMatching(/^[a-z][a-z0-9.-]{0,10}$/);
    return fc.dictionary(key, arbitraryOf(additionalProperties, instead, `${path}[*]`), { maxKeys: MANY });
  }
  const fields = Object.entries(properties ?? {}).map(
    ([name, property]) => [name, arbitraryOf(property, instead, path === '' ? name : `${path}.${name}`)] as const,
  );
  return fc.record(Object.fromEntries(fields), { requiredKeys: required });
}

const numberOr = (value: unknown, other: number): number => (typeof value === 'number' ? value : other);

function integerOf({ minimum, maximum }: StructuralSchema): Arbitrary<number> {
  const min = numberOr(minimum, -(2 ** 31));
  const max = numberOr(maximum, 2 ** 31 - 1);
  return fc.oneof(
    fc.constantFrom(min, max),
    fc.integer({ min, max: Math.min(max, min + 100) }),
    fc.integer({ min, max }),
  );
}

function textOf({ pattern, minLength, maxLength }: StructuralSchema): Arbitrary<string> {
  const [min, max] = [numberOr(minLength, 0), numberOr(maxLength, 100)];
  const texts =
    typeof pattern === 'string'
      ? fc.stringMatching(new RegExp(pattern))
      : fc.string({ minLength: min, maxLength: Math.min(max, min + 20) });
  return texts.filter((text) => text.length >= min && text.length <= max);
}
