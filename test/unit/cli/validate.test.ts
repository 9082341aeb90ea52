import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { refusal } from '../../../src/cli/validate/admit.ts';
import { type CustomResource, customResources } from '../../../src/cli/validate/custom-resources.ts';
import { compileRule } from '../../../src/cli/validate/rules.ts';
import type { CrdSchema } from '../../../src/cli/validate/schema.ts';
import { brokenRules } from '../api/broken-rules.ts';
import { clusterSamples } from '../api/cluster-samples.ts';
import { container, type Sample, samples, service, task } from '../api/samples.ts';
import { serviceDiscoverySamples } from '../api/service-discovery-samples.ts';
import { json, longshore } from './run.ts';
import { objectOf, wrongManifests } from './wrong-manifests.ts';

const work = mkdtempSync(join(tmpdir(), 'longshore-validate-'));
afterAll(() => rmSync(work, { recursive: true }));

const all: readonly Sample[] = [...samples, ...clusterSamples, ...serviceDiscoverySamples];
const manifest = (spec: unknown, kind: Sample['kind'] = 'TaskDefinition') => objectOf({ title: '', kind, spec });
const resourceOf = (kind: string): CustomResource => {
  const found = customResources().find((resource) => resource.kind === kind);
  if (found === undefined) throw new Error(`no CRD of ${kind}`);
  return found;
};

describe('longshore validate', () => {
  it.each(all)('$kind: $title', async ({ kind, spec, refused }) => {
    const { code, err } = await longshore(['validate', '--quiet', '-'], json(manifest(spec, kind)));
    expect(code, err).toBe(refused === undefined ? 0 : 1);
    for (const text of refused ?? []) expect(err).toContain(text);
    expect(err).not.toContain('the API server accepts it');
  });

  it.each(wrongManifests)('refuses $title', async (wrong) => {
    const { code, out, err } = await longshore(['validate', '-'], json(objectOf(wrong)));
    expect([code, out]).toEqual([1, '']);
    expect(err).not.toContain('the API server accepts it');
  });

  it.each(brokenRules)(
    'refuses a $kind that breaks one rule, and names no other: $message',
    ({ kind, spec, path, message }) => {
      const [line = '', ...others] = refusal(manifest(spec, kind), resourceOf(kind));
      expect(others).toEqual([]);
      expect(line.startsWith(`${path}: Invalid value: `), line).toBe(true);
      expect(line.endsWith(message), line).toBe(true);
    },
  );

  it('words each problem as the API server does, with file, kind and name before it', async () => {
    const file = join(work, 'wrong.yaml');
    writeFileSync(
      file,
      stringify(manifest({ networkMode: 'vpc', containerDefinitions: [container({ esential: true })], cpu: 256 })),
    );
    const { err } = await longshore(['validate', file]);
    expect(err.trim().split('\n')).toEqual(
      [
        'unknown field "spec.containerDefinitions[0].esential"',
        'spec.networkMode: Unsupported value: "vpc": supported values: "bridge", "host", "awsvpc", "none"',
        'spec.cpu: Invalid value: "integer": spec.cpu in body must be of type string: "integer"',
        '<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
      ].map((line) => `longshore: ${file}: TaskDefinition sample: ${line}`),
    );
  });

  it('says of a valid object that it is, and what becomes of its fields', async () => {
    const spec = task({ executionRoleArn: 'arn:aws:iam::111122223333:role/x' });
    const { code, out, err } = await longshore(['validate', '-'], json(manifest(spec)));
    expect([code, out]).toEqual([0, 'standard input: TaskDefinition sample is valid\n']);
    expect(err).toContain('Ignored       executionRoleArn: ');
    expect(err).toMatch(/Exact {9}.*containerDefinitions\[\]\.image/);
    const report = join(work, 'report.json');
    expect((await longshore(['validate', '--report', report, '-'], json(manifest(spec)))).err).toBe('');
    const [object] = JSON.parse(readFileSync(report, 'utf8')).objects;
    expect(object).toMatchObject({
      source: 'standard input',
      kind: 'TaskDefinition',
      name: 'sample',
      namespace: 'default',
    });
    expect(object.fields).toContainEqual({ field: 'spec.containerDefinitions[0].image', support: 'Exact', reason: '' });
  });

  it('takes several documents and the items of lists, and leaves other groups alone', async () => {
    const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { a: 1 } };
    const { apiVersion, kind, ...item } = manifest(task());
    const documents = [
      manifest(service(), 'Service'),
      { apiVersion: 'v1', kind: 'List', items: [manifest(task()), config, manifest({}, 'BatchJob')] },
      { apiVersion, kind: `${kind}List`, items: [item] },
    ];
    const good = documents
      .filter((_, index) => index !== 1)
      .map((document) => stringify(document))
      .join('---\n');
    expect((await longshore(['validate', '-'], good)).out).toBe(
      'standard input, document 1: Service sample is valid\nstandard input, document 2, items[0]: TaskDefinition sample is valid\n',
    );
    const { code, out, err } = await longshore(
      ['validate', '-'],
      documents.map((document) => stringify(document)).join('---\n'),
    );
    expect([code, out]).toEqual([1, '']);
    expect(err).toBe(
      'longshore: standard input, document 2, items[2]: BatchJob sample: spec: Invalid value: exactly one of containerProperties, ecsProperties and taskDefinition must be given\n',
    );
    expect((await longshore(['validate', '-'], stringify(config))).out).toBe(
      'standard input: ConfigMap of v1 was not checked\n',
    );
  });

  it('reads YAML as kubectl does: yes is a switch, 0755 is octal, a date and 12:30 are texts', async () => {
    const text = (essential: string, cpu: string, value: string) =>
      `apiVersion: longshore.dev/v1alpha1\nkind: TaskDefinition\nmetadata: {name: a}\nspec:\n  containerDefinitions:\n  - {name: a, image: b, memory: 8, essential: ${essential}, cpu: ${cpu}, environment: [{name: a, value: ${value}}]}\n`;
    expect((await longshore(['validate', '-'], text('yes', '0755', '2001-12-14'))).code).toBe(0);
    expect((await longshore(['validate', '-'], text('on', '0x10', '12:30'))).code).toBe(0);
    const { err } = await longshore(['validate', '-'], text('"yes"', '1', 'no'));
    expect(err).toContain('essential: Invalid value: "string"');
    expect(err).toContain('environment[0].value: Invalid value: "boolean"');
  });

  it('reports what only the controller can see', async () => {
    const waits = (name: string, containerName: string) =>
      container({ name, dependsOn: [{ containerName, condition: 'START' }] });
    const { code, err } = await longshore(
      ['validate', '-'],
      json(manifest(task({ containerDefinitions: [waits('a', 'b'), waits('b', 'a')] }))),
    );
    expect(code).toBe(1);
    expect(err).toContain(
      'containers wait for each other in a cycle: a → b → a (the API server accepts it; the controller does not)',
    );
  });

  it.each([
    [
      'a kind that is not there',
      { ...manifest(task()), kind: 'TaskDefintion' },
      'no matches for kind "TaskDefintion" in version "longshore.dev/v1alpha1"; did you mean TaskDefinition?',
    ],
    [
      'a version that is not there',
      { ...manifest(task()), apiVersion: 'longshore.dev/v1' },
      'no matches for kind "TaskDefinition" in version "longshore.dev/v1"; there are ',
    ],
    ['an object without kind', { apiVersion: 'v1' }, 'kind: is missing; every Kubernetes object has it'],
    ['an object without apiVersion', { kind: 'Service' }, 'apiVersion: is missing; every Kubernetes object has it'],
    ['a text', 'x', 'is no Kubernetes object'],
    ['an AWS file', { family: 'a', containerDefinitions: [] }, 'apiVersion: is missing'],
  ])('refuses %s', async (_, given, message) => {
    const { code, err } = await longshore(['validate', '-'], json(given));
    expect(code).toBe(1);
    expect(err).toContain(`longshore: standard input: ${message}`);
  });
});

