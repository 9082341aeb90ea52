/** Rollouts on a real control plane, judged at every resourceVersion by a watch of the tests' own. */
import { describe, expect, it } from 'vitest';
import { externalMetric } from '../support/external-metrics.ts';
import { pathOf } from '../support/kube-api.ts';
import { kwok, service, taskDefinition, webContainer } from '../support/manifests.ts';
import { ownNodes } from '../support/nodes.ts';
import type { Pod } from '../support/recorder.ts';
import { extremesSince, rolloutViolations } from '../support/rollout-record.ts';
import { countsOf, messagesOf, podsOf, runningPods, steady, untilSteady } from '../support/services.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: true });

/** A rollout has many steps, and all of these run at once. */
const PATIENCE_MS = 480_000;
const TIMEOUT = { timeout: 600_000 };

const until = <T>(ns: TestNamespace, what: string, ask: () => T | undefined | false): Promise<T> =>
  ns.until(what, ask, PATIENCE_MS);

const percent = (minimumHealthyPercent: number, maximumPercent: number) => ({
  deploymentConfiguration: { minimumHealthyPercent, maximumPercent },
});
const revisionOf = ({ metadata }: Pod): number => Number(metadata.labels?.['longshore.dev/revision']);
const ofRevision = (ns: TestNamespace, revision: number): Pod[] =>
  runningPods(ns.history, 'web').filter((pod) => revisionOf(pod) === revision);
const uidsOf = (pods: readonly Pod[]): string[] => pods.map(({ metadata }) => metadata.uid);
const deploymentsOf = (ns: TestNamespace) => ns.history.get('services', 'web')?.status?.deployments ?? [];

/** Registers the next revision: its tasks are ready after so long. */
const register = (ns: TestNamespace, readyAfter: string, kubernetes: object = {}) =>
  ns.patch('taskdefinitions', 'web', { spec: { kubernetes: { ...kubernetes, podAnnotations: kwok({ readyAfter }) } } });

async function untilRolled(ns: TestNamespace, revision: number, count: number) {
  await until(
    ns,
    `the rollout of web:${revision}`,
    () => ns.history.get('services', 'web')?.status?.taskDefinition === `web:${revision}`,
  );
  const rolled = await untilSteady(ns.history, 'web', count, PATIENCE_MS);
  expect(ofRevision(ns, revision)).toHaveLength(count);
  return rolled;
}

/** Lets tasks that are not to become ready by themselves become so, one after another as they appear. */
async function letGo(ns: TestNamespace, count: number): Promise<void> {
  const done = new Set<string>();
  const held = (): Pod[] =>
    runningPods(ns.history, 'web').filter(
      ({ metadata, status }) =>
        status?.phase === 'Running' &&
        !done.has(metadata.uid) &&
        !status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
    );
  for (;;) {
    const next = await until(
      ns,
      'another task, or a steady state',
      () => held()[0] ?? steady(ns.history, 'web', count),
    );
    if (!('phase' in (next.status ?? {}))) return;
    done.add(next.metadata.uid);
    await ns
      .patch('pods', next.metadata.name, { metadata: { annotations: kwok({ readyAfter: '1ms' }) } })
      .catch((error: Error) => {
        if (!error.message.includes('not found')) throw error;
      });
  }
}

