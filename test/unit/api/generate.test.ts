import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { structuralSchema } from '../../../dev/generate/structural-schema.ts';

const root = join(import.meta.dirname, '../../..');
const convert = (fields: z.ZodRawShape) => structuralSchema(z.strictObject(fields), 'spec', { nullMeansAbsent: false });
const text = () => z.string().max(5).describe('a text');

describe('generated files', () => {
  it('are current', () => {
    const run = spawnSync(process.execPath, [join(root, 'dev/generate/main.ts'), '--check'], { encoding: 'utf8' });
    expect(run.stderr).toBe('');
    expect(run.status).toBe(0);
  });
});

describe('a zod schema as a structural schema', () => {
  it('writes no default that says the same as absence', () => {
    const { properties } = convert({ a: text(), b: text().optional(), c: text().default('x'), d: text().default('') });
    expect(properties).toEqual({
      a: { type: 'string', description: 'a text', maxLength: 5 },
      b: { type: 'string', description: 'a text', maxLength: 5 },
      c: { type: 'string', description: 'a text', maxLength: 5, default: 'x' },
      d: { type: 'string', description: 'a text', maxLength: 5 },
    });
  });

  it('lets null stand for absence where nothing is required and no default takes its place', () => {
    const fields = z.strictObject({
      a: text(),
      b: z.enum(['x']).optional().describe('d'),
      c: text().default('x'),
      d: z.record(z.string(), z.string().max(5)).meta({ maxProperties: 3 }).describe('d'),
    });
    expect(structuralSchema(fields, 'spec', { nullMeansAbsent: true }).properties).toEqual({
      a: { type: 'string', description: 'a text', maxLength: 5 },
      b: {
        type: 'string',
        description: 'd',
        nullable: true,
        'x-kubernetes-validations': [{ rule: 'self in ["x"]', message: 'supported values: "x"' }],
      },
      c: { type: 'string', description: 'a text', maxLength: 5, default: 'x' },
      d: {
        type: 'object',
        description: 'd',
        maxProperties: 3,
        additionalProperties: { type: 'string', maxLength: 5, nullable: true },
      },
    });
  });

  it('completes the default of an object with those of its fields, for the API server checks it as it stands', () => {
    const inner = z.strictObject({ a: z.int32().default(3).describe('d'), b: text().optional() });
    expect(convert({ o: inner.prefault({}).describe('d') }).properties?.o?.default).toEqual({ a: 3 });
  });

  it('names the width of whole numbers instead of their outermost bounds', () => {
    const { properties } = convert({ a: z.int().min(0).describe('wide'), b: z.int32().describe('narrow') });
    expect(properties).toEqual({
      a: { type: 'integer', format: 'int64', description: 'wide', minimum: 0 },
      b: { type: 'integer', format: 'int32', description: 'narrow' },
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