describe('null for an optional field means the same as its absence', () => {
  it.each(all.filter(({ refused }) => refused === undefined))('$kind: $title', ({ kind, spec }) => {
    const resource = resourceOf(kind);
    const given = manifest(spec, kind);
    expect(refusal({ ...given, spec: withNulls(spec, resource.schema.properties?.spec) }, resource)).toEqual([]);
  });
});

/** The value with null for every optional field that it does not have. */
function withNulls(value: unknown, schema: CrdSchema | undefined): unknown {
  if (Array.isArray(value)) return value.map((item) => withNulls(item, schema?.items));
  if (typeof value !== 'object' || value === null) return value;
  const { properties = {}, required = [], additionalProperties } = schema ?? {};
  const missing = Object.keys(properties).filter((field) => !(field in value) && !required.includes(field));
  return {
    ...Object.fromEntries(missing.map((field) => [field, null])),
    ...Object.fromEntries(
      Object.entries(value).map(([field, inner]) => [
        field,
        withNulls(inner, properties[field] ?? additionalProperties),
      ]),
    ),
  };
}

describe('every rule of the CRDs', () => {
  it.each(customResources())('of $kind can be evaluated', ({ schema }) => {
    const visit = (at: CrdSchema | undefined): void => {
      for (const { rule, messageExpression } of at?.['x-kubernetes-validations'] ?? []) {
        expect(() => compileRule(rule), rule).not.toThrow();
        if (messageExpression !== undefined) expect(() => compileRule(messageExpression)).not.toThrow();
      }
      for (const next of [...Object.values(at?.properties ?? {}), at?.items, at?.additionalProperties])
        if (next !== undefined) visit(next);
    };
    visit(schema);
  });
});
