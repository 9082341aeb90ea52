/** Manifests that the API server refuses, at least one for each way in which it does. */
import { container, job, type SampleKind, service, task } from '../api/samples.ts';

export interface WrongManifest {
  readonly title: string;
  readonly kind: SampleKind;
  readonly spec: unknown;
  readonly metadata?: object;
  /** Fields beside spec. */
  readonly more?: object;
  /** Refused before its fields are looked at: kubectl words it in its own way. */
  readonly undecodable?: true;
}

type Fields = Record<string, unknown>;

const containers = (...definitions: unknown[]): Fields => task({ containerDefinitions: definitions });
const withPort = (port: unknown): Fields => containers(container({ portMappings: [port] }));
const properties = (fields: Fields): Fields =>
  job({ containerProperties: { image: 'busybox', vcpus: 1, memory: 64, ...fields } });
const definition = (title: string, spec: unknown): WrongManifest => ({ title, kind: 'TaskDefinition', spec });
const named = (title: string, metadata: object): WrongManifest => ({
  title,
  kind: 'TaskDefinition',
  spec: task(),
  metadata,
});

export const wrongManifests: readonly WrongManifest[] = [
  // Fields that are not there.
  definition('a field that no schema has', task({ networkmode: 'host' })),
  definition('fields that no schema has, in several places', {
    ...containers(container({ esential: true, healthCheck: { comand: [] } })),
    Family: 'x',
  }),
  { ...definition('a field beside spec', task()), more: { data: {}, spce: {} } },
  { ...definition('a field of status', task()), more: { status: { nothing: 1, conditions: [{ colour: 'red' }] } } },
  named('a field of metadata', { label: { a: 'b' } }),
  definition('unknown fields and wrong values at once', {
    ...withPort({ containerport: 80, hostPort: 'x' }),
    memory: 5,
  }),

  // Required fields.
  definition('nothing in spec', {}),
  definition('null for spec', null),
  definition('no name of a container', containers({ image: 'nginx', memory: 128 })),
  definition('null for a required field', containers(container({ image: null }))),
  { title: 'no task definition', kind: 'Service', spec: { desiredCount: 1 } },
  { ...definition('no spec', undefined) },
  { title: 'several required fields', kind: 'BatchJob', spec: properties({ volumes: [{}], mountPoints: [{}] }) },

  // Types.
  definition('a number for a text', task({ family: 7 })),
  definition('a text for a whole number', withPort({ containerPort: '80' })),
  definition('a fraction for a whole number', withPort({ containerPort: 80.5 })),
  definition('a text for a switch', containers(container({ essential: 'yes' }))),
  definition('a switch for a text', containers(container({ image: true }))),
  definition('an object for a list', task({ volumes: {} })),
  definition('a list for an object', containers(container({ healthCheck: [] }))),
  definition('a text for a list', containers(container({ command: 'sh' }))),
  definition('a text for an item that is an object', containers('nginx')),
  definition('a list of lists', containers([container()])),
  definition('null in a list of texts', containers(container({ command: ['a', null] }))),
  definition('null in a list of objects', containers(container(), null)),
  definition('a number in a map of texts', containers(container({ dockerLabels: { a: 1, 'b.c/d': 'x' } }))),
  definition('a text for spec', 'spec'),
  { title: 'a list for spec', kind: 'Service', spec: [1] },
  { title: 'a text for the count', kind: 'Service', spec: service({ desiredCount: 'two' }) },

  // Values.
  definition('a value that is not allowed', task({ networkMode: 'vpc' })),
  definition('a number for one of several texts', task({ networkMode: 3 })),
  definition('a value that is not allowed in a list', task({ requiresCompatibilities: ['EC2', 'Fargate'] })),
  definition('a text that does not fit the pattern', task({ family: 'a b' })),
  definition('a text with signs that messages escape', task({ family: 'a"\\\n\t<&>é\u0001\u2028😀' })),
  definition('an empty text', task({ family: '' })),
  definition('a text that is too long', task({ family: 'f'.repeat(256) })),
  definition('a number that is too small', withPort({ containerPort: 0 })),
  definition('a number that is too big', withPort({ containerPort: 65536 })),
  definition('a number beyond 32 bits', withPort({ containerPort: 3_000_000_000 })),
  definition('a number beyond 64 bits', withPort({ containerPort: 1e20 })),
  { title: 'a count below 0', kind: 'Service', spec: service({ desiredCount: -1 }) },
  { title: 'a count beyond 32 bits', kind: 'Service', spec: service({ desiredCount: 3_000_000_000 }) },
  { title: 'half a task', kind: 'Service', spec: service({ desiredCount: 1.5 }) },
  definition('too few items', containers()),
  definition(
    'too many items',
    containers(...Array.from({ length: 11 }, (_, index) => container({ name: `c${index}` }))),
  ),
  definition(
    'too many keys',
    containers(
      container({ dockerLabels: Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`k${index}`, 'v'])) }),
    ),
  ),
  definition('two items of one key, three times', containers(container(), container(), container())),
  definition('two of each key', {
    ...containers(container(), container()),
    volumes: [{ name: 'a' }, { name: 'b' }, { name: 'b' }],
  }),

  // Rules.
  definition('a rule on a field', containers(container({ essential: false }))),
  definition('a rule with a text of its own', containers({ name: 'web', image: 'nginx' })),
  definition('a rule on a later item', containers(container(), { name: 'side', image: 'nginx' })),
  definition('a rule on a text', task({ tags: [{ key: 'aws:x', value: 'y' }] })),
  definition('a rule on a map', task({ kubernetes: { podLabels: { 'longshore.dev/task': 'x' } } })),
  definition('several rules', {
    networkMode: 'awsvpc',
    containerDefinitions: [container({ links: ['db'], portMappings: [{ containerPort: 80, hostPort: 81 }] })],
  }),
  definition('rules that are not checked while a value is not allowed', {
    ...containers(container({ essential: false })),
    networkMode: 'vpc',
  }),
  definition('rules that are checked although a text does not fit', {
    ...containers(container({ essential: false })),
    family: 'a b',
  }),
  {
    title: 'a rule on an object',
    kind: 'Service',
    spec: service({ deploymentConfiguration: { maximumPercent: 100, minimumHealthyPercent: 100 } }),
  },
  { title: 'a rule on spec', kind: 'BatchJob', spec: {} },
  { title: 'rules on two levels', kind: 'BatchJob', spec: properties({ memory: null, vcpus: null }) },
  {
    title: 'a rule on items of a list',
    kind: 'BatchJob',
    spec: properties({ resourceRequirements: [{ type: 'GPU', value: 'one' }], environment: [{ name: 'AWS_BATCH_X' }] }),
  },

  // Names.
  named('a name with an underscore', { name: 'my_app' }),
  named('a name that is too long', { name: 'n'.repeat(254) }),
  named('a name with capitals and dots', { name: 'Web.-x' }),
  named('a label that is none', { labels: { 'a b': 'x', 'a/b/c': 'y', '/d': 'z', e: 'f g' } }),
  named('labels that are too long', { labels: { ['k'.repeat(64)]: 'v'.repeat(64) } }),
  named('an annotation that is none', { annotations: { 'A_B/c': 'x', 'd e': 'y' } }),
  named('a finalizer that is none', { finalizers: ['a b'] }),
  { ...named('a number for a label', { labels: { a: 1 } }), undecodable: true },
  { ...named('a list for labels', { labels: ['a'] }), undecodable: true },
];

/** The manifest as an object. */
export const objectOf = ({ kind, spec, metadata, more }: WrongManifest) => ({
  apiVersion: 'longshore.dev/v1alpha1',
  kind,
  metadata: {
    name: 'sample',
    ...(kind !== 'ComputeEnvironment' && { namespace: 'default' }),
    ...metadata,
  } as { readonly name: string },
  ...(spec !== undefined && { spec }),
  ...more,
});
