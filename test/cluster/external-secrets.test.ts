import { describe, expect, it } from 'vitest';
import { cluster, service, taskDefinition, webContainer } from '../support/manifests.ts';
import { podsOf, readyCondition, runningPods, untilSteady } from '../support/services.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: true });

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
    const [owner] = await ns.create(cluster('prod', { mappings }));
    await ns.create(
      taskDefinition('app', {}, [container]),
      service('app'),
      service('other', { taskDefinition: 'app' }),
    );
    expect(await untilWaiting(ns, 'install the External Secrets Operator')).toMatch(
      /^ResourceInitializationError: secret ".*:password::" is not there yet: the API server has no external-secrets.io\/v1/,
    );

    await api.call('POST', CRDS, definition);
    context.onTestFinished(async () => {
      await api.call('DELETE', `${CRDS}/${definition.metadata.name}`);
    });
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
    await ns.until('the Cluster to be observed', () => {
      const seen = ns.history.get('clusters', 'prod');
      return readyCondition(seen)?.observedGeneration === seen?.metadata.generation;
    });
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
