/** The support table against the compiler: what is honoured changes the pod, what is ignored does not. */
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parseTaskDefinition, type TaskDefinitionSpec } from '../../../src/api/task-definition.ts';
import { shapeOf } from '../../../src/aws-model/model.ts';
import { ALL_FEATURES, type ClusterFeatures } from '../../../src/pod/cluster-features.ts';
import { compileTemplate, type PodTemplate } from '../../../src/pod/compile.ts';
import { allFieldSupport } from '../../../src/pod/field-support.ts';
import { BY_ITS_FIELDS, type Entry } from '../../../src/pod/support/entry.ts';
import { INPUTS } from '../../../src/pod/support/tables.ts';
import { EVERY_FIELD } from '../../support/every-field.ts';

/** Honoured by something else than the pod, with the value where not every one is. */
const ELSEWHERE = [
  // The controller names revisions by it.
  'spec.family',
  // The checks of the definition.
  'spec.requiresCompatibilities',
  // The task has an address of its own, where all ports are open.
  'spec.containerDefinitions[].portMappings[].hostPort 0',
  'spec.containerDefinitions[].portMappings[].containerPortRange',
  // That of containerPort, with awsvpc.
  'spec.containerDefinitions[].portMappings[].hostPort 80',
  // The grace period of the pod is the longest of its containers.
  'spec.containerDefinitions[].stopTimeout 60',
  // A pod has an IPC namespace, which its containers share.
  'spec.ipcMode "task"',
  'spec.ipcMode "none"',
  // privileged gives it all of them.
  'spec.containerDefinitions[].linuxParameters.devices [{"hostPath":"/dev/fuse"}]',
  // So it is anyway.
  'spec.containerDefinitions[].versionConsistency "disabled"',
];

const CLUSTERS: Readonly<Record<string, ClusterFeatures>> = {
  new: ALL_FEATURES,
  old: { podLevelResources: false, containerRestartRules: false },
};

const compile = (definition: TaskDefinitionSpec, features: ClusterFeatures): PodTemplate =>
  compileTemplate({ definition, family: 'web', features });

/** What runs; the annotations keep also what is ignored. */
const running = (definition: TaskDefinitionSpec, features: ClusterFeatures) => ({
  ...compile(definition, features),
  annotations: {},
});

const parsed = (given: object): TaskDefinitionSpec | undefined => {
  try {
    return parseTaskDefinition(given);
  } catch {
    return undefined;
  }
};

const keysOf = (path: string): string[] => path.replace(/^spec\./, '').split(/[.[\]]+/);

const valueAt = (given: object, keys: readonly string[]): unknown =>
  keys.reduce<unknown>((at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined), given);

function changed(given: object, path: string, change: (value: unknown) => unknown): object {
  const copy = structuredClone(given);
  const keys = keysOf(path);
  const last = keys.pop() ?? '';
  const holder = valueAt(copy, keys);
  if (typeof holder !== 'object' || holder === null) throw new Error(`nothing holds ${path}`);
  const value = change(Reflect.get(holder, last));
  if (value === undefined) Reflect.deleteProperty(holder, last);
  else Reflect.set(holder, last, value);
  return copy;
}

const another = (value: unknown): unknown => {
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'string') return `${value}1`;
  return undefined;
};

/** The definition without the field or, where it says the same then or cannot be, with another value; if there is one. */
function withoutField(given: object, path: string): TaskDefinitionSpec | undefined {
  const definition = parseTaskDefinition(given);
  return [changed(given, path, () => undefined), changed(given, path, another)]
    .map(parsed)
    .find((other) => other !== undefined && !isDeepStrictEqual(other, definition));
}

const reports = Object.entries(CLUSTERS).flatMap(([cluster, features]) =>
  EVERY_FIELD.flatMap((given) =>
    allFieldSupport('TaskDefinition', parseTaskDefinition(given), given, features).map((report) => ({
      ...report,
      cluster,
      features,
      given,
      of: report.field.replaceAll(/\[\d+\]/g, '[]'),
      value: JSON.stringify(valueAt(given, keysOf(report.field))),
    })),
  ),
);

describe('what the support table says of a field holds in the pod', () => {
  const distinct = new Map(
    reports
      .toReversed()
      .map((report) => [`${report.of} ${report.value} ${report.support} ${report.reason} ${report.cluster}`, report]),
  );

  it.each([...distinct.values()])('$of: $value is $support on a cluster that is $cluster', (report) => {
    const { field, of, value, support, given, features } = report;
    if (ELSEWHERE.includes(of) || ELSEWHERE.includes(`${of} ${value}`)) return;
    const other = withoutField(given, field);
    if (other === undefined) return;
    const definition = parseTaskDefinition(given);
    if (support === 'Ignored') expect(running(definition, features)).toEqual(running(other, features));
    else expect(compile(definition, features)).not.toEqual(compile(other, features));
  });
});

/** Each field that is judged, with all its verdicts. */
function* judged(
  structure: string,
  path: string,
): Generator<[path: string, entry: Exclude<Entry, typeof BY_ITS_FIELDS>]> {
  const { model, table } = INPUTS.TaskDefinition;
  for (const [name, { shape }] of Object.entries(shapeOf(model, structure).members ?? {})) {
    const entry = table[structure]?.[name];
    const here = `${path}.${name}`;
    if (entry === BY_ITS_FIELDS) {
      const { member } = shapeOf(model, shape);
      if (member === undefined) yield* judged(shape, here);
      else yield* judged(member.shape, `${here}[]`);
    } else if (entry !== undefined) yield [here, entry];
  }
}

it.each([...judged('RegisterTaskDefinitionRequest', 'spec')])('%s: each of its verdicts is seen', (path, entry) => {
  const seen = reports.filter(({ of }) => of === path);
  const verdicts = 'cases' in entry ? Object.entries(entry.cases) : [['always', entry] as const];
  for (const [name, { support, reason }] of verdicts) {
    const found = seen.some((report) => report.support === support && report.reason === reason);
    expect(found, `${support}: ${name}`).toBe(true);
  }
});
