import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { structuralSchema } from '../../../dev/generate/structural-schema.ts';

const root = join(import.meta.dirname, '../../..');
const convert = (fields: z.ZodRawShape, nullMeansAbsent = true) =>
  structuralSchema(z.strictObject(fields), 'spec', { nullMeansAbsent });
const text = () => z.string().max(5).describe('a text');

describe('generated files', () => {
  it('are current', () => {
    const run = spawnSync(process.execPath, [join(root, 'dev/generate/main.ts'), '--check'], { encoding: 'utf8' });
    expect(run.stderr).toBe('');
    expect(run.status).toBe(0);
  });
});

describe('a zod schema as a structural schema', () => {
  it('lets null stand for absence where nothing is required and no default takes its place', () => {
    const { properties } = convert({ a: text(), b: text().optional(), c: text().default('x'), d: text().default('') });
    expect(properties).toEqual({
      a: { type: 'string', description: 'a text', maxLength: 5 },
      b: { type: 'string', description: 'a text', maxLength: 5, nullable: true },
      c: { type: 'string', description: 'a text', maxLength: 5, default: 'x' },
      d: { type: 'string', description: 'a text', maxLength: 5, nullable: true },
    });
    expect(convert({ b: text().optional() }, false).properties?.b).not.toHaveProperty('nullable');
  });

  it('names the width of whole numbers instead of their outermost bounds', () => {
    const { properties } = convert({ a: z.int().min(0).describe('wide'), b: z.int32().describe('narrow') });
    expect(properties).toEqual({
      a: { type: 'integer', format: 'int64', description: 'wide', minimum: 0, nullable: undefined },
      b: { type: 'integer', format: 'int32', description: 'narrow', nullable: undefined },
    });
  });

  it.each<[string, z.ZodRawShape, string]>([
    ['a union', { a: z.union([z.string(), z.int()]).describe('d') }, 'spec.a: a CRD has no keyword anyOf'],
    ['a tuple', { a: z.tuple([z.string()]).describe('d') }, 'spec.a[]: a CRD has no keyword anyOf'],
    ['anything', { a: z.unknown().describe('d') }, 'spec.a: no type'],
    ['a transform', { a: text().transform(Number) }, 'a CRD does not transform'],
    ['a date', { a: z.date().describe('d') }, 'Date cannot be represented'],
    ['a refinement without CEL', { a: text().refine((value) => value !== '') }, 'a refinement without its CEL twin'],
    ['a field without description', { a: z.boolean() }, 'spec.a: a field needs a description'],
    ['a text without bound', { a: z.string().describe('d') }, 'spec.a: a text needs maxLength'],
    ['a list without bound', { a: z.array(text()).describe('d') }, 'spec.a: an array needs maxItems'],
    ['a map without bound', { a: z.record(z.string(), text()).describe('d') }, 'spec.a: a map needs maxProperties'],
    ['look-around', { a: text().regex(/^(?!x)/) }, 'spec.a: Go knows no look-around'],
    [
      'a list keyed by an optional field',
      {
        a: z
          .array(z.strictObject({ name: text().optional() }))
          .max(3)
          .describe('d')
          .meta({ 'x-kubernetes-list-map-keys': ['name'] }),
      },
      "spec.a: the list's key name must be a required field",
    ],
  ])('refuses %s', (_, fields, message) => {
    expect(() => convert(fields)).toThrow(message);
  });
});
