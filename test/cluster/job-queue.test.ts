/** Job queues and compute environments on a real API server: who starts when, and what is said of those that wait. */
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { array, begun, heldJob, podsOf, statusOf } from '../support/held-jobs.ts';
import { isEnded } from '../support/invariants.ts';
import { kwok } from '../support/manifests.ts';
import type { Pod } from '../support/recorder.ts';
import { conditionOf } from '../support/services.ts';
import { type Manifest, type TestNamespace, useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: true });

/** A namespace with a compute environment of its own, which has its name. */
async function ownEnvironment(context: TestContext, maxvCpus: number, spec: object = {}): Promise<TestNamespace> {
  const ns = await suite().namespace(context);
  context.onTestFinished(() => ns.delete('computeenvironments', ns.name));
  const computeResources = { type: 'EC2', maxvCpus };
  await ns.create({
    kind: 'ComputeEnvironment',
    name: ns.name,
    spec: { computeEnvironmentName: `CE_${ns.name}`, type: 'MANAGED', computeResources, ...spec },
  });
  return ns;
}

const queue = (ns: TestNamespace, name: string, spec: object = {}): Manifest => ({
  kind: 'JobQueue',
  name,
  spec: { priority: 1, computeEnvironmentOrder: [{ order: 1, computeEnvironment: `CE_${ns.name}` }], ...spec },
});

/** Of one vCPU and 16 MiB an attempt. */
const job = (name: string, spec: object = {}, vcpus = '1'): Manifest =>
  heldJob(name, {
    jobQueue: 'q',
    containerProperties: {
      image: 'busybox:1.36',
      resourceRequirements: [
        { type: 'VCPU', value: vcpus },
        { type: 'MEMORY', value: '16' },
      ],
    },
    ...spec,
  });

const live = (ns: TestNamespace): Pod[] => ns.history.all('pods').filter((pod) => !isEnded(pod));

/** Ends a pod that is there. */
const end = (ns: TestNamespace, pod: Pod | undefined, exitCode = 0) =>
  ns.patch('pods', pod?.metadata.name ?? '', { metadata: { annotations: kwok({ exitAfter: '1ms', exitCode }) } });

const untilPods = (ns: TestNamespace, job: string, count: number): Promise<Pod[]> =>
  ns.until(`${count} pods of ${job}`, () => (podsOf(ns, job).length === count ? podsOf(ns, job) : undefined));

const untilReason = (ns: TestNamespace, job: string, reason: RegExp): Promise<string> =>
  ns.until(`${job} to say ${reason}`, () => {
    const { statusReason = '' } = statusOf(ns, job);
    return reason.test(statusReason) ? statusReason : undefined;
  });

/** The most vCPUs that pods had at any resourceVersion. */
function mostVcpus(ns: TestNamespace): number {
  const now = new Map<string, number>();
  let most = 0;
  for (const { kind, type, object } of ns.history.entries) {
    if (kind !== 'pods') continue;
    const pod = object as Pod;
    const claim = JSON.parse(pod.metadata.annotations?.['longshore.dev/claim'] ?? '{}') as { vcpus?: number };
    now.set(pod.metadata.uid, type === 'DELETED' || isEnded(pod) ? 0 : (claim.vcpus ?? 0));
    most = Math.max(
      most,
      [...now.values()].reduce((a, b) => a + b, 0),
    );
  }
  return most;
}

