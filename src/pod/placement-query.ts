/**
 * An expression of the cluster query language as what the scheduler of Kubernetes understands: negations pushed down to
 * requirements on labels of nodes and on groups of tasks. What it has no word for is refused with the reason.
 */
import type { V1NodeSelectorRequirement } from '@kubernetes/client-node';
import type { ClusterQuery, Comparison, Subject } from '../api/cluster-query.ts';
import { valuesOfPattern } from './finite-pattern.ts';
import { attributeOf, labelOf } from './placement-attributes.ts';

/** No negation but in its leaves. */
export type Formula =
  /** Empty `and`: always; empty `or`: never. */
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Formula[] }
  | { readonly kind: 'node'; readonly requirement: V1NodeSelectorRequirement }
  /** Whether a task of one of the groups is on the node. */
  | { readonly kind: 'tasks'; readonly groups: readonly string[]; readonly present: boolean };

/** The scheduler has no word for it. */
export class NotExpressibleError extends Error {}

const and = (...operands: readonly Formula[]): Formula => ({ kind: 'and', operands });
const or = (...operands: readonly Formula[]): Formula => ({ kind: 'or', operands });
const requires = (
  key: string,
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt',
  ...values: readonly string[]
): Formula => ({
  kind: 'node',
  requirement: { key, operator, ...(values.length > 0 && { values: [...values] }) },
});

/** @throws NotExpressibleError */
export function formulaOf(query: ClusterQuery, negated = false): Formula {
  switch (query.kind) {
    case 'not':
      return formulaOf(query.operand, !negated);
    case 'and':
    case 'or': {
      const operands = query.operands.map((operand) => formulaOf(operand, negated));
      return (query.kind === 'and') === negated ? or(...operands) : and(...operands);
    }
    case 'comparison':
      return comparison(query, negated);
  }
}

const REFUSED: Readonly<Partial<Record<Subject, string>>> = {
  agentVersion: 'nodes have no agent of ECS; label the nodes, and use attribute:NAME',
  ec2InstanceId: 'nodes have names of their own; use attribute:kubernetes.io/hostname',
  registeredAt: 'the scheduler does not look at the age of a node; label the nodes, and use attribute:NAME',
  runningTasksCount:
    'the scheduler does not count tasks; use a placementStrategy, distinctInstance or not (task:group == NAME)',
};

function comparison(query: Comparison, negated: boolean): Formula {
  const { subject } = query;
  const refused = REFUSED[subject];
  if (refused !== undefined) throw new NotExpressibleError(`${subject}: ${refused}`);
  if (subject === 'agentConnected') return agentConnected(query, negated);
  return subject === 'task:group' ? taskGroup(query, negated) : attribute(query, negated);
}

/** The scheduler places no task on a node whose kubelet is not there. */
function agentConnected(query: Comparison, negated: boolean): Formula {
  const isMember = valuesOf(query).includes('true') !== query.operator.startsWith('!');
  return isMember === negated ? or() : and();
}

function taskGroup(query: Comparison, negated: boolean): Formula {
  if (query.operator !== '==' && query.operator !== 'in') {
    throw new NotExpressibleError(
      `task:group ${query.operator}: a node may have tasks of many groups, and AWS does not say which counts; use task:group == NAME or not (task:group == NAME)`,
    );
  }
  return { kind: 'tasks', groups: query.values, present: !negated };
}

function attribute(query: Comparison, negated: boolean): Formula {
  const { subject, operator, values } = query;
  const name = subject.slice('attribute:'.length);
  const known = attributeOf(name);
  if (known === undefined) {
    throw new NotExpressibleError(
      `${subject}: no label of a node can have that name; a label has at most 63 letters, digits, - _ and . behind an optional DNS name and /`,
    );
  }
  const { key } = known;
  const has = requires(key, 'Exists');
  const lacks = requires(key, 'DoesNotExist');
  if (operator.endsWith('exists')) return (operator === 'exists') === negated ? lacks : has;
  if (/[<>]/.test(operator)) {
    const [found, otherwise] = order(key, operator, values[0] ?? '', subject);
    return negated ? or(lacks, otherwise) : found;
  }

  const labels = valuesOf(query).flatMap((value) => {
    const label = labelOf(known, value);
    if (label !== undefined) return [label];
    // Of all that a pattern matches only what a node can have is of interest.
    if (operator.endsWith('~')) return [];
    throw new NotExpressibleError(
      `${subject}: no node can have the value "${value}" as a label; a value has at most 63 letters, digits, - _ and .`,
    );
  });
  const byKey = [...Map.groupBy(labels, (label) => label.key)];
  const listed = (is: 'In' | 'NotIn'): Formula[] =>
    byKey.map(([of, group]) => requires(of, is, ...new Set(group.map(({ value }) => value))));
  const isAny = (): Formula => or(...listed('In'));
  // A node without the label is not in the list for Kubernetes; for AWS every comparison with it is false.
  const isNone = (): Formula => and(...listed('NotIn'));
  if (!operator.startsWith('!')) return negated ? isNone() : isAny();
  return negated ? or(lacks, isAny()) : and(has, isNone());
}

/** What compares as asked, and what compares the other way. */
function order(key: string, operator: string, value: string, subject: Subject): readonly [Formula, Formula] {
  if (!/^-?\d{1,15}$/.test(value)) {
    throw new NotExpressibleError(
      `${subject} ${operator} ${value}: the scheduler compares whole numbers only; name the values with in [...]`,
    );
  }
  const number = Number(value);
  const above = (limit: number): Formula => requires(key, 'Gt', String(limit));
  const below = (limit: number): Formula => requires(key, 'Lt', String(limit));
  if (operator === '>') return [above(number), below(number + 1)];
  if (operator === '>=') return [above(number - 1), below(number)];
  return operator === '<' ? [below(number), above(number - 1)] : [below(number + 1), above(number)];
}

/** What `==`, `in` and patterns list. */
function valuesOf({ subject, operator, values }: Comparison): readonly string[] {
  if (!operator.endsWith('~')) return values;
  const [pattern = ''] = values;
  const found = valuesOfPattern(pattern);
  if (found !== undefined) return found;
  throw new NotExpressibleError(
    `${subject} ${operator} ${pattern}: the scheduler compares whole values, and the pattern stands for more than can be listed; name the values with in [...], or label the nodes and use ==`,
  );
}

export function usesTaskGroups(query: ClusterQuery): boolean {
  if (query.kind === 'comparison') return query.subject === 'task:group';
  return (query.kind === 'not' ? [query.operand] : query.operands).some(usesTaskGroups);
}
