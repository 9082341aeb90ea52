import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../../dev/cluster/api.ts';
import { customResources } from '../../src/cli/validate/custom-resources.ts';
import { useSuite } from '../support/suite.ts';
import { brokenRules } from '../unit/api/broken-rules.ts';
import { clusterSamples } from '../unit/api/cluster-samples.ts';
import { mutation } from '../unit/api/mutation.ts';
import { samples as otherSamples, type Sample } from '../unit/api/samples.ts';
import { serviceDiscoverySamples } from '../unit/api/service-discovery-samples.ts';
import { longshore } from '../unit/cli/run.ts';
import { objectOf, wrongManifests } from '../unit/cli/wrong-manifests.ts';

const samples: readonly Sample[] = [...otherSamples, ...clusterSamples, ...serviceDiscoverySamples];
const suite = useSuite({ nodes: 'kwok=3', operator: true });
let api: ApiClient;

beforeAll(() => {
  api = new ApiClient(suite().cluster.kubeconfig);
});
afterAll(() => api?.close());

/** The lines of a refusal, as `longshore validate` has them; sorted, as the API server's order is one of chance. */
async function validate(object: ReturnType<typeof objectOf>): Promise<string[]> {
  const { err } = await longshore(['validate', '--quiet', '-'], JSON.stringify(object));
  const prefix = `longshore: standard input: ${object.kind} ${object.metadata.name}: `;
  return err
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (line.startsWith(prefix) ? line.slice(prefix.length) : line))
    .sort();
}

/** Unknown fields are all that the API server names when there are any; the rest it says once they are left alone. */
async function bothTurns(ask: (validation: 'strict' | 'ignore') => Promise<string[]>): Promise<string[]> {
  const strict = await ask('strict');
  const unknown = strict.filter((line) => line.startsWith('unknown field'));
  return [...unknown, ...(unknown.length > 0 ? await ask('ignore') : strict)].sort();
}

const linesOfMessage = (message: string): string[] =>
  message.replace(/^.*cannot be handled as a \w+: (strict decoding error: )?/s, '').split(/, (?=unknown field)/);

async function posted(object: Readonly<Record<string, unknown>>, validation: 'strict' | 'ignore'): Promise<string[]> {
  const { plural, namespaced } = customResources().find(({ kind }) => kind === object.kind) ?? {};
  const mode = validation === 'strict' ? 'Strict' : 'Ignore';
  const place = namespaced ? 'namespaces/default/' : '';
  const path = `/apis/longshore.dev/v1alpha1/${place}${plural}?dryRun=All&fieldValidation=${mode}`;
  const { status, body } = await api.call('POST', path, object);
  if (status === 201) return [];
  const answer = JSON.parse(body) as {
    message: string;
    reason: string;
    details: { causes: { field: string; message: string }[] };
  };
  if (answer.reason !== 'Invalid') return linesOfMessage(answer.message);
  return [...new Set(answer.details.causes.map(({ field, message }) => `${field}: ${message}`))];
}

async function applied(object: object, how: readonly string[], validation: string): Promise<string[]> {
  const args = ['apply', ...how, '--dry-run=server', `--validate=${validation}`, '-f', '-'];
  const { stderr, code } = await suite().cluster.kubectl(args, { input: JSON.stringify(object) });
  if (code === 0) return [];
  const invalid = /^The \w+ ".*" is invalid: (?:\n\* )?(.*)$/s.exec(stderr.trim());
  return invalid?.[1]?.split('\n* ') ?? linesOfMessage(stderr.trim());
}

describe('longshore validate says line for line what kubectl apply says', () => {
  it.concurrent.for(wrongManifests)('$kind: $title', async (manifest, { expect }) => {
    const object = objectOf(manifest);
    const ours = await validate(object);
    expect(ours).not.toEqual([]);
    if (manifest.undecodable) return expect(await bothTurns((validation) => posted(object, validation))).toEqual(ours);
    expect(await bothTurns((validation) => applied(object, [], validation))).toEqual(ours);
    const serverSide = await applied(object, ['--server-side'], 'strict');
    expect(serverSide).not.toEqual([]);
    // Types, unknown fields and repeated keys it refuses earlier, in words of its own.
    if (serverSide.every((line) => ours.includes(line))) expect(serverSide.sort()).toEqual(ours);
  });

  it('for every sample of a spec, and every spec that breaks one rule', async () => {
    const broken = brokenRules.map(({ kind, spec, message }) => ({ kind, spec, title: message }));
    for (const { kind, spec, title } of [...samples, ...broken]) {
      const object = objectOf({ title, kind, spec });
      expect(await validate(object), title).toEqual(await bothTurns((validation) => posted(object, validation)));
    }
  });

  it('on specs broken at random', async () => {
    const broken = fc.constantFrom(...samples.filter(({ spec }) => JSON.stringify(spec) !== '{}')).chain(mutation);
    await fc.assert(
      fc.asyncProperty(broken, async ({ kind, spec, change }) => {
        const object = objectOf({ title: change, kind, spec });
        const server = await bothTurns((validation) => posted(object, validation));
        // What only the controller can see is told apart.
        const ours = (await validate(object)).filter(
          (line) => !line.endsWith('(the API server accepts it; the controller does not)'),
        );
        expect(ours, `${kind} with ${change}`).toEqual(server);
      }),
      { numRuns: 500 },
    );
  });
});

