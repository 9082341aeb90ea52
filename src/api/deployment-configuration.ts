/** How a service goes from one deployment to the next. AWS: DeploymentConfiguration, DeploymentController. */
import { z } from 'zod';
import { circuitBreakerSchema } from './circuit-breaker.ts';
import { celText, integer, list, openObject, type Rule, withRules } from './schema.ts';

const strategyText = (strategy: string): string => `strategy '${strategy}' is not there yet; allowed: ROLLING`;

const bounds = z.strictObject({
  minimumHealthyPercent: integer(0, 100)
    .optional()
    .describe(
      'Healthy tasks that must remain during a deployment, in percent of desiredCount, rounded up; 0 to 100. Default: 100; for DAEMON 0.',
    ),
  maximumPercent: integer(100, 100000)
    .optional()
    .describe(
      'Tasks that may exist during a deployment, in percent of desiredCount, rounded down; from 100. Default: 200; for DAEMON 100, which is all that it takes.',
    ),
  deploymentCircuitBreaker: circuitBreakerSchema.optional(),
  alarms: z
    .strictObject({
      alarmNames: z
        .array(z.string().min(1).max(255))
        .max(100)
        .describe('Names of alarms, at most 100; mappings.alarms of the Cluster says what each is.'),
      enable: z.boolean().describe('Whether an alarm fails a deployment.'),
      rollback: z.boolean().describe('Whether a failed deployment goes back to the last one that was completed.'),
    })
    .optional()
    .describe('Alarms that fail a deployment in progress, its bake time included. AWS: DeploymentAlarms.'),
  bakeTimeInMinutes: integer(0, 1440)
    .optional()
    .describe(
      'Minutes that the alarms are watched once all tasks are healthy and no older ones are left, 0 to 1440. Default: 5; without alarms there is no bake time.',
    ),
  strategy: z
    .string()
    .max(64)
    .optional()
    .describe('ROLLING (default), the only one yet: BLUE_GREEN, LINEAR and CANARY are refused.'),
  lifecycleHooks: list(openObject('A hook. AWS: DeploymentLifecycleHook.'), 100).describe(
    'Must be empty: hooks are not there yet. AWS: DeploymentLifecycleHook[].',
  ),
  linearConfiguration: openObject('Refused, as the strategy LINEAR is not there yet.').optional(),
  canaryConfiguration: openObject('Refused, as the strategy CANARY is not there yet.').optional(),
  earlySuccessCriteria: openObject('Refused: deployments do not succeed early yet.').optional(),
});

type Given = z.output<typeof bounds>;

/** A field whose feature is not there yet: given at all, it would promise what nobody does. */
const absent = (field: keyof Given, allowed: string): Rule<Given> => ({
  message: `${field} is not there yet; allowed: ${allowed}`,
  holds: (configuration) => configuration[field] === undefined,
  cel: `!has(self.${field})`,
  field,
  unsupported: true,
});

export const deploymentConfigurationSchema = withRules(
  bounds,
  {
    refuses: ({ strategy = 'ROLLING' }) => (strategy === 'ROLLING' ? undefined : strategyText(strategy)),
    cel: "!has(self.strategy) || self.strategy == 'ROLLING'",
    celMessage: celText(strategyText, 'self.strategy'),
    field: 'strategy',
    unsupported: true,
  },
  {
    message: 'lifecycleHooks are not there yet; allowed: an empty list',
    holds: ({ lifecycleHooks }) => lifecycleHooks.length === 0,
    cel: '!has(self.lifecycleHooks) || size(self.lifecycleHooks) == 0',
    field: 'lifecycleHooks',
    unsupported: true,
  },
  absent('linearConfiguration', 'the strategy ROLLING, which has no such field'),
  absent('canaryConfiguration', 'the strategy ROLLING, which has no such field'),
  absent('earlySuccessCriteria', 'a deployment that is COMPLETED when all its tasks are healthy'),
).describe('Bounds of a deployment. AWS: DeploymentConfiguration.');

export const deploymentControllerSchema = z
  .strictObject({
    type: z.string().max(64).describe('ECS, the only one here: CODE_DEPLOY and EXTERNAL are refused.'),
  })
  .describe('Who carries out deployments. AWS: DeploymentController.');

const controllerText = (type: string): string => `deployment controller '${type}' is not there; allowed: ECS`;

/** Rule of a schema that has `deploymentController`. */
export const deploymentControllerRule: Rule<{
  readonly deploymentController?: z.output<typeof deploymentControllerSchema> | undefined;
}> = {
  refuses: ({ deploymentController: { type } = { type: 'ECS' } }) =>
    type === 'ECS' ? undefined : controllerText(type),
  cel: "!has(self.deploymentController) || self.deploymentController.type == 'ECS'",
  celMessage: celText(controllerText, 'self.deploymentController.type'),
  field: 'deploymentController',
  unsupported: true,
};
