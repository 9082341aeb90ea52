/** Where the real scheduler puts tasks, on nodes of three zones: the support tables name these tests. */
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { service, taskDefinition, webContainer } from '../support/manifests.ts';
import type { Pod } from '../support/recorder.ts';
import { conditionOf, messagesOf, podsOf, readyCondition, runningPods, untilSteady } from '../support/services.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: false });

/** Beside those of the suite, which the expressions leave out. */
const NODES = ['a1', 'a2', 'b1', 'b2', 'c1', 'c2'];
const OURS = 'attribute:suite == placement';

const node = (name: string) => ({
  metadata: {
    name,
    labels: {
      suite: 'placement',
      'longshore.dev/node': 'kwok',
      'kubernetes.io/hostname': name,
      'kubernetes.io/os': 'linux',
      'kubernetes.io/arch': 'amd64',
      'topology.kubernetes.io/zone': `zone-${name[0]}`,
      'node.kubernetes.io/instance-type': name.endsWith('1') ? 't2.micro' : 't2.small',
      ...(name === 'a1' && { tier: 'gold' }),
      disks: name.slice(1),
    },
  },
  status: {
    capacity: { cpu: '256', memory: '1Ti', pods: '1000' },
    allocatable: { cpu: '256', memory: '1Ti', pods: '1000' },
  },
});

const namespaces: string[] = [];

async function namespace(context: TestContext): Promise<TestNamespace> {
  const ns = await suite().namespace(context);
  namespaces.push(`namespace/${ns.name}`);
  return ns;
}

beforeAll(async () => {
  await suite().startOperator(['--no-leader-elect', '--binpack-scheduler=longshore-binpack']);
  await Promise.all(NODES.map((name) => suite().api.call('POST', '/api/v1/nodes', node(name))));
});

// The pods go first: nobody would end those of a node that is gone.
afterAll(async () => {
  if (namespaces.length > 0) await suite().cluster.kubectl(['wait', '--for=delete', '--timeout=120s', ...namespaces]);
  await Promise.all(NODES.map((name) => suite().api.call('DELETE', `/api/v1/nodes/${name}`)));
});

const memberOf = (...expressions: string[]) => ({
  placementConstraints: expressions.map((expression) => ({ type: 'memberOf', expression })),
});
const nodesOf = (pods: readonly Pod[]): string[] => pods.map(({ spec }) => spec.nodeName ?? '').sort();
const countBy = (items: readonly string[]): Record<string, number> =>
  Object.fromEntries([...Map.groupBy(items, (item) => item)].map(([item, { length }]) => [item, length]).sort());