describe('longshore import', () => {
  it('writes YAML that kubectl reads as it was meant', async () => {
    const hostile = [
      'yes',
      'on',
      '0755',
      '0o17',
      '1e3',
      '12:30',
      '2001-12-14',
      '~',
      '<<',
      '=',
      '.inf',
      '- a',
      'a: b',
      '# a',
      '\u0085',
      '\u2028',
      'a\n\n b\n',
      '😀',
      '\t',
      '!Ref a',
      'null',
      '1_000',
      '0b1',
      '',
    ];
    const any = fc.sample(
      fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
      200,
    );
    const texts = [...new Set([...hostile, ...any])];
    const web = {
      name: 'web',
      image: 'nginx',
      memory: 8,
      environment: texts.map((value, index) => ({ name: `V${index}`, value })),
      dockerLabels: Object.fromEntries(texts.slice(0, 100).map((text) => [text, text])),
    };
    const definition = { family: 'Yes', containerDefinitions: [web] };
    const { out, err } = await longshore(['import', '-'], JSON.stringify(definition));
    expect(out, err).not.toBe('');
    const args = ['create', '--dry-run=client', '--validate=false', '-o', 'json', '-f', '-'];
    const { stdout, stderr, code } = await suite().cluster.kubectl(args, { input: out });
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout).spec).toEqual(definition);
  });
});

describe('longshore export', () => {
  const definition = (value: string) => ({
    family: 'My_App',
    cpu: null,
    containerDefinitions: [{ name: 'web', image: 'nginx', memory: 128, environment: [{ name: 'V', value }] }],
  });

  it.for([
    ['kubectl apply', []],
    ['kubectl apply --server-side', ['--server-side']],
  ] as const)('gives back what %s was given, and every revision', async ([, how], context) => {
    const namespace = await suite().namespace(context);
    const apply = async (revision: number) => {
      const { out } = await longshore(['import', '-'], JSON.stringify(definition(`v${revision}`)));
      await namespace.kubectl(['apply', ...how, '-f', '-'], out);
      const registered = `--for=jsonpath={.status.latestRevision}=${revision}`;
      await namespace.kubectl(['wait', registered, '--timeout=60s', 'taskdefinitions', '--all']);
    };
    const { kubeconfig } = suite().cluster;
    const live = (target: string, ...options: string[]) =>
      longshore(['export', target, '--namespace', namespace.name, '--kubeconfig', kubeconfig, ...options]);

    await apply(1);
    await apply(2);
    const name = 'my-app-0e86b84b';
    expect(JSON.parse((await live(`taskdefinition/${name}`)).out)).toEqual(definition('v2'));
    // A revision is kept as the API server keeps the object: with defaults, and maybe without null.
    const first = JSON.parse((await live(`etd/${name}`, '--revision', '1')).out);
    expect(first).toMatchObject({
      family: 'My_App',
      networkMode: 'bridge',
      containerDefinitions: definition('v1').containerDefinitions,
    });
    expect(first.containerDefinitions[0].essential).toBe(true);
    await namespace.delete('taskdefinitions', name);
    expect(JSON.parse((await live('taskdefinitions.longshore.dev/My_App', '--revision', '2')).out)).toMatchObject({
      containerDefinitions: definition('v2').containerDefinitions,
    });
    expect(await live(`etd/${name}`)).toMatchObject({
      code: 1,
      err: expect.stringContaining(`is not in namespace ${namespace.name} of `),
    });
    expect(await live('etd/My_App', '--revision', '3')).toMatchObject({
      code: 1,
      err: `longshore: taskdefinition/My_App: revision 3 of family My_App is not in namespace ${namespace.name}\n`,
    });
  });
});
