/** What AWS's documented placement examples ask of the scheduler of Kubernetes, or why they cannot be kept. */
import type { V1PodAffinityTerm, V1PodSpec } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { uniqueDnsName } from '../../src/api/names.ts';
import { parseService } from '../../src/api/service.ts';
import { parseTaskDefinition } from '../../src/api/task-definition.ts';
import { compileTemplate } from '../../src/pod/compile.ts';
import type { TaskPlacement } from '../../src/pod/placement.ts';

const LANGUAGE = 'developer guide, cluster-query-language.md';
const CONSTRAINTS = 'developer guide, task-placement-constraints.md';
const STRATEGIES = 'developer guide, task-placement-strategies.md';

interface Asked {
  readonly nodes?: string;
  readonly near?: string;
  readonly apart?: string;
  readonly spread?: readonly string[];
  readonly refused?: string;
}

const placedBy = (fields: object, { zones = true, binpackScheduler }: Partial<TaskPlacement> = {}) => {
  const { placementConstraints, placementStrategy, kubernetes } = parseService({
    taskDefinition: 'web:1',
    desiredCount: 1,
    ...fields,
  });
  return compileTemplate({
    definition: parseTaskDefinition({ containerDefinitions: [{ name: 'web', image: 'nginx', memory: 64 }] }),
    family: 'web',
    placement: {
      group: 'service:web',
      among: { deployment: '1' },
      placementConstraints,
      placementStrategy,
      zones,
      binpackScheduler,
    },
    kubernetes,
  });
};

const groups = (terms: readonly V1PodAffinityTerm[] = []) =>
  terms.map(({ labelSelector }) => labelSelector?.matchExpressions?.[0]?.values?.join(' ')).join(', ');

function askedOf({ affinity = {}, topologySpreadConstraints = [] }: V1PodSpec): Asked {
  const terms = affinity.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const nodes = terms.map(({ matchExpressions = [] }) =>
    matchExpressions.map(({ key, operator, values = [] }) => [key, operator, ...values].join(' ')).join(', '),
  );
  const near = groups(affinity.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution);
  const apart = groups(affinity.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution);
  return {
    ...(nodes.length > 0 && { nodes: nodes.join(' or ') }),
    ...(near !== '' && { near }),
    ...(apart !== '' && { apart }),
    spread: topologySpreadConstraints.map(({ topologyKey }) => topologyKey),
  };
}

const TYPE = 'node.kubernetes.io/instance-type';
const ZONE = 'topology.kubernetes.io/zone';
const HOST = 'kubernetes.io/hostname';

describe('an expression of memberOf', () => {
  it.each<[expression: string, source: string, asked: Asked]>([
    ['attribute:ecs.instance-type == t2.small', LANGUAGE, { nodes: `${TYPE} In t2.small` }],
    [
      'attribute:ecs.availability-zone in [us-east-1a, us-east-1b]',
      LANGUAGE,
      { nodes: `${ZONE} In us-east-1a us-east-1b` },
    ],
    [
      'attribute:ecs.instance-type =~ g2.* and attribute:ecs.availability-zone != us-east-1d',
      LANGUAGE,
      { refused: 'the pattern stands for more than can be listed' },
    ],
    ['task:group == service:production', LANGUAGE, { near: uniqueDnsName('service:production') }],
    ['not(task:group == database)', LANGUAGE, { apart: 'database' }],
    ['runningTasksCount == 1', LANGUAGE, { refused: 'the scheduler does not count tasks' }],
    ['agentVersion < 1.14.5', LANGUAGE, { refused: 'nodes have no agent of ECS' }],
    ['registeredAt < 2018-02-13', LANGUAGE, { refused: 'the scheduler does not look at the age of a node' }],
    ["ec2InstanceId in ['i-abcd1234', 'i-wxyx7890']", LANGUAGE, { refused: 'nodes have names of their own' }],
    ['attribute:stack == prod', CONSTRAINTS, { nodes: 'stack In prod' }],
    ['attribute:stack != prod', CONSTRAINTS, { nodes: 'stack Exists, stack NotIn prod' }],
    ['attribute:ecs.instance-type in [t2.small, t2.medium]', CONSTRAINTS, { nodes: `${TYPE} In t2.small t2.medium` }],
    [
      'attribute:ecs.instance-type =~ t2.* and attribute:ecs.availability-zone == us-east-1a',
      CONSTRAINTS,
      { refused: 'the pattern stands for more than can be listed' },
    ],
    ['task:group == databases', CONSTRAINTS, { near: 'databases' }],
    ['attribute:retiring != true', 'aws/containers-roadmap#486', { nodes: 'retiring Exists, retiring NotIn true' }],
  ])('%s (%s)', (expression, _source, { refused, ...asked }) => {
    const { spec, problems } = placedBy({ placementConstraints: [{ type: 'memberOf', expression }] });
    if (refused === undefined) expect(askedOf(spec)).toEqual({ ...asked, spread: [ZONE, HOST] });
    else {
      expect(problems).toEqual([
        { reason: 'PlacementNotSupported', message: expect.stringContaining(refused), blocks: true },
      ]);
    }
    expect(problems).toHaveLength(refused === undefined ? 0 : 1);
  });
});

