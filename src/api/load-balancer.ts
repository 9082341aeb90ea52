/** Where the tasks of a service are registered as targets (`ecs-semantics` §3.10). */
import { z } from 'zod';
import { awsName, integer, type Parsed, withRules } from './schema.ts';

/** `web`, `targetgroup/web/6d0ecf831eec9f09` or the ARN. */
const TARGET_GROUP =
  /^((arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]*:[0-9]*:)?targetgroup\/[A-Za-z0-9-]{1,32}\/[0-9a-f]{1,17}|[A-Za-z0-9-]{1,32})$/;

const loadBalancerSchema = withRules(
  z.strictObject({
    targetGroupArn: z
      .string()
      .min(1)
      .max(2048)
      .regex(TARGET_GROUP)
      .optional()
      .describe(
        'The TargetGroup: its name, targetgroup/name/id, or the ARN. Required: Classic Load Balancers are not there.',
      ),
    loadBalancerName: z.string().max(255).optional().describe('A Classic Load Balancer: refused.'),
    containerName: awsName().describe('Container of the task definition that takes the traffic.'),
    containerPort: integer(1, 65535).describe('Its port, one of its portMappings, 1 to 65535.'),
    advancedConfiguration: z
      .looseObject({})
      .meta({ 'x-kubernetes-preserve-unknown-fields': true })
      .optional()
      .describe('Refused, as the strategies that need it are not there yet. AWS: AdvancedConfiguration.'),
  }),
  {
    message: 'loadBalancerName names a Classic Load Balancer, which is not there; allowed: targetGroupArn',
    holds: ({ loadBalancerName }) => loadBalancerName === undefined,
    cel: '!has(self.loadBalancerName)',
    field: 'loadBalancerName',
    unsupported: true,
  },
  {
    message: 'advancedConfiguration is not there yet; allowed: the strategy ROLLING, which has no such field',
    holds: ({ advancedConfiguration }) => advancedConfiguration === undefined,
    cel: '!has(self.advancedConfiguration)',
    field: 'advancedConfiguration',
    unsupported: true,
  },
  {
    message: 'targetGroupArn and loadBalancerName cannot both be absent; allowed: targetGroupArn',
    holds: ({ targetGroupArn, loadBalancerName }) => targetGroupArn !== undefined || loadBalancerName !== undefined,
    cel: 'has(self.targetGroupArn) || has(self.loadBalancerName)',
    field: 'targetGroupArn',
  },
).describe('A target group that the tasks are targets of. AWS: LoadBalancer.');

/** AWS takes five target groups a service. */
export const loadBalancersSchema = () =>
  z
    .array(loadBalancerSchema)
    .max(5)
    .default([])
    .describe(
      'Target groups that the tasks are registered in while they run, at most 5. A change starts a deployment.',
    );

export type LoadBalancer = Parsed<typeof loadBalancerSchema> & { readonly targetGroupArn: string };
