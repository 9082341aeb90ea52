import { z } from 'zod';
import { tagsSchema } from './common-fields.ts';
import { parseWith } from './parse.ts';
import { celText, immutable, integer, keyedList, type Parsed, type Rule, withRules } from './schema.ts';
import { commonStatus } from './status.ts';
import { routesSchema } from './target-group-routes.ts';

const protocols = ['HTTP', 'HTTPS', 'TCP', 'TLS', 'UDP', 'TCP_UDP'] as const;
const APPLICATION = ['HTTP', 'HTTPS'];

/** Attributes whose values are numbers, and the least and most that they may be. AWS: TargetGroupAttribute. */
const NUMBERS: Readonly<Record<string, readonly [least: number, most: number]>> = {
  'deregistration_delay.timeout_seconds': [0, 3600],
  'slow_start.duration_seconds': [0, 900],
};

const attributeText = (key: string, value: string, least: string, most: string): string =>
  `${key} must be a number of seconds from ${least} to ${most}, got '${value}'`;

const attributeRule = (
  key: string,
  [least, most]: readonly [number, number],
): Rule<{ key: string; value: string }> => ({
  refuses: (attribute) => {
    if (attribute.key !== key) return undefined;
    const number = /^[0-9]{1,9}$/.test(attribute.value) ? Number(attribute.value) : Number.NaN;
    return number >= least && number <= most ? undefined : attributeText(key, attribute.value, `${least}`, `${most}`);
  },
  cel: `self.key != '${key}' || (self.value.matches('^[0-9]{1,9}$') && int(self.value) >= ${least} && int(self.value) <= ${most})`,
  celMessage: celText(attributeText, `'${key}'`, 'self.value', `'${least}'`, `'${most}'`),
  field: 'value',
});

const attributeSchema = withRules(
  z.strictObject({
    key: z
      .string()
      .min(1)
      .max(256)
      .regex(/^[a-zA-Z0-9._]+$/)
      .describe('Name of the attribute, such as deregistration_delay.timeout_seconds.'),
    value: z.string().max(1024).describe('Its value, as text.'),
  }),
  ...Object.entries(NUMBERS).map(([key, bounds]) => attributeRule(key, bounds)),
).describe('An attribute of the target group. AWS: TargetGroupAttribute.');

const matcherSchema = z
  .strictObject({
    httpCode: z
      .string()
      .min(1)
      .max(256)
      .regex(/^[0-9]{3}(-[0-9]{3})?(,[0-9]{3}(-[0-9]{3})?)*$/)
      .optional()
      .describe('Codes of a healthy target: 200, "200,202" or 200-299. Default: 200.'),
    grpcCode: z
      .string()
      .min(1)
      .max(256)
      .regex(/^[0-9]{1,2}(-[0-9]{1,2})?(,[0-9]{1,2}(-[0-9]{1,2})?)*$/)
      .optional()
      .describe('gRPC codes of a healthy target. Default: 12.'),
  })
  .describe('Which answers are healthy ones. AWS: Matcher.');

const fields = z.strictObject({
  name: immutable(
    z
      .string()
      .min(1)
      .max(32)
      .regex(/^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$/),
    'name cannot be changed',
  )
    .optional()
    .describe(
      "Name of the target group: at most 32 letters, digits and -, not first or last. Default: the object's name. Cannot be changed.",
    ),
  protocol: immutable(z.enum(protocols), 'protocol cannot be changed').describe(
    'Protocol that targets are spoken to with: HTTP, HTTPS, TCP, TLS, UDP or TCP_UDP. Cannot be changed.',
  ),
  protocolVersion: z
    .enum(['HTTP1', 'HTTP2', 'GRPC'])
    .optional()
    .describe('Of HTTP and HTTPS: HTTP1 (default), HTTP2 or GRPC.'),
  port: integer(1, 65535).describe(
    'Port of the target group, 1 to 65535: that of its core Service. Each task is reached at its own container port.',
  ),
  targetType: z
    .enum(['instance', 'ip'])
    .default('instance')
    .describe('What a target is on AWS: instance (default) or ip. Here every target is the address of a pod.'),
  vpcId: z.string().min(1).max(64).optional().describe('VPC of the targets on AWS.'),
  ipAddressType: z.enum(['ipv4', 'ipv6']).optional().describe('Family of the addresses of the targets on AWS.'),
  healthCheckEnabled: z.boolean().default(true).describe('Whether targets are checked. Default: true.'),
  healthCheckProtocol: z
    .enum(['HTTP', 'HTTPS', 'TCP'])
    .optional()
    .describe('Protocol of the check. Default: HTTP for the protocols HTTP and HTTPS, TCP for all others.'),
  healthCheckPort: z
    .string()
    .max(12)
    .regex(/^(traffic-port|[1-9][0-9]{0,4})$/)
    .default('traffic-port')
    .describe('Port of the check: traffic-port (default), the one that takes the traffic, or a number.'),
  healthCheckPath: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^\//)
    .optional()
    .describe('Path of an HTTP check. Default: /; for GRPC /AWS.ALB/healthcheck.'),
  healthCheckIntervalSeconds: integer(5, 300).default(30).describe('Seconds between checks, 5 to 300. Default: 30.'),
  healthCheckTimeoutSeconds: integer(2, 120)
    .optional()
    .describe(
      'Seconds that a check may take, 2 to 120. Default: 5 for HTTP and HTTPS, 6 for HTTP checks of others, else 10.',
    ),
  healthyThresholdCount: integer(2, 10)
    .default(5)
    .describe('Passes in a row that make an unhealthy target healthy, 2 to 10. Default: 5.'),
  unhealthyThresholdCount: integer(2, 10)
    .default(2)
    .describe('Failures in a row that make a target unhealthy, 2 to 10. Default: 2.'),
  matcher: matcherSchema.optional(),
  targetGroupAttributes: keyedList(attributeSchema, 'key', { max: 20 })
    .default([])
    .describe('Attributes of the target group, each key once. AWS: ModifyTargetGroupAttributes.'),
  tags: tagsSchema(),
  routes: routesSchema,
});