describe.concurrent('a rollout', () => {
  it('from 5 to 10 tasks at 50/200 keeps both bounds at every moment', TIMEOUT, async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(
      taskDefinition('web'),
      service('web', { taskDefinition: 'web:1', desiredCount: 5, ...percent(50, 200) }),
    );
    const before = await untilSteady(ns.history, 'web', 5, PATIENCE_MS);
    await register(ns, '1500ms');
    await until(ns, 'web:2', () => ns.history.get('taskdefinitions', 'web')?.status?.latestRevision === 2);
    const asked = await ns.patch('services', 'web', { spec: { taskDefinition: 'web:2', desiredCount: 10 } });
    const after = await untilRolled(ns, 2, 10);

    const { fewestHealthy, mostLive } = extremesSince(ns.history, 'web', asked);
    expect(fewestHealthy).toBeGreaterThanOrEqual(5);
    expect(mostLive).toBeLessThanOrEqual(20);
    expect(rolloutViolations(ns.history, 'web')).toEqual([]);
    const tables = ns.history
      .statesOf('services', 'web')
      .map(({ status }) => status?.deployments?.map((deployment) => `${deployment.status} ${countsOf(deployment)}`));
    expect(tables).toContainEqual(['PRIMARY 10/10/0', 'ACTIVE 5/0/5']);
    expect(tables.at(-1)).toEqual(['PRIMARY 10/0/10']);
    expect(messagesOf(after)[0]).toBe('(service web) has reached a steady state.');
    expect(after.status).toMatchObject({
      taskDefinition: 'web:2',
      deployments: [
        { rolloutState: 'COMPLETED', rolloutStateReason: expect.stringMatching(/^ECS deployment .* completed\.$/) },
      ],
    });
    expect(after.status?.deployments?.[0]?.id).not.toBe(before.status?.deployments?.[0]?.id);
    await until(ns, 'the old tasks to be swept', () => podsOf(ns.history, 'web').length === 10);
  });

  it(
    'of 100 tasks at 90/110 has never fewer than 90 healthy ones and never more than 110',
    TIMEOUT,
    async (context) => {
      const ns = await suite().namespace(context);
      await ns.create(taskDefinition('web'), service('web', { desiredCount: 100, ...percent(90, 110) }));
      await untilSteady(ns.history, 'web', 100, PATIENCE_MS);
      const asked = await register(ns, '200ms');
      await untilRolled(ns, 2, 100);
      const { fewestHealthy, mostLive } = extremesSince(ns.history, 'web', asked);
      expect(fewestHealthy).toBeGreaterThanOrEqual(90);
      // The bound is used, not only kept; on a slow machine the first old ones have ended before the last new one is made.
      expect(mostLive).toBeLessThanOrEqual(110);
      expect(mostLive).toBeGreaterThan(100);
      expect(rolloutViolations(ns.history, 'web')).toEqual([]);
    },
  );

  it(
    'that another one overtakes leaves both older deployments ACTIVE, and their tasks go within the bounds',
    TIMEOUT,
    async (context) => {
      const ns = await suite().namespace(context);
      await ns.create(taskDefinition('web'), service('web', { desiredCount: 6, ...percent(50, 150) }));
      await untilSteady(ns.history, 'web', 6, PATIENCE_MS);
      const asked = await register(ns, '1h');
      await until(ns, 'a task of the second revision beside one of the first', () => {
        const running = ofRevision(ns, 2).filter(({ status }) => status?.phase === 'Running');
        return running.length > 0 && ofRevision(ns, 1).length > 0;
      });
      await register(ns, '300ms');
      await untilRolled(ns, 3, 6);
      const tables = ns.history
        .statesOf('services', 'web')
        .map(({ status }) => status?.deployments?.map(({ status: is, taskDefinition: of }) => `${is} ${of}`));
      expect(tables).toContainEqual(['PRIMARY web:3', 'ACTIVE web:2', 'ACTIVE web:1']);
      expect(tables.at(-1)).toEqual(['PRIMARY web:3']);
      const { fewestHealthy, mostLive } = extremesSince(ns.history, 'web', asked);
      expect(fewestHealthy).toBeGreaterThanOrEqual(3);
      expect(mostLive).toBeLessThanOrEqual(9);
      expect(rolloutViolations(ns.history, 'web')).toEqual([]);
    },
  );

  it('during which the desired count rises and falls keeps the bounds of each count', TIMEOUT, async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(taskDefinition('web'), service('web', { desiredCount: 4, ...percent(100, 150) }));
    await untilSteady(ns.history, 'web', 4, PATIENCE_MS);
    await register(ns, '1h');
    await until(ns, 'two new tasks, which is all there is room for', () => ofRevision(ns, 2).length === 2);
    await ns.kubectl(['scale', 'esvc/web', '--replicas=8']);
    await until(ns, 'the room of the higher bound to be used', () => ofRevision(ns, 2).length === 8);
    expect(ofRevision(ns, 1)).toHaveLength(4);
    await ns.kubectl(['scale', 'esvc/web', '--replicas=3']);
    await until(ns, 'no more new tasks than are wanted', () => ofRevision(ns, 2).length <= 3);
    await letGo(ns, 3);
    expect(ofRevision(ns, 2)).toHaveLength(3);
    expect(rolloutViolations(ns.history, 'web')).toEqual([]);
  });

  it(
    'goes on while kubectl drain empties a node, which the budget holds up for as long as it must',
    TIMEOUT,
    async (context) => {
      const ns = await suite().namespace(context);
      const { kubernetes } = await ownNodes(suite(), ns, context, 2);
      await ns.create(taskDefinition('web', { kubernetes }), service('web', { desiredCount: 4 }));
      await untilSteady(ns.history, 'web', 4, PATIENCE_MS);
      await ns.kubectl(['wait', '--for=jsonpath={.spec.minAvailable}=4', '--timeout=120s', 'pdb/web']);
      await register(ns, '1h', kubernetes);
      await until(ns, 'the new tasks', () => ofRevision(ns, 2).length === 4);
      const [old] = ofRevision(ns, 1) as [Pod];
      const node = old.spec.nodeName as string;
      const eviction = {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name: old.metadata.name, namespace: ns.name },
      };
      const evicted = suite().api.call('POST', `${pathOf('pods', ns.name, old.metadata.name)}/eviction`, eviction);
      await expect(evicted).rejects.toThrow(/429 Cannot evict pod/);

      const drained = ns.kubectl(['drain', node, '--ignore-daemonsets', '--pod-selector=longshore.dev/service']);
      await Promise.all([drained, letGo(ns, 4)]);
      const left = runningPods(ns.history, 'web');
      expect(left.map((pod) => [revisionOf(pod), pod.spec.nodeName === node])).toEqual(Array(4).fill([2, false]));
      expect(rolloutViolations(ns.history, 'web')).toEqual([]);
    },
  );

  it('follows a new image, and a forced deployment of the same revision', TIMEOUT, async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(taskDefinition('web'), service('web', { desiredCount: 3, ...percent(50, 100) }));
    await untilSteady(ns.history, 'web', 3, PATIENCE_MS);
    const asked = await ns.patch('taskdefinitions', 'web', {
      spec: { containerDefinitions: [{ ...webContainer, image: 'httpd:2.5' }] },
    });
    const { status } = await untilRolled(ns, 2, 3);
    const second = runningPods(ns.history, 'web');
    expect(second.map(({ spec }) => spec.containers[0]?.image)).toEqual(Array(3).fill('httpd:2.5'));

    await ns.kubectl(['annotate', 'esvc/web', 'longshore.dev/force-new-deployment=again']);
    await until(ns, 'another deployment', () => deploymentsOf(ns)[0]?.id !== status?.deployments?.[0]?.id);
    await untilRolled(ns, 2, 3);
    const third = uidsOf(runningPods(ns.history, 'web'));
    expect(uidsOf(second).filter((uid) => third.includes(uid))).toEqual([]);
    expect(extremesSince(ns.history, 'web', asked)).toEqual({ fewestHealthy: 2, mostLive: 3 });
    expect(rolloutViolations(ns.history, 'web')).toEqual([]);
  });

  it('to no task at all completes at once, and tasks come back as the newest revision', TIMEOUT, async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(taskDefinition('web'), service('web', { desiredCount: 3 }));
    await untilSteady(ns.history, 'web', 3, PATIENCE_MS);
    await ns.patch('services', 'web', { spec: { desiredCount: 0 } });
    await untilSteady(ns.history, 'web', 0, PATIENCE_MS);
    await register(ns, '1ms');
    const empty = await untilRolled(ns, 2, 0);
    expect(empty.status?.deployments).toMatchObject([{ taskDefinition: 'web:2', rolloutState: 'COMPLETED' }]);
    await ns.patch('services', 'web', { spec: { desiredCount: 3 } });
    await untilRolled(ns, 2, 3);
    expect(rolloutViolations(ns.history, 'web')).toEqual([]);
  });

  it(
    'of tasks without a check takes none of the old ones before the new ones have run for 40 s',
    TIMEOUT,
    async (context) => {
      const ns = await suite().namespace(context);
      await ns.create(taskDefinition('web'), service('web', { desiredCount: 2 }));
      await untilSteady(ns.history, 'web', 2, PATIENCE_MS);
      const { healthCheck, ...unchecked } = webContainer;
      expect(healthCheck).toBeDefined();
      const asked = await ns.patch('taskdefinitions', 'web', { spec: { containerDefinitions: [unchecked] } });
      await until(ns, 'the new tasks', () => ofRevision(ns, 2).length === 2);
      await until(ns, 'the old tasks to go', () => ofRevision(ns, 1).length === 0);
      expect(extremesSince(ns.history, 'web', asked)).toEqual({ fewestHealthy: 2, mostLive: 4 });
      expect(rolloutViolations(ns.history, 'web')).toEqual([]);
    },
  );
});

