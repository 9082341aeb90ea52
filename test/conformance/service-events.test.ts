/**
 * Every service event text that AWS lists (`ecs-semantics §3.18`; developer guide, "Amazon ECS service event messages" and
 * "service rebalancing event messages"), with the test that produces it, or why nothing here does.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { closestMatch } from '../../src/ecs/placement-failure.ts';
import { serviceEvent } from '../../src/ecs/service-events.ts';

interface Row {
  /** AWS's words, after `(service web) `. */
  readonly aws: string;
  readonly ours: string;
  /** `file > title` of a test against a real control plane that sees it. */
  readonly producedBy: string;
}

const D = '1234567890123456789';
const events = 'test/cluster/service-events.test.ts';
const services = 'test/cluster/service.test.ts';
const targets = 'test/cluster/load-balancers.test.ts';
const zones = 'test/cluster/zone-rebalancing.test.ts';
const breaker = 'test/cluster/circuit-breaker.test.ts';
const missing = (says: string, holder?: string) =>
  serviceEvent.unplaceable('web', closestMatch(`0/3 nodes are available: ${says}.`, holder));
const UNPLACED = 'was unable to place a task because no container instance met all of its requirements.';

const PRODUCED: readonly Row[] = [
  {
    aws: 'has started 2 tasks: (task a) (task b).',
    ours: serviceEvent.started('web', ['a', 'b']),
    producedBy: `${services} > reaches its desired count, says so, and then writes nothing more`,
  },
  {
    aws: 'has started 1 tasks: (task a). Amazon ECS replaced 1 tasks due to an unhealthy status.',
    ours: serviceEvent.started('web', ['a'], 1),
    producedBy: `${services} > replaces a task that turns unhealthy start first, and stops it when its replacement is healthy`,
  },
  {
    aws: '(task a) failed container health checks.',
    ours: serviceEvent.failedHealthChecks('web', 'a'),
    producedBy: `${services} > replaces a task that turns unhealthy start first, and stops it when its replacement is healthy`,
  },
  {
    aws: 'has stopped 2 running tasks: (task a) (task b).',
    ours: serviceEvent.stoppedRunning('web', ['a', 'b']),
    producedBy: `${services} > follows kubectl scale up and down, with surplus tasks stopped as ECS words it`,
  },
  {
    aws: 'stopped 2 pending tasks.',
    ours: serviceEvent.stoppedPending('web', 2),
    producedBy: `${events} > tell of tasks that were stopped before they ran, and of a port that is taken`,
  },
  {
    aws: `(deployment ecs-svc/${D}) deployment completed.`,
    ours: serviceEvent.deploymentCompleted('web', D),
    producedBy: `${services} > reaches its desired count, says so, and then writes nothing more`,
  },
  {
    aws: 'has reached a steady state.',
    ours: serviceEvent.steadyState('web'),
    producedBy: `${services} > reaches its desired count, says so, and then writes nothing more`,
  },
  {
    aws: `(deployment ecs-svc/${D}) deployment failed: tasks failed to start.`,
    ours: serviceEvent.deploymentFailed('web', D, 'tasks failed to start'),
    producedBy: `${breaker} > rolls a failing revision back, never below the lower bound, and says so until the next deployment`,
  },
  {
    aws: `(deployment ecs-svc/${D}) deployment failed: alarm detected.`,
    ours: serviceEvent.deploymentFailed('web', D, 'alarm detected'),
    producedBy:
      'test/cluster/deployment-alarms.test.ts > rolls a revision back when a query gives a result, and starts none of it before it has asked',
  },
  {
    aws: `(deployment ecs-svc/${D}) No rollback candidate was found to run the rollback.`,
    ours: serviceEvent.noRollbackCandidate('web', D),
    producedBy:
      'test/cluster/deployment-rollback.test.ts > fails a first deployment, which has nothing to go back to, and leaves its tasks',
  },
  {
    aws: `rolling back to deployment ecs-svc/${D}.`,
    ours: serviceEvent.rollingBack('web', D),
    producedBy: `${breaker} > rolls a failing revision back, never below the lower bound, and says so until the next deployment`,
  },
  {
    aws: 'is unable to consistently start tasks successfully.',
    ours: serviceEvent.startImpaired('web'),
    producedBy: `${services} > throttles tasks that never start, says so, and starts at once again with a new revision`,
  },
  {
    aws: 'operations are being throttled. Will try again later.',
    ours: serviceEvent.operationsThrottled('web'),
    producedBy:
      'test/cluster/restart-budget.test.ts > is served by a budget that all of them share, that none is left out of, and that a restart of the operator keeps',
  },
  {
    aws: 'was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again.',
    ours: serviceEvent.stuck('web'),
    producedBy: `${services} > says which rule blocks a deployment that can neither start nor stop`,
  },
  {
    aws: `${UNPLACED} The closest matching container-instance has insufficient CPU units available.`,
    ours: missing('1 Insufficient memory, 2 Insufficient cpu'),
    producedBy: 'test/cluster/stop-reasons.test.ts > for it has a service that says what is missing',
  },
  {
    aws: `${UNPLACED} The closest matching container-instance has insufficient memory available.`,
    ours: missing("1 Insufficient memory, 2 node(s) didn't match Pod's node affinity/selector"),
    producedBy: 'test/cluster/stop-reasons.test.ts > for it has a service that says what is missing',
  },
  {
    // AWS's list prints the id without brackets; what users quote has them (Shippable/support#4462, CircleCI-Archived/circle-ecs#1).
    aws: `${UNPLACED} The closest matching (container-instance node-1) is already using a port required by your task.`,
    ours: missing("1 node(s) didn't have free ports for the requested pod ports", 'node-1'),
    producedBy: `${events} > tell of tasks that were stopped before they ran, and of a port that is taken`,
  },
  {
    aws: `${UNPLACED} The closest matching container-instance is missing an attribute required by your task.`,
    ours: missing("3 node(s) didn't match Pod's node affinity/selector"),
    producedBy:
      'test/cluster/placement.test.ts > runs on nodes that every expression means, and waits where there is none',
  },
  {
    aws: UNPLACED,
    ours: missing("2 node(s) didn't match pod anti-affinity rules"),
    producedBy: 'test/cluster/placement.test.ts > has a node of its own for each task, and says why others wait',
  },
  {
    aws: `could not launch 2 tasks for deployment ecs-svc/${D}.`,
    ours: serviceEvent.notLaunched('web', D, 2),
    producedBy: `${services} > shows a quota that refuses its pods, and recovers when there is room`,
  },
  {
    aws: `was unable to reach steady state because (taskSet ecs-svc/${D}) was unable to scale in due to (reason 3 tasks under protection)`,
    ours: serviceEvent.underProtection('web', D, 3),
    producedBy: `${events} > tell of tasks whose protection holds a deployment up, once, until it ends by itself`,
  },
  {
    aws: 'registered 3 targets in (target-group public)',
    ours: serviceEvent.registeredTargets('web', 'public', 3),
    producedBy: `${targets} > registers its tasks in every target group, and drains those that stop before they end`,
  },
  {
    aws: 'deregistered 1 targets in (target-group public)',
    ours: serviceEvent.deregisteredTargets('web', 'public', 1),
    producedBy: `${targets} > registers its tasks in every target group, and drains those that stop before they end`,
  },
  {
    aws: 'has begun draining connections on 1 tasks.',
    ours: serviceEvent.begunDraining('web', 1),
    producedBy: `${targets} > registers its tasks in every target group, and drains those that stop before they end`,
  },
  {
    aws: '(task a) (port 80) is unhealthy in (target-group public) due to (reason Health checks failed).',
    ours: serviceEvent.unhealthyTarget('web', 'a', { port: 80, arn: 'public', reason: 'Health checks failed' }),
    producedBy: `${targets} > replaces a task that fails the checks of its target group`,
  },
  {
    aws: 'is not AZ balanced with 4 tasks in eu-west-1a, 0 tasks in eu-west-1b. AZ Rebalancing in progress.',
    ours: serviceEvent.notZoneBalanced('web', [
      ['eu-west-1a', 4],
      ['eu-west-1b', 0],
    ]),
    producedBy: `${zones} > moves to a zone that comes, start first, and says so in the words of AWS`,
  },
  {
    aws: 'is AZ balanced with 2 tasks in eu-west-1a, 2 tasks in eu-west-1b.',
    ours: serviceEvent.zoneBalanced('web', [
      ['eu-west-1a', 2],
      ['eu-west-1b', 2],
    ]),
    producedBy: `${zones} > moves to a zone that comes, start first, and says so in the words of AWS`,
  },
  {
    aws: 'has started 1 tasks in eu-west-1b to AZ Rebalance: (task a).',
    ours: serviceEvent.startedInZone('web', 'eu-west-1b', ['a']),
    producedBy: `${zones} > moves to a zone that comes, start first, and says so in the words of AWS`,
  },
  {
    aws: 'has stopped 1 running tasks in eu-west-1a due to AZ rebalancing: (task a).',
    ours: serviceEvent.stoppedInZone('web', 'eu-west-1a', ['a']),
    producedBy: `${zones} > moves to a zone that comes, start first, and says so in the words of AWS`,
  },
  {
    aws: 'is unable to place a task in eu-west-1b because no container instance met all of its requirements.',
    ours: serviceEvent.unplaceableInZone('web', 'eu-west-1b'),
    producedBy: `${zones} > waits for a zone that has no room, and stays steady meanwhile`,
  },
];

