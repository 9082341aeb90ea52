import { describe, expect, it } from 'vitest';
import { KINDS } from '../../../dev/generate/kinds.ts';
import { type StructuralSchema, structuralSchema } from '../../../dev/generate/structural-schema.ts';
import { parseBatchJob } from '../../../src/api/batch-job.ts';
import { parseCluster } from '../../../src/api/cluster.ts';
import { parseComputeEnvironment } from '../../../src/api/compute-environment.ts';
import { parseJobQueue } from '../../../src/api/job-queue.ts';
import { InvalidSpecError, type SpecProblem } from '../../../src/api/parse.ts';
import { parseScheduledTask } from '../../../src/api/scheduled-task.ts';
import { parseService } from '../../../src/api/service.ts';
import { parseTargetGroup } from '../../../src/api/target-group.ts';
import { parseTask } from '../../../src/api/task.ts';
import { parseTaskDefinition } from '../../../src/api/task-definition.ts';
import { brokenFields, brokenRules } from './broken-rules.ts';
import { clusterSamples } from './cluster-samples.ts';
import { container, daemon, type SampleKind, samples, service, task, wordpress } from './samples.ts';
import { serviceDiscoverySamples } from './service-discovery-samples.ts';

const parsers = {
  TaskDefinition: parseTaskDefinition,
  Service: parseService,
  BatchJob: parseBatchJob,
  Task: parseTask,
  Cluster: parseCluster,
  TargetGroup: parseTargetGroup,
  ScheduledTask: parseScheduledTask,
  JobQueue: parseJobQueue,
  ComputeEnvironment: parseComputeEnvironment,
};

function problemsOf(parse: () => unknown): string {
  try {
    parse();
  } catch (error) {
    if (error instanceof InvalidSpecError) return error.message;
    throw error;
  }
  return '';
}

describe('a spec is checked where it enters', () => {
  for (const { title, kind, spec, refused } of [...samples, ...clusterSamples, ...serviceDiscoverySamples]) {
    it(`${kind}: ${refused === undefined ? 'accepts' : 'refuses'} ${title}`, () => {
      const message = problemsOf(() => parsers[kind](spec));
      if (refused === undefined) expect(message).toBe('');
      else for (const text of refused) expect(message).toContain(text);
    });
  }

  it('names every problem with its path, the value and what is allowed', () => {
    const message = problemsOf(() =>
      parseTaskDefinition({
        family: '',
        containerDefinitions: [container({ stopTimeout: 0 }), container({ cpu: 'x' })],
      }),
    );
    expect(message).toContain('spec.family: Too small');
    expect(message).toContain('spec.containerDefinitions[0].stopTimeout: Too small: expected number to be >=1, got 0');
    expect(message).toContain(
      'spec.containerDefinitions[1].cpu: Invalid input: expected number, received string, got "x"',
    );
  });

  it('names every rule that is broken, not only the first', () => {
    const message = problemsOf(() =>
      parseTaskDefinition({ containerDefinitions: [{ name: 'web', image: 'nginx', essential: false }] }),
    );
    expect(message).toContain("Task definition doesn't have any essential container.");
    expect(message).toContain("At least one of 'memory' or 'memoryReservation' must be specified.");
  });

  it('refuses what is no object', () => {
    expect(problemsOf(() => parseService(null))).toContain('spec: ');
    expect(problemsOf(() => parseService('web'))).toContain('spec: ');
    expect(problemsOf(() => parseService(undefined))).toContain('spec: Required value');
  });
});

function problemListOf(spec: unknown, kind: SampleKind = 'TaskDefinition'): readonly SpecProblem[] {
  try {
    parsers[kind](spec);
  } catch (error) {
    if (error instanceof InvalidSpecError) return error.problems;
    throw error;
  }
  return [];
}

interface RuleText {
  /** Where its problems are said to be. */
  readonly path: RegExp;
  readonly text: RegExp;
}

const literal = (part: string): string => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** All rules that the API server checks when an object is made. */
function rulesOf(
  { properties = {}, items, additionalProperties, ...schema }: StructuralSchema,
  at: string,
): RuleText[] {
  const found: unknown = schema['x-kubernetes-validations'];
  const rules = (Array.isArray(found) ? found : [])
    // A field's own, about null in place of one of its values, and those about a change.
    .filter(({ rule, message = '' }) => !message.startsWith('supported values') && !rule.includes('oldSelf'))
    .map(({ message, messageExpression = '', fieldPath = '' }): RuleText => {
      const [, format = '""'] = /("(?:[^"\\]|\\.)*")\.format\(/.exec(messageExpression) ?? [];
      const text: string = message ?? JSON.parse(format);
      return {
        path: new RegExp(`^${literal(at + fieldPath).replaceAll('\\[\\]', '\\[\\d+\\]')}$`),
        text: new RegExp(`^${text.split('%s').map(literal).join('.*')}$`),
      };
    });
  return [
    ...rules,
    ...Object.entries(properties).flatMap(([field, inner]) => rulesOf(inner, `${at}.${field}`)),
    ...(items === undefined ? [] : rulesOf(items, `${at}[]`)),
    ...(additionalProperties === undefined ? [] : rulesOf(additionalProperties, `${at}.*`)),
  ];
}

