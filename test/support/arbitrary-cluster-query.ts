import fc from 'fast-check';
import type { ClusterQuery, Comparison, Operator } from '../../src/api/cluster-query.ts';

const value = fc.oneof(
  fc.stringMatching(/^[a-z0-9][a-z0-9.:_-]{0,8}$/),
  fc.string({ unit: fc.constantFrom(...'ab1 ,()[]".*|\\:/'), maxLength: 8 }),
);
const attribute = fc.stringMatching(/^[A-Za-z0-9_./\\-]{1,12}$/).map((name) => `attribute:${name}` as const);

const compare = (
  subject: fc.Arbitrary<Comparison['subject']>,
  operators: readonly Operator[],
  values: fc.Arbitrary<string>,
): fc.Arbitrary<Comparison> =>
  fc.record({
    kind: fc.constant('comparison' as const),
    subject,
    operator: fc.constantFrom(...operators),
    values: fc.tuple(values).map(([one]) => [one]),
  });

const ORDER = ['==', '!=', '>', '>=', '<', '<='] as const;
const EQUALITY = ['==', '!=', '=~', '!~'] as const;

/** Comparisons of attributes and task groups alone. */
export const attributeComparison: fc.Arbitrary<Comparison> = fc.oneof(
  compare(attribute, [...ORDER, ...EQUALITY], value),
  fc.record({
    kind: fc.constant('comparison' as const),
    subject: fc.oneof(attribute, fc.constant('task:group' as const)),
    operator: fc.constantFrom('in' as const, '!in' as const),
    values: fc.array(value, { minLength: 1, maxLength: 4 }),
  }),
  fc.record({
    kind: fc.constant('comparison' as const),
    subject: attribute,
    operator: fc.constantFrom('exists' as const, '!exists' as const),
    values: fc.constant([]),
  }),
);

const comparison: fc.Arbitrary<Comparison> = fc.oneof(
  attributeComparison,
  compare(fc.constant('task:group' as const), EQUALITY, value),
  compare(fc.constant('agentConnected' as const), ['==', '!='], fc.constantFrom('true', 'false')),
  compare(fc.constant('agentVersion' as const), ORDER, fc.constantFrom('1.14.5', '1')),
  compare(fc.constant('ec2InstanceId' as const), EQUALITY, value),
  compare(fc.constant('registeredAt' as const), ORDER, fc.constantFrom('2018-06-18', '2018-06-18T22:28:28+00:00')),
  compare(fc.constant('runningTasksCount' as const), ORDER, fc.nat(1e9 - 1).map(String)),
);

/** Expressions over comparisons: as deep as they are likely to be written, and deeper. */
export const queryOf = (leaf: fc.Arbitrary<Comparison>): fc.Arbitrary<ClusterQuery> =>
  fc.letrec<{ query: ClusterQuery }>((tie) => ({
    query: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc.record({ kind: fc.constant('not' as const), operand: tie('query') }),
      fc.record({
        kind: fc.constantFrom('and' as const, 'or' as const),
        operands: fc.array(tie('query'), { minLength: 2, maxLength: 4 }),
      }),
    ),
  })).query;

export const clusterQuery = queryOf(comparison);
