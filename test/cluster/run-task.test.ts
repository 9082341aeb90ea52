import { describe, expect, it } from 'vitest';
import type { TaskStatus } from '../../src/api/task.ts';
import { duplicates, isEnded, taskIdOf } from '../support/invariants.ts';
import { pathOf } from '../support/kube-api.ts';
import { cluster, kwok, sidecarContainer, taskDefinition, version } from '../support/manifests.ts';
import type { Pod } from '../support/recorder.ts';
import { conditionOf, readyCondition } from '../support/services.ts';
import { type Manifest, type TestNamespace, useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: true });

const app = { name: 'app', image: 'busybox:1.36', memoryReservation: 8 };

const migrate = (containers: object[] = [app]): Manifest => taskDefinition('migrate', {}, containers);

/** Containers run until the test ends them, unless it says otherwise. */
const run = (name: string, spec: object = {}, asked: Parameters<typeof kwok>[0] = {}): Manifest => ({
  kind: 'Task',
  name,
  spec: { taskDefinition: 'migrate', kubernetes: { podAnnotations: kwok(asked) }, ...spec },
});

const exits = (exitCode: number) => ({ exitAfter: '200ms', exitCode });

const end = (ns: TestNamespace, pod: Pod, exitCode: number) =>
  ns.patch('pods', pod.metadata.name, { metadata: { annotations: kwok({ exitAfter: '1ms', exitCode }) } });

const stop = (ns: TestNamespace, pod: Pod, reason: string) =>
  ns.patch('pods', pod.metadata.name, { metadata: { annotations: { 'longshore.dev/stop': reason } } });

const podsOf = (ns: TestNamespace, name: string): Pod[] =>
  ns.history
    .all('pods')
    .filter(({ metadata }) => metadata.labels?.['longshore.dev/run-task'] === name)
    .sort((a, b) => a.metadata.name.localeCompare(b.metadata.name));

const until = (ns: TestNamespace, name: string, what: string, is: (status: TaskStatus) => unknown) =>
  ns.until(`${name} ${what}`, () => {
    const status = ns.history.get('tasks', name)?.status;
    return status !== undefined && is(status) ? status : undefined;
  });

const untilRunning = (ns: TestNamespace, name: string, count: number) =>
  until(ns, name, `to have ${count} tasks running`, ({ runningCount }) => runningCount === count);

const untilStopped = (ns: TestNamespace, name: string) =>
  until(ns, name, 'to be STOPPED', ({ lastStatus }) => lastStatus === 'STOPPED');

/** What the recorder saw of pods that a Task made, those that are gone included. */
const madeFor = (ns: TestNamespace, name: string): string[] => [
  ...new Set(
    ns.history.entries.flatMap(({ kind, object }) =>
      kind === 'pods' && object.metadata.labels?.['longshore.dev/run-task'] === name ? [object.metadata.name] : [],
    ),
  ),
];