describe.concurrent('a job queue', () => {
  it('starts as many children as its compute environment has room for, and the next where one ends', async (context) => {
    const ns = await ownEnvironment(context, 2, {
      kubernetes: {
        nodeSelector: { 'kubernetes.io/os': 'linux' },
        tolerations: [{ key: 'batch', operator: 'Exists', effect: 'NoSchedule' }],
      },
    });
    const awsName = `CE_${ns.name}`;
    await ns.create(queue(ns, 'q'));
    await ns.create(job('five', array(5)));
    const pods = await untilPods(ns, 'five', 2);
    const [pod] = pods;
    expect(pod?.metadata.labels).toMatchObject({
      'longshore.dev/job-queue': 'q',
      'longshore.dev/compute-environment': ns.name,
    });
    expect(pod?.spec.nodeSelector).toEqual({ 'kubernetes.io/os': 'linux' });
    expect(pod?.spec.tolerations).toContainEqual({ key: 'batch', operator: 'Exists', effect: 'NoSchedule' });
    const env = Object.fromEntries((pod?.spec.containers[0]?.env ?? []).map(({ name, value }) => [name, value]));
    expect(env).toMatchObject({ AWS_BATCH_JQ_NAME: 'q', AWS_BATCH_CE_NAME: awsName });
    await untilReason(ns, 'five', /^COMPUTE_ENVIRONMENT_FULL - it needs 1 vCPU and 16 MiB/);
    expect(statusOf(ns, 'five')).toMatchObject({ status: 'PENDING', jobQueue: 'q' });
    await ns.until('the queue to count them', () => {
      const { status = '', runnable, running, blocked } = ns.history.get('jobqueues', 'q')?.status ?? {};
      return status === 'VALID' && runnable === 3 && running === 2 && blocked?.name === 'five';
    });
    const environment = `ece/${ns.name}`;
    await ns.kubectl(['wait', environment, '--for=jsonpath={.status.usedVcpus}=2', '--timeout=60s']);
    await ns.kubectl(['wait', environment, '--for=jsonpath={.status.usedMemoryMiB}=32', '--timeout=60s']);
    await end(ns, pod);
    await ns.until('the next child', () => begun(ns, 'five').length === 3);
    while (statusOf(ns, 'five').status !== 'SUCCEEDED') {
      const [next] = live(ns).filter(({ status }) => status?.phase === 'Running');
      if (next === undefined)
        await ns.until(
          'a child to run',
          () =>
            live(ns).some(({ status }) => status?.phase === 'Running') || statusOf(ns, 'five').status === 'SUCCEEDED',
        );
      else {
        await end(ns, next);
        await ns.until('its end', () => !live(ns).some(({ metadata }) => metadata.uid === next.metadata.uid));
      }
      if (live(ns).length === 0 && begun(ns, 'five').length === 5)
        await ns.until('the end of the job', () => statusOf(ns, 'five').status === 'SUCCEEDED');
    }
    expect(mostVcpus(ns)).toBe(2);
    await ns.until('nothing to be counted', () => {
      const { runnable, running, blocked } = ns.history.get('jobqueues', 'q')?.status ?? {};
      return runnable === 0 && running === 0 && blocked === undefined;
    });
  });

  it('of the higher priority goes first where two share an environment', async (context) => {
    const ns = await ownEnvironment(context, 1);
    await ns.create(queue(ns, 'q'), queue(ns, 'urgent', { priority: 10 }));
    await ns.create(job('first'));
    await untilPods(ns, 'first', 1);
    await ns.create(job('second'));
    await untilReason(ns, 'second', /^COMPUTE_ENVIRONMENT_FULL/);
    await ns.create(job('third', { jobQueue: 'urgent' }));
    await untilReason(ns, 'third', /^COMPUTE_ENVIRONMENT_FULL/);
    await end(ns, podsOf(ns, 'first')[0]);
    const [third] = await untilPods(ns, 'third', 1);
    expect(podsOf(ns, 'second')).toEqual([]);
    await end(ns, third);
    await untilPods(ns, 'second', 1);
    expect(mostVcpus(ns)).toBe(1);
  });

  it('takes first what came first, and a failed attempt before all others', async (context) => {
    const ns = await ownEnvironment(context, 1);
    // Of jobs of one second the first by name is the first.
    await ns.create(queue(ns, 'q'));
    await ns.create(job('a'));
    await untilPods(ns, 'a', 1);
    await ns.create(job('b', { retryStrategy: { attempts: 2 } }));
    await untilReason(ns, 'b', /^COMPUTE_ENVIRONMENT_FULL/);
    await ns.create(job('c'));
    expect(await untilReason(ns, 'c', /./)).toBe('waiting for its turn in queue q');
    await end(ns, podsOf(ns, 'a')[0]);
    const [retried] = await untilPods(ns, 'b', 1);
    await ns.create(job('d'));
    await untilReason(ns, 'd', /./);
    await end(ns, retried, 1);
    // The room may be given away before the retry is asked for; but not twice.
    await ns.until('the next one', () => live(ns).some(({ metadata }) => metadata.uid !== retried?.metadata.uid));
    expect(podsOf(ns, 'd')).toEqual([]);
    await end(ns, live(ns)[0]);
    await ns.until('the other one', () => podsOf(ns, 'b').length === 2 && podsOf(ns, 'c').length === 1);
    expect(podsOf(ns, 'd')).toEqual([]);
    await end(ns, live(ns)[0]);
    await untilPods(ns, 'd', 1);
  });

  it('gives shares what their weights say', async (context) => {
    const ns = await ownEnvironment(context, 3);
    const shareDistribution = [
      { shareIdentifier: 'heavy', weightFactor: 0.5 },
      { shareIdentifier: 'light', weightFactor: 1 },
    ];
    const shared = queue(ns, 'q', { schedulingPolicy: { fairsharePolicy: { shareDistribution } } });
    const blocker = job('blocker', { shareIdentifier: 'other' }, '3');
    await ns.create(shared);
    await ns.create(blocker);
    await untilPods(ns, 'blocker', 1);
    await ns.create(
      job('heavy', { shareIdentifier: 'heavy', ...array(4) }),
      job('light', { shareIdentifier: 'light', ...array(4) }),
      job('none'),
    );
    await untilReason(ns, 'heavy', /./);
    await untilReason(ns, 'light', /./);
    expect(await untilReason(ns, 'none', /./)).toBe('spec.shareIdentifier: absent; queue "q" has fair shares');
    expect(conditionOf(ns.history.get('batchjobs', 'none'), 'Stalled')).toBe('True');
    await end(ns, podsOf(ns, 'blocker')[0]);
    // 2 × 0.5 is 1 × 1.
    await ns.until('three of them', () => live(ns).length === 3);
    expect([begun(ns, 'heavy').length, begun(ns, 'light').length]).toEqual([2, 1]);
    await ns.until('the queue to say so', () => {
      const shares = ns.history.get('jobqueues', 'q')?.status?.shares as { shareIdentifier: string }[] | undefined;
      return shares?.some(({ shareIdentifier }) => shareIdentifier === 'heavy');
    });
  });

  it('says what a job needs that no environment of it ever has, and cancels it when its time is over', async (context) => {
    const ns = await ownEnvironment(context, 2);
    const reason = 'MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE';
    const action = { reason, state: 'RUNNABLE', maxTimeSeconds: 600, action: 'CANCEL' };
    await ns.create(queue(ns, 'q', { jobStateTimeLimitActions: [action] }));
    await ns.create(job('big', {}, '3'));
    expect(await untilReason(ns, 'big', /^MISCONFIGURATION/)).toBe(
      `${reason} - it needs 3 vCPU and 16 MiB; ${ns.name} has 2 vCPU`,
    );
    const blocked = await ns.until('the queue to say so', () => ns.history.get('jobqueues', 'q')?.status?.blocked);
    expect(blocked).toMatchObject({ name: 'big', reason });
    await ns.create(job('small'));
    // Ten minutes later.
    const since = new Date(Date.parse((blocked as { since: string }).since) - 600_000).toISOString();
    await ns.patch('jobqueues', 'q', { status: { blocked: { since } } }, '/status');
    await ns.until('its end', () => statusOf(ns, 'big').status === 'FAILED');
    expect(statusOf(ns, 'big')).toMatchObject({
      statusReason: `Canceled by JobStateTimeLimit action due to reason: ${reason}`,
    });
    await untilPods(ns, 'small', 1);
  });

  it('that is DISABLED takes no new jobs, and goes on with those it has', async (context) => {
    const ns = await ownEnvironment(context, 1);
    await ns.create(queue(ns, 'q'));
    await ns.create(job('one'), job('two'));
    await ns.until(
      'both to be taken',
      () => statusOf(ns, 'one').jobQueue === 'q' && statusOf(ns, 'two').jobQueue === 'q',
    );
    await ns.until('a pod', () => live(ns).length === 1);
    await ns.patch('jobqueues', 'q', { spec: { state: 'DISABLED' } });
    await ns.create(job('three'));
    expect(await untilReason(ns, 'three', /DISABLED/)).toBe(
      'spec.jobQueue: queue "q" is DISABLED and takes no new jobs',
    );
    await end(ns, live(ns)[0]);
    await ns.until(
      'the other one',
      () => podsOf(ns, 'one').length + podsOf(ns, 'two').length === 2 && live(ns).length === 1,
    );
    await ns.patch('jobqueues', 'q', { spec: { state: 'ENABLED' } });
    await end(ns, live(ns)[0]);
    await untilPods(ns, 'three', 1);
  });

  it('is found by its name or ARN; jobs wait for one that is not there, also where it has gone', async (context) => {
    const ns = await ownEnvironment(context, 1);
    await ns.create(queue(ns, 'q'), queue(ns, 'z'));
    await ns.create(job('unnamed', { jobQueue: undefined }), job('other', { jobQueue: 'x' }));
    expect(await untilReason(ns, 'unnamed', /q, z$/)).toBe(
      `spec.jobQueue: absent; the queues of namespace ${ns.name} are: q, z`,
    );
    expect(await untilReason(ns, 'other', /q, z$/)).toBe(
      `spec.jobQueue: "x" is not there; the queues of namespace ${ns.name} are: q, z`,
    );
    await ns.create(job('one', { jobQueue: 'arn:aws:batch:eu-west-1:123456789012:job-queue/q' }), job('two'));
    await ns.until(
      'both to be taken',
      () => statusOf(ns, 'one').jobQueue === 'q' && statusOf(ns, 'two').jobQueue === 'q',
    );
    await ns.until('a pod', () => live(ns).length === 1);
    await ns.delete('jobqueues', 'q');
    await untilReason(
      ns,
      live(ns)[0]?.metadata.labels?.['longshore.dev/batch-job'] === 'one' ? 'two' : 'one',
      /is not there/,
    );
    expect(live(ns)).toHaveLength(1);
    await ns.create(queue(ns, 'x'));
    await end(ns, live(ns)[0]);
    await untilPods(ns, 'other', 1);
  });

  it('without an environment that is there, or that takes its namespace, is INVALID and says so', async (context) => {
    const ns = await ownEnvironment(context, 1, { kubernetes: { namespaces: ['elsewhere'] } });
    await ns.create(
      queue(ns, 'q'),
      queue(ns, 'lost', { computeEnvironmentOrder: [{ order: 1, computeEnvironment: 'nowhere' }] }),
    );
    await ns.create(job('one'));
    const reasonOf = (name: string): string | undefined => ns.history.get('jobqueues', name)?.status?.statusReason;
    await ns.until('both to say so', () => reasonOf('q') !== undefined && reasonOf('lost') !== undefined);
    expect(reasonOf('lost')).toBe('spec.computeEnvironmentOrder[0].computeEnvironment: "nowhere" is not there');
    expect(reasonOf('q')).toContain(`does not take jobs of namespace ${ns.name}`);
    await untilReason(ns, 'one', /^ACTION_REQUIRED/);
    await ns.patch('computeenvironments', ns.name, { spec: { kubernetes: { namespaces: [ns.name] } } });
    await untilPods(ns, 'one', 1);
  });

  it('goes through its environments in their order, and gives the next what one has no room for', async (context) => {
    const ns = await ownEnvironment(context, 1);
    const next = `${ns.name}-next`;
    context.onTestFinished(() => ns.delete('computeenvironments', next));
    const computeEnvironmentOrder = [
      { order: 2, computeEnvironment: `arn:aws:batch:eu-west-1:111122223333:compute-environment/${next}` },
      { order: 1, computeEnvironment: `CE_${ns.name}` },
    ];
    await ns.create(
      { kind: 'ComputeEnvironment', name: next, spec: { type: 'UNMANAGED', kubernetes: { maxMemoryMiB: 32 } } },
      queue(ns, 'q', { jobQueueName: 'Spill_Over', computeEnvironmentOrder }),
      job('six', { jobQueue: 'Spill_Over', ...array(6) }),
    );
    const environmentOf = (pod: Pod) => pod.metadata.labels?.['longshore.dev/compute-environment'] ?? '';
    const within = (environment: string): Pod[] => live(ns).filter((pod) => environmentOf(pod) === environment);
    await untilPods(ns, 'six', 3);
    expect([within(ns.name).length, within(next).length]).toEqual([1, 2]);
    const whyFull = (await untilReason(ns, 'six', /^COMPUTE_ENVIRONMENT_FULL/)).split('; ')[1];
    expect(whyFull).toContain(`32 of 32 MiB of ${next}`);
    // In a DISABLED one nothing more starts, and what runs goes on.
    await ns.patch('computeenvironments', next, { spec: { state: 'DISABLED' } });
    await ns.until('the queue to look no further than the first', () => {
      const blocked = ns.history.get('jobqueues', 'q')?.status?.blocked;
      return blocked !== undefined && !blocked.message.includes(next);
    });
    await end(ns, within(next)[0]);
    await end(ns, within(ns.name)[0]);
    await untilPods(ns, 'six', 4);
    await ns.until('two of them to be left', () => live(ns).length === 2);
    expect([within(ns.name).length, within(next).length]).toEqual([1, 1]);
    await ns.patch('computeenvironments', next, { spec: { state: 'ENABLED' } });
    await untilPods(ns, 'six', 5);
    expect([within(ns.name).length, within(next).length]).toEqual([1, 2]);
  });

  it('takes of one share what has the highest schedulingPriority first', async (context) => {
    const ns = await ownEnvironment(context, 1);
    const ranked = (name: string, spec: object = {}) => job(name, { shareIdentifier: 'a', ...spec });
    await ns.create(queue(ns, 'q', { schedulingPolicy: {} }), ranked('blocker'));
    await untilPods(ns, 'blocker', 1);
    await ns.create(ranked('first', { schedulingPriority: 1 }));
    await untilReason(ns, 'first', /./);
    await ns.create(
      ranked('second', { schedulingPriority: 9 }),
      ranked('third', { schedulingPriority: 0, schedulingPriorityOverride: 10 }),
    );
    await untilReason(ns, 'second', /./);
    await untilReason(ns, 'third', /./);
    const front = (): readonly string[] | undefined =>
      ns.history.get('jobqueues', 'q')?.status?.frontOfQueue?.jobs.map(({ name }) => name);
    await ns.until('the queue to show them in their order', () => front()?.join() === 'third,second,first');
    for (const [ended, started] of [
      ['blocker', 'third'],
      ['third', 'second'],
      ['second', 'first'],
    ] as const) {
      await end(ns, podsOf(ns, ended)[0]);
      await untilPods(ns, started, 1);
      expect(live(ns).map((pod) => pod.metadata.labels?.['longshore.dev/batch-job'])).toEqual([started]);
    }
    await ns.until('nobody to wait', () => front() === undefined);
  });

  it('keeps its computeReservation free of what an UNMANAGED environment says it has', async (context) => {
    const ns = await ownEnvironment(context, 1, { type: 'UNMANAGED', computeResources: null, unmanagedvCpus: 4 });
    await ns.create(queue(ns, 'q', { schedulingPolicy: { fairsharePolicy: { computeReservation: 50 } } }));
    await ns.create(job('a', { shareIdentifier: 'a', ...array(4) }));
    await untilReason(ns, 'a', /2 vCPU are kept for shares that are not active$/);
    expect(podsOf(ns, 'a')).toHaveLength(2);
    // Of two active shares the square.
    await ns.create(job('b', { shareIdentifier: 'b', ...array(4) }));
    await untilPods(ns, 'b', 1);
    await untilReason(ns, 'b', /1 vCPU are kept for shares that are not active$/);
    expect([podsOf(ns, 'a').length, podsOf(ns, 'b').length]).toEqual([2, 1]);
  });

  it('of the examples has its jobs run, the urgent one before most of those that were there', async (context) => {
    const ns = await suite().namespace(context);
    context.onTestFinished(() => ns.delete('computeenvironments', 'shared'));
    await ns.kubectl(['apply', '-f', join(import.meta.dirname, '../../examples/queue.yaml')]);
    const hasSucceeded = (name: string): boolean => statusOf(ns, name).status === 'SUCCEEDED';
    await ns.until('both to succeed', () => hasSucceeded('urgent') && hasSucceeded('sweep'));
    const started = ns.history.entries.flatMap(({ kind, type, object }) =>
      kind === 'pods' && type === 'ADDED' ? [object.metadata.labels?.['longshore.dev/batch-job']] : [],
    );
    expect(started.indexOf('urgent')).toBeLessThan(10);
    expect(started).toHaveLength(21);
    expect(mostVcpus(ns)).toBe(2);
  });
});
