import { describe, expect, it } from 'vitest';
import { writesOf } from '../support/audit.ts';
import {
  deploymentIdOf,
  isEnded,
  isWanted,
  momentsOf,
  serviceViolations,
  startsAboveBound,
  taskIdOf,
} from '../support/invariants.ts';
import { kwok, service, sidecarContainer, taskDefinition, version, webContainer } from '../support/manifests.ts';
import type { Pod } from '../support/recorder.ts';
import {
  conditionOf,
  messagesOf,
  podsOf,
  readyCondition,
  runningPods,
  stoppedTaskOf,
  untilSteady,
} from '../support/services.ts';
import { OPERATOR_USER, type TestNamespace, useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: true });

/** Identities: the name of a pod that is gone is free again. */
const uidsOf = (pods: readonly Pod[]): string[] => pods.map(({ metadata }) => metadata.uid).sort();
const revisionsOf = (pods: readonly Pod[]): (string | undefined)[] =>
  [...new Set(pods.map(({ metadata }) => metadata.labels?.['longshore.dev/revision']))].sort();

const registerNext = (ns: TestNamespace, name: string, value: string) =>
  ns.patch('taskdefinitions', name, { spec: { containerDefinitions: [{ ...webContainer, ...version(value) }] } });

/** Lets KWOK play the end of one container, or of all. */
const exit = (ns: TestNamespace, pod: Pod, exitCode: number, exitContainer?: string) =>
  ns.patch('pods', pod.metadata.name, {
    metadata: {
      annotations: kwok({ exitAfter: '1ms', exitCode, ...(exitContainer !== undefined && { exitContainer }) }),
    },
  });

const onlyPod = (pods: readonly Pod[]): Pod => {
  expect(pods).toHaveLength(1);
  return pods[0] as Pod;
};

