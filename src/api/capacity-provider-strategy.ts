import { z } from 'zod';
import { integer, list, type Parsed, withRules } from './schema.ts';

const itemSchema = z
  .strictObject({
    capacityProvider: z.string().min(1).max(255).describe('Name of the capacity provider.'),
    weight: integer(0, 1000)
      .default(0)
      .describe('Share of the tasks beyond base, relative to the other weights, 0 to 1000. Default: 0.'),
    base: integer(0, 100000)
      .default(0)
      .describe('Tasks that run here before weights count, 0 to 100000; one provider may have it. Default: 0.'),
  })
  .describe('A capacity provider and its share of the tasks. AWS: CapacityProviderStrategyItem.');

/** Which capacity providers tasks run on. AWS: CapacityProviderStrategyItem[]. */
export const capacityProviderStrategySchema = () =>
  withRules(list(itemSchema, 20), {
    message: 'only one capacity provider of a strategy may have a base',
    holds: (items) => items.filter(({ base }) => base > 0).length <= 1,
    cel: 'self.filter(i, has(i.base) && i.base > 0).size() <= 1',
  });

export type CapacityProviderStrategyItem = Parsed<typeof itemSchema>;
