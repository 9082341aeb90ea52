import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc, { type Arbitrary } from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { parseTaskDefinition } from '../../../src/api/task-definition.ts';
import { arbitraryTaskDefinition } from '../../support/arbitrary-task-definition.ts';
import { job, samples, service, task } from '../api/samples.ts';
import { serviceDiscoverySamples } from '../api/service-discovery-samples.ts';
import { json, longshore } from './run.ts';

const fixtures = join(import.meta.dirname, '../../fixtures/import');
const work = mkdtempSync(join(tmpdir(), 'longshore-export-'));
afterAll(() => rmSync(work, { recursive: true }));

const manifest = (kind: string, spec: object, metadata: object = {}) => ({
  apiVersion: 'longshore.dev/v1alpha1',
  kind,
  metadata: { name: 'sample', ...metadata },
  spec,
});

/** What comes back of AWS's JSON; undefined where it is refused. */
async function roundTrip(text: string, ...options: readonly string[]): Promise<unknown[] | undefined> {
  const imported = await longshore(['import', ...options, '-'], text);
  if (imported.code !== 0) return undefined;
  const { code, out, err } = await longshore(['export', '-'], imported.out);
  expect(code, err).toBe(0);
  return out.split(/^(?=\{)/m).map((part): unknown => JSON.parse(part));
}

describe('export gives back what import took', () => {
  it.each([
    'job-definition.json',
    'submit-job.json',
    'ecs-job-definition.json',
    'ecs-submit-job.json',
    'run-task.json',
    'job-queue.json',
    'compute-environment.json',
  ])('%s', async (name) => {
    const read = (file: string) => readFileSync(join(fixtures, file), 'utf8');
    const files = name.endsWith('submit-job.json') ? [name.replace('submit-job', 'job-definition'), name] : [name];
    expect(await roundTrip(files.map(read).join('\n'))).toEqual(files.map((file): unknown => JSON.parse(read(file))));
  });

  it('fair-job-queue.json and its scheduling policy', async () => {
    const files = ['scheduling-policy.json', 'fair-job-queue.json'].map((name) =>
      readFileSync(join(fixtures, name), 'utf8'),
    );
    expect(await roundTrip(files.join('\n'))).toEqual(files.map((text): unknown => JSON.parse(text)));
  });

  it('of described-task-definition.json, but for what AWS writes', async () => {
    const text = readFileSync(join(fixtures, 'described-task-definition.json'), 'utf8');
    const { taskDefinition, tags } = JSON.parse(text);
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
    expect(await roundTrip(text)).toEqual([{ ...asked, tags }]);
  });

  it.each(['cloudformation.yaml', 'terraform-show.json'])(
    "of %s, as the API's input: again import takes it to the same",
    async (name) => {
      const given = ['Stage=x', 'AWS::AccountId=1', 'AWS::Region=x', 'TaskRole.Arn=x'].flatMap((one) => [
        '--parameter',
        one,
      ]);
      const first = await longshore(['import', ...given, join(fixtures, name)]);
      const exported = await longshore(['export', '-'], first.out);
      const second = await longshore(['import', '-'], exported.out);
      const third = await longshore(['export', '-'], second.out);
      expect(third.code, third.err).toBe(0);
      expect(third.out).toBe(exported.out);
    },
  );

  it.each(
    [...samples, ...serviceDiscoverySamples].filter(
      ({ kind, refused }) =>
        refused === undefined && ['TaskDefinition', 'Service', 'Task', 'ComputeEnvironment'].includes(kind),
    ),
  )('of a sample: $kind, $title', async ({ kind, spec }) => {
    const { kubernetes, clientToken, ...aws } = spec as Record<string, unknown>;
    const given = {
      ...aws,
      ...(kind === 'Service' && { serviceName: aws.serviceName ?? 'a' }),
      ...(kind === 'TaskDefinition' && { family: aws.family ?? 'a' }),
      ...(kind === 'ComputeEnvironment' && { computeEnvironmentName: aws.computeEnvironmentName ?? 'a' }),
    };
    expect(await roundTrip(json(given))).toEqual([given]);
  });

  it('of task definitions of any shape, with null and in any order', async () => {
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(disordered(arbitraryTaskDefinition), async (definition) => {
        const given = { ...definition, family: 'Any_Shape' };
        const isValid = isAccepted(given);
        const back = await roundTrip(json(given));
        expect(back === undefined, 'refused').toBe(!isValid);
        if (back === undefined) return;
        taken++;
        expect(back).toEqual([JSON.parse(json(given))]);
      }),
      { numRuns: 100 },
    );
    expect(taken).toBeGreaterThan(20);
  }, 120_000);
});