describe('a spec that breaks one rule', () => {
  it.each(brokenRules)('is refused with one problem: $kind $path: $message', ({ kind, spec, path, message }) => {
    expect(problemListOf(spec, kind)).toEqual([{ path, message }]);
  });

  it.each(brokenFields)('of a single field is refused with one problem, at $path', ({ spec, path }) => {
    expect(problemListOf(spec).map((problem) => problem.path)).toEqual([path]);
  });

  it.each(KINDS)('is there for each of the rules of $resource.kind', ({ resource, spec }) => {
    const rules = rulesOf(structuralSchema(spec, 'spec', { nullMeansAbsent: true }), 'spec');
    expect(rules).not.toEqual([]);
    const broken = brokenRules.filter(({ kind }) => kind === resource.kind);
    const unbroken = rules.filter(
      ({ path, text }) => !broken.some((one) => path.test(one.path) && text.test(one.message)),
    );
    expect(unbroken).toEqual([]);
  });
});

describe('what only the controller can find', () => {
  it('is a range of ports that overlaps a port of another container in awsvpc', () => {
    const [one, other] = ['80-90', '85-95'].map((containerPortRange) => ({ portMappings: [{ containerPortRange }] }));
    const spec = (fields: object) => ({
      containerDefinitions: [container({ name: 'a', ...one }), container({ name: 'b', ...other })],
      ...fields,
    });
    expect(problemListOf(spec({ networkMode: 'awsvpc' }))).toEqual([
      {
        path: 'spec.containerDefinitions',
        message: "TCP container port '85' is used multiple times in task when networkMode=awsvpc.",
      },
    ]);
    expect(problemListOf(spec({}))).toEqual([]);
  });

  it('is an expression that is not of the cluster query language', () => {
    expect(
      problemListOf(task({ placementConstraints: [{ type: 'memberOf', expression: 'attribute:a = b' }] })),
    ).toEqual([
      {
        path: 'spec.placementConstraints[0].expression',
        message:
          'column 13: expected an operator for attribute:a, one of == != > >= < <= =~ !~ in !in exists !exists, got "=" in the expression "attribute:a = b"',
      },
    ]);
  });

  it('is a definition of more than 64 KiB', () => {
    const sized = (length: number) => task({ containerDefinitions: [container({ command: ['x'.repeat(length)] })] });
    expect(problemListOf(sized(65_000))).toEqual([]);
    const [problem] = problemListOf(sized(65_500));
    expect(problem?.path).toBe('spec');
    expect(problem?.message).toMatch(/^Actual length: '65\d{3}'. Max allowed length is '65536' bytes\.$/);
  });
});

describe('cycles, which CEL cannot find, are refused', () => {
  const cyclic = (first: object, second: object) =>
    problemsOf(() =>
      parseTaskDefinition({
        containerDefinitions: [container({ name: 'a', ...first }), container({ name: 'b', ...second })],
      }),
    );

  it.each([
    [
      'dependsOn',
      { dependsOn: [{ containerName: 'b', condition: 'START' }] },
      { dependsOn: [{ containerName: 'a', condition: 'START' }] },
    ],
    ['volumesFrom and links', { volumesFrom: [{ sourceContainer: 'b' }] }, { links: ['a'] }],
  ])('over %s', (_, first, second) => {
    expect(cyclic(first, second)).toContain('containers wait for each other in a cycle: a → b → a');
  });

  it("over links alone in AWS's words", () => {
    expect(cyclic({ links: ['b:x'] }, { links: ['a'] })).toBe(
      'spec.containerDefinitions: Container links should not have a cycle: a → b → a',
    );
  });

  it('but not a diamond', () => {
    const waits = (...names: string[]) => ({
      dependsOn: names.map((containerName) => ({ containerName, condition: 'START' })),
    });
    const definitions = [
      container({ name: 'a', ...waits('b', 'c') }),
      container({ name: 'b', ...waits('d') }),
      container({ name: 'c', ...waits('d') }),
      container({ name: 'd' }),
    ];
    expect(problemsOf(() => parseTaskDefinition({ containerDefinitions: definitions }))).toBe('');
  });
});

describe('what was parsed can be trusted', () => {
  it('has the defaults of AWS and no null', () => {
    const [web] = parseTaskDefinition(
      task({
        containerDefinitions: [container({ essential: null, ulimits: null, healthCheck: { command: ['CMD', 'x'] } })],
      }),
    ).containerDefinitions;
    expect(web).toMatchObject({
      essential: true,
      cpu: 0,
      stopTimeout: 30,
      ulimits: [],
      command: [],
      privileged: false,
      healthCheck: { interval: 30, timeout: 5, retries: 3, startPeriod: 0 },
    });
    expect(parseTaskDefinition(task()).networkMode).toBe('bridge');
    expect(parseService(service({ deploymentConfiguration: null }))).toMatchObject({
      schedulingStrategy: 'REPLICA',
      deploymentConfiguration: { minimumHealthyPercent: 100, maximumPercent: 200 },
      healthCheckGracePeriodSeconds: 0,
    });
    expect(parseService(daemon()).deploymentConfiguration).toMatchObject({
      minimumHealthyPercent: 0,
      maximumPercent: 100,
    });
    expect(parseBatchJob({ taskDefinition: 'sum' }).retryStrategy).toEqual({ evaluateOnExit: [] });
  });

  it('parses to itself again', () => {
    const once = parseTaskDefinition(wordpress);
    expect(parseTaskDefinition(once)).toEqual(once);
  });

  it('keeps the names of AWS', () => {
    expect(parseTaskDefinition(wordpress).family).toBe('hello_world');
  });
});
