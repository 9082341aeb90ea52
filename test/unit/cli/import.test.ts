import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { parseTaskDefinition } from '../../../src/api/task-definition.ts';
import { json, longshore } from './run.ts';

const fixtures = join(import.meta.dirname, '../../fixtures/import');
const work = mkdtempSync(join(tmpdir(), 'longshore-import-'));
afterAll(() => rmSync(work, { recursive: true }));

const manifests = (text: string): unknown[] => parseAllDocuments(text).map((document): unknown => document.toJS());
const web = { family: 'web', containerDefinitions: [{ name: 'web', image: 'nginx', memory: 128 }] };

describe('longshore import of a task definition as it is registered', () => {
  it('writes a manifest whose spec is the file', async () => {
    const { code, out } = await longshore(['import', '-'], json(web));
    expect(code).toBe(0);
    expect(manifests(out)).toEqual([
      { apiVersion: 'longshore.dev/v1alpha1', kind: 'TaskDefinition', metadata: { name: 'web' }, spec: web },
    ]);
  });

  it('keeps null, order and empty lists as they are', async () => {
    const given = {
      volumes: null,
      containerDefinitions: [{ memory: 128, image: 'nginx', name: 'a', links: [] }],
      family: 'a',
    };
    const { out } = await longshore(['import', '-'], json(given));
    const [manifest] = manifests(out) as { spec: unknown }[];
    expect(json(manifest?.spec)).toBe(json(given));
  });

  it('derives a DNS name from a family that is none, and keeps the family', async () => {
    const { out } = await longshore(['import', '-', '-n', 'prod'], json({ ...web, family: 'Hello_World' }));
    expect(manifests(out)).toMatchObject([
      { metadata: { name: 'hello-world-345837a2', namespace: 'prod' }, spec: { family: 'Hello_World' } },
    ]);
  });

  it('takes several documents from one file, JSON or YAML', async () => {
    const two = { ...web, family: 'two' };
    for (const text of [
      `${json(web)}\n${json(two)}\n`,
      `---\n${json(web)}\n---\n\n---\nfamily: two\ncontainerDefinitions: [{name: web, image: nginx, memory: 128}]\n`,
    ]) {
      const { code, out } = await longshore(['import', '-'], text);
      expect(code).toBe(0);
      expect(manifests(out)).toMatchObject([{ spec: web }, { spec: two }]);
    }
  });

  it('reports for each field what becomes of it', async () => {
    const given = {
      ...web,
      executionRoleArn: 'arn:aws:iam::111122223333:role/x',
      containerDefinitions: [{ ...web.containerDefinitions[0], logConfiguration: { logDriver: 'json-file' } }],
    };
    const report = join(work, 'report.json');
    const { err } = await longshore(['import', '-', '--report', report], json(given));
    expect(err).toBe('');
    const { objects } = JSON.parse(readFileSync(report, 'utf8'));
    expect(objects).toMatchObject([{ source: 'standard input', kind: 'TaskDefinition', name: 'web', changes: [] }]);
    const outcomes = new Map(
      objects[0].fields.map((outcome: { field: string; support: string }) => [outcome.field, outcome.support]),
    );
    expect(outcomes.get('spec.executionRoleArn')).toBe('Ignored');
    expect(outcomes.get('spec.containerDefinitions[0].logConfiguration')).toBe('Ignored');
    expect(outcomes.get('spec.containerDefinitions[0].image')).toBe('Exact');
    expect([...outcomes.keys()]).toEqual(
      expect.arrayContaining(['spec.family', 'spec.containerDefinitions[0].memory']),
    );
  });

  it('writes a file an object into a folder', async () => {
    const folder = join(work, 'manifests/');
    const { code, out } = await longshore(
      ['import', '-', '-o', folder],
      `${json(web)}${json({ ...web, family: 'B' })}`,
    );
    expect([code, out]).toEqual([0, '']);
    expect(readdirSync(folder).sort()).toEqual(['b-df7e70e5.taskdefinition.yaml', 'web.taskdefinition.yaml']);
    expect(manifests(readFileSync(join(folder, 'web.taskdefinition.yaml'), 'utf8'))).toMatchObject([{ spec: web }]);
  });
});

describe('longshore import of what describe-task-definition gives', () => {
  it('leaves out what AWS writes, says so, and takes in the tags beside it', async () => {
    const file = join(fixtures, 'described-task-definition.json');
    const { taskDefinition, tags } = JSON.parse(readFileSync(file, 'utf8'));
    const { out, err } = await longshore(['import', file]);
    const [manifest] = manifests(out) as { spec: object }[];
    const {
      taskDefinitionArn,
      revision,
      status,
      requiresAttributes,
      compatibilities,
      registeredAt,
      registeredBy,
      ...asked
    } = taskDefinition;
    expect(manifest?.spec).toEqual({ ...asked, tags });
    for (const field of [
      'taskDefinitionArn',
      'revision',
      'status',
      'requiresAttributes',
      'registeredAt',
      'registeredBy',
    ])
      expect(err).toContain(`Dropped       taskDefinition.${field}: ${json(taskDefinition[field]).slice(0, 20)}`);
  });
});

