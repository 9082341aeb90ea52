import type { V1Affinity, V1NodeSelectorRequirement, V1PodAffinityTerm } from '@kubernetes/client-node';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClusterQuery, Comparison } from '../../../src/api/cluster-query.ts';
import { parseClusterQuery, printClusterQuery } from '../../../src/api/cluster-query.ts';
import { valuesOfPattern } from '../../../src/pod/finite-pattern.ts';
import { compileConstraints } from '../../../src/pod/placement-constraints.ts';
import { queryOf } from '../../support/arbitrary-cluster-query.ts';

const GROUP = 'service:web';
const compiled = (...expressions: string[]) =>
  compileConstraints({
    definition: [],
    owner: expressions.map((expression) => ({ type: 'memberOf', expression })),
    group: GROUP,
  });

/** What the scheduler asks of nodes, alternatives joined by `or`. */
const nodesOf = (...expressions: string[]): string => {
  const { affinity, problems } = compiled(...expressions);
  if (problems.length > 0) return problems.join('\n');
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const text = ({ key, operator, values = [] }: V1NodeSelectorRequirement): string =>
    [key, operator, ...values].join(' ');
  return terms.map(({ matchExpressions = [] }) => matchExpressions.map(text).join(', ')).join(' or ');
};

describe('an expression about attributes', () => {
  it.each([
    ['attribute:stack == prod', 'stack In prod'],
    ['attribute:stack != prod', 'stack Exists, stack NotIn prod'],
    ['not attribute:stack == prod', 'stack NotIn prod'],
    ['not attribute:stack != prod', 'stack DoesNotExist or stack In prod'],
    ['attribute:stack in [prod, test]', 'stack In prod test'],
    ['attribute:stack !in [prod, test]', 'stack Exists, stack NotIn prod test'],
    ['attribute:stack exists', 'stack Exists'],
    ['attribute:stack !exists', 'stack DoesNotExist'],
    ['not attribute:stack exists', 'stack DoesNotExist'],
    ['attribute:disks > 2', 'disks Gt 2'],
    ['attribute:disks >= 2', 'disks Gt 1'],
    ['attribute:disks < 2', 'disks Lt 2'],
    ['attribute:disks <= 2', 'disks Lt 3'],
    ['not attribute:disks > 2', 'disks DoesNotExist or disks Lt 3'],
    ['attribute:a exists and (attribute:b exists or attribute:c exists)', 'a Exists, b Exists or a Exists, c Exists'],
    ['attribute:a exists or attribute:a exists', 'a Exists'],
    ['attribute:ecs.instance-type =~ t2\\.(micro|small)', 'node.kubernetes.io/instance-type In t2.micro t2.small'],
    [
      'attribute:ecs.availability-zone !~ us-east-1[ab]',
      'topology.kubernetes.io/zone Exists, topology.kubernetes.io/zone NotIn us-east-1a us-east-1b',
    ],
    ['attribute:ecs.os-type == windows', 'kubernetes.io/os In windows'],
    ['attribute:ecs.os-family == WINDOWS_SERVER_2022_CORE', 'node.kubernetes.io/windows-build In 10.0.20348'],
    [
      'attribute:ecs.os-family not_in [LINUX, WINDOWS_SERVER_2019_FULL]',
      'kubernetes.io/os Exists, kubernetes.io/os NotIn linux, node.kubernetes.io/windows-build NotIn 10.0.17763',
    ],
    ['attribute:ecs.cpu-architecture in [x86_64, arm64]', 'kubernetes.io/arch In amd64 arm64'],
    ['attribute:ecs.subnet-id == subnet-1', 'ecs.subnet-id In subnet-1'],
    ['attribute:example.com/rack == r1', 'example.com/rack In r1'],
    ['agentConnected == true and attribute:a exists', 'a Exists'],
    ['agentConnected in [true, false]', ''],
  ])('%s asks for nodes with %s', (expression, expected) => {
    expect(nodesOf(expression)).toBe(expected);
  });

  const kept = 'cannot be kept on Kubernetes:';
  it.each([
    [
      'registeredAt < 2018-02-13',
      `${kept} registeredAt: the scheduler does not look at the age of a node; label the nodes, and use attribute:NAME`,
    ],
    [
      'agentVersion < 1.14.5',
      `${kept} agentVersion: nodes have no agent of ECS; label the nodes, and use attribute:NAME`,
    ],
    [
      'ec2InstanceId == i-1',
      `${kept} ec2InstanceId: nodes have names of their own; use attribute:kubernetes.io/hostname`,
    ],
    [
      'runningTasksCount == 1',
      `${kept} runningTasksCount: the scheduler does not count tasks; use a placementStrategy, distinctInstance or not (task:group == NAME)`,
    ],
    [
      'task:group != x',
      `${kept} task:group !=: a node may have tasks of many groups, and AWS does not say which counts; use task:group == NAME or not (task:group == NAME)`,
    ],
    [
      'attribute:a == b or task:group == x',
      `${kept} the scheduler knows no "or" between task:group and another condition; write it as constraints of their own, which are joined by "and"`,
    ],
    [
      'not (task:group == x and task:group == y)',
      `${kept} the scheduler knows no "or" between task:group and another condition; write it as constraints of their own, which are joined by "and"`,
    ],
    [
      'attribute:ecs.instance-type =~ t2.*',
      `${kept} attribute:ecs.instance-type =~ t2.*: the scheduler compares whole values, and the pattern stands for more than can be listed; name the values with in [...], or label the nodes and use ==`,
    ],
    [
      "attribute:a == 'two words'",
      `${kept} attribute:a: no node can have the value "two words" as a label; a value has at most 63 letters, digits, - _ and .`,
    ],
    [
      'attribute:a\\b == c',
      `${kept} attribute:a\\b: no label of a node can have that name; a label has at most 63 letters, digits, - _ and . behind an optional DNS name and /`,
    ],
    [
      'attribute:disks > 2.5',
      `${kept} attribute:disks > 2.5: the scheduler compares whole numbers only; name the values with in [...]`,
    ],
  ])('%s is refused with the reason', (expression, reason) => {
    expect(nodesOf(expression)).toBe(`spec.placementConstraints[0].expression: "${expression}" ${reason}`);
  });

  it('that no node can match is refused', () => {
    expect(nodesOf('agentConnected == false')).toBe('spec.placementConstraints: no node can match');
  });

  it('has a bound on its alternatives, and is not even tried beyond it', () => {
    const either = (count: number) =>
      Array.from({ length: count }, (_, index) => `(attribute:a${index} exists or attribute:b${index} exists)`);
    expect(nodesOf(either(6).join(' and ')).split(' or ')).toHaveLength(64);
    const refused =
      'spec.placementConstraints: more than 64 alternatives of nodes; write them with in [...], which is one';
    expect(nodesOf(either(7).join(' and '))).toBe(refused);
    expect(nodesOf(either(40).join(' and '))).toBe(refused);
    // Of several constraints together as well.
    expect(nodesOf(...either(7))).toBe(refused);
  });
});