type Given = z.output<typeof fields>;

const HTTP_ONLY = 'is for the protocols HTTP and HTTPS';

const forApplications = (field: 'protocolVersion'): Rule<Given> => ({
  message: `${field} ${HTTP_ONLY}`,
  holds: (group) => group[field] === undefined || APPLICATION.includes(group.protocol),
  cel: `!has(self.${field}) || self.protocol in ['HTTP', 'HTTPS']`,
  field,
});

/** `spec` of a TargetGroup: the input of ELBv2's CreateTargetGroup, with its attributes (`ecs-semantics` §3.10). */
export const targetGroupSpecSchema = withRules(
  fields,
  forApplications('protocolVersion'),
  {
    message: 'routes are for the protocols HTTP and HTTPS',
    holds: ({ routes, protocol }) => routes.length === 0 || APPLICATION.includes(protocol),
    cel: "!has(self.routes) || size(self.routes) == 0 || self.protocol in ['HTTP', 'HTTPS']",
    field: 'routes',
  },
  {
    message: 'a TCP check is for target groups of the protocols TCP, TLS, UDP and TCP_UDP',
    holds: ({ healthCheckProtocol, protocol }) => healthCheckProtocol !== 'TCP' || !APPLICATION.includes(protocol),
    cel: "!has(self.healthCheckProtocol) || self.healthCheckProtocol != 'TCP' || !(self.protocol in ['HTTP', 'HTTPS'])",
    field: 'healthCheckProtocol',
  },
  {
    // Text: AWS (hashicorp/terraform-provider-aws#9987).
    message: 'Health check interval must be greater than the timeout.',
    holds: ({ healthCheckIntervalSeconds: interval, healthCheckTimeoutSeconds: timeout }) =>
      timeout === undefined || interval > timeout,
    cel: '!has(self.healthCheckTimeoutSeconds) || self.healthCheckIntervalSeconds > self.healthCheckTimeoutSeconds',
    field: 'healthCheckIntervalSeconds',
  },
  {
    message: 'matcher has one of httpCode and grpcCode',
    holds: ({ matcher }) =>
      matcher === undefined || (matcher.httpCode === undefined) !== (matcher.grpcCode === undefined),
    cel: '!has(self.matcher) || has(self.matcher.httpCode) != has(self.matcher.grpcCode)',
    field: 'matcher',
  },
).describe('Tasks that share the traffic of a port: the input of CreateTargetGroup.');

export type TargetGroupSpec = Parsed<typeof targetGroupSpecSchema>;

export const targetGroupStatusSchema = z
  .object({
    ...commonStatus,
    targetGroupName: z.string().max(255).optional().describe('Name of the target group, with the AWS name.'),
    service: z.string().max(63).optional().describe('Core Service behind which its targets stand.'),
  })
  .describe('What DescribeTargetGroups shows.');

export type TargetGroupStatus = Parsed<typeof targetGroupStatusSchema>;

/**
 * Checks and compiles the `spec` of a TargetGroup.
 * @throws InvalidSpecError
 */
export function parseTargetGroup(raw: unknown): TargetGroupSpec {
  return parseWith(targetGroupSpecSchema, raw);
}