describe.concurrent('a HorizontalPodAutoscaler', () => {
  it('scales a service up and down by a metric, and by nothing but its desiredCount', {
    timeout: 300_000,
  }, async (context) => {
    const ns = await suite().namespace(context);
    const metric = await externalMetric(suite(), ns, context);
    metric.set(20);
    await ns.create(taskDefinition('web'), service('web', { desiredCount: 2 }));
    await untilSteady(ns.history, 'web', 2, PATIENCE_MS);
    const autoscaler = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'web' },
      spec: {
        scaleTargetRef: { apiVersion: 'longshore.dev/v1alpha1', kind: 'Service', name: 'web' },
        minReplicas: 1,
        maxReplicas: 10,
        metrics: [
          {
            type: 'External',
            external: { metric: { name: metric.name }, target: { type: 'AverageValue', averageValue: '10' } },
          },
        ],
        behavior: { scaleDown: { stabilizationWindowSeconds: 0 } },
      },
    };
    await ns.kubectl(['apply', '-f', '-'], JSON.stringify(autoscaler));
    const scaled = async (value: number, count: number): Promise<void> => {
      metric.set(value);
      const asked = () => ns.history.get('services', 'web')?.spec.desiredCount === count;
      await until(ns, `the autoscaler to ask for ${count} tasks`, asked);
      const { status } = await untilSteady(ns.history, 'web', count, PATIENCE_MS);
      expect(status).toMatchObject({ desiredCount: count, runningCount: count });
    };
    await scaled(55, 6);
    await scaled(28, 3);
    await ns.kubectl(['wait', '--for=jsonpath={.status.currentReplicas}=3', '--timeout=120s', 'hpa/web']);
    expect(ns.history.get('services', 'web')?.status?.deployments).toHaveLength(1);
    expect(rolloutViolations(ns.history, 'web')).toEqual([]);
  });
});
