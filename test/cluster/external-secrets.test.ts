import { afterAll, describe, expect, it, type TestContext } from 'vitest';
import { externalSecretName } from '../../src/pod/references.ts';
import { FaultProxy, type Moment } from '../support/fault-proxy.ts';
import { pathOf } from '../support/kube-api.ts';
import { cluster, service, taskDefinition, webContainer } from '../support/manifests.ts';
import type { Operator } from '../support/operator.ts';
import { podsOf, readyCondition, runningPods, untilSteady } from '../support/services.ts';
import { OPERATOR_USER, type TestNamespace, useSuite } from '../support/suite.ts';
import { until } from '../support/until.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: false });

function operate(context: TestContext, ns: TestNamespace, kubeconfig?: string): Operator {
  const operator = suite().newOperator(['--no-leader-elect', '--namespace', ns.name], kubeconfig);
  context.onTestFinished(() => operator.kill('SIGKILL'));
  context.onTestFailed(() => console.error(operator.describe()));
  return operator;
}

const arn = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf';
const mappings = { secretStores: [{ service: 'SecretsManager', kind: 'SecretStore', name: 'aws' }] };
const container = { ...webContainer, secrets: [{ name: 'PASSWORD', valueFrom: `${arn}:password::` }] };

/** As the External Secrets Operator defines it, without the fields that Longshore does not use. */
const definition = {
  metadata: { name: 'externalsecrets.external-secrets.io' },
  spec: {
    group: 'external-secrets.io',
    scope: 'Namespaced',
    names: { plural: 'externalsecrets', singular: 'externalsecret', kind: 'ExternalSecret' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        },
      },
    ],
  },
};
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

let defined: Promise<unknown> | undefined;
/** Defines the kind where no test has done so yet, and returns when it is served. */
async function define(): Promise<void> {
  defined ??= suite().api.call('POST', CRDS, definition);
  await defined;
  const crd = `crd/${definition.metadata.name}`;
  const waited = await suite().cluster.kubectl(['wait', '--for=condition=Established', '--timeout=60s', crd]);
  expect(waited).toMatchObject({ code: 0 });
}
afterAll(async () => {
  if (defined !== undefined) await suite().api.call('DELETE', `${CRDS}/${definition.metadata.name}`);
});

interface ExternalSecret {
  readonly metadata: { readonly name: string; readonly generation: number; readonly ownerReferences: object[] };
  readonly spec: object;
}

const pathIn = (ns: TestNamespace, name = ''): string =>
  `/apis/external-secrets.io/v1/namespaces/${ns.name}/externalsecrets${name}`;

const untilWaiting = (ns: TestNamespace, because: string) =>
  ns.until(`the service to wait: ${because}`, () => {
    const ready = readyCondition(ns.history.get('services', 'app'));
    return ready?.reason === 'TaskStartFailed' && ready.message.includes(because) ? ready.message : undefined;
  });

/** What starts from then on has what the Cluster says. */
const untilObserved = (ns: TestNamespace) =>
  ns.until('the Cluster to be observed', () => {
    const seen = ns.history.get('clusters', 'prod');
    return readyCondition(seen)?.observedGeneration === seen?.metadata.generation;
  });

/** What the operator of External Secrets does in the end. */
async function sync(ns: TestNamespace, { metadata }: ExternalSecret, generation = metadata.generation): Promise<void> {
  const condition = { type: 'Ready', status: 'True', reason: 'SecretSynced', message: 'secret synced' };
  await suite().api.call('PATCH', `${pathIn(ns, `/${metadata.name}`)}/status`, {
    status: { syncedResourceVersion: `${generation}-abc`, conditions: [condition] },
  });
}

