/** Cordoned, tainted and lost nodes: ECS's DRAINING, and what becomes of their tasks. */
import { describe, expect, it } from 'vitest';
import { writesOf } from '../support/audit.ts';
import {
  duplicates,
  isWanted,
  momentsOf,
  serviceViolations,
  startsAboveBound,
  stopsBelowBound,
  taskIdOf,
} from '../support/invariants.ts';
import { pathOf } from '../support/kube-api.ts';
import { kwok, service, taskDefinition } from '../support/manifests.ts';
import { ownNodes } from '../support/nodes.ts';
import type { Pod } from '../support/recorder.ts';
import { podsOf, runningPods, stoppedTaskOf, untilSteady } from '../support/services.ts';
import { OPERATOR_USER, type TestNamespace, useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: true });

const on = (pods: readonly Pod[], node: string | undefined): Pod[] => pods.filter(({ spec }) => spec.nodeName === node);

const job = (kubernetes: object) => ({
  kind: 'BatchJob' as const,
  name: 'job',
  spec: {
    kubernetes: { ...kubernetes, podAnnotations: kwok({ exitAfter: '1000h' }) },
    retryStrategy: { attempts: 2 },
    containerProperties: {
      image: 'busybox',
      resourceRequirements: [
        { type: 'VCPU', value: '1' },
        { type: 'MEMORY', value: '16' },
      ],
    },
  },
});

const jobPods = (ns: TestNamespace): Pod[] =>
  ns.history.all('pods').filter(({ metadata }) => metadata.labels?.['longshore.dev/batch-job'] === 'job');

const untilJobRuns = (ns: TestNamespace, attempt: number): Promise<Pod> =>
  ns.until(`attempt ${attempt} of the job`, () =>
    jobPods(ns).find(
      ({ metadata, status }) =>
        metadata.labels?.['longshore.dev/attempt'] === String(attempt) && status?.phase === 'Running',
    ),
  );

const DRAINING = {
  stopCode: 'ServiceSchedulerInitiated',
  stoppedReason: 'Task stopped because its container instance is in DRAINING state',
};

/** What the operator wrote of PodDisruptionBudgets. */
const budgetWrites = (ns: TestNamespace): string[] =>
  writesOf(suite().auditLog, OPERATOR_USER, ns.name)
    .filter(({ what }) => what.startsWith('poddisruptionbudgets '))
    .map(({ verb }) => verb);

const untilBudget = (ns: TestNamespace, minAvailable: number): Promise<string> =>
  ns.kubectl(['wait', `--for=jsonpath={.spec.minAvailable}=${minAvailable}`, '--timeout=120s', 'pdb/web']);

