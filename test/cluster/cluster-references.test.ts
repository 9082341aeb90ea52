import { describe, expect, it } from 'vitest';
import { cluster, kwok, service, taskDefinition, version, webContainer } from '../support/manifests.ts';
import { conditionOf, podsOf, readyCondition, runningPods, untilSteady } from '../support/services.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: true });

const account = '111122223333';
const region = 'eu-west-1';
const secretArn = `arn:aws:secretsmanager:${region}:${account}:secret:db-AbCdEf`;
const roleArn = `arn:aws:iam::${account}:role/web`;
const withSecret = { ...webContainer, secrets: [{ name: 'PASSWORD', valueFrom: `${secretArn}:password::` }] };
const mapped = (mappings: object): object => ({ mappings });
const secretMapping = { secrets: [{ valueFrom: secretArn, secretName: 'db' }] };

type Kind = 'services' | 'taskdefinitions' | 'batchjobs';

/** Once the object's ResolvedRefs says this; `True` for one that has nothing to say. */
const untilRefs = (ns: TestNamespace, kind: Kind, name: string, reason: string) =>
  ns.until(`${kind} ${name} to have ResolvedRefs ${reason}`, () => {
    const object = ns.history.get(kind, name);
    const condition = object?.status?.conditions?.find(({ type }) => type === 'ResolvedRefs');
    return condition?.reason === reason && condition.observedGeneration === object?.metadata.generation
      ? condition
      : undefined;
  });

const untilStalled = (ns: TestNamespace, kind: Kind, name: string, reason: string) =>
  ns.until(`${kind} ${name} to be Stalled for ${reason}`, () => {
    const object = ns.history.get(kind, name);
    const ready = readyCondition(object);
    return conditionOf(object, 'Stalled') === 'True' && ready?.reason === reason ? ready : undefined;
  });

/** Watches of different kinds are independent of each other. */
const untilClusterSeen = (ns: TestNamespace) =>
  ns.until('the Cluster to be observed', () => {
    const found = ns.history.get('clusters', 'prod');
    return readyCondition(found)?.observedGeneration === found?.metadata.generation;
  });

const imagesOf = (ns: TestNamespace, name: string): (string | undefined)[] =>
  podsOf(ns.history, name).map(({ spec }) => spec.containers[0]?.image);

