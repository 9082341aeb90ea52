/** Names under which services are found: their core Services, who is behind them, and whose a name is. */
import { describe, expect, it } from 'vitest';
import {
  cluster,
  kwok,
  service,
  sidecarContainer,
  targetGroup,
  taskDefinition,
  version,
  webContainer,
} from '../support/manifests.ts';
import type { Pod } from '../support/recorder.ts';
import { conditionOf, podsOf, readyCondition, runningPods, untilSteady } from '../support/services.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: true });

const registryArn = 'arn:aws:servicediscovery:eu-west-1:111122223333:service/srv-utcrh6wavdkggqtk';

const http = { containerPort: 8080, name: 'http', appProtocol: 'http' };
const grpc = { containerPort: 9090, name: 'grpc_public_api', appProtocol: 'grpc' };
const web = { ...webContainer, portMappings: [http, grpc] };
const definition = (name: string, containers: object[] = [web], spec: object = {}) =>
  taskDefinition(name, { networkMode: 'awsvpc', ...spec }, containers);

const registered = (fields: object = {}) => ({ serviceRegistries: [{ registryArn: 'api', ...fields }] });
const alias = (dnsName: string, port = 80, portName = 'http') => ({
  portName,
  discoveryName: `${portName}-${dnsName.split('.')[0]}`,
  clientAliases: [{ port, dnsName }],
});
const connected = (...services: object[]) => ({ serviceConnectConfiguration: { enabled: true, services } });

interface CoreService {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly ownerReferences?: readonly { readonly name: string }[];
  };
  readonly spec: {
    readonly clusterIP: string;
    readonly selector?: Readonly<Record<string, string>>;
    readonly ports?: readonly {
      readonly name: string;
      readonly port: number;
      readonly targetPort: number | string;
      readonly protocol: string;
      readonly appProtocol?: string;
    }[];
  };
}

const coreService = async (ns: TestNamespace, name: string): Promise<CoreService> =>
  JSON.parse(await ns.kubectl(['get', 'services.v1.', name, '--output=json'])) as CoreService;
const coreServices = async (ns: TestNamespace): Promise<string[]> =>
  (await ns.kubectl(['get', 'services.v1.', '--output=name']))
    .split('\n')
    .filter(Boolean)
    .map((name) => name.replace('service/', ''));
const gone = (ns: TestNamespace, name: string) =>
  ns.kubectl(['wait', '--for=delete', '--timeout=60s', `services.v1./${name}`]);

const slicesOf = (ns: TestNamespace, name: string) =>
  ns.history
    .all('endpointslices')
    .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name)
    // Of a core Service that selects no pod Kubernetes keeps one with nothing in it.
    .filter(({ endpoints }) => (endpoints ?? []).length > 0);

/** Once these pods, and no others, are what the name leads to. */
const untilBehind = (ns: TestNamespace, name: string, pods: () => readonly Pod[]) =>
  ns.until(`the tasks behind ${name}`, () => {
    const found = slicesOf(ns, name)
      .flatMap(({ endpoints }) => endpoints ?? [])
      .filter(({ conditions }) => conditions?.ready === true)
      .map(({ targetRef }) => targetRef?.name);
    const wanted = pods().map(({ metadata }) => metadata.name);
    return wanted.length === found.length && wanted.every((one) => found.includes(one));
  });

const untilReason = (ns: TestNamespace, name: string, reason: string) =>
  ns.until(`${name} to say ${reason}`, () => {
    const found = ns.history.get('services', name);
    const ready = readyCondition(found);
    return ready?.reason === reason && ready.observedGeneration === found?.metadata.generation && ready;
  });

const untilDeployed = (ns: TestNamespace, name: string, before: string | undefined) =>
  ns.until(`a deployment of ${name}, alone`, () => {
    const [newest, ...older] = ns.history.get('services', name)?.status?.deployments ?? [];
    return newest?.id !== before && newest?.rolloutState === 'COMPLETED' && older.length === 0;
  });
const deploymentOf = (ns: TestNamespace, name: string) =>
  ns.history.get('services', name)?.status?.deployments?.[0]?.id;