describe('a secret that a store of the Cluster serves', () => {
  it('is fetched by the External Secrets Operator, which has to be there, before the first task starts', async (context) => {
    const { api } = suite();
    const ns = await suite().namespace(context);
    operate(context, ns);
    const [owner] = await ns.create(cluster('prod', { mappings }));
    await ns.create(
      taskDefinition('app', {}, [container]),
      service('app'),
      service('other', { taskDefinition: 'app' }),
    );
    expect(await untilWaiting(ns, 'install the External Secrets Operator')).toMatch(
      /^ResourceInitializationError: secret ".*:password::" is not there yet: the API server has no external-secrets.io\/v1/,
    );

    await define();
    await untilWaiting(ns, 'being synced');
    const { items } = await api.call<{ items: ExternalSecret[] }>('GET', pathIn(ns));
    expect(items).toHaveLength(1);
    const [found] = items as [ExternalSecret];
    const { name } = found.metadata;
    expect(name).toMatch(/^prod-db-[0-9a-f]{8}$/);
    expect(found).toMatchObject({
      metadata: {
        annotations: { 'longshore.dev/value-from': `${arn}:password::` },
        ownerReferences: [{ kind: 'Cluster', name: 'prod', uid: owner?.metadata.uid }],
      },
      spec: {
        secretStoreRef: { kind: 'SecretStore', name: 'aws' },
        target: { name, creationPolicy: 'Owner' },
        data: [{ secretKey: 'value', remoteRef: { key: arn, property: 'password' } }],
      },
    });
    await api.call('PATCH', `${pathIn(ns, `/${name}`)}/status`, {
      status: {
        conditions: [{ type: 'Ready', status: 'False', reason: 'SecretSyncedError', message: 'access denied' }],
      },
    });
    await untilWaiting(ns, `ExternalSecret ${name}: access denied`);
    expect(podsOf(ns.history, 'app')).toEqual([]);

    await sync(ns, found);
    await untilSteady(ns.history, 'app', 1);
    await untilSteady(ns.history, 'other', 1);
    expect(runningPods(ns.history, 'app')[0]?.spec.containers[0]?.env).toContainEqual({
      name: 'PASSWORD',
      valueFrom: { secretKeyRef: { name, key: 'value' } },
    });

    // Another store: the next task waits until what it has is synced.
    await ns.patch('clusters', 'prod', {
      spec: { mappings: { secretStores: [{ service: 'SecretsManager', kind: 'ClusterSecretStore', name: 'shared' }] } },
    });
    await untilObserved(ns);
    await ns.patch('services', 'app', { spec: { desiredCount: 2 } });
    await untilWaiting(ns, 'being synced');
    expect(runningPods(ns.history, 'app')).toHaveLength(1);
    const changed = await api.call<ExternalSecret>('GET', pathIn(ns, `/${name}`));
    expect(changed.spec).toMatchObject({ secretStoreRef: { kind: 'ClusterSecretStore', name: 'shared' } });
    await sync(ns, changed);
    await untilSteady(ns.history, 'app', 2);

    // The Cluster was made again: what it owns now is not deleted with the one before.
    await api.call('PATCH', pathIn(ns, `/${name}`), { metadata: { ownerReferences: null } });
    await ns.patch('services', 'app', { spec: { desiredCount: 3 } });
    await untilSteady(ns.history, 'app', 3);
    const owned = await api.call<ExternalSecret>('GET', pathIn(ns, `/${name}`));
    expect(owned.metadata.ownerReferences).toMatchObject([{ uid: owner?.metadata.uid }]);
  });
});

/** Of a StorageClass of the namespace's own. */
async function provideVolume(context: TestContext, { name }: TestNamespace): Promise<void> {
  await suite().api.call('POST', pathOf('persistentvolumes'), {
    metadata: { name },
    spec: {
      storageClassName: name,
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      hostPath: { path: '/nowhere' },
    },
  });
  context.onTestFinished(async () => {
    await suite().api.call('DELETE', pathOf('persistentvolumes', undefined, name));
  });
}

describe.concurrent('what tasks need besides their pods', () => {
  it.for<[string, Moment, boolean]>([
    ['killed before', 'before', true],
    ['killed after', 'after', true],
    ['cut off from the answer to', 'after', false],
  ])('is made once by an operator that is %s each of its writes', async ([, moment, killed], context) => {
    await define();
    const ns = await suite().namespace(context);
    await provideVolume(context, ns);
    const proxy = await FaultProxy.start(await suite().cluster.userKubeconfig(OPERATOR_USER, []));
    context.onTestFinished(() => proxy.stop());
    let operator = operate(context, ns, proxy.kubeconfig);
    const act = async (): Promise<void> => {
      await operator.kill('SIGKILL');
      operator = operate(context, ns, proxy.kubeconfig);
    };
    const faultAt = (of: RegExp) => {
      proxy.set({ write: 1, of, moment, ...(killed && { act }) });
      return async (): Promise<void> => {
        await until(proxy, `a fault at ${of}`, () => of.test(proxy.broken ?? ''));
        await proxy.settled();
      };
    };
    const storedIn = (name: string) => ({
      mappings: {
        secretStores: [{ service: 'SecretsManager', kind: 'ClusterSecretStore', name }],
        storageClasses: [{ volumeType: 'local', storageClassName: ns.name }],
      },
    });
    const secretFrom = async (store: string): Promise<ExternalSecret> => {
      const object = `externalsecrets.external-secrets.io/${externalSecretName(`${arn}:password::`)}`;
      await ns.kubectl(['wait', '--for=create', '--timeout=90s', object]);
      await ns.kubectl(['wait', `--for=jsonpath={.spec.secretStoreRef.name}=${store}`, '--timeout=90s', object]);
      const { items } = await suite().api.call<{ items: ExternalSecret[] }>('GET', pathIn(ns));
      expect(items).toHaveLength(1);
      return items[0] as ExternalSecret;
    };

    const created = faultAt(/^POST .*\/externalsecrets$/);
    const volumes = [{ name: 'data', dockerVolumeConfiguration: { scope: 'shared', autoprovision: true } }];
    await ns.create(cluster('prod', storedIn('one')), taskDefinition('app', { volumes }, [container]), service('app'));
    await created();
    const first = await secretFrom('one');

    const claimed = faultAt(/^POST .*\/persistentvolumeclaims$/);
    await sync(ns, first);
    await claimed();
    await untilSteady(ns.history, 'app', 1);

    const changed = faultAt(/^PATCH .*\/externalsecrets\//);
    await ns.patch('clusters', 'prod', { spec: storedIn('two') });
    await untilObserved(ns);
    await ns.patch('services', 'app', { spec: { desiredCount: 2 } });
    await changed();
    const second = await secretFrom('two');
    expect(podsOf(ns.history, 'app')).toHaveLength(1);
    await sync(ns, second);
    await untilSteady(ns.history, 'app', 2);
    const claims = await ns.kubectl(['get', 'persistentvolumeclaims', '-o', 'name']);
    expect(claims.trim().split('\n')).toEqual(['persistentvolumeclaim/data']);
  });
});