describe.concurrent('an ARN without a mapping', () => {
  it('is one condition that names it, on whatever uses it; nothing else breaks; a mapping mends it', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(
      taskDefinition('app', {}, [withSecret]),
      service('app'),
      { kind: 'BatchJob', name: 'job', spec: { taskDefinition: 'app' } },
      taskDefinition('other'),
      service('other'),
    );
    const path = 'spec.containerDefinitions[0].secrets[0].valueFrom';
    const message = `${path}: "${secretArn}:password::" has no mapping: add {valueFrom, secretName, key} to spec.mappings.secrets of the namespace's Cluster`;
    const definition = await untilRefs(ns, 'taskdefinitions', 'app', 'MappingMissing');
    expect(definition).toMatchObject({ status: 'False', message });
    expect(readyCondition(ns.history.get('taskdefinitions', 'app'))?.status).toBe('True');
    for (const [kind, name] of [
      ['services', 'app'],
      ['batchjobs', 'job'],
    ] as const) {
      expect(await untilStalled(ns, kind, name, 'MappingMissing')).toMatchObject({ status: 'False', message });
      expect(await untilRefs(ns, kind, name, 'MappingMissing')).toMatchObject({ status: 'False', message });
    }
    await untilSteady(ns.history, 'other', 1);
    expect(podsOf(ns.history, 'app')).toEqual([]);

    await ns.create(cluster('prod', mapped(secretMapping)));
    await untilSteady(ns.history, 'app', 1);
    const [pod] = runningPods(ns.history, 'app');
    expect(pod?.spec.containers[0]?.env).toContainEqual({
      name: 'PASSWORD',
      valueFrom: { secretKeyRef: { name: 'db', key: 'password' } },
    });
    await ns.until('the job to succeed', () => ns.history.get('batchjobs', 'job')?.status?.status === 'SUCCEEDED');
    for (const kind of ['services', 'taskdefinitions'] as const) await untilRefs(ns, kind, 'app', 'ResolvedRefs');
    await untilRefs(ns, 'batchjobs', 'job', 'ResolvedRefs');
  });

  it('keeps a new revision from replacing tasks that run', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(taskDefinition('app'), service('app', { deploymentConfiguration: { minimumHealthyPercent: 0 } }));
    await untilSteady(ns.history, 'app', 1);
    const before = runningPods(ns.history, 'app').map(({ metadata }) => metadata.uid);
    await ns.patch('taskdefinitions', 'app', { spec: { containerDefinitions: [withSecret] } });
    await untilStalled(ns, 'services', 'app', 'MappingMissing');
    expect(runningPods(ns.history, 'app').map(({ metadata }) => metadata.uid)).toEqual(before);
    expect(ns.history.get('services', 'app')?.status).toMatchObject({ taskDefinition: 'app:1', runningCount: 1 });

    await ns.patch('taskdefinitions', 'app', {
      spec: { containerDefinitions: [{ ...webContainer, ...version('2') }] },
    });
    await ns.until('revision 3 to run', () => {
      const { status } = ns.history.get('services', 'app') ?? {};
      return status?.taskDefinition === 'app:3' && status.deployments?.[0]?.rolloutState === 'COMPLETED';
    });
  });

  it('of a role lets tasks run without it, unless the policy says otherwise', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(cluster('prod'), taskDefinition('app', { taskRoleArn: roleArn }), service('app'));
    await untilSteady(ns.history, 'app', 1);
    expect((await untilRefs(ns, 'services', 'app', 'MappingMissing')).message).toContain(
      `spec.taskRoleArn: "${roleArn}"`,
    );
    expect(runningPods(ns.history, 'app')[0]?.spec.serviceAccountName).toBe('default');

    await ns.patch('clusters', 'prod', { spec: { policy: { allowUnmappedRoles: false } } });
    await untilClusterSeen(ns);
    await ns.patch('services', 'app', { spec: { desiredCount: 2 } });
    await untilStalled(ns, 'services', 'app', 'MappingMissing');
    expect(runningPods(ns.history, 'app')).toHaveLength(1);

    await ns.createRaw('serviceaccounts', { metadata: { name: 'web' } });
    await ns.patch('clusters', 'prod', { spec: mapped({ roles: [{ role: roleArn, serviceAccountName: 'web' }] }) });
    await untilSteady(ns.history, 'app', 2);
    const accounts = runningPods(ns.history, 'app').map(({ spec }) => spec.serviceAccountName);
    expect(accounts.sort()).toEqual(['default', 'web']);
  });
});

describe.concurrent('an ARN of another cluster, account or region', () => {
  it('is a condition, and what runs goes on', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(cluster('prod', { account, region }), taskDefinition('app'), service('app', { cluster: 'prod' }));
    await untilSteady(ns.history, 'app', 1);
    const [pod] = runningPods(ns.history, 'app');
    const arn = (at: string, resource: string) => `arn:aws:ecs:${at}:${resource}`;
    for (const [change, because] of [
      [
        { cluster: 'staging' },
        'spec.cluster: "staging" is not of this cluster: this namespace stands for cluster "prod"',
      ],
      [{ cluster: arn(`us-east-1:${account}`, 'cluster/prod') }, 'of region us-east-1'],
      [
        { cluster: null, taskDefinition: arn(`${region}:999999999999`, 'task-definition/app:1') },
        'of account 999999999999',
      ],
    ] as const) {
      await ns.patch('services', 'app', { spec: change });
      await ns.until(`the service to say: ${because}`, () =>
        readyCondition(ns.history.get('services', 'app'))?.message.includes(because),
      );
      await untilStalled(ns, 'services', 'app', 'ForeignReference');
    }
    await ns.patch('services', 'app', {
      spec: { taskDefinition: arn(`${region}:${account}`, 'task-definition/app:1') },
    });
    await untilSteady(ns.history, 'app', 1);
    expect(runningPods(ns.history, 'app').map(({ metadata }) => metadata.uid)).toEqual([pod?.metadata.uid]);
  });

  it('keeps a job from starting', async (context) => {
    const ns = await suite().namespace(context);
    const taskDefinitionArn = `arn:aws:ecs:${region}:999999999999:task-definition/app`;
    await ns.create(cluster('prod', { account, region }), taskDefinition('app'), {
      kind: 'BatchJob',
      name: 'job',
      spec: { taskDefinition: taskDefinitionArn },
    });
    expect((await untilStalled(ns, 'batchjobs', 'job', 'ForeignReference')).message).toContain('999999999999');
    expect(ns.history.all('pods')).toEqual([]);
  });
});

