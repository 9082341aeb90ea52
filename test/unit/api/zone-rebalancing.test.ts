import { expect, test } from 'vitest';
import { parseService } from '../../../src/api/service.ts';
import { isRebalanced } from '../../../src/api/zone-rebalancing.ts';
import { daemon, service } from './samples.ts';

const spread = (field: string) => ({ placementStrategy: [{ type: 'spread', field }] });
const memberOf = (expression: string) => ({ placementConstraints: [{ type: 'memberOf', expression }] });

/** `ecs-semantics §3.14`: the developer guide's list of services that AZ rebalancing is for. */
test.each([
  ['a service that says nothing', service(), true],
  ['one that spreads over zones first', service(spread('attribute:ecs.availability-zone')), true],
  ['one that spreads over something else first', service(spread('instanceId')), false],
  ['one with a constraint on the zone', service(memberOf('attribute:ecs.availability-zone == eu-west-1a')), false],
  ['one whose tasks go by a group', service(memberOf('task:group == service:db')), false],
  ['one with another constraint', service(memberOf('attribute:stack == prod')), true],
  ['one at 50/100', service({ deploymentConfiguration: { minimumHealthyPercent: 50, maximumPercent: 100 } }), false],
  ['one of the launch type EXTERNAL', service({ launchType: 'EXTERNAL' }), false],
  ['a DAEMON', daemon(), false],
  ['one that turns it off', service({ availabilityZoneRebalancing: 'DISABLED' }), false],
  [
    'one whose tasks go by a group and that asks for it',
    service({ ...memberOf('task:group == service:db'), availabilityZoneRebalancing: 'ENABLED' }),
    true,
  ],
])('%s', (_title, spec, expected) => {
  expect(isRebalanced(parseService(spec))).toBe(expected);
});
