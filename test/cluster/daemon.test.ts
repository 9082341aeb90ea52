/** Services with schedulingStrategy DAEMON: one task on each node that matches, on a real control plane. */
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { duplicates, isEnded, isHealthy, isWanted, orphans, statusRegressions } from '../support/invariants.ts';
import { pathOf } from '../support/kube-api.ts';
import { kwok, service, taskDefinition } from '../support/manifests.ts';
import { type OwnNodes, ownNode, ownNodes } from '../support/nodes.ts';
import type { Pod } from '../support/recorder.ts';
import { messagesOf, podsOf, runningPods, stoppedTaskOf, untilSteady } from '../support/services.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: true });

const daemon = (spec: object = {}) =>
  service('agent', { desiredCount: undefined, schedulingStrategy: 'DAEMON', ...spec });
const nodesOf = (ns: TestNamespace): (string | undefined)[] =>
  runningPods(ns.history, 'agent')
    .map(({ spec }) => spec.nodeName)
    .sort();
const agent = (ns: TestNamespace) => ns.history.get('services', 'agent');

async function startDaemon(context: TestContext, count: number, spec: object = {}) {
  const ns = await suite().namespace(context);
  const nodes = await ownNodes(suite(), ns, context, count);
  await ns.create(taskDefinition('agent', { kubernetes: nodes.kubernetes }), daemon(spec));
  await untilSteady(ns.history, 'agent', count);
  expect(nodesOf(ns)).toEqual([...nodes.names].sort());
  return { ns, ...nodes };
}

const job = (kubernetes: OwnNodes['kubernetes'], node: string) => ({
  kind: 'BatchJob' as const,
  name: 'job',
  spec: {
    kubernetes: {
      ...kubernetes,
      nodeSelector: { ...kubernetes.nodeSelector, 'kubernetes.io/hostname': node },
      podAnnotations: kwok({ exitAfter: '1000h' }),
    },
    containerProperties: {
      image: 'busybox',
      resourceRequirements: [
        { type: 'VCPU', value: '1' },
        { type: 'MEMORY', value: '16' },
      ],
    },
  },
});

const DRAINING = {
  stopCode: 'ServiceSchedulerInitiated',
  stoppedReason: 'Task stopped because its container instance is in DRAINING state',
};

/** At every resourceVersion: which nodes have how many live tasks, and how many tasks are healthy. */
function recordOf(ns: TestNamespace, since: string) {
  const pods = new Map<string, Pod>();
  const doubles: string[] = [];
  let fewest = Number.POSITIVE_INFINITY;
  for (const { kind, type, object, resourceVersion } of ns.history.entries) {
    if (kind !== 'pods' || object.metadata.labels?.['longshore.dev/service'] !== 'agent') continue;
    if (type === 'DELETED') pods.delete(object.metadata.uid);
    else pods.set(object.metadata.uid, object);
    const live = [...pods.values()].filter((pod) => !isEnded(pod));
    const targets = live.map(({ spec }) => JSON.stringify(spec.affinity));
    if (new Set(targets).size < targets.length) doubles.push(`${resourceVersion}: ${targets.join(' ')}`);
    if (BigInt(resourceVersion) >= BigInt(since)) fewest = Math.min(fewest, live.filter(isHealthy).length);
  }
  return { doubles, fewest };
}