describe('all constraints of a task', () => {
  it('are kept together, those of its definition included', () => {
    const { affinity } = compileConstraints({
      definition: [{ type: 'memberOf', expression: 'attribute:a exists' }],
      owner: [{ type: 'memberOf', expression: 'attribute:b exists' }],
      group: GROUP,
    });
    expect(affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution).toEqual({
      nodeSelectorTerms: [
        {
          matchExpressions: [
            { key: 'a', operator: 'Exists' },
            { key: 'b', operator: 'Exists' },
          ],
        },
      ],
    });
  });

  it('are ten at most in sum', () => {
    const constraint = { type: 'memberOf', expression: 'attribute:a exists' } as const;
    const some = (count: number) => Array.from({ length: count }, () => constraint);
    expect(compileConstraints({ definition: some(4), owner: some(6), group: GROUP }).problems).toEqual([]);
    expect(compileConstraints({ definition: some(5), owner: some(6), group: GROUP }).problems).toEqual([
      'spec.placementConstraints: a task has at most 10 constraints, those of its task definition included; got 11',
    ]);
  });

  it('say whose they are where one cannot be kept', () => {
    const constraint = { type: 'memberOf', expression: 'runningTasksCount == 1' } as const;
    const { problems } = compileConstraints({ definition: [constraint], owner: [constraint], group: GROUP });
    expect(problems.map((problem) => problem.split(': ')[0])).toEqual([
      'spec.placementConstraints[0].expression of the task definition',
      'spec.placementConstraints[0].expression',
    ]);
  });
});