/** What is not said, and why. */
const NOT_SAID: Readonly<Record<string, string>> = {
  'task set (…) (task …) is not healthy in target-group (…) due to TARGET GROUP IS NOT FOUND':
    'the condition TargetGroupNotFound of the service says it',
  'registered N instances in (elb NAME)': 'Classic Load Balancers do not exist here',
  'deregistered N instances in (elb NAME)': 'Classic Load Balancers do not exist here',
  '(instance i-…) is unhealthy in (elb NAME) due to (reason R)': 'Classic Load Balancers do not exist here',
  'was unable to place a task. Reason: R.': 'quotas and capacity of Fargate: nodes are the cluster’s own',
  'was unable to reach steady state. Reason: No Container Instances were found in your capacity provider.':
    'capacity providers are refused by field',
  'was unable to place tasks in your cluster because the tasks provisioning capacity limit was exceeded.':
    'there is no such limit: a pod that finds no node waits',
  '… encountered error "AGENT".': 'the agent is the kubelet: its node takes no pods while it is away',
  'Timed out waiting for Amazon ECS Agent to start.':
    'the agent is the kubelet: its node takes no pods while it is away',
  'IAM permissions policies have been misconfigured or changed': 'rights are the operator’s, by RBAC, not a service’s',
  'IAM trust relationship': 'rights are the operator’s, by RBAC, not a service’s',
};

const root = join(import.meta.dirname, '..', '..');

describe("AWS's service event", () => {
  it.each(PRODUCED)('$aws', ({ aws, ours, producedBy }) => {
    expect(ours).toBe(`(service web) ${aws}`);
    const [file = '', title = ''] = producedBy.split(' > ');
    const quoted = title.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
    expect(readFileSync(join(root, file), 'utf8')).toMatch(new RegExp(`\\bit\\((['"\`]).*${quoted}\\1,`));
  });

  it.each(Object.entries(NOT_SAID))('%s is not said: %s', (aws) => {
    const source = readFileSync(join(root, 'src/ecs/service-events.ts'), 'utf8');
    const fixed = aws.split(/ N | n |in AZ\b|ARN|NAME|i-…| T\)| P\)| R\b|…/);
    expect(source).not.toContain(fixed.reduce((a, b) => (b.length > a.length ? b : a)));
  });

  it('names ten tasks at most', () => {
    const ids = Array.from({ length: 11 }, (_, index) => String(index));
    const text = serviceEvent.started('web', ids);
    expect(text).toMatch(/^\(service web\) has started 11 tasks: \(task 0\) .* \(task 9\) …\.$/);
    expect(text).not.toContain('(task 10)');
  });
});
