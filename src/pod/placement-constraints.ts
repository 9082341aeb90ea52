/** Placement constraints as affinity of pods (`ecs-semantics §3.12`). */
import type {
  V1Affinity,
  V1NodeSelectorRequirement,
  V1NodeSelectorTerm,
  V1PodAffinityTerm,
} from '@kubernetes/client-node';
import { parseClusterQuery } from '../api/cluster-query.ts';
import { LABELS } from '../api/meta.ts';
import { uniqueDnsName } from '../api/names.ts';
import { type DefinitionConstraint, MAX_CONSTRAINTS, type PlacementConstraint } from '../api/placement.ts';
import { HOSTNAME } from './placement-attributes.ts';
import { type Formula, formulaOf, NotExpressibleError } from './placement-query.ts';

/** What the constraints of one task ask for. */
export interface ConstraintInput {
  /** Of the task definition. */
  readonly definition: readonly DefinitionConstraint[];
  /** Of the Service or RunTask that starts the task. */
  readonly owner: readonly PlacementConstraint[];
  /** AWS name of the task's group, such as `service:web`. */
  readonly group: string;
}

export interface Constraints {
  /** Absent where every node will do. */
  readonly affinity?: V1Affinity;
  /** Why the constraints cannot be kept: `field path: reason`. Without one the affinity says all that they say. */
  readonly problems: readonly string[];
}

/** Alternatives that the node affinity of one pod may have. */
const MAX_TERMS = 64;

const FIELD = 'spec.placementConstraints';

export function compileConstraints({ definition, owner, group }: ConstraintInput): Constraints {
  const problems: string[] = [];
  const all = definition.length + owner.length;
  // The limit: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html
  if (all > MAX_CONSTRAINTS)
    problems.push(
      `${FIELD}: a task has at most ${MAX_CONSTRAINTS} constraints, those of its task definition included; got ${all}`,
    );
  const formulas = [
    ...definition.map((constraint, index) =>
      formulaAt(constraint, `${FIELD}[${index}].expression of the task definition`),
    ),
    ...owner.map((constraint, index) =>
      constraint.type === 'distinctInstance'
        ? ({ kind: 'tasks', groups: [group], present: false } as const)
        : formulaAt(constraint, `${FIELD}[${index}].expression`),
    ),
  ].flatMap((formula) => {
    if (!('problem' in formula)) return [formula];
    problems.push(formula.problem);
    return [];
  });
  if (problems.length > 0) return { problems };
  return affinityOf({ kind: 'and', operands: formulas });
}

function formulaAt(
  { expression = '' }: { readonly expression?: string | undefined },
  path: string,
): Formula | { problem: string } {
  const query = parseClusterQuery(expression);
  if ('error' in query) return { problem: `${path}: ${query.error}` };
  try {
    const formula = formulaOf(query);
    for (const part of conjuncts(formula)) if (hasTasks(part)) taskTerm(part);
    return formula;
  } catch (problem) {
    if (!(problem instanceof NotExpressibleError)) throw problem;
    return { problem: `${path}: "${expression}" cannot be kept on Kubernetes: ${problem.message}` };
  }
}

const conjuncts = (formula: Formula): readonly Formula[] =>
  formula.kind === 'and' ? formula.operands.flatMap(conjuncts) : [formula];

const hasTasks = (formula: Formula): boolean =>
  formula.kind === 'tasks' || ('operands' in formula && formula.operands.some(hasTasks));

/** Groups of which one is to be there, or none. */
interface TaskTerm {
  readonly present: boolean;
  readonly groups: readonly string[];
}

function taskTerm(formula: Formula): TaskTerm {
  if (formula.kind === 'tasks') return formula;
  const parts = 'operands' in formula ? formula.operands : [];
  if (formula.kind === 'or' && parts.every((part) => part.kind === 'tasks' && part.present)) {
    return { present: true, groups: parts.flatMap((part) => (part.kind === 'tasks' ? part.groups : [])) };
  }
  throw new NotExpressibleError(
    'the scheduler knows no "or" between task:group and another condition; write it as constraints of their own, which are joined by "and"',
  );
}

function affinityOf(formula: Formula): Constraints {
  const parts = conjuncts(formula);
  const terms = alternatives({ kind: 'and', operands: parts.filter((part) => !hasTasks(part)) });
  if (terms === undefined)
    return {
      problems: [`${FIELD}: more than ${MAX_TERMS} alternatives of nodes; write them with in [...], which is one`],
    };
  if (terms.length === 0) return { problems: [`${FIELD}: no node can match`] };
  const tasks = parts.filter(hasTasks).map(taskTerm);
  const near = unique(tasks.filter(({ present }) => present).map(podTerm));
  const apart = unique(tasks.filter(({ present }) => !present).map(podTerm));
  const requiredPods = (required: V1PodAffinityTerm[]) => ({
    requiredDuringSchedulingIgnoredDuringExecution: required,
  });
  const affinity: V1Affinity = {
    ...(terms.every(({ length }) => length > 0) && {
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms.map(nodeTerm) } },
    }),
    ...(near.length > 0 && { podAffinity: requiredPods(near) }),
    ...(apart.length > 0 && { podAntiAffinity: requiredPods(apart) }),
  };
  return { ...(Object.keys(affinity).length > 0 && { affinity }), problems: [] };
}

type Requirements = readonly V1NodeSelectorRequirement[];

/** Disjunctive normal form: none is never, an empty one always. Undefined where there are too many. */
function alternatives(formula: Formula): readonly Requirements[] | undefined {
  if (formula.kind === 'node') return [[formula.requirement]];
  if (formula.kind === 'tasks') return [];
  let terms: readonly Requirements[] = formula.kind === 'and' ? [[]] : [];
  for (const operand of formula.operands) {
    const next = alternatives(operand);
    if (next === undefined) return undefined;
    const product = (): Requirements[] => terms.flatMap((term) => next.map((other) => unique([...term, ...other])));
    if (formula.kind === 'and' && terms.length * next.length > MAX_TERMS ** 2) return undefined;
    terms = unique(formula.kind === 'and' ? product() : [...terms, ...next]);
    if (terms.length > MAX_TERMS) return undefined;
  }
  return terms.some(({ length }) => length === 0) ? [[]] : terms;
}

const unique = <T>(items: readonly T[]): T[] => [
  ...new Map(items.map((item) => [JSON.stringify(item), item])).values(),
];

const nodeTerm = (requirements: Requirements): V1NodeSelectorTerm => ({ matchExpressions: [...requirements] });

/** A task that is stopping no longer counts: only those that are to run occupy their instance. */
const podTerm = ({ groups }: TaskTerm): V1PodAffinityTerm => ({
  topologyKey: HOSTNAME,
  labelSelector: {
    matchExpressions: [
      { key: LABELS.group, operator: 'In', values: unique(groups.map((group) => groupLabel(group))) },
      { key: LABELS.stopped, operator: 'DoesNotExist' },
    ],
  },
});

/** Value of the label that a group's tasks have. */
export const groupLabel = (group: string): string => uniqueDnsName(group);
