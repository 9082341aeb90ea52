import { describe, expect, it } from 'vitest';
import { parseTaskDefinition } from '../../src/api/task-definition.ts';
import { fieldSupport } from '../../src/pod/field-support.ts';
import type { KubeObject } from '../support/kube-api.ts';
import { service, sidecarContainer, taskDefinition, version, webContainer } from '../support/manifests.ts';
import { conditionOf, readyCondition, runningPods } from '../support/services.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';
import { nextSecondAfter } from '../support/until.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: true });

const untilRegistered = (ns: TestNamespace, name: string, revision: number) =>
  ns.until(`${name} to have revision ${revision}`, () => {
    const definition = ns.history.get('taskdefinitions', name);
    const { observedGeneration, latestRevision } = definition?.status ?? {};
    return observedGeneration === definition?.metadata.generation && latestRevision === revision
      ? definition
      : undefined;
  });

const untilStalled = (ns: TestNamespace, name: string) =>
  ns.until(`${name} to be Stalled`, () => {
    const definition = ns.history.get('taskdefinitions', name);
    return conditionOf(definition, 'Stalled') === 'True' ? readyCondition(definition) : undefined;
  });

/** Revision → version of its first container's content. */
const registered = (ns: TestNamespace): Record<number, unknown> =>
  Object.fromEntries(
    ns.history.all('controllerrevisions').map(({ revision, data }) => {
      const { containerDefinitions } = data as { containerDefinitions: [{ environment?: [{ value: string }] }] };
      return [revision, containerDefinitions[0].environment?.[0].value];
    }),
  );

const nameOf = ({ metadata }: KubeObject): string => metadata.name;

const containers = (value: string) => ({ containerDefinitions: [{ ...webContainer, ...version(value) }] });

