import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KINDS } from '../../../dev/generate/kinds.ts';
import { type StructuralSchema, structuralSchema } from '../../../dev/generate/structural-schema.ts';
import { parseTaskDefinition } from '../../../src/api/task-definition.ts';
import { type ServiceModel, shapeOf, structuresFrom } from '../../../src/aws-model/model.ts';
import { allFieldSupport, fieldSupport } from '../../../src/pod/field-support.ts';
import { BY_ITS_FIELDS, type Entry, type Verdict } from '../../../src/pod/support/entry.ts';
import { INPUTS, type Input } from '../../../src/pod/support/tables.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const inputs = Object.entries<Input>(INPUTS);

/** What kinds have besides AWS's fields, by path. */
const NOT_OF_AWS: Readonly<Record<string, readonly string[]>> = {
  TaskDefinition: ['kubernetes'],
  Service: ['kubernetes'],
  BatchJob: ['kubernetes', 'taskDefinition'],
  Task: ['kubernetes'],
  Cluster: ['account', 'region', 'mappings', 'policy', 'retention'],
  TargetGroup: ['targetGroupAttributes', 'routes'],
  JobQueue: ['kubernetes', 'schedulingPolicy'],
  ComputeEnvironment: ['kubernetes'],
  ScheduledTask: ['kubernetes', 'target.runTask', 'target.submitJob'],
};

const verdictsOf = (entry: Entry): readonly Verdict[] =>
  entry === BY_ITS_FIELDS ? [] : 'cases' in entry ? Object.values(entry.cases) : [entry];

const isRefused = (entry: Entry): boolean =>
  verdictsOf(entry).some(({ support, byRule }) => support === 'Refused' && byRule !== true);

/** The structure that a field leads to, through lists and maps. */
function structureOf(model: ServiceModel, name: string): string | undefined {
  const { type, member, value } = shapeOf(model, name);
  const next = member ?? value;
  return type === 'structure' ? name : next === undefined ? undefined : structureOf(model, next.shape);
}

interface Field {
  readonly structure: string;
  readonly name: string;
  readonly entry: Entry | undefined;
  readonly leadsTo: string | undefined;
}

const fieldsOf = ({ model, table }: Input, structure: string): Field[] =>
  Object.entries(shapeOf(model, structure).members ?? {}).map(([name, { shape }]) => ({
    structure,
    name,
    entry: table[structure]?.[name],
    leadsTo: structureOf(model, shape),
  }));

const allStructures = ({ model, structures }: Input): string[] => [
  ...new Set(structures.flatMap((name) => structuresFrom(model, name))),
];

/** Those whose fields are looked at one by one. */
function liveStructures(input: Input): string[] {
  const seen = new Set<string>();
  const visit = (structure: string): void => {
    if (seen.has(structure)) return;
    seen.add(structure);
    for (const { entry, leadsTo } of fieldsOf(input, structure)) {
      if (entry === BY_ITS_FIELDS && leadsTo !== undefined) visit(leadsTo);
    }
  };
  for (const structure of input.structures) visit(structure);
  return [...seen];
}

describe.each(inputs)('the support table of %s', (kind, input) => {
  const fields = allStructures(input).flatMap((structure) => fieldsOf(input, structure));

  it("has an entry for each field of AWS's model", () => {
    expect(
      fields.filter(({ entry }) => entry === undefined).map(({ structure, name }) => `${structure}.${name}`),
    ).toEqual([]);
  });

  it('leaves to its fields only what has fields', () => {
    for (const { structure, name, entry, leadsTo } of fields) {
      if (entry === BY_ITS_FIELDS) expect(leadsTo, `${structure}.${name}`).toBeDefined();
    }
  });

  it('claims nothing for the fields of what is refused or ignored as a whole', () => {
    // One table serves several inputs: what one refuses another may take.
    const live = inputs.filter(([, { table }]) => table === input.table).flatMap(([, other]) => liveStructures(other));
    for (const { structure, name, entry } of fields.filter((field) => !live.includes(field.structure))) {
      const supports = entry === undefined ? [] : verdictsOf(entry).map(({ support }) => support);
      expect(['Refused', 'Ignored'], `${structure}.${name}`).toEqual(expect.arrayContaining(supports));
      expect(entry, `${structure}.${name}`).not.toBe(BY_ITS_FIELDS);
    }
  });

  it('refuses what the schema of the kind lacks, and nothing else', () => {
    const schema = KINDS.find(({ resource }) => resource.kind === kind)?.spec;
    if (schema === undefined) throw new Error(`no kind ${kind}`);
    const problems: string[] = [];
    const compare = (structures: readonly string[], { properties = {} }: StructuralSchema, path: string): void => {
      const known = structures.flatMap((structure) => fieldsOf(input, structure));
      for (const name of Object.keys(properties)) {
        const here = `${path}.${name}`;
        const own = NOT_OF_AWS[kind]?.includes(here.replace('spec.', ''));
        if (!own && !known.some((field) => field.name === name)) problems.push(`${here}: not AWS's`);
      }
      for (const { name, entry, leadsTo } of known) {
        const property = properties[name];
        if (entry === undefined) continue;
        if ((property === undefined) !== isRefused(entry)) {
          problems.push(
            `${path}.${name}: ${property === undefined ? 'not in the schema' : 'in the schema, yet Refused'}`,
          );
        } else if (property !== undefined && entry === BY_ITS_FIELDS && leadsTo !== undefined) {
          compare([leadsTo], property.items ?? property, `${path}.${name}`);
        }
      }
    };
    compare(input.structures, structuralSchema(schema, `${kind}.spec`, { nullMeansAbsent: true }), 'spec');
    expect(problems).toEqual([]);
  });

  it('names tests that exist, on a real container or API server', () => {
    const proofs = new Set(
      fields.flatMap(({ entry }) => (entry === undefined ? [] : verdictsOf(entry))).flatMap(({ shownBy }) => shownBy),
    );
    for (const proof of proofs) {
      const [file = '', title = ''] = proof.split(' > ');
      expect(file, proof).toMatch(/^test\/(cluster|node)\/.*\.test\.ts$/);
      expect(existsSync(join(root, file)), proof).toBe(true);
      const quoted = title.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
      const found = new RegExp(`\\bit\\((['"\`])${quoted}\\1,`).test(readFileSync(join(root, file), 'utf8'));
      expect(found, proof).toBe(true);
    }
  });

  it('calls nothing Exact by a test that does not know the field', () => {
    for (const { structure, name, entry } of fields) {
      const exact = (entry === undefined ? [] : verdictsOf(entry)).filter(({ support }) => support === 'Exact');
      for (const { shownBy } of exact) {
        const files = shownBy.map((proof) => readFileSync(join(root, proof.split(' > ')[0] ?? ''), 'utf8'));
        expect(
          files.some((text) => new RegExp(`\\b${name}\\b`).test(text)),
          `${structure}.${name} by ${shownBy}`,
        ).toBe(true);
      }
    }
  });
});