describe('task groups', () => {
  const term = (...values: string[]) => ({
    topologyKey: 'kubernetes.io/hostname',
    labelSelector: {
      matchExpressions: [
        { key: 'longshore.dev/group', operator: 'In', values },
        { key: 'longshore.dev/stopped', operator: 'DoesNotExist' },
      ],
    },
  });
  const required = (...terms: V1PodAffinityTerm[]) => ({ requiredDuringSchedulingIgnoredDuringExecution: terms });

  it.each<[string, V1Affinity]>([
    ['task:group == databases', { podAffinity: required(term('databases')) }],
    ['not (task:group == databases)', { podAntiAffinity: required(term('databases')) }],
    ['task:group == a or task:group in [b, a]', { podAffinity: required(term('a', 'b')) }],
    [
      'task:group == a and not task:group in [b, c]',
      { podAffinity: required(term('a')), podAntiAffinity: required(term('b', 'c')) },
    ],
    ['not (task:group == a or task:group == b)', { podAntiAffinity: required(term('a'), term('b')) }],
  ])('%s is affinity to pods', (expression, affinity) => {
    expect(compiled(expression)).toEqual({ affinity, problems: [] });
  });

  it('have a label of their own for each name', () => {
    const [web, other] = ['service:web', 'service-web'].map((group) =>
      JSON.stringify(compiled(`task:group == ${group}`).affinity),
    );
    expect(web).not.toBe(other);
  });

  it('keep apart with distinctInstance', () => {
    const constraint = { type: 'distinctInstance' } as const;
    const { affinity } = compileConstraints({ definition: [], owner: [constraint], group: 'databases' });
    expect(affinity).toEqual({ podAntiAffinity: required(term('databases')) });
  });
});

describe('a pattern', () => {
  it.each([
    ['a', ['a']],
    ['^a$', ['a']],
    ['a|b|', ['a', 'b', '']],
    ['t2\\.(micro|small)', ['t2.micro', 't2.small']],
    ['(?:a|b)c?', ['ac', 'a', 'bc', 'b'].toSorted()],
    ['us-east-1[a-c]', ['us-east-1a', 'us-east-1b', 'us-east-1c']],
    ['[ab-]', ['a', 'b', '-']],
    ['a\\?', ['a?']],
  ])('%s lists %j', (pattern, values) => {
    expect([...(valuesOfPattern(pattern) ?? [])].toSorted()).toEqual(values.toSorted());
  });

  it('stands for each character of a label with a dot', () => {
    expect(valuesOfPattern('t2.micro')).toHaveLength(65);
    expect(valuesOfPattern('t2.micro')).toContain('t2.micro');
  });

  it.each([
    'a*',
    'a+',
    'a{2}',
    '[^a]',
    '\\d',
    '\\w',
    '(?i)a',
    '(a',
    'a)',
    '[a',
    'a\\',
    '..',
    '(?<n>a)',
    '[a&&b]',
    'a??',
    '^*',
    '*',
  ])('%s is not listed', (pattern) => {
    expect(valuesOfPattern(pattern)).toBeUndefined();
  });

  it('lists what JavaScript matches, whose patterns are the same as far as they are read', () => {
    const part = fc.constantFrom('a', 'b', '.', '[ab]', '[a-c]', '(', '(?:', ')', '|', '?', '\\.', '\\', '^', '$', '*');
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 8 }).map((parts) => parts.join('')),
        (pattern) => {
          const values = valuesOfPattern(pattern);
          if (values === undefined) return;
          const whole = new RegExp(`^(?:${pattern})$`);
          for (const value of values) expect(value).toMatch(whole);
          const candidates = ['', 'a', 'b', 'c', '.', 'aa', 'ab', 'ba', 'a.', '.b', 'aab', 'abc'];
          for (const text of candidates) expect(values.includes(text), text).toBe(whole.test(text));
        },
      ),
      { numRuns: 2000 },
    );
  });
});