describe.concurrent('a service', () => {
  it('has a PodDisruptionBudget of its lower bound, which is written when that changes and only then', async (context) => {
    const ns = await suite().namespace(context);
    const deploymentConfiguration = { minimumHealthyPercent: 50, maximumPercent: 200 };
    await ns.create(taskDefinition('web'), service('web', { desiredCount: 5, deploymentConfiguration }));
    await ns.kubectl(['wait', '--for=create', '--timeout=120s', 'pdb/web']);
    await untilBudget(ns, 3);
    const owner = ns.history.get('services', 'web');
    expect(JSON.parse(await ns.kubectl(['get', 'pdb/web', '-o=json']))).toMatchObject({
      metadata: { ownerReferences: [{ kind: 'Service', uid: owner?.metadata.uid, controller: true }] },
      spec: { minAvailable: 3, unhealthyPodEvictionPolicy: 'AlwaysAllow' },
    });
    await untilSteady(ns.history, 'web', 5);
    await ns.kubectl(['wait', '--for=jsonpath={.status.disruptionsAllowed}=2', '--timeout=120s', 'pdb/web']);
    await ns.patch('services', 'web', { spec: { desiredCount: 8 } });
    await untilBudget(ns, 4);
    await untilSteady(ns.history, 'web', 8);
    await ns.kubectl(['delete', 'pdb/web', '--wait=false']);
    await ns.kubectl(['wait', '--for=create', '--timeout=120s', 'pdb/web']);
    await untilBudget(ns, 4);
    await ns.patch('services', 'web', { spec: { desiredCount: 0 } });
    await ns.kubectl(['wait', '--for=delete', '--timeout=120s', 'pdb/web']);
    await untilSteady(ns.history, 'web', 0);
    expect(budgetWrites(ns)).toEqual(['create', 'patch', 'create', 'delete']);
  });

  it('leaves a node to kubectl drain at a lower bound of 100 %, since its replacements start first', async (context) => {
    const ns = await suite().namespace(context);
    const { kubernetes } = await ownNodes(suite(), ns, context, 2);
    await ns.create(taskDefinition('web', { kubernetes }), service('web', { desiredCount: 4 }));
    await untilSteady(ns.history, 'web', 4);
    await ns.kubectl(['wait', '--for=create', '--timeout=120s', 'pdb/web']);
    await untilBudget(ns, 4);
    const node = runningPods(ns.history, 'web')[0]?.spec.nodeName as string;
    const leaving = on(runningPods(ns.history, 'web'), node);
    await ns.kubectl(['drain', node, '--ignore-daemonsets', '--pod-selector=longshore.dev/service']);
    expect(on(runningPods(ns.history, 'web'), node)).toEqual([]);
    await untilSteady(ns.history, 'web', 4);
    for (const pod of leaving) {
      const stopped = await ns.until('the stop to be recorded', () =>
        stoppedTaskOf(ns.history.get('services', 'web'), pod),
      );
      // Whoever was faster: the scheduler, or the eviction.
      expect(stopped).toMatchObject({ ...DRAINING, containers: [{ name: 'web', exitCode: 143 }] });
    }
    expect([...startsAboveBound(momentsOf(ns.history, 'web')), ...duplicates(ns.history)]).toEqual([]);
  });

  it('records the task of a pod that somebody deletes, with its exit code, and replaces it', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(taskDefinition('web'), service('web'));
    await untilSteady(ns.history, 'web', 1);
    const [pod] = runningPods(ns.history, 'web') as [Pod];
    await ns.kubectl(['delete', 'pod', pod.metadata.name]);
    const stopped = await ns.until('the stop to be recorded', () =>
      stoppedTaskOf(ns.history.get('services', 'web'), pod),
    );
    expect(stopped).toMatchObject({
      stopCode: 'UserInitiated',
      stoppedReason: 'Task stopped by user',
      containers: [{ name: 'web', exitCode: 143 }],
    });
    await untilSteady(ns.history, 'web', 1);
    expect(ns.history.get('services', 'web')?.status?.stoppedTasks).toHaveLength(1);
  });
});