describe.concurrent('a Task', () => {
  it('runs its count of tasks once, and is Complete when all have ended with 0', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(migrate([app, sidecarContainer]), run('three', { count: 3 }, exits(0)));
    await ns.kubectl(['wait', 'etask/three', '--for=condition=Complete', '--timeout=60s']);
    const status = await untilStopped(ns, 'three');
    expect(status).toMatchObject({ desiredCount: 3, pendingCount: 0, runningCount: 0, stoppedCount: 3, failures: [] });
    const pods = podsOf(ns, 'three');
    expect(status.tasks).toMatchObject(
      pods.map((pod) => ({
        task: taskIdOf(pod),
        pod: pod.metadata.name,
        lastStatus: 'STOPPED',
        desiredStatus: 'STOPPED',
        stopCode: 'EssentialContainerExited',
        stoppedReason: 'Essential container in task exited',
        containers: [
          { name: 'app', essential: true, lastStatus: 'STOPPED', exitCode: 0 },
          { name: 'sidecar', essential: false, lastStatus: 'STOPPED' },
        ],
      })),
    );
    for (const { createdAt, startedAt = '', stoppingAt = '', stoppedAt = '' } of status.tasks ?? []) {
      const times = [createdAt, startedAt, stoppingAt, stoppedAt];
      expect(times.toSorted()).toEqual(times);
    }
    const object = ns.history.get('tasks', 'three');
    expect(['Complete', 'Failed', 'Ready'].map((type) => conditionOf(object, type))).toEqual(['True', 'False', 'True']);
    expect(madeFor(ns, 'three')).toHaveLength(3);
    for (const { metadata } of pods)
      expect(metadata.annotations?.['longshore.dev/stop-code']).toBe('EssentialContainerExited');
    const [header, row] = (await ns.kubectl(['get', 'tasks', 'three'])).split('\n').map((line) => line.split(/\s+/));
    expect(header).toEqual(['NAME', 'STATUS', 'COUNT', 'PENDING', 'RUNNING', 'STOPPED', 'TASKDEF', 'AGE']);
    expect(row?.slice(0, 7)).toEqual(['three', 'STOPPED', '3', '0', '0', '3', 'migrate:1']);
  });

  it('is Failed when a task has ended with another code, and replaces none', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(migrate(), run('two', { count: 2 }));
    await untilRunning(ns, 'two', 2);
    const [first, second] = podsOf(ns, 'two') as [Pod, Pod];
    await end(ns, first, 3);
    const half = await until(ns, 'two', 'to have one task left', ({ stoppedCount }) => stoppedCount === 1);
    expect(half).toMatchObject({ lastStatus: 'RUNNING', runningCount: 1 });
    await end(ns, second, 0);
    await ns.kubectl(['wait', 'etask/two', '--for=condition=Failed', '--timeout=60s']);
    const { tasks } = await untilStopped(ns, 'two');
    expect(tasks?.map(({ containers }) => containers[0]?.exitCode)).toEqual([3, 0]);
    const message = `1 of 2 tasks failed: task ${taskIdOf(first)}: essential container app ended with exit code 3`;
    expect(readyCondition(ns.history.get('tasks', 'two'))).toMatchObject({ reason: 'NonZeroExitCode', message });
    // Events are written beside everything else.
    const events = async (): Promise<string[]> => {
      const list = await ns.kubectl(['get', 'events', '--field-selector=involvedObject.kind=Task', '-o', 'json']);
      return JSON.parse(list).items.map(({ message }: { message: string }) => message);
    };
    await context.expect
      .poll(events, { timeout: 60_000 })
      .toEqual(expect.arrayContaining([message, `(task ${taskIdOf(first)}) Essential container in task exited`]));
    expect(madeFor(ns, 'two')).toHaveLength(2);
  });

  it('runs the newest revision at the time it is made, and keeps to it', async (context) => {
    const ns = await suite().namespace(context);
    const quota = { metadata: { name: 'none' }, spec: { hard: { pods: '0' } } };
    await ns.createRaw('resourcequotas', quota);
    await ns.kubectl(['wait', 'resourcequota/none', '--for=jsonpath={.status.hard.pods}=0', '--timeout=60s']);
    await ns.create(migrate(), run('early', { taskDefinition: 'task-definition/migrate' }));
    const isRefused = ({ failures = [] }: TaskStatus) => failures[0]?.reason === 'TaskStartFailed';
    const refused = await until(ns, 'early', 'to be refused', isRefused);
    expect(refused).toMatchObject({ taskDefinition: 'migrate:1', lastStatus: 'PROVISIONING', tasks: [] });
    expect(refused.failures).toMatchObject([{ detail: expect.stringContaining('exceeded quota') }]);
    await ns.patch('taskdefinitions', 'migrate', { spec: { containerDefinitions: [{ ...app, ...version('2') }] } });
    await ns.until('migrate:2', () => ns.history.get('taskdefinitions', 'migrate')?.status?.latestRevision === 2);
    await ns.delete('resourcequotas', 'none');
    await ns.create(run('late'));
    await untilRunning(ns, 'late', 1);
    await untilRunning(ns, 'early', 1);
    const revisions = ['early', 'late'].map((name) =>
      podsOf(ns, name).map(({ metadata }) => metadata.labels?.['longshore.dev/revision']),
    );
    expect(revisions).toEqual([['1'], ['2']]);
    expect(ns.history.get('tasks', 'late')?.status?.taskDefinition).toBe('migrate:2');
  });

  it('shows on its tasks the group, and who started them', async (context) => {
    const ns = await suite().namespace(context);
    const tag = (key: string, value: string) => ({ key, value });
    const definition = taskDefinition('migrate', { tags: [tag('team', 'data'), tag('stage', 'all')] }, [app]);
    const tagged = {
      tags: [tag('stage', 'test')],
      propagateTags: 'TASK_DEFINITION',
      enableECSManagedTags: true,
    };
    await ns.create(definition, run('one', { startedBy: 'ci/main', ...tagged }), run('other', { group: 'Night_Run' }));
    const [one, other] = await Promise.all(['one', 'other'].map((name) => untilRunning(ns, name, 1)));
    expect([one?.group, other?.group]).toEqual(['family:migrate', 'Night_Run']);
    const annotationsOf = (name: string) => podsOf(ns, name)[0]?.metadata.annotations;
    expect(annotationsOf('one')).toMatchObject({
      'longshore.dev/group': 'family:migrate',
      'longshore.dev/started-by': 'ci/main',
      'longshore.dev/run-task': 'one',
    });
    expect(JSON.parse(annotationsOf('one')?.['longshore.dev/tags'] ?? '')).toEqual({
      'aws:ecs:clusterName': ns.name,
      team: 'data',
      stage: 'test',
    });
    expect(annotationsOf('other')).toMatchObject({ 'longshore.dev/group': 'Night_Run' });
  });

  it('spreads over the nodes when nothing else is asked for', async (context) => {
    const ns = await suite().namespace(context);
    const nodes = JSON.parse(await ns.kubectl(['get', 'nodes', '-o', 'json'])).items as {
      metadata: { name: string };
      status: { allocatable: { cpu: string } };
    }[];
    // By how full the nodes are alone, the first one would get none.
    const half = Number(nodes[0]?.status.allocatable.cpu) / 2;
    expect(half).toBeGreaterThan(0);
    await ns.createRaw('pods', {
      metadata: { name: 'load' },
      spec: {
        nodeName: nodes[0]?.metadata.name,
        containers: [{ name: 'load', image: 'busybox', resources: { requests: { cpu: `${half}` } } }],
      },
    });
    await ns.create(migrate(), run('six', { count: 6 }));
    await untilRunning(ns, 'six', 6);
    const used = podsOf(ns, 'six').map(({ spec }) => spec.nodeName);
    expect(nodes.map(({ metadata }) => used.filter((name) => name === metadata.name).length)).toEqual([2, 2, 2]);
  });

  it('gives each task a node of its own by distinctInstance, and says which finds none', async (context) => {
    const ns = await suite().namespace(context);
    const placementConstraints = [{ type: 'distinctInstance' }];
    const capacityProviderStrategy = [{ capacityProvider: 'FARGATE' }];
    await ns.create(migrate(), run('four', { count: 4, placementConstraints, capacityProviderStrategy }));
    const isUnplaced = ({ failures = [] }: TaskStatus) => failures[0]?.task !== undefined;
    const short = await until(ns, 'four', 'to lack a node', isUnplaced);
    const waiting = podsOf(ns, 'four').find(({ spec }) => spec.nodeName === undefined) as Pod;
    expect(short.failures).toMatchObject([
      {
        task: taskIdOf(waiting),
        reason: 'DistinctInstance placement constraint unsatisfied.',
        detail: expect.stringContaining('anti-affinity'),
      },
    ]);
    const running = await untilRunning(ns, 'four', 3);
    expect(running).toMatchObject({ lastStatus: 'PROVISIONING', pendingCount: 1 });
    expect(readyCondition(ns.history.get('tasks', 'four'))?.reason).toBe('TaskPlacementFailed');
    const placed = podsOf(ns, 'four').filter(({ spec }) => spec.nodeName !== undefined);
    expect(new Set(placed.map(({ spec }) => spec.nodeName)).size).toBe(3);
    await stop(ns, placed[0] as Pod, 'make room');
    const full = await until(ns, 'four', 'to have them all placed', ({ failures = [] }) => failures.length === 0);
    expect(full.tasks?.find(({ pod }) => pod === waiting.metadata.name)?.lastStatus).not.toBe('STOPPED');
    expect(ns.history.get('pods', waiting.metadata.name)?.spec.nodeName).toBe(placed[0]?.spec.nodeName);
  });

  it('fails with the reason where no node has room, and waits with capacityProviderStrategy or launchType FARGATE', async (context) => {
    const ns = await suite().namespace(context);
    const placementConstraints = [{ type: 'distinctInstance' }];
    const nowhere = { kubernetes: { nodeSelector: { nowhere: 'yes' } } };
    await ns.create(
      migrate(),
      run('four', { count: 4, placementConstraints }),
      run('none', { launchType: 'EC2', ...nowhere }),
      run('waits', { launchType: 'FARGATE', ...nowhere }),
    );
    const short = await until(ns, 'four', 'to have one that failed', ({ stoppedCount }) => stoppedCount === 1);
    expect(short).toMatchObject({
      desiredCount: 4,
      failures: [{ reason: 'DistinctInstance placement constraint unsatisfied.' }],
    });
    const failed = short.tasks?.find(({ lastStatus }) => lastStatus === 'STOPPED');
    expect(failed).toMatchObject({ task: short.failures?.[0]?.task, stopCode: 'TaskFailedToStart' });
    await untilRunning(ns, 'four', 3);
    await ns.kubectl(['wait', 'etask/none', '--for=condition=Failed', '--timeout=60s']);
    expect(ns.history.get('tasks', 'none')?.status).toMatchObject({
      lastStatus: 'STOPPED',
      failures: [{ reason: 'ATTRIBUTE', detail: expect.stringContaining('nodes are available') }],
    });
    expect(podsOf(ns, 'none')).toEqual([]);
    expect(madeFor(ns, 'none')).toHaveLength(1);
    await until(ns, 'waits', 'to find no node', ({ failures = [] }) => failures[0]?.reason === 'ATTRIBUTE');
    expect(podsOf(ns, 'waits')).toHaveLength(1);
    expect(ns.history.get('tasks', 'waits')?.status).toMatchObject({ lastStatus: 'PROVISIONING', stoppedCount: 0 });
  });

  it('has its tasks stopped by annotation, with the reason given, also one that no node takes', async (context) => {
    const ns = await suite().namespace(context);
    const nowhere = { nodeSelector: { nowhere: 'yes' } };
    await ns.create(migrate(), run('here'), run('nowhere', { kubernetes: nowhere, launchType: 'FARGATE' }));
    await untilRunning(ns, 'here', 1);
    const stuck = await until(ns, 'nowhere', 'to find no node', ({ failures = [] }) => failures[0]?.task !== undefined);
    expect(stuck.failures).toMatchObject([{ reason: 'ATTRIBUTE' }]);
    for (const name of ['here', 'nowhere']) await stop(ns, podsOf(ns, name)[0] as Pod, 'no longer needed');
    for (const name of ['here', 'nowhere']) {
      const status = await untilStopped(ns, name);
      expect(status.tasks).toMatchObject([{ stopCode: 'UserInitiated', stoppedReason: 'no longer needed' }]);
      expect(readyCondition(ns.history.get('tasks', name))).toMatchObject({ reason: 'UserInitiated' });
      expect(conditionOf(ns.history.get('tasks', name), 'Failed')).toBe('True');
      expect(madeFor(ns, name)).toHaveLength(1);
    }
    expect(podsOf(ns, 'nowhere')).toEqual([]);
  });

  it('never starts a task again whose pod was deleted', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(migrate(), run('one'));
    await untilRunning(ns, 'one', 1);
    const [pod] = podsOf(ns, 'one') as [Pod];
    await ns.delete('pods', pod.metadata.name);
    const status = await untilStopped(ns, 'one');
    expect(status.tasks).toMatchObject([
      { task: taskIdOf(pod), stopCode: 'UserInitiated', stoppedReason: 'Task stopped by user' },
    ]);
    expect(conditionOf(ns.history.get('tasks', 'one'), 'Failed')).toBe('True');
    // The operator answers this after it has looked at all that came before.
    await ns.create(run('two', {}, exits(0)));
    await untilStopped(ns, 'two');
    expect(madeFor(ns, 'one')).toEqual([pod.metadata.name]);
  });

  it('keeps the record of its tasks when their pods are swept', async (context) => {
    const ns = await suite().namespace(context);
    const retention = { stoppedTaskSeconds: 0 };
    await ns.create(cluster('short', { retention }), migrate(), run('two', { count: 2 }));
    await untilRunning(ns, 'two', 2);
    const [first, second] = podsOf(ns, 'two') as [Pod, Pod];
    await end(ns, first, 4);
    await ns.until('the first pod to be swept', () => ns.history.get('pods', first.metadata.name) === undefined);
    await end(ns, second, 0);
    await ns.until('the second pod to be swept', () => podsOf(ns, 'two').length === 0);
    const { tasks, ...status } = await untilStopped(ns, 'two');
    expect(tasks).toMatchObject([4, 0].map((exitCode) => ({ containers: [{ exitCode }] })));
    expect(status.conditions?.find(({ type }) => type === 'Failed')).toMatchObject({
      status: 'True',
      reason: 'NonZeroExitCode',
    });
    expect(madeFor(ns, 'two')).toHaveLength(2);
  });

  it('has the volume that it configures at launch, which goes with its pod', async (context) => {
    const ns = await suite().namespace(context);
    const storageClassName = ns.name;
    await suite().api.call('POST', pathOf('persistentvolumes'), {
      metadata: { name: ns.name },
      spec: {
        storageClassName,
        capacity: { storage: '100Gi' },
        accessModes: ['ReadWriteOnce'],
        hostPath: { path: '/nowhere' },
      },
    });
    context.onTestFinished(async () => {
      await suite().api.call('DELETE', pathOf('persistentvolumes', undefined, ns.name));
    });
    const mappings = { storageClasses: [{ volumeType: 'gp3', storageClassName }] };
    const mountPoints = [{ sourceVolume: 'data', containerPath: '/data' }];
    const definition = { volumes: [{ name: 'data', configuredAtLaunch: true }] };
    const terminationPolicy = { deleteOnTermination: true };
    const managedEBSVolume = { roleArn: 'ecsInfrastructureRole', volumeType: 'gp3', sizeInGiB: 20, terminationPolicy };
    await ns.create(
      cluster('short', { mappings, retention: { stoppedTaskSeconds: 0 } }),
      taskDefinition('migrate', definition, [{ ...app, mountPoints }]),
      run('one', { volumeConfigurations: [{ name: 'data', managedEBSVolume }] }),
      run('none'),
    );
    await untilRunning(ns, 'one', 1);
    const [pod] = podsOf(ns, 'one') as [Pod];
    const claim = `${pod.metadata.name}-data`;
    expect(await suite().api.call('GET', pathOf('persistentvolumeclaims', ns.name, claim))).toMatchObject({
      metadata: { ownerReferences: [{ kind: 'Pod', name: pod.metadata.name }] },
      spec: { storageClassName, resources: { requests: { storage: '20Gi' } } },
    });
    await end(ns, pod, 0);
    await ns.kubectl(['wait', '--for=delete', `persistentvolumeclaims/${claim}`, '--timeout=120s']);
    expect(conditionOf(ns.history.get('tasks', 'one'), 'Complete')).toBe('True');
    expect(readyCondition(ns.history.get('tasks', 'none'))?.reason).toBe('VolumeConfigurationMismatch');
  });

  it('whose overrides name no container says so, and runs what comes to have it', async (context) => {
    const ns = await suite().namespace(context);
    const overrides = { containerOverrides: [{ name: 'worker', command: ['x'] }] };
    await ns.create(migrate(), run('one', { overrides }));
    await ns.until('the refusal', () => readyCondition(ns.history.get('tasks', 'one'))?.reason === 'InvalidOverrides');
    expect(readyCondition(ns.history.get('tasks', 'one'))?.message).toContain(
      'spec.overrides.containerOverrides[0].name: Override for container named worker is not a container in the TaskDefinition.',
    );
    await ns.patch('taskdefinitions', 'migrate', { spec: { containerDefinitions: [{ ...app, name: 'worker' }] } });
    expect(await untilRunning(ns, 'one', 1)).toMatchObject({ taskDefinition: 'migrate:2' });
  });

  it('waits for its task definition, and takes its tasks along when it is deleted', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(run('one'));
    await ns.until(
      'the wait',
      () => readyCondition(ns.history.get('tasks', 'one'))?.reason === 'TaskDefinitionNotFound',
    );
    await ns.create(migrate());
    await untilRunning(ns, 'one', 1);
    await ns.delete('tasks', 'one');
    // Of the same name, it is another one: it does not wait for the pods of the first.
    await ns.create(run('one'));
    await untilRunning(ns, 'one', 1);
    await ns.until('the first pod to be gone', () => podsOf(ns, 'one').length === 1, 120_000);
    expect(podsOf(ns, 'one').map(isEnded)).toEqual([false]);
  });
});

