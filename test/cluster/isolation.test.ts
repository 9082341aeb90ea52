/** Queues that isolate their jobs: what is in their namespace, what their pods are, and what they refuse. */
import type { V1NetworkPolicy, V1PodSpec, V1ServiceAccount } from '@kubernetes/client-node';
import { describe, expect, it, vi } from 'vitest';
import { isolatedQueue, job, needs } from '../support/isolation.ts';
import { type KubeObject, pathOf } from '../support/kube-api.ts';
import { taskDefinition } from '../support/manifests.ts';
import { unrestricted } from '../support/restricted.ts';
import { readyCondition } from '../support/services.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: true });
const NAME = 'graders-isolated';

const policyOf = (ns: TestNamespace) =>
  suite().api.call<KubeObject & Pick<V1NetworkPolicy, 'spec'>>('GET', pathOf('networkpolicies', ns.name, NAME));
const accountOf = (ns: TestNamespace) =>
  suite().api.call<KubeObject & Pick<V1ServiceAccount, 'automountServiceAccountToken'>>(
    'GET',
    pathOf('serviceaccounts', ns.name, NAME),
  );

const statusOf = (ns: TestNamespace, name: string) => ns.history.get('batchjobs', name)?.status;
const untilSucceeded = (ns: TestNamespace, name: string) =>
  ns.until(`job ${name} to succeed`, () => statusOf(ns, name)?.status === 'SUCCEEDED');
const queueStatus = (ns: TestNamespace) => ns.history.get('jobqueues', 'graders')?.status;