describe.concurrent('a DAEMON service', () => {
  it('has one task on each node, follows nodes that come, change and go, and has no PodDisruptionBudget', async (context) => {
    const { ns, names } = await startDaemon(context, 2);
    for (const pod of runningPods(ns.history, 'agent')) {
      const term = { matchFields: [{ key: 'metadata.name', operator: 'In', values: [pod.spec.nodeName] }] };
      expect(pod.spec.affinity).toEqual({
        nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } },
      });
      expect(pod.spec.tolerations).toContainEqual({
        key: 'node.kubernetes.io/not-ready',
        operator: 'Exists',
        effect: 'NoExecute',
      });
    }
    expect(await ns.kubectl(['get', 'services.longshore.dev', 'agent'])).toMatch(/agent +ACTIVE +2 +0 +2 /);

    const late = `${ns.name}-late`;
    await ownNode(suite(), ns, context, late);
    await untilSteady(ns.history, 'agent', 3);
    expect(nodesOf(ns)).toEqual([...names, late].sort());

    const [first = '', second = ''] = names;
    const [leaving] = runningPods(ns.history, 'agent').filter(({ spec }) => spec.nodeName === first) as [Pod];
    await ns.kubectl(['label', 'node', first, 'longshore.dev/test-']);
    await untilSteady(ns.history, 'agent', 2);
    const stopped = await ns.until('the stop to be recorded', () => stoppedTaskOf(agent(ns), leaving));
    expect(stopped).toMatchObject({
      stopCode: 'ServiceSchedulerInitiated',
      stoppedReason: expect.stringMatching(/^Scaling activity initiated by \(deployment ecs-svc\/\d{19}\)$/),
    });

    const before = runningPods(ns.history, 'agent').map(({ metadata }) => metadata.uid);
    await ns.kubectl(['taint', 'node', second, 'test=full:NoSchedule']);
    await ns.until('the node to take no more tasks', () => agent(ns)?.status?.desiredCount === 1);
    await ns.kubectl(['label', 'node', first, `longshore.dev/test=${ns.name}`]);
    await ns.until('the task to be back', () => nodesOf(ns).join() === [...names, late].sort().join());
    expect(runningPods(ns.history, 'agent').map(({ metadata }) => metadata.uid)).toEqual(
      expect.arrayContaining(before),
    );

    await suite().api.call('DELETE', pathOf('nodes', undefined, late));
    await ns.until('the node to be gone', () => agent(ns)?.status?.desiredCount === 1);
    expect(await ns.kubectl(['get', 'pdb', '-o=name'])).toBe('');
    expect([...recordOf(ns, '0').doubles, ...duplicates(ns.history), ...orphans(ns.history, 'agent')]).toEqual([]);
  });

  it('rolls over 5 nodes at 50/100 two at a time, never below 3 healthy tasks, whatever happens to the operator', async (context) => {
    const { ns, kubernetes } = await startDaemon(context, 5, {
      deploymentConfiguration: { minimumHealthyPercent: 50 },
    });
    const since = agent(ns)?.metadata.resourceVersion ?? '';
    const podAnnotations = kwok({ readyAfter: '2s' });
    await ns.patch('taskdefinitions', 'agent', { spec: { kubernetes: { ...kubernetes, podAnnotations } } });
    const isNew = ({ metadata }: Pod): boolean => metadata.labels?.['longshore.dev/revision'] === '2';
    await ns.until('the first new task', () => podsOf(ns.history, 'agent').some(isNew));
    await suite().operator.kill('SIGKILL');
    await suite().startOperator();
    await ns.until('all to be new', () => runningPods(ns.history, 'agent').filter(isNew).length === 5);
    const { status } = await untilSteady(ns.history, 'agent', 5);
    expect(status?.deployments).toMatchObject([{ taskDefinition: 'agent:2', rolloutState: 'COMPLETED' }]);
    expect(recordOf(ns, since)).toEqual({ doubles: [], fewest: 3 });
    expect([...duplicates(ns.history), ...statusRegressions(ns.history, 'agent')]).toEqual([]);
    expect(messagesOf(agent(ns))).toContain('(service agent) has reached a steady state.');
  });

  it('stops its task on a cordoned node after those of others', async (context) => {
    const { ns, kubernetes, names } = await startDaemon(context, 2);
    const [node = '', other = ''] = names;
    await ns.create(job(kubernetes, node));
    const isJob = ({ metadata }: Pod): boolean => metadata.labels?.['longshore.dev/batch-job'] === 'job';
    await ns.until('the job to run', () =>
      ns.history.all('pods').some((pod) => isJob(pod) && pod.status?.phase === 'Running'),
    );
    const [last] = runningPods(ns.history, 'agent').filter(({ spec }) => spec.nodeName === node) as [Pod];
    await ns.kubectl(['cordon', node]);
    await ns.until('the node to be DRAINING', () => agent(ns)?.status?.desiredCount === 1);
    expect(nodesOf(ns)).toEqual([...names].sort());
    expect(agent(ns)?.status?.runningCount).toBe(2);

    await ns.delete('batchjobs', 'job');
    await untilSteady(ns.history, 'agent', 1);
    expect(nodesOf(ns)).toEqual([other]);
    expect(stoppedTaskOf(agent(ns), last)).toMatchObject(DRAINING);
    const pods = ns.history.entries.filter(({ kind }) => kind === 'pods') as { object: Pod; type: string }[];
    const jobEnded = pods.findIndex(({ object, type }) => isJob(object) && (isEnded(object) || type === 'DELETED'));
    const asked = pods.findIndex(({ object }) => object.metadata.uid === last.metadata.uid && !isWanted(object));
    expect(jobEnded).toBeGreaterThan(-1);
    expect(asked).toBeGreaterThan(jobEnded);

    await ns.kubectl(['uncordon', node]);
    await untilSteady(ns.history, 'agent', 2);
    expect(nodesOf(ns)).toEqual([...names].sort());
  });

  it('leaves a node to kubectl drain, and does not come back before it is uncordoned', async (context) => {
    const { ns, names } = await startDaemon(context, 2);
    const [node = '', other = ''] = names;
    const [evicted] = runningPods(ns.history, 'agent').filter(({ spec }) => spec.nodeName === node) as [Pod];
    await ns.kubectl(['drain', node, '--ignore-daemonsets', '--pod-selector=longshore.dev/service']);
    await untilSteady(ns.history, 'agent', 1);
    expect(nodesOf(ns)).toEqual([other]);
    const stopped = await ns.until('the stop to be recorded', () => stoppedTaskOf(agent(ns), evicted));
    // Whoever was faster: the scheduler, or the eviction.
    expect(stopped).toMatchObject(DRAINING);
    expect(podsOf(ns.history, 'agent').filter(({ spec }) => spec.nodeName === node)).toEqual([]);
    await ns.kubectl(['uncordon', node]);
    await untilSteady(ns.history, 'agent', 2);
    expect(recordOf(ns, '0').doubles).toEqual([]);
  });

  it('is the log agent of the examples', async (context) => {
    const ns = await suite().namespace(context);
    const example = join(import.meta.dirname, '../../examples/daemon.yaml');
    expect(await ns.kubectl(['apply', '--dry-run=server', '-f', example])).toContain('log-agent created');
  });

  it('is not scaled', async (context) => {
    const { ns } = await startDaemon(context, 1);
    const refused = ns.kubectl(['scale', 'services.longshore.dev/agent', '--replicas=3']);
    await expect(refused).rejects.toThrow(
      'The daemon scheduling strategy does not support a desired count for services. Remove the desired count value and try again',
    );
    await ns.kubectl(['annotate', 'taskdefinitions.longshore.dev/agent', 'seen=1']);
    expect(agent(ns)?.metadata.generation).toBe(1);
  });
});