describe.concurrent('a service', () => {
  it('is found by its registry: a headless core Service has the addresses of its tasks', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(
      definition('web'),
      service('web', { desiredCount: 3, ...registered({ containerName: 'web', containerPort: 8080 }) }),
    );
    await untilSteady(ns.history, 'web', 3);
    await untilBehind(ns, 'api', () => runningPods(ns.history, 'web'));
    const { spec, metadata } = await coreService(ns, 'api');
    expect(spec).toMatchObject({
      clusterIP: 'None',
      ports: [{ name: 'http', port: 8080, targetPort: 'http', protocol: 'TCP' }],
    });
    expect(spec.ports).toHaveLength(1);
    expect(metadata.ownerReferences).toMatchObject([{ name: 'web' }]);
    expect(slicesOf(ns, 'api').flatMap(({ ports }) => ports)).toMatchObject([{ name: 'http', port: 8080 }]);

    // What stops is out of it in the write that stops it.
    const [pod] = runningPods(ns.history, 'web');
    await ns.patch('pods', pod?.metadata.name ?? '', {
      metadata: { annotations: { 'longshore.dev/stop': 'by hand' } },
    });
    await ns.until(
      'its stop',
      () => ns.history.get('pods', pod?.metadata.name ?? '')?.spec.activeDeadlineSeconds !== undefined,
    );
    const told = ns.history.get('pods', pod?.metadata.name ?? '');
    expect(Object.keys(told?.metadata.labels ?? {}).filter((key) => key.startsWith('traffic.'))).toEqual([]);
    await untilSteady(ns.history, 'web', 3);
    await untilBehind(ns, 'api', () => runningPods(ns.history, 'web'));
    expect(runningPods(ns.history, 'web').map(({ metadata: { name } }) => name)).not.toContain(pod?.metadata.name);
    // Nothing is written that is there already.
    expect((await coreService(ns, 'api')).metadata.resourceVersion).toBe(metadata.resourceVersion);
  });

  it('has the port of its registry in SRV records, mapped or not', async (context) => {
    const ns = await suite().namespace(context);
    const unmapped = { ...webContainer, name: 'other' };
    await ns.create(
      definition('web'),
      service('web', registered({ port: 7000 })),
      definition('other', [unmapped]),
      service('other', registered({ registryArn: 'bare' })),
    );
    await untilSteady(ns.history, 'web', 1);
    await untilSteady(ns.history, 'other', 1);
    await untilBehind(ns, 'api', () => runningPods(ns.history, 'web'));
    await untilBehind(ns, 'bare', () => runningPods(ns.history, 'other'));
    expect(slicesOf(ns, 'api').flatMap(({ ports }) => ports)).toMatchObject([{ name: 'tcp-7000', port: 7000 }]);
    expect((await coreService(ns, 'bare')).spec.ports).toBeUndefined();
  });

  it('is found by its client aliases, for as long as it has them', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(
      definition('web'),
      service('web', { desiredCount: 2, ...connected(alias('orders'), alias(`old.${ns.name}`)) }),
    );
    await untilSteady(ns.history, 'web', 2);
    for (const name of ['orders', 'old']) {
      await untilBehind(ns, name, () => runningPods(ns.history, 'web'));
      const { spec } = await coreService(ns, name);
      expect(spec.clusterIP).toMatch(/^[0-9a-f]+[.:]/);
      expect(spec.ports).toMatchObject([{ name: 'http', port: 80, targetPort: 'http', appProtocol: 'http' }]);
    }
    const { uid } = (await coreService(ns, 'orders')).metadata;

    const first = deploymentOf(ns, 'web');
    await ns.patch('services', 'web', { spec: connected(alias('orders'), alias('new', 81)) });
    await untilDeployed(ns, 'web', first);
    await gone(ns, 'old');
    await untilBehind(ns, 'new', () => runningPods(ns.history, 'web'));
    expect((await coreService(ns, 'orders')).metadata.uid).toBe(uid);

    const second = deploymentOf(ns, 'web');
    await ns.patch('services', 'web', { spec: { serviceConnectConfiguration: { enabled: false } } });
    await untilDeployed(ns, 'web', second);
    await gone(ns, 'orders');
    await gone(ns, 'new');
    expect(await coreServices(ns)).toEqual([]);
  });

  it('has one name for several ports, each with the name and protocol of its mapping', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(definition('web'), service('web', connected(alias('api'), alias('api', 81, 'grpc_public_api'))));
    await untilSteady(ns.history, 'web', 1);
    const [pod] = runningPods(ns.history, 'web');
    const names = pod?.spec.containers[0]?.ports?.map(({ name }) => name);
    expect(names).toEqual(['http', expect.stringMatching(/^grpc-p-[0-9a-f]{8}$/)]);
    await untilBehind(ns, 'api', () => runningPods(ns.history, 'web'));
    expect((await coreService(ns, 'api')).spec.ports).toMatchObject([
      { name: 'http', port: 80, targetPort: 'http', appProtocol: 'http' },
      { name: names?.[1], port: 81, targetPort: names?.[1], appProtocol: 'kubernetes.io/h2c' },
    ]);
    const ports = slicesOf(ns, 'api').flatMap((slice) => slice.ports ?? []);
    expect(ports.map(({ port }) => port).sort()).toEqual([8080, 9090]);
  });

  it('changes from an address for each task to one for all', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(definition('web'), service('web', registered()));
    await untilSteady(ns.history, 'web', 1);
    expect((await coreService(ns, 'api')).spec.clusterIP).toBe('None');
    const before = deploymentOf(ns, 'web');
    await ns.patch('services', 'web', { spec: { serviceRegistries: [], ...connected(alias('api')) } });
    await untilDeployed(ns, 'web', before);
    await untilBehind(ns, 'api', () => runningPods(ns.history, 'web'));
    expect((await coreService(ns, 'api')).spec.clusterIP).not.toBe('None');
  });

  it('is found while containers of its tasks that may end alone have ended, and only where the others answer', async (context) => {
    const ns = await suite().namespace(context);
    const kubernetes = { podAnnotations: kwok({ exitAfter: '1s', exitCode: 0, exitContainer: 'sidecar' }) };
    await ns.create(
      definition('web', [web, sidecarContainer], { kubernetes }),
      service('web', {
        desiredCount: 2,
        ...connected(alias('api'), alias('api', 81, 'grpc_public_api')),
        ...registered({ registryArn: 'bare', port: 7000 }),
      }),
    );
    await untilSteady(ns.history, 'web', 2);
    await ns.until('the end of the sidecars', () =>
      runningPods(ns.history, 'web').every(({ status }) =>
        status?.containerStatuses?.some(({ name, state }) => name === 'sidecar' && state?.terminated !== undefined),
      ),
    );
    for (const name of ['api', 'bare']) await untilBehind(ns, name, () => runningPods(ns.history, 'web'));
    const { ports = [] } = (await coreService(ns, 'api')).spec;
    expect(
      slicesOf(ns, 'api')
        .flatMap((slice) => slice.ports ?? [])
        .map(({ name, port }) => `${name} ${port}`),
    ).toEqual(['http 8080', `${ports[1]?.name} 9090`]);
    expect(slicesOf(ns, 'bare').flatMap((slice) => slice.ports)).toMatchObject([{ name: 'tcp-7000', port: 7000 }]);
    await ns.patch('services', 'web', { spec: { desiredCount: 1 } });
    await untilSteady(ns.history, 'web', 1);
    for (const name of ['api', 'bare']) await untilBehind(ns, name, () => runningPods(ns.history, 'web'));
  });

  it('waits for a name that another has, whether a service, a target group or somebody else, and what runs goes on', async (context) => {
    const ns = await suite().namespace(context);
    await ns.kubectl(['create', 'service', 'clusterip', 'foreign', '--tcp=80']);
    const before = await coreService(ns, 'foreign');
    await ns.create(
      definition('web'),
      service('first', { taskDefinition: 'web', ...connected(alias('api')) }),
      service('third', { taskDefinition: 'web', ...connected(alias('foreign')) }),
      targetGroup('balanced'),
    );
    await untilSteady(ns.history, 'first', 1);
    await ns.until(
      'the target group',
      () => conditionOf(ns.history.get('targetgroups', 'balanced'), 'Ready') === 'True',
    );
    await ns.create(
      service('second', { taskDefinition: 'web', ...connected(alias('api')) }),
      service('fourth', { taskDefinition: 'web', ...connected(alias('balanced')) }),
    );
    expect(await untilReason(ns, 'second', 'NameTaken')).toMatchObject({
      status: 'False',
      message: '"api" is the name of another Service, "first"',
    });
    expect(await untilReason(ns, 'fourth', 'NameTaken')).toMatchObject({
      message: '"balanced" is the name of the TargetGroup "balanced"',
    });
    expect((await untilReason(ns, 'third', 'ServiceNotWritten')).message).toContain(
      'Service "foreign" exists and does not belong to this Service',
    );
    for (const name of ['second', 'third', 'fourth']) expect(podsOf(ns.history, name)).toEqual([]);
    const after = await coreService(ns, 'foreign');
    expect([after.metadata.uid, after.spec]).toEqual([before.metadata.uid, before.spec]);
    await untilBehind(ns, 'api', () => runningPods(ns.history, 'first'));

    // A rollout that wants a name which is taken does not begin.
    const running = runningPods(ns.history, 'first').map(({ metadata }) => metadata.uid);
    await ns.patch('services', 'first', { spec: connected(alias('api'), alias('foreign')) });
    await untilReason(ns, 'first', 'ServiceNotWritten');
    expect(runningPods(ns.history, 'first').map(({ metadata }) => metadata.uid)).toEqual(running);
    await untilBehind(ns, 'api', () => runningPods(ns.history, 'first'));

    await ns.patch('services', 'first', { spec: { serviceConnectConfiguration: null } });
    await untilSteady(ns.history, 'second', 1);
    await untilBehind(ns, 'api', () => runningPods(ns.history, 'second'));
    expect((await coreService(ns, 'api')).metadata.ownerReferences).toMatchObject([{ name: 'second' }]);
  });

  it('says which name of a Cloud Map namespace does not resolve, and what does', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(cluster('prod', { serviceConnectDefaults: { namespace: 'shop.local' } }));
    await ns.create(
      definition('web'),
      service('web', connected({ portName: 'http', clientAliases: [{ port: 80 }] })),
      service('other', { taskDefinition: 'web', ...connected(alias('api.example.com')) }),
    );
    await untilSteady(ns.history, 'web', 1);
    await untilBehind(ns, 'http', () => runningPods(ns.history, 'web'));
    const { conditions = [] } = ns.history.get('services', 'web')?.status ?? {};
    expect(conditions.find(({ type }) => type === 'ResolvedRefs')).toMatchObject({
      status: 'False',
      reason: 'ServiceDiscoveryMismatch',
      message: `spec.serviceConnectConfiguration.services[0].portName: "http.shop.local" does not resolve in this cluster, "http" and "http.${ns.name}" do: give clients one of them, or run the services in a namespace called as that of Cloud Map`,
    });
    const { message } = await untilReason(ns, 'other', 'ServiceDiscoveryMismatch');
    expect(message).toContain(
      'clientAliases[0].dnsName: "api.example.com" does not resolve in this cluster; allowed: ',
    );
    expect(podsOf(ns.history, 'other')).toEqual([]);
  });

  it('waits for the name of a registry that is an ARN, which the Cluster gives', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(definition('web'), service('web', registered({ registryArn })));
    expect((await untilReason(ns, 'web', 'MappingMissing')).message).toBe(
      `spec.serviceRegistries[0].registryArn: "${registryArn}" has no mapping: add {registryArn, serviceName} to spec.mappings.serviceRegistries of the namespace's Cluster`,
    );
    await ns.create(cluster('prod', { mappings: { serviceRegistries: [{ registryArn, serviceName: 'orders' }] } }));
    await untilSteady(ns.history, 'web', 1);
    await untilBehind(ns, 'orders', () => runningPods(ns.history, 'web'));
    // The Cluster names it otherwise: that holds for tasks which start from then on, and the others are found as before.
    await ns.patch('clusters', 'prod', {
      spec: { mappings: { serviceRegistries: [{ registryArn, serviceName: 'later' }] } },
    });
    await ns.kubectl(['wait', '--for=create', '--timeout=60s', 'services.v1./later']);
    await untilBehind(ns, 'orders', () => runningPods(ns.history, 'web'));
    await ns.patch('taskdefinitions', 'web', { spec: { containerDefinitions: [{ ...web, ...version('2') }] } });
    await ns.until('the second revision', () => {
      const [newest, ...older] = ns.history.get('services', 'web')?.status?.deployments ?? [];
      return newest?.taskDefinition === 'web:2' && newest.rolloutState === 'COMPLETED' && older.length === 0;
    });
    await untilBehind(ns, 'later', () => runningPods(ns.history, 'web'));
    await gone(ns, 'orders');
  });

  it('is found again where somebody changes or deletes its core Service', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(definition('web'), service('web', connected(alias('api'))));
    await untilSteady(ns.history, 'web', 1);
    const { uid } = (await coreService(ns, 'api')).metadata;
    await ns.kubectl(['delete', 'services.v1.', 'api']);
    await ns.kubectl(['wait', '--for=create', '--timeout=60s', 'services.v1./api']);
    expect((await coreService(ns, 'api')).metadata.uid).not.toBe(uid);
    await ns.kubectl([
      'patch',
      'services.v1.',
      'api',
      '--type=json',
      '--patch=[{"op":"replace","path":"/spec/ports/0/port","value":99}]',
    ]);
    await ns.kubectl(['wait', '--for=jsonpath={.spec.ports[0].port}=80', '--timeout=60s', 'services.v1./api']);
    await untilBehind(ns, 'api', () => runningPods(ns.history, 'web'));
  });
});