describe.concurrent('a TaskDefinition', () => {
  it('registers a revision for each change of its content, and nothing for the same content', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(taskDefinition('web', containers('a')));
    await untilRegistered(ns, 'web', 1);
    await ns.patch('taskdefinitions', 'web', { spec: containers('b') });
    await untilRegistered(ns, 'web', 2);
    // What AWS takes as the default is the same content; so is a change of the metadata.
    const defaults = { essential: true, cpu: 0, links: [], command: [] };
    const same = { containerDefinitions: [{ ...webContainer, ...version('b'), ...defaults }] };
    await ns.patch('taskdefinitions', 'web', { metadata: { labels: { team: 'a' } }, spec: same });
    await ns.until('the same content to be observed', () => {
      const now = ns.history.get('taskdefinitions', 'web');
      return now?.metadata.labels?.team === 'a' && now.status?.observedGeneration === now.metadata.generation;
    });
    await ns.patch('taskdefinitions', 'web', { spec: containers('a') });
    const definition = await untilRegistered(ns, 'web', 3);
    expect(registered(ns)).toEqual({ 1: 'a', 2: 'b', 3: 'a' });
    expect(definition.status?.revisions).toMatchObject([3, 2, 1].map((revision) => ({ revision, status: 'ACTIVE' })));
  });

  it('has revisions that cannot be changed', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(taskDefinition('web'));
    await untilRegistered(ns, 'web', 1);
    const [revision] = ns.history.all('controllerrevisions');
    const change = ns.patch('controllerrevisions', revision?.metadata.name ?? '', { data: containers('other') });
    await expect(change).rejects.toThrow(/422 .*data: .*immutable/);
  });

  it('never gives a number twice, also when it is deleted and made again', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(taskDefinition('web', containers('a')));
    await untilRegistered(ns, 'web', 1);
    await ns.delete('taskdefinitions', 'web');
    await ns.until('the definition to be gone', () => ns.history.get('taskdefinitions', 'web') === undefined);
    await ns.create(taskDefinition('web', containers('b')));
    await untilRegistered(ns, 'web', 2);
    expect(registered(ns)).toEqual({ 1: 'a', 2: 'b' });
  });

  it('takes the names of AWS, and gives objects and labels DNS names', async (context) => {
    const ns = await suite().namespace(context);
    const consul = { ...webContainer, name: 'consulClient' };
    const other = { ...sidecarContainer, name: 'consul_client' };
    await ns.create(
      taskDefinition('any-name', { family: 'hello_world' }, [consul, other]),
      service('runs', { serviceName: 'Hello_Service', taskDefinition: 'hello_world' }),
    );
    const definition = await untilRegistered(ns, 'any-name', 1);
    expect(definition.status?.family).toBe('hello_world');
    const pod = await ns.until('a pod of the service', () => runningPods(ns.history, 'hello-service')[0]);
    const dns = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
    const names = pod.spec.containers.map(({ name }) => name);
    expect(names).toEqual(['consulclient', 'consul-client']);
    for (const name of [pod.metadata.name, ...names, ...ns.history.all('controllerrevisions').map(nameOf)]) {
      expect(name).toMatch(dns);
    }
    expect(pod.metadata.labels).toMatchObject({ 'longshore.dev/family': 'hello-world', 'longshore.dev/revision': '1' });
    expect(pod.metadata.annotations).toMatchObject({
      'longshore.dev/family': 'hello_world',
      'longshore.dev/service': 'Hello_Service',
      'longshore.dev/task-definition': 'hello_world:1',
    });
  });

  it('of a family that an older one has is not Ready and says why, until the older is gone', async (context) => {
    const ns = await suite().namespace(context);
    const [older] = await ns.create(taskDefinition('older', { family: 'web', ...containers('a') }));
    await untilRegistered(ns, 'older', 1);
    await nextSecondAfter(older?.metadata.creationTimestamp ?? '');
    await ns.create(taskDefinition('aaa-younger', { family: 'web', ...containers('b') }));
    const refused = await untilStalled(ns, 'aaa-younger');
    expect(refused).toMatchObject({ status: 'False', reason: 'FamilyTaken' });
    expect(refused.message).toMatch(/"web".*older/);
    expect(readyCondition(ns.history.get('taskdefinitions', 'older'))?.status).toBe('True');
    expect(registered(ns)).toEqual({ 1: 'a' });

    await ns.delete('taskdefinitions', 'older');
    await untilRegistered(ns, 'aaa-younger', 2);
    expect(registered(ns)).toEqual({ 1: 'a', 2: 'b' });
  });

  it('shows its conditions to kubectl wait, and its columns to kubectl get', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(taskDefinition('web', { family: 'Web_App' }));
    await ns.kubectl(['wait', 'etd/web', '--for=condition=Ready', '--timeout=60s']);
    const [header = '', row = ''] = (await ns.kubectl(['get', 'etd'])).split('\n');
    expect(header.split(/\s+/)).toEqual(['NAME', 'FAMILY', 'REVISION', 'READY', 'AGE']);
    expect(row.split(/\s+/).slice(0, 4)).toEqual(['web', 'Web_App', '1', 'True']);
    const definition = ns.history.get('taskdefinitions', 'web');
    expect(definition?.status?.observedGeneration).toBe(definition?.metadata.generation);
    expect(['Ready', 'Reconciling', 'Stalled'].map((type) => conditionOf(definition, type))).toEqual([
      'True',
      'False',
      'False',
    ]);
  });

  it('with a cycle of dependsOn is Stalled with the names of its containers, and heals', async (context) => {
    const ns = await suite().namespace(context);
    const waiting = (name: string, containerName: string) => ({
      ...webContainer,
      name,
      dependsOn: [{ containerName, condition: 'START' }],
    });
    await ns.create(
      taskDefinition('web', {}, [waiting('one', 'two'), waiting('two', 'three'), waiting('three', 'one')]),
      service('web'),
    );
    const refused = await untilStalled(ns, 'web');
    expect(refused).toMatchObject({ status: 'False', reason: 'InvalidSpec' });
    expect(refused.message).toContain('one → two → three → one');
    await ns.until('the service to say what it waits for', () => {
      const ready = readyCondition(ns.history.get('services', 'web'));
      return ready?.status === 'False' && ready.message.includes('one → two → three → one');
    });
    expect(ns.history.all('controllerrevisions')).toEqual([]);

    await ns.patch('taskdefinitions', 'web', { spec: containers('a') });
    await untilRegistered(ns, 'web', 1);
    await ns.until('a task', () => runningPods(ns.history, 'web')[0]);
  });

  it('is held to the launch types that it requires', async (context) => {
    const ns = await suite().namespace(context);
    const requiresCompatibilities = ['FARGATE'];
    const fargate = { requiresCompatibilities, networkMode: 'awsvpc', cpu: '256', memory: '512' };
    await ns.create(taskDefinition('web', fargate));
    expect((await untilRegistered(ns, 'web', 1)).status?.compatibilities).toEqual(['EC2', 'FARGATE']);
    await expect(ns.create(taskDefinition('small', { ...fargate, cpu: undefined }))).rejects.toThrow(
      "Fargate requires that 'cpu' be defined at the task level.",
    );
  });

  it('lists the fields that are not honoured exactly, each with a reason', async (context) => {
    const ns = await suite().namespace(context);
    const logConfiguration = { logDriver: 'awslogs', options: { 'awslogs-group': '/ecs/web', 'awslogs-region': 'r' } };
    const ulimits = [{ name: 'nofile', softLimit: 1024, hardLimit: 4096 }];
    const manifest = taskDefinition('web', { taskRoleArn: 'arn:aws:iam::111122223333:role/web', networkMode: 'host' }, [
      { ...webContainer, logConfiguration, ulimits, user: 'nobody' },
      { ...sidecarContainer, stopTimeout: 5 },
    ]);
    await ns.create(manifest);
    const { status } = await untilRegistered(ns, 'web', 1);
    const support = new Map(status?.fieldSupport?.map((field) => [field.field, field]));
    expect(support.get('spec.containerDefinitions[0].logConfiguration')).toMatchObject({
      support: 'Ignored',
      reason: expect.stringContaining('awslogs'),
    });
    expect(support.get('spec.containerDefinitions[1].stopTimeout')?.support).toBe('Approximated');
    expect(status?.fieldSupport).toEqual(fieldSupport(parseTaskDefinition(manifest.spec)));
    expect(status?.compatibilities).toEqual(['EC2']);
  });
});

describe('a TaskDefinition, over a restart of the operator', () => {
  it('keeps its numbers, and registers nothing that it has', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(taskDefinition('web', containers('a')), taskDefinition('api', containers('a')));
    await Promise.all([untilRegistered(ns, 'web', 1), untilRegistered(ns, 'api', 1)]);
    await suite().operator.kill('SIGKILL');
    await ns.patch('taskdefinitions', 'web', { spec: containers('b') });
    await suite().startOperator();
    await untilRegistered(ns, 'web', 2);
    expect(ns.history.all('controllerrevisions').map(nameOf).sort()).toEqual([
      'taskdefinition-api-1',
      'taskdefinition-web-1',
      'taskdefinition-web-2',
    ]);
  });
});
