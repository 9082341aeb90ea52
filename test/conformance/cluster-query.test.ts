/** Every example expression of AWS's guide; what each means on Kubernetes is in `placement.test.ts`. */
import { describe, expect, it } from 'vitest';
import { parseClusterQuery, printClusterQuery } from '../../src/api/cluster-query.ts';

const LANGUAGE = 'developer guide, cluster-query-language.md';
const CONSTRAINTS = 'developer guide, task-placement-constraints.md';

/** Expression, source, and the same as it is printed where that differs. */
const EXAMPLES: readonly [expression: string, source: string, printed?: string][] = [
  ['attribute:ecs.instance-type == t2.small', LANGUAGE],
  ['attribute:ecs.availability-zone in [us-east-1a, us-east-1b]', LANGUAGE],
  ['attribute:ecs.instance-type =~ g2.* and attribute:ecs.availability-zone != us-east-1d', LANGUAGE],
  ['task:group == service:production', LANGUAGE],
  ['not(task:group == database)', LANGUAGE, 'not task:group == database'],
  ['runningTasksCount == 1', LANGUAGE],
  ['agentVersion < 1.14.5', LANGUAGE],
  ['registeredAt < 2018-02-13', LANGUAGE],
  ["ec2InstanceId in ['i-abcd1234', 'i-wxyx7890']", LANGUAGE, 'ec2InstanceId in [i-abcd1234, i-wxyx7890]'],
  ['attribute:ecs.instance-type == g2.2xlarge', CONSTRAINTS],
  ['attribute:stack == prod', CONSTRAINTS],
  ['attribute:stack != prod', CONSTRAINTS],
  ['attribute:ecs.instance-type in [t2.small, t2.medium]', CONSTRAINTS],
  ['attribute:ecs.instance-type =~ t2.* and attribute:ecs.availability-zone == us-east-1a', CONSTRAINTS],
  ['attribute:ecs.instance-type =~ t2.*', CONSTRAINTS],
  ['task:group == databases', CONSTRAINTS],
  ['attribute:flavor==cpu', 'ansible/ansible#20503, taken by AWS', 'attribute:flavor == cpu'],
  [
    'attribute:ecs.availability-zone not_in [us-east-1e]',
    'hashicorp/terraform-provider-aws#26337, taken by AWS',
    'attribute:ecs.availability-zone !in [us-east-1e]',
  ],
  ['attribute:color =~ green', 'aws/amazon-ecs-cli#586, shown by AWS'],
  ['attribute:retiring != true', 'aws/containers-roadmap#486, taken by AWS'],
];

describe("the cluster query language reads AWS's examples", () => {
  it.each(EXAMPLES)('%s (%s)', (expression, _source, printed = expression) => {
    const query = parseClusterQuery(expression);
    if ('error' in query) throw new Error(query.error);
    expect(printClusterQuery(query)).toBe(printed);
  });
});
