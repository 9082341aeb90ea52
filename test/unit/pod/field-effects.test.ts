/** The support tables against the compiler: what is honoured changes the pod, what is ignored does not. */
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parseBatchJob } from '../../../src/api/batch-job.ts';
import { parseCluster } from '../../../src/api/cluster.ts';
import { parseTaskDefinition, type TaskDefinitionSpec } from '../../../src/api/task-definition.ts';
import { shapeOf } from '../../../src/aws-model/model.ts';
import { jobDefinition } from '../../../src/batch/job-definition.ts';
import { ALL_FEATURES, type ClusterFeatures } from '../../../src/pod/cluster-features.ts';
import { compileTemplate, type PodTemplate } from '../../../src/pod/compile.ts';
import { allFieldSupport, type FieldReport } from '../../../src/pod/field-support.ts';
import { BY_ITS_FIELDS, type Entry } from '../../../src/pod/support/entry.ts';
import { INPUTS, type Input } from '../../../src/pod/support/tables.ts';
import { CLUSTER_OF_EVERY_FIELD, EVERY_FIELD } from '../../support/every-field.ts';
import { EVERY_JOB_FIELD } from '../../support/every-job-field.ts';

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
  // The port of core Services says it.
  'spec.containerDefinitions[].portMappings[].appProtocol',
  // The grace period of the pod is the longest of its containers.
  'spec.containerDefinitions[].stopTimeout 60',
  // A pod has an IPC namespace, which its containers share.
  'spec.ipcMode "task"',
  'spec.ipcMode "none"',
  // privileged gives it all of them.
  'spec.containerDefinitions[].linuxParameters.devices [{"hostPath":"/dev/fuse"}]',
  'spec.ecsProperties.taskProperties[].containers[].linuxParameters.devices [{"hostPath":"/dev/fuse"}]',
  'spec.containerProperties.linuxParameters.devices [{"hostPath":"/dev/fuse"}]',
  'spec.ecsProperties.taskProperties[].containers[].stopTimeout 20',
  'spec.ecsProperties.taskProperties[].ipcMode "task"',
  'spec.ecsProperties.taskProperties[].ipcMode "none"',
  // An address of its own is what a job has without it.
  'spec.ecsProperties.taskProperties[].networkMode "awsvpc"',
  'spec.ecsProperties.taskProperties[].networkMode "bridge"',
  // It is for the tasks that come after the first of a deployment.
  'spec.containerDefinitions[].versionConsistency "enabled"',
  'spec.containerDefinitions[].versionConsistency "disabled"',
  // How often and how long a job is tried, and as how many.
  'spec.jobName',
  'spec.arrayProperties.size',
  'spec.retryStrategy.attempts',
  'spec.timeout.attemptDurationSeconds',
  // When it has its turn in its queue.
  'spec.jobQueue',
  'spec.shareIdentifier',
  'spec.schedulingPriority',
  'spec.schedulingPriorityOverride',
  // What it waits for.
  'spec.dependsOn[].jobId',
  'spec.dependsOn[].type',
  // The controller gives them to the tasks.
  'spec.tags',
  'spec.propagateTags',
  // The checks of the job; Fargate's are the task's size as well.
  'spec.platformCapabilities',
];

const WITHDRAWN = 'AWS no longer offers Elastic Inference';

const CLUSTERS: Readonly<Record<string, ClusterFeatures>> = {
  new: ALL_FEATURES,
  old: { podLevelResources: false, containerRestartRules: false },
};

/** A sample, as the tables and the compiler take it. */
interface Sample {
  readonly kind: keyof typeof INPUTS;
  readonly given: object;
  /** Throws where the schema refuses it. */
  readonly parse: (given: object) => object;
  readonly reports: (features: ClusterFeatures) => FieldReport[];
  readonly definition: (given: object) => TaskDefinitionSpec;
}