describe.concurrent('a node', () => {
  it('that is cordoned is DRAINING: replacements start first, then its service tasks stop; a job runs on', async (context) => {
    const ns = await suite().namespace(context);
    const { kubernetes, names } = await ownNodes(suite(), ns, context, 2);
    await ns.create(taskDefinition('web', { kubernetes }), service('web', { desiredCount: 4 }), job(kubernetes));
    await untilSteady(ns.history, 'web', 4);
    const attempt = await untilJobRuns(ns, 1);
    const node = attempt.spec.nodeName as string;
    const leaving = on(runningPods(ns.history, 'web'), node);
    expect(leaving.length).toBeGreaterThan(0);

    await ns.kubectl(['cordon', node]);
    await ns.until('the tasks to leave', () => on(runningPods(ns.history, 'web'), node).length === 0);
    const { status } = await untilSteady(ns.history, 'web', 4);
    for (const pod of leaving) {
      expect(stoppedTaskOf(ns.history.get('services', 'web'), pod)).toMatchObject({
        ...DRAINING,
      });
    }
    expect(status?.stoppedTasks).toHaveLength(leaving.length);
    expect(status?.deployments).toMatchObject([{ status: 'PRIMARY', rolloutState: 'COMPLETED' }]);
    // At 100 % no step took a healthy task before another one was there.
    const moments = momentsOf(ns.history, 'web');
    expect([...startsAboveBound(moments), ...stopsBelowBound(moments), ...duplicates(ns.history)]).toEqual([]);
    const after = jobPods(ns);
    expect(after.map(({ metadata }) => metadata.uid)).toEqual([attempt.metadata.uid]);
    expect(after.every(isWanted)).toBe(true);
    expect(names).toContain(node);
  });

  for (const taint of ['ToBeDeletedByClusterAutoscaler', 'karpenter.sh/disrupted']) {
    it(`that an autoscaler is to remove (${taint}) is DRAINING too`, async (context) => {
      const ns = await suite().namespace(context);
      const { kubernetes } = await ownNodes(suite(), ns, context, 2);
      await ns.create(taskDefinition('web', { kubernetes }), service('web', { desiredCount: 2 }));
      await untilSteady(ns.history, 'web', 2);
      const node = runningPods(ns.history, 'web')[0]?.spec.nodeName as string;
      await ns.kubectl(['taint', 'node', node, `${taint}:NoSchedule`]);
      await ns.until('the tasks to leave', () => on(podsOf(ns.history, 'web'), node).length === 0);
      await untilSteady(ns.history, 'web', 2);
      expect(serviceViolations(ns.history, 'web')).toEqual([]);
    });
  }

  it('that is lost has its tasks replaced when their toleration is over, and an attempt runs again only then', async (context) => {
    const ns = await suite().namespace(context);
    const { kubernetes, names } = await ownNodes(suite(), ns, context, 2);
    const tolerationSeconds = 3;
    const tolerations = [
      ...kubernetes.tolerations,
      { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds },
    ];
    const options = { ...kubernetes, tolerations };
    // No room for a second task: only one that counts to no bound can be replaced.
    const deploymentConfiguration = { minimumHealthyPercent: 0, maximumPercent: 100 };
    await ns.create(
      taskDefinition('web', { kubernetes: options }),
      service('web', { desiredCount: 2, deploymentConfiguration }),
      job(options),
    );
    await untilSteady(ns.history, 'web', 2);
    const first = await untilJobRuns(ns, 1);
    const node = first.spec.nodeName as string;
    const lost = on(runningPods(ns.history, 'web'), node);

    // KWOK leaves the node alone, as if its kubelet were gone; nothing confirms the end of its pods.
    const path = pathOf('nodes', undefined, node);
    await suite().api.call('PATCH', path, { metadata: { labels: { 'longshore.dev/node': 'left' } } });
    await suite().api.call('PATCH', `${path}/status`, {
      status: { conditions: [{ type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown' }] },
    });
    const second = await untilJobRuns(ns, 2);
    expect(second.spec.nodeName).toBe(names.find((name) => name !== node));
    for (const pod of [first, ...lost]) {
      const now = await ns.until('a pod of the lost node to be given up', () => {
        const seen = ns.history.get('pods', pod.metadata.name);
        return seen?.metadata.deletionTimestamp === undefined ? undefined : seen;
      });
      expect(now).toMatchObject({ metadata: { uid: pod.metadata.uid }, status: { phase: 'Running' } });
    }
    // Until then it was steady with the tasks that it had.
    await ns.until('the records of the lost tasks', () =>
      lost.every((pod) => stoppedTaskOf(ns.history.get('services', 'web'), pod) !== undefined),
    );
    await untilSteady(ns.history, 'web', 2);
    for (const pod of lost) {
      expect(stoppedTaskOf(ns.history.get('services', 'web'), pod)).toMatchObject({
        task: taskIdOf(pod),
        stopCode: 'InfrastructureHealth',
        stoppedReason: `Host EC2 (instance ${node}) terminated.`,
      });
    }
    // Given up, then run again: the delete of the first attempt comes before the second.
    const entries = ns.history.entries.filter(({ kind }) => kind === 'pods');
    const at = (found: (entry: (typeof entries)[number]) => boolean): number => entries.findIndex(found);
    const given = at(
      ({ object }) => object.metadata.uid === first.metadata.uid && object.metadata.deletionTimestamp !== undefined,
    );
    expect(given).toBeGreaterThanOrEqual(0);
    expect(at(({ object }) => object.metadata.uid === second.metadata.uid)).toBeGreaterThan(given);
    expect(ns.history.get('batchjobs', 'job')?.status?.attempts).toMatchObject([
      { statusReason: `Host EC2 (instance ${node}) terminated.` },
    ]);
  });
});