/** ECS: a comparison with an attribute that is not there is false, whatever it is; but `!exists`. */
function meansInstance(query: ClusterQuery, attributes: ReadonlyMap<string, string>): boolean {
  if (query.kind === 'not') return !meansInstance(query.operand, attributes);
  if (query.kind !== 'comparison') {
    const means = query.operands.map((operand) => meansInstance(operand, attributes));
    return query.kind === 'and' ? means.every(Boolean) : means.some(Boolean);
  }
  const { subject, operator, values } = query;
  const value = attributes.get(subject.replace('attribute:', ''));
  const [first = ''] = values;
  if (value === undefined) return operator === '!exists';
  const is: Readonly<Record<Comparison['operator'], boolean>> = {
    exists: true,
    '!exists': false,
    '==': value === first,
    '!=': value !== first,
    in: values.includes(value),
    '!in': !values.includes(value),
    '=~': new RegExp(`^(?:${first})$`).test(value),
    '!~': !new RegExp(`^(?:${first})$`).test(value),
    '>': Number(value) > Number(first),
    '>=': Number(value) >= Number(first),
    '<': Number(value) < Number(first),
    '<=': Number(value) <= Number(first),
  };
  return is[operator];
}

/** Kubernetes: `nodeaffinity.NodeSelector.Match`, where NotIn matches a node without the label. */
function schedulerTakes(affinity: V1Affinity | undefined, labels: ReadonlyMap<string, string>): boolean {
  const matches = ({ key, operator, values = [] }: V1NodeSelectorRequirement): boolean => {
    const value = labels.get(key);
    if (operator === 'Exists') return value !== undefined;
    if (operator === 'DoesNotExist') return value === undefined;
    if (operator === 'NotIn') return value === undefined || !values.includes(value);
    if (value === undefined) return false;
    if (operator === 'In') return values.includes(value);
    return operator === 'Gt' ? Number(value) > Number(values[0]) : Number(value) < Number(values[0]);
  };
  const selector = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return (
    selector === undefined ||
    selector.nodeSelectorTerms.some(({ matchExpressions = [] }) => matchExpressions.every(matches))
  );
}

it('an expression means the same nodes to the scheduler as to ECS', () => {
  const number = fc.constantFrom('1', '2', '3');
  const attribute = fc.constantFrom('attribute:a' as const, 'attribute:b' as const);
  const operators = ['==', '!=', '>', '>=', '<', '<=', '=~', '!~', 'in', '!in', 'exists', '!exists'] as const;
  const leaf = fc
    .record({ subject: attribute, operator: fc.constantFrom(...operators), values: fc.array(number, { minLength: 1 }) })
    .map(({ subject, operator, values }): Comparison => {
      const taken = operator.endsWith('exists') ? 0 : operator.endsWith('in') ? values.length : 1;
      return { kind: 'comparison', subject, operator, values: values.slice(0, taken) };
    });
  const instances = [undefined, '1', '2', '3'].flatMap((a) =>
    [undefined, '1', '2', '3'].map(
      (b) => new Map(Object.entries({ a, b }).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]))),
    ),
  );
  let compared = 0;
  fc.assert(
    fc.property(queryOf(leaf), (query) => {
      const expression = printClusterQuery(query);
      expect(parseClusterQuery(expression)).toEqual(query);
      const { affinity, problems } = compiled(expression);
      const means = instances.map((attributes) => meansInstance(query, attributes));
      if (problems.length > 0) {
        expect(problems[0]).toContain('alternatives');
        return;
      }
      compared++;
      expect(instances.map((labels) => schedulerTakes(affinity, labels))).toEqual(means);
    }),
    { numRuns: 3000 },
  );
  expect(compared).toBeGreaterThan(2000);
});