const samples: readonly Sample[] = [
  ...EVERY_FIELD.map(
    (given): Sample => ({
      kind: 'TaskDefinition',
      given,
      parse: parseTaskDefinition,
      reports: (features) => allFieldSupport('TaskDefinition', parseTaskDefinition(given), given, features),
      definition: parseTaskDefinition,
    }),
  ),
  ...EVERY_JOB_FIELD.map(
    (given): Sample => ({
      kind: 'BatchJob',
      given,
      parse: parseBatchJob,
      reports: (features) => allFieldSupport('BatchJob', parseBatchJob(given), given, features),
      definition: (other) => {
        const { kubernetes, ...job } = parseBatchJob(other);
        return { ...jobDefinition(job), kubernetes };
      },
    }),
  ),
];
const cluster = parseCluster(CLUSTER_OF_EVERY_FIELD);

const compile = (definition: TaskDefinitionSpec, features: ClusterFeatures): PodTemplate =>
  compileTemplate({ definition, family: 'web', features, cluster });

/** What runs; the annotations keep also what is ignored. */
const running = (definition: TaskDefinitionSpec, features: ClusterFeatures) => ({
  ...compile(definition, features),
  annotations: {},
});

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

/** The sample without the field or, where it says the same then or cannot be, with another value; if there is one. */
function withoutField({ given, parse }: Sample, path: string): object | undefined {
  return [changed(given, path, () => undefined), changed(given, path, another)].find((other) => {
    try {
      return !isDeepStrictEqual(parse(other), parse(given));
    } catch {
      return false;
    }
  });
}

const reports = Object.entries(CLUSTERS).flatMap(([kubernetes, features]) =>
  samples.flatMap((sample) =>
    sample.reports(features).map((report) => ({
      ...report,
      cluster: kubernetes,
      features,
      sample,
      kind: sample.kind,
      of: report.field.replaceAll(/\[\d+\]/g, '[]'),
      value: JSON.stringify(valueAt(sample.given, keysOf(report.field))),
    })),
  ),
);

describe('what the support table says of a field holds in the pod', () => {
  const distinct = new Map(
    reports
      .toReversed()
      .map((report) => [
        [report.kind, report.of, report.value, report.support, report.reason, report.cluster].join(' '),
        report,
      ]),
  );

  it.each([...distinct.values()])('$kind $of: $value is $support on a cluster that is $cluster', (report) => {
    const { field, of, value, support, sample, features } = report;
    if (ELSEWHERE.includes(of) || ELSEWHERE.includes(`${of} ${value}`)) return;
    const other = withoutField(sample, field);
    if (other === undefined) return;
    const [one, two] = [sample.given, other].map(sample.definition);
    if (one === undefined || two === undefined) throw new Error('two definitions are compared');
    if (support === 'Ignored') expect(running(one, features)).toEqual(running(two, features));
    else expect(compile(one, features)).not.toEqual(compile(two, features));
  });
});

/** Each field that is judged, with all its verdicts. */
function* judged(
  input: Input,
  structure: string,
  path: string,
): Generator<[path: string, entry: Exclude<Entry, typeof BY_ITS_FIELDS>]> {
  const { model, table } = input;
  for (const [name, { shape }] of Object.entries(shapeOf(model, structure).members ?? {})) {
    const entry = table[structure]?.[name];
    const here = `${path}.${name}`;
    if (entry === BY_ITS_FIELDS) {
      const { member } = shapeOf(model, shape);
      if (member === undefined) yield* judged(input, shape, here);
      else yield* judged(input, member.shape, `${here}[]`);
    } else if (entry !== undefined) yield [here, entry];
  }
}

describe.each(['TaskDefinition', 'BatchJob'] as const)('of each field of a %s', (kind) => {
  const input = INPUTS[kind];
  const fields = input.structures.flatMap((structure) => [...judged(input, structure, 'spec')]);

  it.each(fields)('%s each verdict is seen', (path, entry) => {
    const seen = reports.filter((report) => report.kind === kind && report.of === path);
    const verdicts = 'cases' in entry ? Object.entries(entry.cases) : [['always', entry] as const];
    for (const [name, { support, reason }] of verdicts) {
      // As AWS does, the schema refuses what it no longer offers.
      if (reason === WITHDRAWN) continue;
      const found = seen.some((report) => report.support === support && report.reason === reason);
      expect(found || support === 'Refused', `${support}: ${name}`).toBe(true);
    }
  });
});