it(`distinctInstance keeps the tasks of the service apart (${CONSTRAINTS})`, () => {
  const { spec, labels } = placedBy({ placementConstraints: [{ type: 'distinctInstance' }] });
  expect(askedOf(spec).apart).toBe(labels['longshore.dev/group']);
});

describe('a strategy', () => {
  const zone = { type: 'spread', field: 'attribute:ecs.availability-zone' };
  it.each<[strategies: object[], source: string, keys: string[]]>([
    [[zone], STRATEGIES, [ZONE]],
    [[{ type: 'spread', field: 'instanceId' }], STRATEGIES, [HOST]],
    [[{ type: 'spread', field: 'host' }], STRATEGIES, [HOST]],
    [[{ type: 'binpack', field: 'memory' }], STRATEGIES, []],
    [[{ type: 'random' }], STRATEGIES, []],
    [[zone, { type: 'spread', field: 'instanceId' }], STRATEGIES, [ZONE, HOST]],
    [[zone, { type: 'binpack', field: 'memory' }], STRATEGIES, [ZONE]],
    [[{ type: 'spread', field: 'attribute:rack' }, zone], STRATEGIES, ['rack', ZONE]],
    [[], 'developer guide, service_definition_parameters.md', [ZONE, HOST]],
  ])('%j (%s) spreads over %j', (placementStrategy, _source, keys) => {
    const { spec, problems } = placedBy({ placementStrategy });
    expect({ asked: askedOf(spec), problems }).toEqual({ asked: { spread: keys }, problems: [] });
  });

  it('is best effort, and looks at the tasks of its deployment that are to run', () => {
    expect(placedBy({ placementStrategy: [zone] }).spec.topologySpreadConstraints).toEqual([
      {
        maxSkew: 1,
        topologyKey: ZONE,
        whenUnsatisfiable: 'ScheduleAnyway',
        nodeTaintsPolicy: 'Honor',
        labelSelector: {
          matchLabels: { deployment: '1' },
          matchExpressions: [{ key: 'longshore.dev/stopped', operator: 'DoesNotExist' }],
        },
      },
    ]);
  });

  it('of binpack takes the scheduler for it, the first where there are several, unless another is named', () => {
    const placementStrategy = [zone, { type: 'binpack', field: 'MEMORY' }, { type: 'binpack', field: 'cpu' }];
    const schedulerOf = (fields: object, name?: string) =>
      placedBy(fields, { binpackScheduler: name }).spec.schedulerName;
    expect(schedulerOf({ placementStrategy }, 'binpack')).toBe('binpack-memory');
    expect(schedulerOf({ placementStrategy })).toBeUndefined();
    expect(schedulerOf({ placementStrategy: [zone] }, 'binpack')).toBeUndefined();
    expect(schedulerOf({ placementStrategy, kubernetes: { schedulerName: 'own' } }, 'binpack')).toBe('own');
  });

  it('spreads over the nodes alone where they have no zones', () => {
    const keys = (placementStrategy: object[]) =>
      askedOf(placedBy({ placementStrategy }, { zones: false }).spec).spread;
    expect(keys([])).toEqual([HOST]);
    expect(keys([zone, { type: 'spread', field: 'instanceId' }])).toEqual([HOST]);
    expect(keys([zone])).toEqual([]);
  });

  it('over what no label can be is refused', () => {
    const { problems } = placedBy({ placementStrategy: [zone, { type: 'spread', field: 'attribute:a\\b' }] });
    expect(problems.map(({ message }) => message)).toEqual([
      'spec.placementStrategy[1].field: no label of a node can have the name "a\\b"',
    ]);
  });
});
