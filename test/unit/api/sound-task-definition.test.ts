import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type StructuralSchema, structuralSchema } from '../../../dev/generate/structural-schema.ts';
import { parseTaskDefinition } from '../../../src/api/task-definition.ts';
import { taskDefinitionFields } from '../../../src/api/task-definition-fields.ts';
import { soundTaskDefinition } from '../../support/sound-task-definition.ts';

/** AWS takes none any more. */
const REFUSED = 'spec.inferenceAccelerators[].';

const samples = fc.sample(soundTaskDefinition, { numRuns: 300, seed: 1 });

/** Paths of all fields that a schema has. */
function fieldsOf({ properties = {}, items }: StructuralSchema, path: string): string[] {
  return [
    ...Object.entries(properties).flatMap(([name, field]) => [
      `${path}.${name}`,
      ...fieldsOf(field, `${path}.${name}`),
    ]),
    ...(items === undefined ? [] : fieldsOf(items, `${path}[]`)),
  ];
}

/** Paths of all fields that a value has. */
function givenIn(value: unknown, path: string): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => givenIn(item, `${path}[]`));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, field]) => [`${path}.${name}`, ...givenIn(field, `${path}.${name}`)]);
}

it('samples of task definitions keep to all rules, and have every field', () => {
  for (const spec of samples) expect(() => parseTaskDefinition(spec), JSON.stringify(spec)).not.toThrow();
  const given = new Set(samples.flatMap((spec) => givenIn(spec, 'spec')));
  const fields = fieldsOf(structuralSchema(taskDefinitionFields, 'spec', { nullMeansAbsent: false }), 'spec');
  const missing = fields.filter((field) => !given.has(field) && !field.startsWith(REFUSED));
  expect(missing).toEqual([]);
}, 60_000);