describe.concurrent('a change of the Cluster', () => {
  const images = (replacement: string) => mapped({ images: [{ prefix: 'httpd', replacement }] });

  it('holds for tasks that start after it, and restarts none', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(cluster('prod', images('one.example.com/httpd')), taskDefinition('app'), service('app'));
    await untilSteady(ns.history, 'app', 1);
    expect(imagesOf(ns, 'app')).toEqual(['one.example.com/httpd:2.4']);
    const [pod] = podsOf(ns.history, 'app');

    await ns.patch('clusters', 'prod', { spec: images('two.example.com/httpd') });
    await untilClusterSeen(ns);
    await ns.patch('services', 'app', { spec: { desiredCount: 2 } });
    await untilSteady(ns.history, 'app', 2);
    expect(imagesOf(ns, 'app').sort()).toEqual(['one.example.com/httpd:2.4', 'two.example.com/httpd:2.4']);
    expect(ns.history.get('pods', pod?.metadata.name ?? '')?.metadata.uid).toBe(pod?.metadata.uid);
    expect(ns.history.get('services', 'app')?.status?.deployments).toHaveLength(1);
  });

  it('of what is allowed keeps new tasks from starting, and lets those that run go on', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(
      cluster('prod'),
      taskDefinition('app', {}, [{ ...webContainer, privileged: true }]),
      service('app'),
    );
    await untilSteady(ns.history, 'app', 1);
    await ns.patch('clusters', 'prod', { spec: { policy: { allowPrivileged: false } } });
    await untilRefs(ns, 'services', 'app', 'NotAllowed');
    expect(readyCondition(ns.history.get('services', 'app'))?.status).toBe('True');
    await ns.patch('services', 'app', { spec: { desiredCount: 2 } });
    expect((await untilStalled(ns, 'services', 'app', 'NotAllowed')).message).toContain(
      'spec.containerDefinitions[0].privileged: true is not allowed',
    );
    expect(runningPods(ns.history, 'app')).toHaveLength(1);

    await ns.delete('clusters', 'prod');
    await untilSteady(ns.history, 'app', 2);
  });

  it('of an older one that goes makes the younger one hold', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(cluster('first', images('one.example.com/httpd')));
    await ns.until(
      'the first to be Ready',
      () => readyCondition(ns.history.get('clusters', 'first'))?.status === 'True',
    );
    await ns.create(cluster('second', images('two.example.com/httpd')));
    await ns.until(
      'the second to be refused',
      () => conditionOf(ns.history.get('clusters', 'second'), 'Stalled') === 'True',
    );
    await ns.create(taskDefinition('app'), service('app'));
    await untilSteady(ns.history, 'app', 1);
    expect(imagesOf(ns, 'app')).toEqual(['one.example.com/httpd:2.4']);
    await ns.delete('clusters', 'first');
    await ns.until(
      'the second to be Ready',
      () => readyCondition(ns.history.get('clusters', 'second'))?.status === 'True',
    );
    await ns.patch('services', 'app', { spec: { desiredCount: 2 } });
    await untilSteady(ns.history, 'app', 2);
    expect(imagesOf(ns, 'app').sort()[1]).toBe('two.example.com/httpd:2.4');
  });
});

it('the retention of the Cluster says how many pods of failed tasks stay', async (context) => {
  const ns = await suite().namespace(context);
  await ns.create(cluster('prod', { retention: { stoppedTasks: 1 } }));
  const annotations = kwok({ exitAfter: '1s', exitCode: 3 });
  await ns.create(taskDefinition('app'), service('app', { kubernetes: { podAnnotations: annotations } }));
  const ended = () => podsOf(ns.history, 'app').filter(({ status }) => status?.phase === 'Failed');
  await ns.until('three tasks to have stopped', () => {
    const { stoppedTasks = [] } = ns.history.get('services', 'app')?.status ?? {};
    return stoppedTasks.length >= 3;
  });
  await ns.until('one pod to stay', () => ended().length === 1);
  const kept = ended().map(({ metadata }) => metadata.name);
  await ns.patch('clusters', 'prod', { spec: { retention: { stoppedTasks: 0 } } });
  await ns.until('it to be gone', () => kept.every((name) => ns.history.get('pods', name) === undefined));
});
