/** Which nodes tasks run on (`ecs-semantics` §3.12): shared by task definitions, services and RunTask. */
import { z } from 'zod';
import { parseClusterQuery } from './cluster-query.ts';
import { celText, list, type Parsed, withControllerRule, withRules } from './schema.ts';

const expression = () =>
  z
    .string()
    .max(2000)
    .optional()
    .describe('Expression of the cluster query language, at most 2000 characters. With memberOf only.');

interface Constraint {
  readonly type: 'distinctInstance' | 'memberOf';
  readonly expression?: string | undefined;
}

const memberOfHasExpression = {
  message: 'memberOf requires an expression of the cluster query language',
  holds: ({ type, expression: text }: Constraint) => type !== 'memberOf' || (text ?? '') !== '',
  cel: "self.type != 'memberOf' || (has(self.expression) && self.expression != '')",
  field: 'expression',
};

/** CEL has no parser for the language. */
function refuseSyntax({ expression: text }: Constraint): string | undefined {
  const query = text === undefined || text === '' ? undefined : parseClusterQuery(text);
  return query !== undefined && 'error' in query ? `${query.error} in the expression "${text}"` : undefined;
}

/** A task definition may say on which nodes, and not that each task wants one of its own. */
export const definitionConstraintSchema = withControllerRule(
  withRules(
    z.strictObject({
      type: z.literal('memberOf').describe('memberOf is the only type that AWS allows here.'),
      expression: expression(),
    }),
    memberOfHasExpression,
  ),
  refuseSyntax,
  'expression',
).describe('Nodes that tasks may be placed on. AWS: TaskDefinitionPlacementConstraint.');

export type DefinitionConstraint = Parsed<typeof definitionConstraintSchema>;

const constraintSchema = withControllerRule(
  withRules(
    z.strictObject({
      type: z
        .enum(['distinctInstance', 'memberOf'])
        .describe('distinctInstance: each task on a node of its own. memberOf: on nodes that expression means.'),
      expression: expression(),
    }),
    memberOfHasExpression,
    {
      // Text: AWS (hashicorp/terraform#11471).
      message: 'distinctInstance expression should not be specified.',
      holds: ({ type, expression: text }) => type !== 'distinctInstance' || text === undefined,
      cel: "self.type != 'distinctInstance' || !has(self.expression)",
      field: 'expression',
    },
  ),
  refuseSyntax,
  'expression',
).describe('A rule on which nodes may run the tasks. AWS: PlacementConstraint.');

export type PlacementConstraint = Parsed<typeof constraintSchema>;

const celField = "(has(self.field) ? self.field : '')";

/** A field that does not fit the type of the strategy; AWS's own output has CPU and MEMORY in upper case. */
const fieldOf = (type: 'spread' | 'binpack', pattern: string, allowed: string) => {
  // Text: AWS for binpack (measured 2026-09, in badmintoncryer/cdk-preflight), which says the same of spread here.
  const text = (field: string) => `${type} field '${field}' is invalid; allowed: ${allowed}`;
  return {
    refuses: (strategy: { readonly type: string; readonly field?: string | undefined }) =>
      strategy.type === type && !new RegExp(pattern).test(strategy.field ?? '')
        ? text(strategy.field ?? '')
        : undefined,
    cel: `self.type != '${type}' || ${celField}.matches('${pattern.replaceAll('\\', '\\\\')}')`,
    celMessage: celText(text, celField),
    field: 'field',
  };
};

const strategySchema = withRules(
  z.strictObject({
    type: z
      .enum(['random', 'spread', 'binpack'])
      .describe('random: any node. spread: evenly over the values of field. binpack: as full as possible by field.'),
    field: z
      .string()
      .max(255)
      .optional()
      .describe('spread: instanceId (or host), or attribute:NAME. binpack: cpu or memory. Not with random.'),
  }),
  {
    // Text: AWS (measured 2026-09, in badmintoncryer/cdk-preflight).
    message: 'random field should not be specified',
    holds: ({ type, field }) => type !== 'random' || field === undefined,
    cel: "self.type != 'random' || !has(self.field)",
    field: 'field',
  },
  fieldOf('binpack', '^([cC][pP][uU]|[mM][eE][mM][oO][rR][yY])$', 'cpu, memory'),
  fieldOf('spread', '^(instanceId|host|attribute:[A-Za-z0-9_./\\\\-]{1,128})$', 'instanceId, host, attribute:NAME'),
).describe('How to choose among the nodes that may run a task. AWS: PlacementStrategy.');

export type PlacementStrategy = Parsed<typeof strategySchema>;

/** Constraints of one task, those of the task definition included. AWS: RunTask, CreateService. */
export const MAX_CONSTRAINTS = 10;

/** Fields of CreateService and RunTask. */
export const placementFields = {
  placementConstraints: list(constraintSchema, MAX_CONSTRAINTS).describe(
    'Rules on which nodes may run the tasks, at most 10 with those of the task definition. They hold for tasks that start later. AWS: PlacementConstraint[].',
  ),
  placementStrategy: list(strategySchema, 5).describe(
    'How to choose among those nodes, at most 5, the first first. They hold for tasks that start later. AWS: PlacementStrategy[].',
  ),
};

/** What a Service or RunTask says about nodes. */
export interface Placement {
  readonly placementConstraints: readonly PlacementConstraint[];
  readonly placementStrategy: readonly PlacementStrategy[];
}

interface OnFargate extends Placement {
  readonly launchType?: string | undefined;
}

/** Texts: AWS (hashicorp/terraform-provider-aws#26337 and public configurations that cite it). */
const notOnFargate = (field: keyof Placement, name: string) => ({
  message: `Placement ${name} are not supported with FARGATE launch type.`,
  holds: (spec: OnFargate) => spec.launchType !== 'FARGATE' || spec[field].length === 0,
  cel: `!has(self.launchType) || self.launchType != 'FARGATE' || !has(self.${field}) || size(self.${field}) == 0`,
  field,
});

/** Rules of a schema that has {@link placementFields} and launchType. */
export const placementRules = [
  notOnFargate('placementConstraints', 'constraints'),
  notOnFargate('placementStrategy', 'strategies'),
];
