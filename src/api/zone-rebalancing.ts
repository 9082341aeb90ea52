/** Which services AZ rebalancing is for (`ecs-semantics` §3.14). */
import { z } from 'zod';
import type { Placement } from './placement.ts';
import { percentagesOf, type Scheduled } from './scheduling-strategy.ts';
import type { Rule } from './schema.ts';

const ZONE_ATTRIBUTE = 'attribute:ecs.availability-zone';

export const availabilityZoneRebalancingSchema = z
  .enum(['ENABLED', 'DISABLED'])
  .optional()
  .describe(
    'ENABLED: tasks move from zones with most to zones with fewest, in a steady state, where their numbers differ by two or more. Default: ENABLED where it can be: for REPLICA with a maximumPercent above 100, without the launch type EXTERNAL, without a placement constraint on the zone or on task:group, and with no placementStrategy or one that spreads over zones first; else DISABLED.',
  );

interface Rebalanced extends Scheduled, Omit<Placement, 'placementStrategy'> {
  readonly placementStrategy: Placement['placementStrategy'];
  readonly availabilityZoneRebalancing?: 'ENABLED' | 'DISABLED' | undefined;
}

const isOn = ({ availabilityZoneRebalancing: on }: Rebalanced): boolean => on === 'ENABLED';
const celIsOff = "(!has(self.availabilityZoneRebalancing) || self.availabilityZoneRebalancing != 'ENABLED')";

interface Need {
  readonly message: string;
  readonly met: (spec: Rebalanced) => boolean;
  readonly cel: string;
}

const NEEDS: readonly Need[] = [
  {
    message: 'availabilityZoneRebalancing ENABLED is for the schedulingStrategy REPLICA only; use DISABLED',
    met: ({ schedulingStrategy }) => schedulingStrategy === 'REPLICA',
    cel: "self.schedulingStrategy == 'REPLICA'",
  },
  {
    // Text: AWS (public reports; ecs-semantics §3.14).
    message: 'AvailabilityZoneRebalancing does not support maximumPercent <= 100',
    met: (spec) => spec.schedulingStrategy !== 'REPLICA' || percentagesOf(spec).maximumPercent > 100,
    cel: "self.schedulingStrategy != 'REPLICA' || !has(self.deploymentConfiguration.maximumPercent) || self.deploymentConfiguration.maximumPercent > 100",
  },
  {
    message: 'availabilityZoneRebalancing ENABLED is not for the launchType EXTERNAL; use DISABLED',
    met: ({ launchType }) => launchType !== 'EXTERNAL',
    cel: "!has(self.launchType) || self.launchType != 'EXTERNAL'",
  },
  {
    message: `availabilityZoneRebalancing ENABLED needs no placementStrategy, or spread over ${ZONE_ATTRIBUTE} as the first; use DISABLED`,
    met: ({ placementStrategy: [first] }) =>
      first === undefined || (first.type === 'spread' && first.field === ZONE_ATTRIBUTE),
    cel: `!has(self.placementStrategy) || size(self.placementStrategy) == 0 || self.placementStrategy.map(s, s.type == 'spread' && has(s.field) && s.field == '${ZONE_ATTRIBUTE}')[0]`,
  },
  {
    message: `availabilityZoneRebalancing ENABLED cannot go with a placementConstraint on ${ZONE_ATTRIBUTE}; use DISABLED`,
    met: ({ placementConstraints }) =>
      placementConstraints.every(({ expression = '' }) => !expression.includes(ZONE_ATTRIBUTE)),
    cel: `!has(self.placementConstraints) || self.placementConstraints.all(c, !has(c.expression) || !c.expression.contains('${ZONE_ATTRIBUTE}'))`,
  },
];

export const zoneRebalancingRules: readonly Rule<Rebalanced>[] = NEEDS.map(({ message, met, cel }) => ({
  message,
  holds: (spec) => !isOn(spec) || met(spec),
  cel: `${celIsOff} || ${cel.includes('||') ? `(${cel})` : cel}`,
  field: 'availabilityZoneRebalancing',
}));

/** Tasks that keep to those of a group, or away from them, go where these are, not where zones would have them. */
const goesByGroup = ({ placementConstraints }: Rebalanced): boolean =>
  placementConstraints.some(({ expression = '' }) => expression.includes('task:group'));

/** Whether the zones of its tasks are kept balanced: asked for, or by default where it can be. */
export function isRebalanced(spec: Rebalanced): boolean {
  const wanted = spec.availabilityZoneRebalancing ?? (goesByGroup(spec) ? 'DISABLED' : 'ENABLED');
  return wanted === 'ENABLED' && NEEDS.every(({ met }) => met(spec));
}
