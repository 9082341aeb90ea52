import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { KINDS } from '../../../dev/generate/kinds.ts';
import { structuralSchema } from '../../../dev/generate/structural-schema.ts';
import { SEEN } from '../../../dev/generate/tenancy.ts';

const folder = join(import.meta.dirname, '../../../deploy/tenancy');

/** What gives tasks rights, wherever it stands. */
const SENSITIVE =
  /\.(serviceAccountName|taskRoleArn|jobRoleArn|taskDefinition|targetGroupArn|privileged|networkMode|pidMode|ipcMode|sourcePath|devices|add)$/;

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

const pathsOf = ({ properties = {}, items }: Schema, at: string): string[] => [
  at,
  ...Object.entries(properties).flatMap(([name, schema]) => pathsOf(schema, `${at}.${name}`)),
  ...(items === undefined ? [] : pathsOf(items, `${at}[]`)),
];

describe('the policies of deploy/tenancy', () => {
  it.for(KINDS.map((kind) => ({ kind: kind.resource.kind, spec: kind.spec })))(
    'look at every field of a $kind that gives tasks rights',
    ({ kind, spec }) => {
      const paths = pathsOf(structuralSchema(spec, kind, { nullMeansAbsent: true }) as Schema, 'spec');
      expect(paths.filter((path) => SENSITIVE.test(path) && !SEEN.includes(path))).toEqual([]);
    },
  );

  it('are all in the kustomization', () => {
    const { resources } = parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8')) as { resources: string[] };
    const files = readdirSync(folder).filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml');
    expect([...resources].sort()).toEqual(files.sort());
  });
});