describe.concurrent('a queue that isolates its jobs', () => {
  it('runs jobs of every shape where the API server enforces Pod Security restricted', async (context) => {
    const ns = await suite().namespace(context);
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await suite().api.call('PATCH', `/api/v1/namespaces/${ns.name}`, { metadata: { labels } });
    const plain = { metadata: { name: 'plain' }, spec: { containers: [{ name: 'app', image: 'busybox' }] } };
    await expect(ns.createRaw('pods', plain)).rejects.toThrow('violates PodSecurity "restricted:latest"');

    await isolatedQueue(suite(), ns, context);
    const container = (name: string, fields: object = {}) => ({
      name,
      image: 'busybox:1.37',
      resourceRequirements: needs(),
      ...fields,
    });
    const waits = { dependsOn: [{ containerName: 'seed', condition: 'SUCCESS' }] };
    const volumes = [{ name: 'work' }];
    const mountPoints = [{ sourceVolume: 'work', containerPath: '/work' }];
    const tmpfs = [{ containerPath: '/cache', size: 8 }];
    const own = (taskProperties: object) => ({
      containerProperties: undefined,
      ecsProperties: { taskProperties: [taskProperties] },
    });
    await ns.create(
      taskDefinition('graded', { volumes, cpu: '512', memory: '512' }, [
        { name: 'app', image: 'busybox:1.37', mountPoints, memoryReservation: 16, dockerLabels: { 'a/b': 'c' } },
      ]),
      job('plain'),
      job('storing', {
        volumes,
        mountPoints,
        linuxParameters: { tmpfs, sharedMemorySize: 16, initProcessEnabled: true },
      }),
      job('user', { user: '1000:1000', readonlyRootFilesystem: true }),
      job('array', {}, { arrayProperties: { size: 3 } }),
      job(
        'several',
        {},
        own({ containers: [container('seed', { essential: false }), container('app', waits)], pidMode: 'task' }),
      ),
      job('defined', {}, { containerProperties: undefined, taskDefinition: 'graded' }),
    );
    for (const name of ['plain', 'storing', 'user', 'array', 'several', 'defined']) await untilSucceeded(ns, name);
    const specs = ns.history.all('pods').map(({ spec }) => spec as V1PodSpec);
    expect(specs).toHaveLength(8);
    expect(specs.flatMap(unrestricted)).toEqual([]);
    for (const spec of specs) {
      expect(spec.serviceAccountName).toBe(NAME);
      expect(spec.volumes?.filter(({ projected, hostPath }) => projected ?? hostPath)).toEqual([]);
      expect(spec.activeDeadlineSeconds).toBe(3600);
    }
  });

  it('has its account and its closed network before its first pod, and leaves them alone', async (context) => {
    const ns = await suite().namespace(context);
    await isolatedQueue(suite(), ns, context);
    await ns.create(job('first'));
    await untilSucceeded(ns, 'first');
    const [policy, account] = await Promise.all([policyOf(ns), accountOf(ns)]);
    const [pod] = ns.history.statesOf('pods', ns.history.all('pods')[0]?.metadata.name ?? '');
    for (const { metadata } of [policy, account]) {
      // ResourceVersions are one sequence for all that etcd holds.
      expect(BigInt(metadata.resourceVersion)).toBeLessThan(BigInt(pod?.metadata.resourceVersion ?? '0'));
      const queue = ns.history.get('jobqueues', 'graders')?.metadata.uid;
      expect(metadata.ownerReferences).toMatchObject([{ kind: 'JobQueue', uid: queue }]);
    }
    expect(account.automountServiceAccountToken).toBe(false);
    expect(policy.spec).toEqual({
      podSelector: { matchLabels: { 'longshore.dev/job-queue': 'graders' } },
      policyTypes: ['Ingress', 'Egress'],
    });
    expect(pod?.metadata.labels).toMatchObject(policy.spec?.podSelector?.matchLabels ?? {});

    await ns.create(job('second'));
    await untilSucceeded(ns, 'second');
    expect((await policyOf(ns)).metadata.resourceVersion).toBe(policy.metadata.resourceVersion);
    expect((await accountOf(ns)).metadata.resourceVersion).toBe(account.metadata.resourceVersion);
  });

  it('mends what somebody opens or deletes', async (context) => {
    const ns = await suite().namespace(context);
    await isolatedQueue(suite(), ns, context);
    await ns.until('a valid queue', () => queueStatus(ns)?.status === 'VALID');
    const [policy, account] = await Promise.all([policyOf(ns), accountOf(ns)]);
    const within = { timeout: 60_000, interval: 200 };
    const untilClosed = () =>
      vi.waitFor(async () => {
        const now = await policyOf(ns);
        expect(now.spec).toEqual(policy.spec);
        expect(now.metadata.labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'longshore' });
      }, within);

    await ns.patch('networkpolicies', NAME, { spec: { egress: [{}] } });
    await untilClosed();
    const matchLabels = { 'longshore.dev/batch-job': 'other' };
    await ns.patch('networkpolicies', NAME, { spec: { podSelector: { matchLabels } } });
    await untilClosed();
    const labels = { 'app.kubernetes.io/managed-by': null };
    await ns.patch('networkpolicies', NAME, { metadata: { labels }, spec: { egress: [{}] } });
    await untilClosed();
    await ns.patch('serviceaccounts', NAME, { automountServiceAccountToken: true });
    await vi.waitFor(async () => expect((await accountOf(ns)).automountServiceAccountToken).toBe(false), within);

    await Promise.all([ns.delete('networkpolicies', NAME), ns.delete('serviceaccounts', NAME)]);
    await vi.waitFor(async () => {
      expect((await policyOf(ns)).metadata.uid).not.toBe(policy.metadata.uid);
      expect((await accountOf(ns)).metadata.uid).not.toBe(account.metadata.uid);
    }, within);
    expect(queueStatus(ns)?.status).toBe('VALID');
  });

  it('starts nothing while a name that it needs is taken', async (context) => {
    const ns = await suite().namespace(context);
    await ns.createRaw('networkpolicies', { metadata: { name: NAME }, spec: { podSelector: {} } });
    await isolatedQueue(suite(), ns, context);
    await ns.create(job('waiting'));
    const taken = `NetworkPolicy "${NAME}" exists and does not belong to this JobQueue: delete or rename it`;
    await ns.until('an invalid queue', () => {
      const { status, statusReason } = queueStatus(ns) ?? {};
      return status === 'INVALID' && statusReason?.includes(taken);
    });
    await ns.until('a waiting job', () => statusOf(ns, 'waiting')?.status === 'RUNNABLE');
    expect(ns.history.all('pods')).toEqual([]);
    await ns.delete('networkpolicies', NAME);
    await untilSucceeded(ns, 'waiting');
  });

  it('never starts a job that asks for more, and says what is allowed', async (context) => {
    const ns = await suite().namespace(context);
    await isolatedQueue(suite(), ns, context, { maxMemoryMiB: 64 });
    await ns.create(job('greedy', { privileged: true }));
    const sentence =
      'MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - spec.containerProperties.privileged: true is not allowed: ' +
      'queue "graders" isolates its jobs, none of them privileged';
    await ns.until('its reason', () => statusOf(ns, 'greedy')?.statusReason === sentence);
    expect(statusOf(ns, 'greedy')?.status).toBe('RUNNABLE');
    expect(ns.history.all('pods')).toEqual([]);
  });

  it('says with its job that the RuntimeClass is missing, and starts it once it is there', async (context) => {
    const ns = await suite().namespace(context);
    const runtimeClassName = ns.name;
    await isolatedQueue(suite(), ns, context, { runtimeClassName });
    await ns.create(job('graded'));
    await ns.until('the reason', () => {
      const ready = readyCondition(ns.history.get('batchjobs', 'graded'));
      return (
        ready?.reason === 'TaskStartFailed' && ready.message.includes(`RuntimeClass "${runtimeClassName}" not found`)
      );
    });
    await suite().api.call('POST', pathOf('runtimeclasses'), { metadata: { name: runtimeClassName }, handler: 'runc' });
    context.onTestFinished(async () => {
      await suite().api.call('DELETE', pathOf('runtimeclasses', undefined, runtimeClassName));
    });
    await untilSucceeded(ns, 'graded');
    const runtimes = ns.history.all('pods').map(({ spec }) => (spec as V1PodSpec).runtimeClassName);
    expect(runtimes).toEqual([runtimeClassName]);
  });
});

// By itself: the operator of the other tests is not to die meanwhile.
describe('a queue that isolates its jobs, after a time without an operator', () => {
  it('is closed again before the job that came meanwhile starts, and was never seen as INVALID', async (context) => {
    const ns = await suite().namespace(context);
    await isolatedQueue(suite(), ns, context);
    await ns.until('a valid queue', () => queueStatus(ns)?.status === 'VALID');
    await suite().operator.kill('SIGKILL');
    await ns.delete('networkpolicies', NAME);
    await ns.create(job('meanwhile'));
    await suite().startOperator();
    await untilSucceeded(ns, 'meanwhile');
    const { metadata } = await policyOf(ns);
    const [pod] = ns.history.statesOf('pods', ns.history.all('pods')[0]?.metadata.name ?? '');
    expect(BigInt(metadata.resourceVersion)).toBeLessThan(BigInt(pod?.metadata.resourceVersion ?? '0'));
    const statuses = ns.history.statesOf('jobqueues', 'graders').map(({ status }) => status?.status);
    expect(statuses).not.toContain('INVALID');
  });
});