describe.concurrent('a Service', () => {
  it('whose definition has characters that JSON may escape completes its rollout', async (context) => {
    const ns = await suite().namespace(context);
    const command = ['sh', '-c', 'cat < in > out && echo "\u2028\u2029"'];
    await ns.create(taskDefinition('web', {}, [{ ...webContainer, command }]), service('web'));
    await untilSteady(ns.history, 'web', 1);
    await ns.until('the deployment to be marked as completed', () =>
      ns.history
        .all('controllerrevisions')
        .some(({ metadata }) => metadata.annotations?.['longshore.dev/rollout-state'] === 'COMPLETED'),
    );
    await ns.patch('taskdefinitions', 'web', { metadata: { annotations: { 'longshore.dev/deregister': '1' } } });
    await ns.until('the revision to be INACTIVE', () =>
      ns.history
        .get('taskdefinitions', 'web')
        ?.status?.revisions?.some(({ revision, status }) => revision === 1 && status === 'INACTIVE'),
    );
  });

  it('reaches its desired count, says so, and then writes nothing more', { timeout: 90_000 }, async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(taskDefinition('web'), service('web', { desiredCount: 5, schedulingStrategy: 'REPLICA' }));
    const { status } = await untilSteady(ns.history, 'web', 5);
    const steadyAt = Date.now();
    expect(status).toMatchObject({ status: 'ACTIVE', desiredCount: 5, pendingCount: 0, taskDefinition: 'web:1' });
    expect(status?.deployments).toMatchObject([
      { id: expect.stringMatching(/^ecs-svc\/\d{19}$/), status: 'PRIMARY', rolloutState: 'COMPLETED' },
    ]);
    expect(messagesOf(ns.history.get('services', 'web'))).toEqual([
      '(service web) has reached a steady state.',
      `(service web) (deployment ${status?.deployments?.[0]?.id}) deployment completed.`,
      expect.stringMatching(/^\(service web\) has started 5 tasks: (\(task [0-9a-f]{32}\) ?){5}\.$/),
    ]);
    expect(serviceViolations(ns.history, 'web')).toEqual([]);

    // Event objects follow in the background, 5 a second at most. Silence has no event to wait for: this takes its time.
    const settleMs = 3_000;
    await new Promise((resolve) => setTimeout(resolve, settleMs + 10_000));
    const writes = writesOf(suite().auditLog, OPERATOR_USER, ns.name);
    expect(writes.filter(({ what }) => what.startsWith('pods '))).toHaveLength(5);
    expect(writes.filter(({ at }) => at > steadyAt + settleMs)).toEqual([]);
  });

  it('follows kubectl scale up and down, with surplus tasks stopped as ECS words it', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(taskDefinition('web'), service('web', { desiredCount: 2 }));
    await untilSteady(ns.history, 'web', 2);
    const first = uidsOf(runningPods(ns.history, 'web'));
    await ns.kubectl(['scale', 'esvc/web', '--replicas=4']);
    const { status } = await untilSteady(ns.history, 'web', 4);
    expect(uidsOf(runningPods(ns.history, 'web'))).toEqual(expect.arrayContaining(first));
    const scale = await ns.kubectl([
      'get',
      'esvc/web',
      '--subresource=scale',
      '-o=jsonpath={.spec.replicas} {.status}',
    ]);
    expect(scale).toMatch(/^4 .*"replicas":4/);
    const selected = await ns.kubectl(['get', 'pods', `--selector=${status?.selector}`, '-o=name']);
    expect(selected.trim().split('\n')).toHaveLength(4);

    await ns.kubectl(['scale', 'esvc/web', '--replicas=1']);
    const after = await untilSteady(ns.history, 'web', 1);
    const [deployment] = after.status?.deployments ?? [];
    expect(messagesOf(after)[1]).toMatch(
      /^\(service web\) has stopped 3 running tasks: (\(task [0-9a-f]{32}\) ?){3}\.$/,
    );
    // No failed pods are left behind by what was planned.
    await ns.until('the stopped tasks to be swept', () => podsOf(ns.history, 'web').length === 1);
    expect(after.status?.stoppedTasks).toHaveLength(3);
    for (const { stopCode, stoppedReason } of after.status?.stoppedTasks ?? []) {
      expect(stopCode).toBe('ServiceSchedulerInitiated');
      expect(stoppedReason).toBe(`Scaling activity initiated by (deployment ${deployment?.id})`);
    }
    expect(serviceViolations(ns.history, 'web')).toEqual([]);
  });

  it('can be scaled to nothing and back', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(taskDefinition('web'), service('web', { desiredCount: 2 }));
    await untilSteady(ns.history, 'web', 2);
    await ns.patch('services', 'web', { spec: { desiredCount: 0 } });
    await untilSteady(ns.history, 'web', 0);
    await ns.until('every pod to be gone', () => podsOf(ns.history, 'web').length === 0);
    await ns.patch('services', 'web', { spec: { desiredCount: 1 } });
    await untilSteady(ns.history, 'web', 1);
    expect(ns.history.get('services', 'web')?.status?.deployments).toHaveLength(1);
    expect(serviceViolations(ns.history, 'web')).toEqual([]);
  });

  it('rolls in batches where the bounds are narrow', async (context) => {
    const ns = await suite().namespace(context);
    const deploymentConfiguration = { minimumHealthyPercent: 75, maximumPercent: 125 };
    await ns.create(taskDefinition('web'), service('web', { desiredCount: 8, deploymentConfiguration }));
    await untilSteady(ns.history, 'web', 8);
    await ns.patch('taskdefinitions', 'web', {
      spec: { kubernetes: { podAnnotations: kwok({ readyAfter: '300ms' }) } },
    });
    await ns.until('the rollout', () => ns.history.get('services', 'web')?.status?.taskDefinition === 'web:2');
    await untilSteady(ns.history, 'web', 8);
    const moments = momentsOf(ns.history, 'web');
    expect(new Set(moments.map(({ min, max }) => `${min} to ${max}`))).toEqual(new Set(['6 to 10']));
    expect(Math.max(...moments.map(({ live }) => live))).toBe(10);
    expect(revisionsOf(runningPods(ns.history, 'web'))).toEqual(['2']);
    expect(serviceViolations(ns.history, 'web')).toEqual([]);
  });

  it('says which rule blocks a deployment that can neither start nor stop', async (context) => {
    const ns = await suite().namespace(context);
    const deploymentConfiguration = { minimumHealthyPercent: 75, maximumPercent: 100 };
    await ns.create(taskDefinition('web'), service('web', { desiredCount: 2, deploymentConfiguration }));
    await untilSteady(ns.history, 'web', 2);
    await registerNext(ns, 'web', 'b');
    const stuck = await ns.until('the service to be Stalled', () => {
      const now = ns.history.get('services', 'web');
      return conditionOf(now, 'Stalled') === 'True' ? now : undefined;
    });
    expect(readyCondition(stuck)).toMatchObject({
      reason: 'DeploymentBlocked',
      message: 'cannot start: 2 tasks = upper bound 2; cannot stop: 2 healthy = lower bound 2',
    });
    expect(messagesOf(stuck)[0]).toMatch(/^\(service web\) was unable to stop or start tasks during a deployment/);

    await ns.patch('services', 'web', { spec: { deploymentConfiguration: { maximumPercent: 200 } } });
    await untilSteady(ns.history, 'web', 2);
    expect(revisionsOf(runningPods(ns.history, 'web'))).toEqual(['2']);
    expect(serviceViolations(ns.history, 'web')).toEqual([]);
  });

  it('waits for a task definition that does not exist, and starts as soon as it does', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(service('web', { taskDefinition: 'later:1' }));
    const waiting = await ns.until('the service to say what it waits for', () =>
      readyCondition(ns.history.get('services', 'web')),
    );
    expect(waiting).toMatchObject({ status: 'False', reason: 'TaskDefinitionNotFound' });
    expect(waiting.message).toMatch(/later:1 is not registered .*registered: none/);
    expect(conditionOf(ns.history.get('services', 'web'), 'Reconciling')).toBe('True');
    await ns.create(taskDefinition('later'));
    await untilSteady(ns.history, 'web', 1);
  });

  it('keeps a pinned revision when the definition changes, while one that follows the family rolls', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(
      taskDefinition('web'),
      service('pinned', { taskDefinition: 'web:1' }),
      service('following', { taskDefinition: 'web' }),
    );
    await Promise.all([untilSteady(ns.history, 'pinned', 1), untilSteady(ns.history, 'following', 1)]);
    const pinned = uidsOf(podsOf(ns.history, 'pinned'));
    await registerNext(ns, 'web', 'b');
    await ns.until(
      'the following service to roll',
      () => ns.history.get('services', 'following')?.status?.taskDefinition === 'web:2',
    );
    await untilSteady(ns.history, 'following', 1);
    expect(revisionsOf(runningPods(ns.history, 'following'))).toEqual(['2']);
    expect(uidsOf(podsOf(ns.history, 'pinned'))).toEqual(pinned);
    expect(ns.history.get('services', 'pinned')?.status?.taskDefinition).toBe('web:1');
  });

  it('keeps running when its task definition is deleted', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(taskDefinition('web'), service('web', { desiredCount: 2 }));
    await untilSteady(ns.history, 'web', 2);
    await ns.delete('taskdefinitions', 'web');
    await ns.until('the service to say so', () =>
      readyCondition(ns.history.get('services', 'web'))?.message.includes('no TaskDefinition of family "web"'),
    );
    const [first] = runningPods(ns.history, 'web');
    await ns.delete('pods', first?.metadata.name ?? '');
    await ns.until('the deleted task to be replaced', () => {
      const pods = runningPods(ns.history, 'web');
      return pods.length === 2 && !pods.some(({ metadata }) => metadata.uid === first?.metadata.uid);
    });
    expect(revisionsOf(runningPods(ns.history, 'web'))).toEqual(['1']);
    // Trouble that lasts is said once, and the steady state of before is not said again.
    const texts = messagesOf(ns.history.get('services', 'web'));
    expect(texts.filter((text) => text.includes('steady state'))).toHaveLength(1);
  });

  it('rolls the same revision when a new deployment is forced', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(taskDefinition('web'), service('web', { desiredCount: 2 }));
    const before = await untilSteady(ns.history, 'web', 2);
    const old = uidsOf(runningPods(ns.history, 'web'));
    await ns.kubectl(['annotate', 'esvc/web', 'longshore.dev/force-new-deployment=again']);
    const after = await ns.until('another deployment to complete', () => {
      const { status } = ns.history.get('services', 'web') ?? {};
      const [primary, ...others] = status?.deployments ?? [];
      return primary?.id !== before.status?.deployments?.[0]?.id &&
        primary?.rolloutState === 'COMPLETED' &&
        others.length === 0
        ? status
        : undefined;
    });
    expect(after.taskDefinition).toBe('web:1');
    const pods = runningPods(ns.history, 'web');
    expect(pods).toHaveLength(2);
    expect(uidsOf(pods).filter((uid) => old.includes(uid))).toEqual([]);
    expect(serviceViolations(ns.history, 'web')).toEqual([]);
  });

  it('gives its tasks the tags that it propagates, and those that ECS manages', async (context) => {
    const ns = await suite().namespace(context);
    const tagsOf = (name: string) => {
      const [pod] = podsOf(ns.history, name);
      return JSON.parse(pod?.metadata.annotations?.['longshore.dev/tags'] ?? '{}');
    };
    const tags = [{ key: 'team', value: 'web' }];
    await ns.create(taskDefinition('app', { tags: [{ key: 'cost', value: '7' }, { key: 'bare' }] }));
    await ns.create(
      service('by-definition', { taskDefinition: 'app', tags, propagateTags: 'TASK_DEFINITION' }),
      service('by-service', { taskDefinition: 'app', tags, propagateTags: 'SERVICE', enableECSManagedTags: true }),
      service('none', { taskDefinition: 'app', tags }),
    );
    for (const name of ['by-definition', 'by-service', 'none']) await untilSteady(ns.history, name, 1);
    expect(tagsOf('by-definition')).toEqual({ cost: '7', bare: '' });
    const managed = { 'aws:ecs:clusterName': ns.name, 'aws:ecs:serviceName': 'by-service' };
    expect(tagsOf('by-service')).toEqual({ ...managed, team: 'web' });
    expect(tagsOf('none')).toEqual({});
  });

  it('ends a task whose essential container exits, keeps its codes and its pod, and replaces it', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(taskDefinition('web', {}, [webContainer, sidecarContainer]), service('web'));
    await untilSteady(ns.history, 'web', 1);
    const pod = onlyPod(runningPods(ns.history, 'web'));
    await exit(ns, pod, 3, 'web');
    const stopped = await ns.until('the stopped task', () => stoppedTaskOf(ns.history.get('services', 'web'), pod));
    expect(stopped).toMatchObject({
      revision: 1,
      stopCode: 'EssentialContainerExited',
      stoppedReason: 'Essential container in task exited',
      containers: [
        { name: 'web', exitCode: 3 },
        { name: 'sidecar', exitCode: 143 },
      ],
    });
    await untilSteady(ns.history, 'web', 1);
    const [kept, replacement] = [podsOf(ns.history, 'web').find(isEnded), onlyPod(runningPods(ns.history, 'web'))];
    expect(replacement.metadata.uid).not.toBe(pod.metadata.uid);
    expect(kept?.metadata).toMatchObject({
      name: pod.metadata.name,
      annotations: {
        'longshore.dev/stop-code': 'EssentialContainerExited',
        'longshore.dev/stopped-reason': 'Essential container in task exited',
      },
    });
    const { status } = ns.history.get('services', 'web') ?? {};
    const selected = await ns.kubectl(['get', 'pods', `--selector=${status?.selector}`, '-o=name']);
    expect(selected.trim()).toBe(`pod/${replacement.metadata.name}`);
    expect(startsAboveBound(momentsOf(ns.history, 'web'))).toEqual([]);
  });

  it('replaces a task that exits with 0, too', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(taskDefinition('web'), service('web'));
    await untilSteady(ns.history, 'web', 1);
    const pod = onlyPod(runningPods(ns.history, 'web'));
    await exit(ns, pod, 0);
    const stopped = await ns.until('the stopped task', () => stoppedTaskOf(ns.history.get('services', 'web'), pod));
    expect(stopped).toMatchObject({
      stopCode: 'EssentialContainerExited',
      containers: [{ name: 'web', exitCode: 0 }],
    });
    await ns.until('another task', () => runningPods(ns.history, 'web').length === 1);
  });

  it('changes nothing when a container that is not essential exits', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(taskDefinition('web', {}, [webContainer, sidecarContainer]), service('web'));
    await untilSteady(ns.history, 'web', 1);
    const pod = onlyPod(runningPods(ns.history, 'web'));
    await exit(ns, pod, 1, 'sidecar');
    await ns.until('the sidecar to end', () =>
      ns.history
        .get('pods', pod.metadata.name)
        ?.status?.containerStatuses?.some(({ state }) => state?.terminated?.exitCode === 1),
    );
    // A change that the operator must answer comes after the exit: it has seen both when this is steady.
    await ns.patch('services', 'web', { spec: { desiredCount: 2 } });
    const after = await untilSteady(ns.history, 'web', 2);
    expect(isWanted(ns.history.get('pods', pod.metadata.name) as Pod)).toBe(true);
    expect(podsOf(ns.history, 'web')).toHaveLength(2);
    expect(after.status?.stoppedTasks).toEqual([]);
  });

  it('replaces a pod that somebody deletes', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(taskDefinition('web'), service('web', { desiredCount: 3 }));
    await untilSteady(ns.history, 'web', 3);
    const [first, ...others] = runningPods(ns.history, 'web');
    await ns.kubectl(['delete', 'pod', first?.metadata.name ?? '', '--wait=false']);
    await ns.until('the deleted task to be replaced', () => {
      const uids = uidsOf(runningPods(ns.history, 'web'));
      return uids.length === 3 && !uids.includes(first?.metadata.uid ?? '');
    });
    await untilSteady(ns.history, 'web', 3);
    expect(uidsOf(runningPods(ns.history, 'web'))).toEqual(expect.arrayContaining(uidsOf(others)));
    expect(startsAboveBound(momentsOf(ns.history, 'web'))).toEqual([]);
  });

  it('stops a task when its pod is annotated, with the annotation as the reason, and replaces it', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(taskDefinition('web'), service('web'));
    await untilSteady(ns.history, 'web', 1);
    const pod = onlyPod(runningPods(ns.history, 'web'));
    await ns.kubectl(['annotate', 'pod', pod.metadata.name, 'longshore.dev/stop=bad neighbour']);
    const stopped = await ns.until('the stopped task', () => stoppedTaskOf(ns.history.get('services', 'web'), pod));
    expect(stopped).toMatchObject({ stopCode: 'UserInitiated', stoppedReason: 'bad neighbour' });
    await untilSteady(ns.history, 'web', 1);
  });

  it('takes its pods and deployments with it when it is deleted, and leaves those of others', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(
      taskDefinition('web'),
      service('web', { desiredCount: 2 }),
      service('other', { taskDefinition: 'web' }),
    );
    await Promise.all([untilSteady(ns.history, 'web', 2), untilSteady(ns.history, 'other', 1)]);
    await ns.kubectl(['delete', 'esvc/web']);
    // The garbage collector looks for new kinds every 30 s, and these were new a moment ago.
    await ns.until('its pods to be gone', () => podsOf(ns.history, 'web').length === 0, 120_000);
    const revisions = () =>
      ns.history
        .all('controllerrevisions')
        .map(({ metadata }) => metadata.name)
        .sort();
    await ns.until('its deployments to be gone', () => revisions().length === 2);
    expect(revisions()).toEqual(['service-other-1', 'taskdefinition-web-1']);
    expect(runningPods(ns.history, 'other')).toHaveLength(1);
  });

  it('throttles tasks that never start, says so, and starts at once again with a new revision', async (context) => {
    const ns = await suite().namespace(context);
    // Nobody places these pods: the test refuses each, as a kubelet does whose node has no room.
    const kubernetes = { schedulerName: 'nobody' };
    await ns.create(taskDefinition('web', { kubernetes }), service('web'));
    const refuse = async (count: number): Promise<void> => {
      const pod = await ns.until(`task ${count}`, () => runningPods(ns.history, 'web')[0]);
      await ns.patch(
        'pods',
        pod.metadata.name,
        { status: { phase: 'Failed', reason: 'OutOfcpu', message: 'Node didn’t have enough resource: cpu' } },
        '/status',
      );
      await ns.until('its end to be seen', () => stoppedTaskOf(ns.history.get('services', 'web'), pod));
    };
    for (const count of [1, 2, 3]) await refuse(count);
    const throttled = await ns.until('the throttle', () => {
      const now = ns.history.get('services', 'web');
      return readyCondition(now)?.reason === 'TaskStartImpaired' ? now : undefined;
    });
    expect(messagesOf(throttled)[0]).toBe('(service web) is unable to consistently start tasks successfully.');
    expect(throttled.status?.deployments).toMatchObject([
      { failedTasks: 3, blockedBy: expect.stringMatching(/throttled until .* after 3 tasks that never ran/) },
    ]);
    expect(throttled.status?.stoppedTasks?.[0]).toMatchObject({
      stopCode: 'TaskFailedToStart',
      stoppedReason: 'OutOfcpu: Node didn’t have enough resource: cpu',
    });

    const third = throttled.status?.stoppedTasks?.[0]?.stoppedAt ?? '';
    const fourth = await ns.until('the fourth task', () => runningPods(ns.history, 'web')[0]);
    expect(Date.parse(fourth.metadata.creationTimestamp) - Date.parse(third)).toBeGreaterThanOrEqual(9_000);
    await refuse(4);
    const until = ns.history.get('services', 'web')?.status?.deployments?.[0]?.blockedBy?.match(/until (\S+)/)?.[1];
    await registerNext(ns, 'web', 'b');
    const fresh = await ns.until('a task of the new revision', () => runningPods(ns.history, 'web')[0]);
    expect(fresh.metadata.labels).toMatchObject({ 'longshore.dev/revision': '2' });
    expect(Date.parse(fresh.metadata.creationTimestamp)).toBeLessThan(Date.parse(until ?? '') - 10_000);
    expect(messagesOf(ns.history.get('services', 'web')).filter((text) => text.includes('consistently'))).toHaveLength(
      1,
    );
  });

  it('shows a quota that refuses its pods, and recovers when there is room', async (context) => {
    const ns = await suite().namespace(context);
    await ns.createRaw('resourcequotas', {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'two' },
      spec: { hard: { pods: '2' } },
    });
    await ns.kubectl(['wait', 'resourcequota/two', '--for=jsonpath={.status.hard.pods}=2', '--timeout=30s']);
    await ns.create(taskDefinition('web'), service('web', { desiredCount: 4 }));
    const refused = await ns.until('the refusal', () => {
      const ready = readyCondition(ns.history.get('services', 'web'));
      return ready?.reason === 'TaskStartFailed' ? ready : undefined;
    });
    expect(refused).toMatchObject({ status: 'False', message: expect.stringContaining('exceeded quota: two') });
    const launches = messagesOf(ns.history.get('services', 'web')).filter((text) => text.includes('launch'));
    expect(launches).toEqual([
      expect.stringMatching(/^\(service web\) could not launch \d tasks for deployment ecs-svc\/\d{19}\.$/),
    ]);
    await ns.until('what the quota allows', () => runningPods(ns.history, 'web').length === 2);
    expect(readyCondition(ns.history.get('services', 'web'))).toMatchObject({ reason: 'TaskStartFailed' });
    await ns.patch('resourcequotas', 'two', { spec: { hard: { pods: '10' } } });
    await untilSteady(ns.history, 'web', 4);
    expect(serviceViolations(ns.history, 'web')).toEqual([]);
  });

  it('replaces a lost task of the old revision by one of the old revision while a rollout runs', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(taskDefinition('web'), service('web', { desiredCount: 2 }));
    await untilSteady(ns.history, 'web', 2);
    const [victim] = runningPods(ns.history, 'web');
    // The new revision does not become healthy, so that the rollout stays under way.
    await ns.patch('taskdefinitions', 'web', {
      spec: { kubernetes: { podAnnotations: kwok({ readyAfter: '1000h' }) } },
    });
    await ns.until('the new tasks', () => runningPods(ns.history, 'web').length === 4);
    await exit(ns, victim as Pod, 1);
    const replacement = await ns.until('the replacement', () =>
      runningPods(ns.history, 'web').find(
        (pod) => deploymentIdOf(pod) === deploymentIdOf(victim as Pod) && !isSeen(ns, pod, victim as Pod),
      ),
    );
    expect(replacement.metadata.labels).toMatchObject({ 'longshore.dev/revision': '1' });
    expect(startsAboveBound(momentsOf(ns.history, 'web'))).toEqual([]);
  });

  it('replaces a task that turns unhealthy start first, and stops it when its replacement is healthy', async (context) => {
    const ns = await suite().namespace(context);
    const healthCheck = { ...webContainer.healthCheck, retries: 1 };
    // Ready late, so that there is a while in which the replacement is not healthy yet.
    const kubernetes = { podAnnotations: kwok({ readyAfter: '1500ms' }) };
    await ns.create(taskDefinition('web', { kubernetes }, [{ ...webContainer, healthCheck }]), service('web'));
    await untilSteady(ns.history, 'web', 1);
    const pod = onlyPod(runningPods(ns.history, 'web'));
    // As a kubelet does when the probe fails.
    const conditions = pod.status?.conditions?.map((condition) =>
      condition.type === 'Ready' ? { ...condition, status: 'False' } : condition,
    );
    const containerStatuses = pod.status?.containerStatuses?.map((container) => ({ ...container, ready: false }));
    await ns.patch('pods', pod.metadata.name, {
      metadata: { annotations: { 'kwok.longshore.dev/ready-after': null } },
    });
    await ns.patch('pods', pod.metadata.name, { status: { conditions, containerStatuses } }, '/status');
    const stopped = await ns.until('the unhealthy task to be stopped', () =>
      stoppedTaskOf(ns.history.get('services', 'web'), pod),
    );
    expect(stopped).toMatchObject({
      stopCode: 'ServiceSchedulerInitiated',
      stoppedReason: 'Task failed container health checks',
    });
    const stop = momentsOf(ns.history, 'web').find(({ pods }) =>
      pods.some(({ metadata, spec }) => metadata.uid === pod.metadata.uid && spec.activeDeadlineSeconds),
    );
    expect(stop?.healthy).toBe(1);
    const after = await untilSteady(ns.history, 'web', 1);
    const replacement = taskIdOf(onlyPod(runningPods(ns.history, 'web')));
    expect(messagesOf(after).toReversed().slice(-4)).toEqual([
      `(service web) has started 1 tasks: (task ${replacement}). Amazon ECS replaced 1 tasks due to an unhealthy status.`,
      `(service web) (task ${taskIdOf(pod)}) failed container health checks.`,
      `(service web) has stopped 1 running tasks: (task ${taskIdOf(pod)}).`,
      '(service web) has reached a steady state.',
    ]);
  });

  it('and another of the same AWS name in lower case keep to their own tasks', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(
      taskDefinition('web'),
      service('one', { serviceName: 'My_Web', taskDefinition: 'web', desiredCount: 2 }),
      service('two', { serviceName: 'my-web', taskDefinition: 'web', desiredCount: 3 }),
    );
    await Promise.all([untilSteady(ns.history, 'one', 2), untilSteady(ns.history, 'two', 3)]);
    const pods = runningPods(ns.history, 'my-web');
    expect(new Set(pods.map(taskIdOf)).size).toBe(5);
    const namesInAws = pods.map(({ metadata }) => metadata.annotations?.['longshore.dev/service']).sort();
    expect(namesInAws).toEqual(['My_Web', 'My_Web', 'my-web', 'my-web', 'my-web']);
    await ns.patch('services', 'one', { spec: { desiredCount: 1 } });
    await untilSteady(ns.history, 'one', 1);
    await untilSteady(ns.history, 'two', 3);
  });
});

/** Was the pod there before the other one was lost? */
const isSeen = (ns: TestNamespace, pod: Pod, lost: Pod): boolean => {
  const { entries } = ns.history;
  const ended = entries.find(
    ({ kind, object }) => kind === 'pods' && object.metadata.uid === lost.metadata.uid && isEnded(object),
  );
  const made = entries.find(({ object }) => object.metadata.uid === pod.metadata.uid);
  return ended === undefined || made === undefined || made.resourceVersion < ended.resourceVersion;
};