describe('a Task, while the operator is killed', () => {
  it('starts none of its tasks twice and loses none', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(
      migrate(),
      run('good', { count: 10 }, exits(0)),
      run('bad', { count: 5 }, exits(6)),
      run('swept', { count: 5 }, exits(0)),
      cluster('short', { retention: { stoppedTaskSeconds: 0 } }),
    );
    for (const events of [2, 4, 8, 16]) {
      await ns.history.events(events, 2_000);
      await suite().operator.kill('SIGKILL');
      await suite().startOperator();
    }
    const [good, bad, swept] = await Promise.all(['good', 'bad', 'swept'].map((name) => untilStopped(ns, name)));
    const codes = (status: TaskStatus | undefined) => status?.tasks?.map(({ containers }) => containers[0]?.exitCode);
    expect(codes(good)).toEqual(Array(10).fill(0));
    expect(codes(bad)).toEqual(Array(5).fill(6));
    expect(codes(swept)).toEqual(Array(5).fill(0));
    expect(['good', 'bad', 'swept'].map((name) => madeFor(ns, name).length)).toEqual([10, 5, 5]);
    // Each pod is made once, also where it is gone.
    const additions = ns.history.entries.filter(({ kind, type }) => kind === 'pods' && type === 'ADDED');
    expect(additions).toHaveLength(20);
    expect(duplicates(ns.history)).toEqual([]);
  });
});