describe('longshore import refuses, and writes nothing', () => {
  const container = (fields: object) => ({
    family: 'web',
    containerDefinitions: [{ name: 'web', image: 'nginx', memory: 128, ...fields }],
  });

  it.each<[string, unknown, string]>([
    [
      'a misspelt field, saying which is near',
      container({ esential: true }),
      "containerDefinitions[0].esential: AWS's ContainerDefinition has no such field; did you mean essential?",
    ],
    ['a number where AWS has a text', { ...web, memory: 512 }, 'memory: 512 is a number; allowed: a text'],
    [
      'a text where AWS has a number',
      container({ portMappings: [{ containerPort: '80' }] }),
      'containerDefinitions[0].portMappings[0].containerPort: "80" is a text; allowed: a whole number',
    ],
    [
      'a value that AWS has not',
      { ...web, networkMode: 'vpc' },
      'networkMode: "vpc" is not allowed; allowed: bridge, host, awsvpc, none',
    ],
    ['a definition without family', { containerDefinitions: [] }, 'family: is missing; AWS requires it'],
    [
      'what breaks a rule, with the value',
      container({ portMappings: [{ containerPort: 70000 }] }),
      'containerDefinitions[0].portMappings[0].containerPort: Too big: expected number to be <=65535, got 70000',
    ],
    ['a Kubernetes object', { apiVersion: 'v1', kind: 'Pod' }, 'is a Kubernetes object (Pod) already'],
    ['what it does not know', { name: 'x' }, 'has none of the known forms (found: fields name)'],
    ['a list of nothing known', [1], 'has none of the known forms'],
  ])('%s', async (_, given, message) => {
    const { code, out, err } = await longshore(['import', '-'], json(given));
    expect([code, out]).toEqual([1, '']);
    expect(err).toBe(`longshore: standard input: ${err.slice('longshore: standard input: '.length)}`);
    expect(err).toContain(message);
  });

  it('text that is neither JSON nor YAML, with its line', async () => {
    const { code, err } = await longshore(['import', '-'], '{"family": "web",\n "containerDefinitions": [}');
    expect(code).toBe(1);
    expect(err).toMatch(/^longshore: standard input: is neither JSON nor YAML: .*line 2, column \d+\n$/);
  });

  it('a file that is not there', async () => {
    const file = join(work, 'none.json');
    const { code, err } = await longshore(['import', file]);
    expect([code, err]).toEqual([1, `longshore: ${file}: cannot be read: there is no such file or folder\n`]);
  });

  it('everything when one of several is wrong, naming each problem', async () => {
    const { code, out, err } = await longshore(
      ['import', '-'],
      `${json(web)}${json({ ...web, family: 1 })}${json({ ...web, cpu: 1 })}`,
    );
    expect([code, out]).toEqual([1, '']);
    expect(err.trim().split('\n')).toEqual([
      'longshore: standard input, document 2: family: 1 is a number; allowed: a text',
      'longshore: standard input, document 3: cpu: 1 is a number; allowed: a text',
    ]);
  });

  it('two documents of one name', async () => {
    const { code, err } = await longshore(['import', '-'], json(web) + json(web));
    expect(code).toBe(1);
    expect(err).toContain('standard input, document 2: gives TaskDefinition web, as standard input, document 1 does');
  });

  it('an unknown option, with exit code 2', async () => {
    const { code, err } = await longshore(['import', '--outptu', 'x', '-']);
    expect(code).toBe(2);
    expect(err).toContain("unknown option '--outptu'");
  });
});

/** AWS's published task definitions, in a folder beside the repository or named by LONGSHORE_AWS_EXAMPLES. */
const examples =
  process.env.LONGSHORE_AWS_EXAMPLES ?? join(import.meta.dirname, '../../../../shared/data/aws-examples');
const files = existsSync(examples) ? readdirSync(examples).filter((name) => name.endsWith('.json')) : [];
const refused = ['kibana_ec2.json', 'tomcat_ec2.json'];

describe.skipIf(files.length === 0)('task definitions that AWS published (skipped where they are missing)', () => {
  it.each(files)('%s becomes a manifest with the same content, or is refused as AWS refuses it', async (name) => {
    const file = join(examples, name);
    const given: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const { code, out, err } = await longshore(['import', file]);
    if (refused.includes(name)) {
      expect([code, out]).toEqual([1, '']);
      const [{ name: container }] = (given as { containerDefinitions: [{ name: string }] }).containerDefinitions;
      expect(err).toBe(
        `longshore: ${file}: containerDefinitions: container '${container}', hostPort 80: When networkMode=awsvpc, the host ports and container ports in port mappings must match.\n`,
      );
      return;
    }
    const [manifest] = manifests(out) as { spec: unknown }[];
    expect(manifest?.spec).toEqual(given);
    expect(() => parseTaskDefinition(manifest?.spec)).not.toThrow();
  });
});
