/** What becomes of tasks whose node is drained, is lost, comes back, starts anew or runs short: with four real kubelets. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { realNodePossible } from '../../dev/cluster/index.ts';
import { cutOff, podProcesses, reboot, reconfigureKubelet, reconnect } from '../../dev/cluster/node-faults.ts';
import { run } from '../../dev/cluster/run.ts';
import { exec, isRunning, shell } from '../support/containers.ts';
import {
  duplicates,
  isWanted,
  momentsOf,
  rerunsAfterSuccess,
  startsAboveBound,
  stopsBelowBound,
} from '../support/invariants.ts';
import { service, taskDefinition } from '../support/manifests.ts';
import type { Pod } from '../support/recorder.ts';
import { changedRecords } from '../support/run-task-scenario.ts';
import { conditionOf, podsOf, stoppedTaskOf } from '../support/services.ts';
import { type Manifest, type TestNamespace, useSuite } from '../support/suite.ts';

const { possible, why } = realNodePossible();
const title = possible ? 'a node' : `a node (skipped: ${why})`;

/** The first is where tasks of the others go; each of the others is one test's alone. */
const REFUGE = 'real-1';
const GRACE_SECONDS = 16;
const TOLERATION_SECONDS = 3;
/** Of waits that a slow machine makes long. */
const WAIT_MS = 300_000;

const DRAINING = {
  stopCode: 'ServiceSchedulerInitiated',
  stoppedReason: 'Task stopped because its container instance is in DRAINING state',
};
const hostTerminated = (node: string) => ({
  stopCode: 'InfrastructureHealth',
  stoppedReason: `Host EC2 (instance ${node}) terminated.`,
});

const evictedBy = (node: string) => ({
  stopCode: 'InfrastructureHealth',
  stoppedReason: `Host EC2 (instance ${node}) evicted the task.`,
});

/** A folder of the machine, in which each container says what happens to it. */
function logFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'longshore-nodes-'));
  context.onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'log'), '');
  return folder;
}

const said = (folder: string, pod: Pod, word: string): boolean =>
  readFileSync(join(folder, 'log'), 'utf8').split('\n').includes(`${pod.metadata.name} ${word}`);

/** Runs until it is told to end. */
const LASTS = "trap 'echo $HOSTNAME told >> /node/log; exit 5' TERM; while :; do sleep 1000 & wait $!; done";

const volumes = (folder: string) => [{ name: 'node', host: { sourcePath: folder } }];
const mountPoints = [{ sourceVolume: 'node', containerPath: '/node' }];

const lasting = (name: string, folder: string, kubernetes: object, healthCheck: string): Manifest =>
  taskDefinition(name, { kubernetes, volumes: volumes(folder) }, [
    shell('app', LASTS, {
      mountPoints,
      healthCheck: { command: ['CMD-SHELL', healthCheck], interval: 5, timeout: 5, retries: 3, startPeriod: 300 },
    }),
  ]);

const once = (taskDefinitionName: string): Manifest => ({
  kind: 'Task',
  name: 'once',
  spec: { taskDefinition: taskDefinitionName },
});

/** Its children last on their first attempt, but for those of the odd indexes, and end with 0 later. */
const job = (folder: string, kubernetes: object): Manifest => ({
  kind: 'BatchJob',
  name: 'job',
  spec: {
    kubernetes,
    arrayProperties: { size: 2 },
    retryStrategy: { attempts: 3 },
    containerProperties: {
      image: 'busybox:1.37',
      command: ['sh', '-c', `[ $AWS_BATCH_JOB_ATTEMPT = 1 ] && [ $AWS_BATCH_JOB_ARRAY_INDEX = 0 ] || exit 0; ${LASTS}`],
      resourceRequirements: [
        { type: 'VCPU', value: '0.25' },
        { type: 'MEMORY', value: '16' },
      ],
      volumes: volumes(folder),
      mountPoints,
    },
  },
});

const labelled = (ns: TestNamespace, label: string, value: string): Pod[] =>
  ns.history.all('pods').filter(({ metadata }) => metadata.labels?.[`longshore.dev/${label}`] === value);

const untilRunsOn = (ns: TestNamespace, node: string, what: string, pods: () => readonly Pod[]): Promise<Pod> =>
  ns.until(
    `${what} to run on ${node}`,
    () => pods().find((pod) => pod.spec.nodeName === node && isRunning(pod)),
    WAIT_MS,
  );

