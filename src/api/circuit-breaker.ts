import { z } from 'zod';
import { integer, type Parsed, withRules } from './schema.ts';

const thresholdConfigurationSchema = withRules(
  z.strictObject({
    type: z
      .enum(['BOUNDED_PERCENT', 'COUNT', 'UNBOUNDED_PERCENT'])
      .describe(
        'BOUNDED_PERCENT: value percent of desiredCount, rounded up, from 3 to 200. UNBOUNDED_PERCENT: without these ends. COUNT: value itself.',
      ),
    value: integer(1).describe('Percent, 1 to 100, or number of failures, from 1.'),
  }),
  {
    message: 'a percentage is from 1 to 100',
    holds: ({ type, value }) => type === 'COUNT' || value <= 100,
    cel: "self.type == 'COUNT' || self.value <= 100",
    field: 'value',
  },
).describe('How many failures fail a deployment. AWS: ThresholdConfiguration.');

/** AWS: DeploymentCircuitBreaker (`ecs-semantics` §3.8). */
export const circuitBreakerSchema = z
  .strictObject({
    enable: z.boolean().describe('Whether failures of tasks fail a deployment.'),
    rollback: z.boolean().describe('Whether a failed deployment goes back to the last one that was completed.'),
    resetOnHealthyTask: z
      .boolean()
      .default(true)
      .describe('Whether a task that becomes healthy takes back the failures before it. Default: true.'),
    thresholdConfiguration: thresholdConfigurationSchema.prefault({ type: 'BOUNDED_PERCENT', value: 50 }),
  })
  .describe('Gives up a deployment whose tasks fail. AWS: DeploymentCircuitBreaker.');

export type CircuitBreaker = Parsed<typeof circuitBreakerSchema>;