it("no support table has an entry for what is no field of AWS's model", () => {
  for (const { model, table } of new Set(inputs.map(([, { model, table }]) => ({ model, table })))) {
    const structures = inputs.filter(([, input]) => input.table === table).flatMap(([, input]) => allStructures(input));
    for (const [structure, fields] of Object.entries(table)) {
      expect(structures).toContain(structure);
      expect(Object.keys(shapeOf(model, structure).members ?? {})).toEqual(expect.arrayContaining(Object.keys(fields)));
    }
  }
});

const app = { name: 'app', image: 'busybox', memory: 64 };

describe('field support', () => {
  const support = (container: object, task: object = {}) =>
    fieldSupport(parseTaskDefinition({ ...task, containerDefinitions: [{ ...app, ...container }] })).map(
      ({ field, support: is }) => `${field} ${is}`,
    );

  it('lists nothing for a definition that is honoured exactly', () => {
    expect(support({ portMappings: [{ containerPort: 80 }], environment: [{ name: 'A', value: 'b' }] })).toEqual([]);
  });

  it('lists what is approximated or ignored, with its path', () => {
    const container = {
      logConfiguration: { logDriver: 'awslogs', options: { 'awslogs-group': 'g', 'awslogs-region': 'r' } },
      ulimits: [{ name: 'nofile', softLimit: 1, hardLimit: 2 }],
      portMappings: [{ containerPort: 80 }, { containerPort: 81, hostPort: 0 }],
    };
    expect(support(container, { executionRoleArn: 'arn:aws:iam::1:role/x', networkMode: 'bridge' }).sort()).toEqual([
      'spec.containerDefinitions[0].logConfiguration Ignored',
      'spec.containerDefinitions[0].portMappings[1].hostPort Approximated',
      'spec.containerDefinitions[0].ulimits Ignored',
      'spec.executionRoleArn Ignored',
    ]);
  });

  it('judges by what else the definition says', () => {
    const sidecar = { name: 'init', image: 'busybox', memory: 8, essential: false };
    const waiting = { ...app, stopTimeout: 60, dependsOn: [{ containerName: 'init', condition: 'SUCCESS' }] };
    const definition = parseTaskDefinition({ networkMode: 'awsvpc', containerDefinitions: [sidecar, waiting] });
    const reports = new Map(fieldSupport(definition).map((report) => [report.field, report]));
    expect(reports.has('spec.containerDefinitions[1].dependsOn[0].condition')).toBe(false);
    expect(reports.get('spec.containerDefinitions[0].stopTimeout')?.support).toBe('Approximated');
    expect(reports.has('spec.containerDefinitions[1].stopTimeout')).toBe(false);
  });

  it('lists all that was given, and nothing else, where all is asked for', () => {
    const given = { family: 'web', networkMode: null, kubernetes: {}, containerDefinitions: [{ ...app, links: [] }] };
    expect(allFieldSupport('TaskDefinition', parseTaskDefinition(given), given)).toEqual([
      { field: 'spec.family', support: 'Exact', reason: '' },
      ...['name', 'image', 'memory'].map((field) => ({
        field: `spec.containerDefinitions[0].${field}`,
        support: 'Exact',
        reason: '',
      })),
    ]);
  });

  it('puts items together where a status could not hold them one by one', () => {
    const portMappings = Array.from({ length: 100 }, (_, index) => ({ containerPort: 1000 + index, hostPort: 0 }));
    const containerDefinitions = ['a', 'b', 'c'].map((name) => ({ ...app, name, portMappings }));
    const reports = fieldSupport(parseTaskDefinition({ containerDefinitions }));
    expect(reports.map(({ field }) => field)).toEqual([
      'spec.containerDefinitions[].portMappings[].hostPort',
      'spec.networkMode',
    ]);
  });
});