const untilServiceRunsOn = (ns: TestNamespace, name: string, node: string): Promise<Pod> =>
  untilRunsOn(ns, node, name, () => podsOf(ns.history, name));

const untilTaskRuns = async (ns: TestNamespace, node: string): Promise<Pod> => {
  const pod = await untilRunsOn(ns, node, 'the Task', () => labelled(ns, 'run-task', 'once'));
  await ns.until('its status to say so', () => ns.history.get('tasks', 'once')?.status?.runningCount === 1, WAIT_MS);
  return pod;
};

/** The first attempt of index 0, once index 1 has ended. */
const untilChildRuns = async (ns: TestNamespace, node: string): Promise<Pod> => {
  const summary = () => ns.history.get('batchjobs', 'job')?.status?.arrayProperties?.statusSummary;
  await ns.until('index 1 to end', () => summary()?.SUCCEEDED === 1, WAIT_MS);
  return untilRunsOn(ns, node, 'index 0', () => labelled(ns, 'array-index', '0'));
};

const untilSecondAttempt = (ns: TestNamespace): Promise<Pod> =>
  ns.until('the second attempt', () => labelled(ns, 'attempt', '2')[0], WAIT_MS);

const untilJobSucceeds = (ns: TestNamespace) =>
  ns.until(
    'the job to end',
    () => {
      const status = ns.history.get('batchjobs', 'job')?.status;
      return status?.status === 'SUCCEEDED' || status?.status === 'FAILED' ? status : undefined;
    },
    WAIT_MS,
  );

const untilTaskStops = (ns: TestNamespace) =>
  ns.until(
    'the Task to be STOPPED',
    () => {
      const status = ns.history.get('tasks', 'once')?.status;
      return status?.lastStatus === 'STOPPED' ? status : undefined;
    },
    WAIT_MS,
  );

const untilStopped = (ns: TestNamespace, name: string, pod: Pod) =>
  ns.until(`the stop of ${pod.metadata.name}`, () => stoppedTaskOf(ns.history.get('services', name), pod), WAIT_MS);

const untilGone = (ns: TestNamespace, pods: readonly Pod[]): Promise<unknown> =>
  ns.until(
    'the pods to be gone',
    () => pods.every(({ metadata }) => ns.history.get('pods', metadata.name)?.metadata.uid !== metadata.uid),
    WAIT_MS,
  );

