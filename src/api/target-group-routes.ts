/** Which requests a target group gets: the conditions of a listener rule of an Application Load Balancer. */
import { z } from 'zod';
import { celText, integer, list, type Parsed, withRules } from './schema.ts';

/** AWS: match evaluations per condition, and per rule. */
const MAX_CONDITION_VALUES = 3;
const MAX_RULE_VALUES = 5;

const headerSchema = withRules(
  z.strictObject({
    name: z
      .string()
      .min(1)
      .max(40)
      .regex(/^[A-Za-z0-9!#$%&'*+.^_|~-]+$/)
      .describe(
        'Name of the header, at most 40 characters, in any case of letters. Without wildcards; for Host: hosts.',
      ),
    values: z
      .array(z.string().min(1).max(128))
      .min(1)
      .max(MAX_CONDITION_VALUES)
      .describe(
        'Patterns of its value, 1 to 3, one of which must match: each at most 128 characters, in any case of letters, with * (any text) and ? (one character); \\* and \\? stand for the characters themselves.',
      ),
  }),
  {
    message: 'the Host header is a condition of hosts',
    holds: ({ name }) => !/^[Hh][Oo][Ss][Tt]$/.test(name),
    cel: "!self.name.matches('^[Hh][Oo][Ss][Tt]$')",
    field: 'name',
  },
).describe('A header that a request must have. AWS: HttpHeaderConditionConfig.');

const objectName = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/;
const namespacedName = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\/)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/;

const fields = z.strictObject({
  hosts: list(
    z
      .string()
      .min(3)
      .max(128)
      .regex(/^[A-Za-z0-9.*?-]*\.[A-Za-z*?]+$/),
    MAX_CONDITION_VALUES,
  ).describe(
    'Patterns of the host name, at most 3, one of which must match: each at most 128 characters, in any case of letters, with a dot and only letters after the last one, with * (any text) and ? (one character). Absent: every host. AWS: HostHeaderConditionConfig.',
  ),
  paths: list(
    z
      .string()
      .min(1)
      .max(128)
      .regex(/^[A-Za-z0-9_.$/~"'@:+&*?-]+$/),
    MAX_CONDITION_VALUES,
  ).describe(
    'Patterns of the path, at most 3, one of which must match: each at most 128 characters, in the case of letters given, with * (any text) and ? (one character), without the query. Absent: every path. AWS: PathPatternConditionConfig.',
  ),
  headers: list(headerSchema, MAX_RULE_VALUES).describe(
    'Headers that a request must have, at most 5, all of them. AWS: HttpHeaderConditionConfig.',
  ),
  weight: integer(0, 999)
    .default(1)
    .describe(
      'Share of the requests where other TargetGroups of the namespace have a route with the same conditions: weight out of the sum of their weights, 0 to 999. Default: 1. AWS: TargetGroupTuple.',
    ),
  gateway: z
    .string()
    .min(1)
    .max(317)
    .regex(namespacedName)
    .optional()
    .describe(
      'Gateway (Gateway API) that takes the requests, as name or namespace/name. Default: the only one that takes routes of this namespace. What stands for ListenerArn.',
    ),
  listener: z
    .string()
    .min(1)
    .max(253)
    .regex(objectName)
    .optional()
    .describe('Name of the listener of that Gateway. Default: all that take routes of this namespace.'),
});

const valuesOf = ({ hosts, paths, headers }: Parsed<typeof fields>): number =>
  hosts.length + paths.length + headers.reduce((sum, { values }) => sum + values.length, 0);

const celSize = (field: string): string => `(has(self.${field}) ? size(self.${field}) : 0)`;
const celValues = `${celSize('hosts')} + ${celSize('paths')} + (has(self.headers) ? self.headers.map(h, size(h.values)).sum() : 0)`;
const tooMany = (count: string): string => `a route has at most ${MAX_RULE_VALUES} values of conditions, got ${count}`;

const routeSchema = withRules(
  fields,
  {
    // AWS: "condition values per rule".
    refuses: (route) => (valuesOf(route) > MAX_RULE_VALUES ? tooMany(`${valuesOf(route)}`) : undefined),
    cel: `${celValues} <= ${MAX_RULE_VALUES}`,
    celMessage: celText(tooMany, `string(${celValues})`),
  },
  {
    message: 'the name of a listener needs the gateway that has it',
    holds: ({ gateway, listener }) => listener === undefined || gateway !== undefined,
    cel: '!has(self.listener) || has(self.gateway)',
    field: 'listener',
  },
).describe(
  'Requests that the target group gets: all conditions must hold, and a route without one takes what no other takes. AWS: Rule, with its conditions.',
);

/** A listener rule that forwards to the target group. */
export type Route = Parsed<typeof routeSchema>;

/** The field `routes` of a TargetGroup. */
export const routesSchema = list(routeSchema, 100).describe(
  'Requests that the target group gets from the Gateway or the Ingress controller of the cluster, at most 100 routes. Where several take a request, the most specific does, as Gateway API orders them; there is no priority. Absent: no route leads here.',
);