describe.concurrent('a Service', () => {
  it('runs on nodes that every expression means, and waits where there is none', async (context) => {
    const ns = await namespace(context);
    const expressions: Readonly<Record<string, [expression: string, nodes: string[]]>> = {
      zones: ['attribute:ecs.availability-zone in [zone-a, zone-c]', ['a1', 'a2']],
      types: ['attribute:ecs.instance-type =~ t2\\.(micro|nano)', ['a1', 'b1']],
      other: ['attribute:tier != gold or attribute:ecs.os-type == linux and attribute:disks > 1', ['a2', 'b2']],
      without: ['not (attribute:tier exists) and attribute:ecs.cpu-architecture == x86_64', ['a2', 'b1', 'b2']],
    };
    const rest = 'attribute:ecs.availability-zone != zone-c';
    await ns.create(
      taskDefinition('web', memberOf(OURS)),
      ...Object.entries(expressions).map(([name, [expression]]) =>
        service(name, { taskDefinition: 'web', desiredCount: 4, ...memberOf(expression, rest) }),
      ),
      service('nowhere', { taskDefinition: 'web', desiredCount: 2, ...memberOf('attribute:tier == silver') }),
    );
    for (const [name, [, nodes]] of Object.entries(expressions)) {
      await untilSteady(ns.history, name, 4);
      expect([...new Set(nodesOf(runningPods(ns.history, name)))], name).toEqual(nodes);
    }

    const waiting = await ns.until('no node to be found', () => {
      const found = ns.history.get('services', 'nowhere');
      return readyCondition(found)?.reason === 'TaskPlacementFailed' && found;
    });
    expect(readyCondition(waiting)?.message).toContain("didn't match Pod's node affinity/selector");
    expect(messagesOf(waiting)).toContainEqual(
      '(service nowhere) was unable to place a task because no container instance met all of its requirements. The closest matching container-instance is missing an attribute required by your task.',
    );
    const stuck = podsOf(ns.history, 'nowhere');
    expect(nodesOf(stuck)).toEqual(['', '']);

    // No deployment, but other constraints for what could not be placed.
    await ns.patch('services', 'nowhere', { spec: memberOf('attribute:tier == gold') });
    const { status } = await untilSteady(ns.history, 'nowhere', 2);
    expect(nodesOf(runningPods(ns.history, 'nowhere'))).toEqual(['a1', 'a1']);
    expect(status?.deployments).toHaveLength(1);
    expect(status?.deployments?.[0]?.id).toBe(waiting.status?.deployments?.[0]?.id);
  });

  it('has a node of its own for each task, and says why others wait', async (context) => {
    const ns = await namespace(context);
    const { placementConstraints } = memberOf(OURS, 'attribute:ecs.availability-zone == zone-b');
    const apart = { type: 'distinctInstance' };
    await ns.create(
      taskDefinition('web'),
      service('web', { desiredCount: 3, placementConstraints: [apart, ...placementConstraints] }),
      // Of another group, and so not in its way; nor is it, although the names become the same in lower case.
      service('other', {
        taskDefinition: 'web',
        serviceName: 'Web',
        desiredCount: 2,
        placementConstraints: [apart, ...placementConstraints],
      }),
    );
    await untilSteady(ns.history, 'other', 2);
    const message = await ns.until('two to run and one to wait', () => {
      const found = ns.history.get('services', 'web');
      const ready = readyCondition(found);
      return found?.status?.runningCount === 2 && ready?.reason === 'TaskPlacementFailed' && ready.message;
    });
    expect(message).toContain("2 node(s) didn't match pod anti-affinity rules");
    expect(messagesOf(ns.history.get('services', 'web'))).toContainEqual(
      '(service web) was unable to place a task because no container instance met all of its requirements.',
    );
    const nodes = (serviceName: string): string[] =>
      nodesOf(
        ns.history
          .all('pods')
          .filter(({ metadata }) => metadata.annotations?.['longshore.dev/service'] === serviceName),
      );
    expect(nodes('web')).toEqual(['', 'b1', 'b2']);
    expect(nodes('Web')).toEqual(['b1', 'b2']);

    await ns.patch('services', 'web', { spec: { desiredCount: 2 } });
    await untilSteady(ns.history, 'web', 2);
    expect(nodes('web')).toEqual(['b1', 'b2']);
  });

  it('is spread evenly over zones and the nodes in them', async (context) => {
    const ns = await namespace(context);
    const spread = (...fields: string[]) => ({
      taskDefinition: 'web',
      ...memberOf(OURS),
      placementStrategy: fields.map((field) => ({ type: 'spread', field })),
    });
    await ns.create(
      taskDefinition('web'),
      service('default', { desiredCount: 12, ...spread() }),
      service('zones', { desiredCount: 6, ...spread('attribute:ecs.availability-zone') }),
      service('nodes', { desiredCount: 6, ...spread('instanceId') }),
      service('disks', { desiredCount: 6, ...spread('attribute:disks') }),
    );
    const placed = async (name: string, count: number): Promise<string[]> => {
      await untilSteady(ns.history, name, count);
      return nodesOf(runningPods(ns.history, name));
    };
    expect(countBy(await placed('default', 12))).toEqual({ a1: 2, a2: 2, b1: 2, b2: 2, c1: 2, c2: 2 });
    expect(countBy((await placed('zones', 6)).map((name) => name.slice(0, 1)))).toEqual({ a: 2, b: 2, c: 2 });
    expect(await placed('nodes', 6)).toEqual(NODES);
    expect(countBy((await placed('disks', 6)).map((name) => name.slice(1)))).toEqual({ 1: 3, 2: 3 });

    // Whoever stops is chosen so that the others are spread as well.
    const scaledIn = async (name: string, desiredCount: number): Promise<string[]> => {
      await ns.patch('services', name, { spec: { desiredCount } });
      await untilSteady(ns.history, name, desiredCount);
      return ns.until(`${desiredCount} tasks of ${name} to be left`, () => {
        const left = podsOf(ns.history, name);
        return left.length === desiredCount && nodesOf(left);
      });
    };
    const [byDefault, zones, disks] = await Promise.all([
      scaledIn('default', 3),
      scaledIn('zones', 3),
      scaledIn('disks', 2),
    ]);
    for (const left of [byDefault, zones])
      expect(countBy(left.map((name) => name.slice(0, 1)))).toEqual({ a: 1, b: 1, c: 1 });
    expect(countBy(disks.map((name) => name.slice(1)))).toEqual({ 1: 1, 2: 1 });
  });

  it('fills a node before it takes the next by binpack, in each of the zones where it is to be spread first', async (context) => {
    const ns = await namespace(context);
    const binpack = { type: 'binpack', field: 'memory' };
    const zones = { type: 'spread', field: 'attribute:ecs.availability-zone' };
    // A hundredth of a node each: the scheduler scores in whole percent.
    await ns.create(
      taskDefinition('web', memberOf(OURS), [{ ...webContainer, memoryReservation: 10_486 }]),
      service('packed', { taskDefinition: 'web', desiredCount: 6, placementStrategy: [binpack] }),
    );
    await untilSteady(ns.history, 'packed', 6);
    expect(new Set(nodesOf(runningPods(ns.history, 'packed'))).size).toBe(1);
    await ns.create(service('zones', { taskDefinition: 'web', desiredCount: 6, placementStrategy: [zones, binpack] }));
    await untilSteady(ns.history, 'zones', 6);
    expect(Object.values(countBy(nodesOf(runningPods(ns.history, 'zones'))))).toEqual([2, 2, 2]);
  });

  it('keeps to the tasks of a group, or away from them', async (context) => {
    const ns = await namespace(context);
    await ns.create(
      taskDefinition('web', memberOf(OURS)),
      service('database', { taskDefinition: 'web', desiredCount: 1, ...memberOf('attribute:disks == 2') }),
    );
    await untilSteady(ns.history, 'database', 1);
    const [home = ''] = nodesOf(runningPods(ns.history, 'database'));
    const group = 'task:group == service:database';
    await ns.create(
      service('near', { taskDefinition: 'web', desiredCount: 3, ...memberOf(group) }),
      service('away', { taskDefinition: 'web', desiredCount: 10, ...memberOf(`not(${group})`) }),
    );
    await untilSteady(ns.history, 'near', 3);
    expect(nodesOf(runningPods(ns.history, 'near'))).toEqual([home, home, home]);
    await untilSteady(ns.history, 'away', 10);
    expect([...new Set(nodesOf(runningPods(ns.history, 'away')))]).toEqual(NODES.filter((name) => name !== home));
  });

  it('starts nothing where the scheduler has no word for what it asks, and says so', async (context) => {
    const ns = await namespace(context);
    await ns.create(
      taskDefinition('web', memberOf(OURS)),
      service('web', { desiredCount: 1, ...memberOf('runningTasksCount == 1') }),
    );
    const refused = await ns.until('the refusal', () => {
      const ready = readyCondition(ns.history.get('services', 'web'));
      return ready?.reason === 'PlacementNotSupported' && ready;
    });
    expect(refused.message).toMatch(
      /^spec\.placementConstraints\[0\]\.expression: "runningTasksCount == 1" cannot be kept/,
    );
    expect(podsOf(ns.history, 'web')).toEqual([]);
    await ns.patch('services', 'web', { spec: { placementConstraints: [] } });
    await untilSteady(ns.history, 'web', 1);

    // What runs goes on.
    await ns.patch('services', 'web', { spec: memberOf('runningTasksCount == 1') });
    await ns.until('the refusal', () => conditionOf(ns.history.get('services', 'web'), 'ResolvedRefs') === 'False');
    expect(runningPods(ns.history, 'web')).toHaveLength(1);
    // And is not started again.
    const [{ metadata } = { metadata: { name: '' } }] = runningPods(ns.history, 'web');
    await ns.delete('pods', metadata.name);
    await ns.until('the refusal to start', () => {
      const ready = readyCondition(ns.history.get('services', 'web'));
      return ready?.reason === 'PlacementNotSupported';
    });
    expect(runningPods(ns.history, 'web')).toEqual([]);
  });
});