describe.skipIf(!possible).concurrent(title, { timeout: 900_000 }, () => {
  const suite = useSuite({ nodes: 'real=4', operator: true, nodeMonitorGraceSeconds: GRACE_SECONDS });
  const dir = (): string => suite().cluster.dir;

  /** Lets the pods of a test run on the node. */
  const open = (ns: TestNamespace, node: string): Promise<string> =>
    ns.kubectl(['label', 'node', node, `longshore.dev/test-${ns.name}=yes`]);
  const onItsNodes = (ns: TestNamespace) => ({ nodeSelector: { [`longshore.dev/test-${ns.name}`]: 'yes' } });
  const nodeObject = async (ns: TestNamespace, node: string) =>
    JSON.parse(await ns.kubectl(['get', 'node', node, '--output=json'])) as {
      spec: { taints?: { key: string; effect: string; timeAdded?: string }[] };
    };

  it('that is lost has its tasks replaced after the stated time, and what still ran there ends when it is back', async (context) => {
    const node = 'real-2';
    const ns = await suite().namespace(context);
    const folder = logFolder(context);
    const tolerating = (tolerationSeconds: number) => ({
      ...onItsNodes(ns),
      tolerations: [
        { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds },
      ],
    });
    // No room for a second task: only one that counts to no bound can be replaced.
    const deploymentConfiguration = { minimumHealthyPercent: 0, maximumPercent: 100 };
    await open(ns, node);
    await ns.create(
      lasting('web', folder, tolerating(TOLERATION_SECONDS), 'true'),
      lasting('patient', folder, tolerating(3600), 'true'),
      service('web', { deploymentConfiguration }),
      service('patient', { deploymentConfiguration }),
      once('web'),
      job(folder, tolerating(TOLERATION_SECONDS)),
    );
    const [web, patient, task, child] = await Promise.all([
      untilServiceRunsOn(ns, 'web', node),
      untilServiceRunsOn(ns, 'patient', node),
      untilTaskRuns(ns, node),
      untilChildRuns(ns, node),
    ]);
    const lost = [web, task, child];
    await open(ns, REFUGE);

    await cutOff(dir(), node);
    const second = await untilSecondAttempt(ns);
    const { taints = [] } = (await nodeObject(ns, node)).spec;
    const taint = taints.find(({ key, effect }) => key === 'node.kubernetes.io/unreachable' && effect === 'NoExecute');
    const lease = await ns.kubectl([
      'get',
      `lease/${node}`,
      '--namespace=kube-node-lease',
      '--output=jsonpath={.spec.renewTime}',
    ]);
    const [silentSince, tainted] = [Date.parse(lease), Date.parse(taint?.timeAdded ?? '')];
    // Kubernetes leaves the fractions of seconds out.
    expect(tainted + 1000).toBeGreaterThan(silentSince + GRACE_SECONDS * 1000);
    expect(Date.parse(second.metadata.creationTimestamp)).toBeGreaterThanOrEqual(tainted + TOLERATION_SECONDS * 1000);
    await untilServiceRunsOn(ns, 'web', REFUGE);
    expect(await untilStopped(ns, 'web', web)).toMatchObject(hostTerminated(node));
    const { tasks } = await untilTaskStops(ns);
    expect(tasks).toMatchObject([{ ...hostTerminated(node), pod: task.metadata.name }]);
    expect(conditionOf(ns.history.get('tasks', 'once'), 'Failed')).toBe('True');
    expect(await untilJobSucceeds(ns)).toMatchObject({ status: 'SUCCEEDED', succeededIndexes: '0-1' });
    // Nobody can end them: both run.
    for (const pod of [...lost, patient]) {
      expect(podProcesses(dir(), node, pod.metadata.uid).length).toBeGreaterThan(0);
      expect(said(folder, pod, 'told')).toBe(false);
    }

    await reconnect(dir(), node);
    await untilGone(ns, lost);
    for (const pod of lost) {
      expect(podProcesses(dir(), node, pod.metadata.uid)).toEqual([]);
      expect(said(folder, pod, 'told')).toBe(true);
    }
    // What nobody gave up is as it was.
    await ns.kubectl(['wait', `node/${node}`, '--for=condition=Ready', '--timeout=300s']);
    expect(await exec(ns, patient, 'app', 'echo', 'here')).toBe('here\n');
    expect(podsOf(ns.history, 'patient').map(({ metadata }) => metadata.uid)).toEqual([patient.metadata.uid]);
    expect(ns.history.get('services', 'patient')?.status).toMatchObject({ runningCount: 1, stoppedTasks: [] });
    expect(ns.history.get('services', 'web')?.status?.stoppedTasks).toHaveLength(1);
    expect([...changedRecords(ns.history, ['once']), ...rerunsAfterSuccess(ns.history)]).toEqual([]);
    expect(ns.history.get('tasks', 'once')?.status?.tasks).toHaveLength(1);
  });

  it('that is cordoned is DRAINING, and kubectl drain ends once replacements are healthy', async (context) => {
    const node = 'real-3';
    const ns = await suite().namespace(context);
    const folder = logFolder(context);
    await open(ns, node);
    await ns.create(
      // Healthy once the test says so.
      lasting('web', folder, onItsNodes(ns), 'test -e /node/$(hostname)'),
      lasting('api', folder, onItsNodes(ns), 'true'),
      service('web'),
      service('api', { desiredCount: 2 }),
      once('api'),
      job(folder, onItsNodes(ns)),
    );
    const web = await untilServiceRunsOn(ns, 'web', node);
    writeFileSync(join(folder, web.metadata.name), '');
    const [task, child] = await Promise.all([untilTaskRuns(ns, node), untilChildRuns(ns, node)]);
    const untilHealthy = (name: string, count: number): Promise<unknown> =>
      ns.until(
        `${name} to have ${count} healthy tasks`,
        () => momentsOf(ns.history, name).at(-1)?.healthy === count,
        WAIT_MS,
      );
    await Promise.all([untilHealthy('web', 1), untilHealthy('api', 2)]);
    const api = podsOf(ns.history, 'api');
    await ns.kubectl(['wait', '--for=jsonpath={.status.currentHealthy}=1', '--timeout=300s', 'pdb/web']);
    await open(ns, REFUGE);

    context.onTestFinished(async () => {
      await ns.kubectl(['uncordon', node]);
    });
    await ns.kubectl(['cordon', node]);
    for (const pod of api) expect(await untilStopped(ns, 'api', pod)).toMatchObject(DRAINING);
    await untilHealthy('api', 2);
    const replacement = await untilServiceRunsOn(ns, 'web', REFUGE);
    for (const pod of [web, task, child]) expect(isWanted(ns.history.get('pods', pod.metadata.name) as Pod)).toBe(true);

    const refused = Promise.withResolvers<void>();
    const { kubectlPath, kubeconfig } = suite().cluster;
    const drained = run(kubectlPath, ['drain', node], {
      env: { ...process.env, KUBECONFIG: kubeconfig },
      timeout: WAIT_MS,
      onErrorLine: (line) => {
        if (line.includes("would violate the pod's disruption budget")) refused.resolve();
      },
    });
    await Promise.race([
      refused.promise,
      drained.then(({ stderr }) => expect.fail(`the drain was not held up: ${stderr}`)),
    ]);
    writeFileSync(join(folder, replacement.metadata.name), '');
    expect(await drained).toMatchObject({ code: 0 });
    await ns.history.caughtUp();
    expect(ns.history.all('pods').filter(({ spec }) => spec.nodeName === node)).toEqual([]);
    expect(await untilStopped(ns, 'web', web)).toMatchObject({
      ...DRAINING,
      containers: [{ name: 'app', exitCode: 5 }],
    });
    const { tasks } = await untilTaskStops(ns);
    expect(tasks).toMatchObject([{ ...evictedBy(node), containers: [{ name: 'app', exitCode: 5 }] }]);
    expect(await untilJobSucceeds(ns)).toMatchObject({ status: 'SUCCEEDED', succeededIndexes: '0-1' });
    for (const name of ['web', 'api']) {
      const moments = momentsOf(ns.history, name);
      expect([...startsAboveBound(moments), ...stopsBelowBound(moments)]).toEqual([]);
    }
    expect([...duplicates(ns.history), ...rerunsAfterSuccess(ns.history)]).toEqual([]);
  });

  it('that starts anew has lost its tasks; one that runs short of disk evicts them', async (context) => {
    const node = 'real-4';
    const ns = await suite().namespace(context);
    const folder = logFolder(context);
    await open(ns, node);
    await ns.create(
      lasting('web', folder, onItsNodes(ns), 'true'),
      service('web', { deploymentConfiguration: { minimumHealthyPercent: 0, maximumPercent: 100 } }),
      once('web'),
      job(folder, onItsNodes(ns)),
    );
    const [web, task, child] = await Promise.all([
      untilServiceRunsOn(ns, 'web', node),
      untilTaskRuns(ns, node),
      untilChildRuns(ns, node),
    ]);
    await reboot(dir(), node);
    const UNKNOWN = {
      stopCode: 'EssentialContainerExited',
      stoppedReason: 'Essential container in task exited',
      containers: [{ name: 'app', exitCode: 255 }],
    };
    expect(await untilStopped(ns, 'web', web)).toMatchObject(UNKNOWN);
    expect((await untilTaskStops(ns)).tasks).toMatchObject([UNKNOWN]);
    expect(await untilJobSucceeds(ns)).toMatchObject({ status: 'SUCCEEDED', succeededIndexes: '0-1' });
    for (const { metadata } of [web, task, child]) expect(podProcesses(dir(), node, metadata.uid)).toEqual([]);
    const second = await untilServiceRunsOn(ns, 'web', node);

    // More than the disk has free, whatever that is.
    await reconfigureKubelet(dir(), node, { evictionHard: { 'nodefs.available': '99.9%' } });
    await open(ns, REFUGE);
    expect(await untilStopped(ns, 'web', second)).toMatchObject({
      // Where the kubelet takes stock first, it rejects the pod, and with its statuses goes that it has run.
      stopCode: expect.stringMatching(/^(InfrastructureHealth|TaskFailedToStart)$/),
      stoppedReason: expect.stringMatching(
        // It may already see the shortage when it takes stock of what runs.
        /^Evicted: (The node was low on resource: ephemeral-storage|Pod was rejected: The node had condition: \[DiskPressure\])\. /,
      ),
    });
    await untilServiceRunsOn(ns, 'web', REFUGE);
    expect(duplicates(ns.history)).toEqual([]);
  });
});