function isAccepted(definition: object): boolean {
  try {
    parseTaskDefinition(definition);
    return true;
  } catch {
    return false;
  }
}

const OPTIONAL = ['taskRoleArn', 'executionRoleArn', 'placementConstraints', 'pidMode', 'proxyConfiguration'];

/** The same value with its fields in another order, and null for fields that it has not. */
function disordered(definitions: Arbitrary<object>): Arbitrary<object> {
  const shuffled = (value: unknown, seed: number): unknown => {
    if (Array.isArray(value)) return value.map((item) => shuffled(item, seed));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([key, inner]) => [key, shuffled(inner, seed)] as const);
    return Object.fromEntries(entries.sort(([a], [b]) => ((a.length * seed) % 7) - ((b.length * seed) % 7)));
  };
  return fc
    .tuple(definitions, fc.subarray(OPTIONAL), fc.integer({ min: 1, max: 6 }))
    .map(([definition, nulls, seed]) =>
      Object(shuffled({ ...Object.fromEntries(nulls.map((name) => [name, null])), ...definition }, seed)),
    );
}

describe('longshore export', () => {
  it('gives AWS the name that a manifest leaves to the object', async () => {
    const objects = [manifest('TaskDefinition', task()), manifest('Service', service({ serviceName: null }))];
    const { out } = await longshore(['export', '-'], objects.map((object) => json(object)).join('\n'));
    const [definition, created] = out.split(/^(?=\{)/m).map((part) => JSON.parse(part));
    expect(definition).toEqual({ ...task(), family: 'sample' });
    expect(created).toEqual(service({ serviceName: 'sample' }));
  });

  it('makes of a job of its own a definition and a SubmitJob', async () => {
    const spec = job({ jobQueue: 'high', arrayProperties: { size: 3 }, parameters: { a: 'b' } });
    const { out } = await longshore(['export', '-'], json(manifest('BatchJob', spec)));
    expect(out.split(/^(?=\{)/m).map((part): unknown => JSON.parse(part))).toEqual([
      {
        jobDefinitionName: 'sample',
        type: 'container',
        containerProperties: spec.containerProperties,
        parameters: { a: 'b' },
      },
      { jobName: 'sample', jobQueue: 'high', arrayProperties: { size: 3 }, jobDefinition: 'sample' },
    ]);
  });

  it("leaves out what is not AWS's, and says so", async () => {
    const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' } };
    const object = manifest('TaskDefinition', task({ kubernetes: { nodeSelector: { a: 'b' } } }));
    const { out, err } = await longshore(['export', '-'], json(config) + json(object));
    expect(JSON.parse(out)).toEqual({ ...task(), family: 'sample' });
    expect(err).toContain('standard input, document 1: ConfigMap was left out');
    expect(err).toContain('standard input, document 2: spec.kubernetes was left out');
  });

  it('writes a file an input into a folder', async () => {
    const folder = join(work, 'aws/');
    const objects = [manifest('TaskDefinition', task()), manifest('BatchJob', job({ jobQueue: 'q' }))];
    const { code, out } = await longshore(
      ['export', '-o', folder, '-'],
      objects.map((object) => json(object)).join(''),
    );
    expect([code, out]).toEqual([0, '']);
    expect(readdirSync(folder).sort()).toEqual([
      'sample.register-job-definition.json',
      'sample.register-task-definition.json',
      'sample.submit-job.json',
    ]);
  });

  it.each<[string, object, string]>([
    [
      'what AWS would refuse',
      manifest('TaskDefinition', { containerDefinitions: [{ name: 'a', imgae: 'b' }] }),
      "standard input: spec.containerDefinitions[0].imgae: AWS's ContainerDefinition has no such field; did you mean image?",
    ],
    [
      'a job of a task definition',
      manifest('BatchJob', { taskDefinition: 'a' }),
      'standard input: spec.taskDefinition: AWS Batch has no such field',
    ],
    [
      'a job without a queue',
      manifest('BatchJob', job({ arrayProperties: { size: 2 } })),
      'standard input: spec.jobQueue: is missing; AWS requires it',
    ],
    [
      'nothing to export',
      { apiVersion: 'v1', kind: 'Pod' },
      '-: has no TaskDefinition, Service, Task, BatchJob, JobQueue, ComputeEnvironment to export',
    ],
  ])('refuses %s', async (_, object, message) => {
    const { code, out, err } = await longshore(['export', '-'], json(object));
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(`longshore: ${message}`);
  });

  it('refuses a file that is not there, and a revision of a file', async () => {
    expect((await longshore(['export', join(work, 'none')])).err).toContain(
      'cannot be read: there is no such file or folder',
    );
    expect((await longshore(['export', '--revision', '3', '-'])).err).toContain(
      '--revision goes with taskdefinition/NAME of a cluster',
    );
    expect(await longshore(['export', '--revision', '0', '-'])).toMatchObject({ code: 2 });
  });

  it('says so where no cluster can be found', async () => {
    const { code, err } = await longshore(['export', 'etd/web', '--kubeconfig', join(work, 'none')]);
    expect(code).toBe(1);
    expect(err).toContain('longshore: taskdefinition/web: no cluster to read it from: ');
  });
});

describe('an object as the API server keeps it', () => {
  const given = { family: null, containerDefinitions: [{ name: 'web', image: 'nginx', memory: 128, essential: null }] };
  const kept = {
    containerDefinitions: [{ name: 'web', image: 'nginx', memory: 128, essential: true, stopTimeout: 30 }],
    family: null,
    networkMode: 'bridge',
  };
  const exportOf = async (object: object) => JSON.parse((await longshore(['export', '-'], json(object))).out);

  it('is exported as kubectl apply got it', async () => {
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': json(manifest('TaskDefinition', given)) };
    expect(await exportOf(manifest('TaskDefinition', kept, { annotations }))).toEqual({ ...given, family: 'sample' });
  });

  it('is exported as it is when it was changed since', async () => {
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': json(manifest('TaskDefinition', given)) };
    const changed = { ...kept, networkMode: 'host' };
    expect(await exportOf(manifest('TaskDefinition', changed, { annotations }))).toEqual({
      ...changed,
      family: 'sample',
    });
  });

  it('is exported as server-side apply got it', async () => {
    const fields = {
      'f:spec': {
        'f:containerDefinitions': { 'k:{"name":"web"}': { '.': {}, 'f:name': {}, 'f:image': {}, 'f:memory': {} } },
      },
    };
    const managedFields = [
      { manager: 'flux', operation: 'Apply', fieldsType: 'FieldsV1', fieldsV1: fields },
      { manager: 'longshore', operation: 'Update', subresource: 'status', fieldsV1: { 'f:status': {} } },
    ];
    expect(await exportOf(manifest('TaskDefinition', kept, { managedFields }))).toEqual({
      family: 'sample',
      containerDefinitions: [{ name: 'web', image: 'nginx', memory: 128 }],
    });
  });
});

/** AWS's published task definitions, in a folder beside the repository or named by LONGSHORE_AWS_EXAMPLES. */
const examples =
  process.env.LONGSHORE_AWS_EXAMPLES ?? join(import.meta.dirname, '../../../../shared/data/aws-examples');
const files = existsSync(examples) ? readdirSync(examples).filter((name) => name.endsWith('.json')) : [];
/** Refused as AWS refuses them: another host port in awsvpc mode. */
const refused = ['kibana_ec2.json', 'tomcat_ec2.json'];

describe.skipIf(files.length === 0)('task definitions that AWS published (skipped where they are missing)', () => {
  it.each(files)('%s comes back as it was', async (name) => {
    const text = readFileSync(join(examples, name), 'utf8');
    if (!refused.includes(name)) return expect(await roundTrip(text)).toEqual([JSON.parse(text)]);
    expect(await roundTrip(text)).toBeUndefined();
    // With the ports that AWS asks for it comes back as well.
    const definition = JSON.parse(text);
    for (const { portMappings } of definition.containerDefinitions)
      for (const port of portMappings) port.hostPort = port.containerPort;
    expect(await roundTrip(json(definition))).toEqual([definition]);
  });
});
