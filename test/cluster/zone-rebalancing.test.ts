/** AZ rebalancing on nodes of simulated zones. */
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { pathOf } from '../support/kube-api.ts';
import { service, taskDefinition } from '../support/manifests.ts';
import { ownNode, ownNodes } from '../support/nodes.ts';
import { extremesSince, rolloutViolations } from '../support/rollout-record.ts';
import { messagesOf, runningPods, untilSteady } from '../support/services.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: true });

const PATIENCE_MS = 170_000;
const A = 'local-a';
const B = 'local-b';

const web = (ns: TestNamespace) => ns.history.get('services', 'web');
const said = (ns: TestNamespace): readonly string[] =>
  messagesOf(web(ns)).map((text) => text.replaceAll(/\(task [0-9a-f]{32}\)/g, '(task)'));
const untilSaid = (ns: TestNamespace, text: string) =>
  ns.until(text, () => said(ns).includes(`(service web) ${text}`), PATIENCE_MS);
/** Tasks by the node that they run on. */
const perNode = (ns: TestNamespace): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { spec } of runningPods(ns.history, 'web'))
    counts[spec.nodeName ?? '-'] = (counts[spec.nodeName ?? '-'] ?? 0) + 1;
  return counts;
};
const isReady = (of: ReturnType<typeof web>): boolean =>
  of?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;

describe.concurrent('a service whose zones are not balanced', () => {
  it('moves to a zone that comes, start first, and says so in the words of AWS', async (context) => {
    const ns = await suite().namespace(context);
    const { names, kubernetes } = await ownNodes(suite(), ns, context, 1);
    await ns.create(
      taskDefinition('web', { kubernetes }),
      service('web', { desiredCount: 3, availabilityZoneRebalancing: 'ENABLED' }),
    );
    const before = await untilSteady(ns.history, 'web', 3, PATIENCE_MS);
    const second = `${ns.name}-b`;
    await ownNode(suite(), ns, context, second, 1);
    await untilSaid(ns, `is AZ balanced with 2 tasks in ${A}, 1 tasks in ${B}.`);
    const record = await ns.until(
      'the record of the task that moved',
      () => web(ns)?.status?.stoppedTasks?.[0],
      PATIENCE_MS,
    );

    expect(said(ns).slice(0, 5)).toEqual([
      `(service web) is AZ balanced with 2 tasks in ${A}, 1 tasks in ${B}.`,
      `(service web) has stopped 1 running tasks in ${A} due to AZ rebalancing: (task).`,
      `(service web) is not AZ balanced with 3 tasks in ${A}, 0 tasks in ${B}. AZ Rebalancing in progress.`,
      `(service web) has started 1 tasks in ${B} to AZ Rebalance: (task).`,
      '(service web) has reached a steady state.',
    ]);
    const moved = { [names[0] as string]: 2, [second]: 1 };
    await ns.until('two tasks on the first node and one on the second', () => isDeepStrictEqual(perNode(ns), moved));
    expect(record.stoppedReason).toMatch(/^Availability-zone rebalancing initiated by \(deployment ecs-svc\/\d{19}\)$/);
    expect(web(ns)?.status?.stoppedTasks).toHaveLength(1);
    const since = ns.history
      .statesOf('services', 'web')
      .filter(({ metadata }) => BigInt(metadata.resourceVersion) > BigInt(before.metadata.resourceVersion));
    expect(since.filter((state) => !isReady(state))).toEqual([]);
    expect(extremesSince(ns.history, 'web', before).fewestHealthy).toBe(3);
    expect(rolloutViolations(ns.history, 'web')).toEqual([]);
  });

  it('waits for a zone that has no room, and stays steady meanwhile', async (context) => {
    const ns = await suite().namespace(context);
    const { kubernetes } = await ownNodes(suite(), ns, context, 1);
    await ns.create(taskDefinition('web', { kubernetes }), service('web', { desiredCount: 3 }));
    await untilSteady(ns.history, 'web', 3, PATIENCE_MS);
    const full = `${ns.name}-b`;
    await ownNode(suite(), ns, context, full, 1, { pods: '0' });
    await untilSaid(ns, `is unable to place a task in ${B} because no container instance met all of its requirements.`);
    expect(isReady(web(ns))).toBe(true);
    await ns.until('one stand-in without a node', () => perNode(ns)['-'] === 1);

    const room = { status: { allocatable: { pods: '100' } } };
    await suite().api.call('PATCH', `${pathOf('nodes', undefined, full)}/status`, room);
    await untilSaid(ns, `is AZ balanced with 2 tasks in ${A}, 1 tasks in ${B}.`);
  });
});
