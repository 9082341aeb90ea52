import { describe, expect, it } from 'vitest';
import { type StructuralSchema, structuralSchema } from '../../../dev/generate/structural-schema.ts';
import { taskDefinitionSpecSchema } from '../../../src/api/task-definition.ts';
import { ECS, inputOf, shapeOf } from '../../../src/aws-model/model.ts';

const schema = structuralSchema(taskDefinitionSpecSchema, 'spec', { nullMeansAbsent: true });

interface Pair {
  readonly path: string;
  readonly shape: string;
  readonly schema: StructuralSchema | undefined;
}

/** Every place of AWS's model with the schema that stands for it. */
function pairs(shape: string, at: StructuralSchema | undefined, path: string): Pair[] {
  const { members = {}, member, value } = shapeOf(ECS, shape);
  return [
    { path, shape, schema: at },
    ...Object.entries(members).flatMap(([name, field]) =>
      pairs(field.shape, at?.properties?.[name], `${path}.${name}`),
    ),
    ...(member === undefined ? [] : pairs(member.shape, at?.items, `${path}[]`)),
    ...(value === undefined ? [] : pairs(value.shape, at?.additionalProperties, `${path}[*]`)),
  ];
}

const all = pairs(inputOf(ECS, 'RegisterTaskDefinition'), schema, 'spec');

/** The values an enumeration allows; where null means absence a rule has them. */
function valuesOf(own: StructuralSchema | undefined): unknown[] {
  if (Array.isArray(own?.enum)) return [...own.enum];
  const [first] = Array.isArray(own?.['x-kubernetes-validations']) ? own['x-kubernetes-validations'] : [];
  return JSON.parse(/^self in (\[.*\])$/.exec(String(first?.rule))?.[1] ?? '[]');
}

const TYPES: Readonly<Record<string, string>> = { structure: 'object', map: 'object', list: 'array' };

describe("the schema of a TaskDefinition follows AWS's newest model of RegisterTaskDefinition", () => {
  it('has every field, with its type', () => {
    expect(all.length).toBeGreaterThan(200);
    for (const { path, shape, schema: own } of all) {
      const { type } = shapeOf(ECS, shape);
      expect(own?.type, path).toBe(TYPES[type] ?? type);
    }
  });

  it('has no field of its own but kubernetes', () => {
    for (const { path, shape, schema: own } of all) {
      const { type, members } = shapeOf(ECS, shape);
      if (type !== 'structure') continue;
      const added = path === 'spec' ? ['kubernetes'] : [];
      expect(Object.keys(own?.properties ?? {}).sort(), path).toEqual([...Object.keys(members ?? {}), ...added].sort());
    }
  });

  it('allows the same values of every enumeration', () => {
    for (const { path, shape, schema: own } of all) {
      const allowed = shapeOf(ECS, shape).enum;
      if (allowed === undefined) continue;
      expect(valuesOf(own).sort(), path).toEqual([...allowed].sort());
    }
  });

  it('has the same bounds where the model has some', () => {
    const bounded = all.filter(({ shape }) => (shapeOf(ECS, shape).max ?? shapeOf(ECS, shape).min) !== undefined);
    expect(bounded.map(({ path }) => path)).toContain('spec.tags[].key');
    for (const { path, shape, schema: own } of bounded) {
      const { min, max } = shapeOf(ECS, shape);
      const upper = own?.maximum ?? own?.maxLength ?? own?.maxItems;
      const lower = own?.minimum ?? own?.minLength ?? own?.minItems ?? 0;
      expect({ path, max: upper, min: lower }).toEqual({ path, max, min: min ?? 0 });
    }
  });

  it('requires what AWS requires, but for the family, which has a default', () => {
    for (const { path, shape, schema: own } of all) {
      const required = (shapeOf(ECS, shape).required ?? []).filter((name) => `${path}.${name}` !== 'spec.family');
      expect(own?.required ?? [], path).toEqual(expect.arrayContaining(required));
    }
  });
});
