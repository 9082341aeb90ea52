import { describe, expect, it } from 'vitest';
import { cluster } from '../support/manifests.ts';
import { conditionOf, readyCondition } from '../support/services.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';
import { nextSecondAfter } from '../support/until.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: true });

const untilObserved = (ns: TestNamespace, name: string, reason: string) =>
  ns.until(`Cluster ${name} to be ${reason}`, () => {
    const found = ns.history.get('clusters', name);
    const ready = readyCondition(found);
    return ready?.reason === reason && ready.observedGeneration === found?.metadata.generation ? found : undefined;
  });

describe.concurrent('a Cluster', () => {
  it('is Ready, and shows what the namespace stands for', async (context) => {
    const ns = await suite().namespace(context);
    const spec = { clusterName: 'Prod_Cluster', account: '111122223333', region: 'cn-north-1' };
    await ns.create(cluster('prod', spec));
    await ns.kubectl(['wait', 'ecluster/prod', '--for=condition=Ready', '--timeout=60s']);
    expect(ns.history.get('clusters', 'prod')?.status).toMatchObject({
      status: 'ACTIVE',
      clusterName: 'Prod_Cluster',
      clusterArn: 'arn:aws-cn:ecs:cn-north-1:111122223333:cluster/Prod_Cluster',
      fieldSupport: [],
    });
    const [header = '', row = ''] = (await ns.kubectl(['get', 'ecluster'])).split('\n');
    expect(header.split(/\s+/)).toEqual(['NAME', 'CLUSTER', 'ACCOUNT', 'REGION', 'READY', 'AGE']);
    expect(row.split(/\s+/).slice(0, 5)).toEqual(['prod', 'Prod_Cluster', '111122223333', 'cn-north-1', 'True']);
  });

  it('lists what of it has no effect', async (context) => {
    const ns = await suite().namespace(context);
    const mappings = { alarms: [{ alarmName: 'errors', query: 'errors > 1' }] };
    await ns.create(cluster('prod', { settings: [{ name: 'containerInsights', value: 'enabled' }], mappings }));
    const { status } = await untilObserved(ns, 'prod', 'Active');
    expect(status?.fieldSupport?.map(({ field, support }) => `${field} ${support}`)).toEqual([
      'spec.settings Ignored',
      'spec.mappings.alarms Ignored',
    ]);
  });

  it('beside an older one is not Ready and says why, until the older is gone', async (context) => {
    const ns = await suite().namespace(context);
    const [older] = await ns.create(cluster('older'));
    await untilObserved(ns, 'older', 'Active');
    await nextSecondAfter(older?.metadata.creationTimestamp ?? '');
    await ns.create(cluster('aaa-younger'));
    const refused = await untilObserved(ns, 'aaa-younger', 'NamespaceTaken');
    expect(conditionOf(refused, 'Stalled')).toBe('True');
    expect(refused.status?.status).toBe('INACTIVE');
    expect(readyCondition(refused)?.message).toContain('older Cluster older');
    expect(readyCondition(ns.history.get('clusters', 'older'))?.status).toBe('True');

    await ns.delete('clusters', 'older');
    await untilObserved(ns, 'aaa-younger', 'Active');
  });
});
