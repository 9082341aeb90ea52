import { describe, expect, it, type TestContext } from 'vitest';
import { pathOf } from '../support/kube-api.ts';
import { cluster, service, taskDefinition, webContainer } from '../support/manifests.ts';
import type { Pod } from '../support/recorder.ts';
import { conditionOf, messagesOf, podsOf, readyCondition, runningPods, untilSteady } from '../support/services.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: true });

interface Claim {
  readonly metadata: { readonly labels: object; readonly annotations: object; readonly ownerReferences: object[] };
  readonly spec: object;
}

const definition = (volume: object = { configuredAtLaunch: true }) =>
  taskDefinition('app', { volumes: [{ name: 'Data_Dir', ...volume }] }, [
    { ...webContainer, mountPoints: [{ sourceVolume: 'Data_Dir', containerPath: '/data' }] },
  ]);
const ebs = (managedEBSVolume: object, name = 'Data_Dir') => ({
  volumeConfigurations: [{ name, managedEBSVolume: { roleArn: 'ecsInfrastructureRole', ...managedEBSVolume } }],
});

/** Volumes for claims of a StorageClass of the test's own. */
async function provide(context: TestContext, ns: TestNamespace, count: number): Promise<string> {
  for (let index = 0; index < count; index += 1) {
    const name = `${ns.name}-${index}`;
    await suite().api.call('POST', pathOf('persistentvolumes'), {
      metadata: { name },
      spec: {
        storageClassName: ns.name,
        capacity: { storage: '100Gi' },
        accessModes: ['ReadWriteOnce'],
        persistentVolumeReclaimPolicy: 'Retain',
        hostPath: { path: '/nowhere' },
      },
    });
    context.onTestFinished(async () => {
      await suite().api.call('DELETE', pathOf('persistentvolumes', undefined, name));
    });
  }
  return ns.name;
}

const claimOf = (ns: TestNamespace, pod: Pod | undefined): Promise<Claim> =>
  suite().api.call('GET', pathOf('persistentvolumeclaims', ns.name, `${pod?.metadata.name}-data-dir`));

describe.concurrent('a volume that a Service configures at launch', () => {
  it('is a claim of each task, of the size and StorageClass asked for, and changes with a deployment', async (context) => {
    const ns = await suite().namespace(context);
    const storageClassName = await provide(context, ns, 4);
    await ns.create(cluster('prod', { mappings: { storageClasses: [{ volumeType: 'gp3', storageClassName }] } }));
    const gp3 = (sizeInGiB: number) => ebs({ volumeType: 'gp3', sizeInGiB });
    await ns.create(definition(), service('app', { ...gp3(20), desiredCount: 2 }));
    await untilSteady(ns.history, 'app', 2);
    for (const pod of runningPods(ns.history, 'app')) {
      expect(await claimOf(ns, pod)).toMatchObject({
        metadata: {
          labels: { 'app.kubernetes.io/managed-by': 'longshore' },
          annotations: { 'longshore.dev/volume': 'Data_Dir' },
          ownerReferences: [{ kind: 'Pod', name: pod.metadata.name }],
        },
        spec: { storageClassName, accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '20Gi' } } },
      });
    }

    const before = ns.history.get('services', 'app')?.status?.deployments?.[0]?.id;
    await ns.patch('services', 'app', { spec: gp3(30) });
    const after = await ns.until('a deployment for the new size, alone', () => {
      const [newest, ...older] = ns.history.get('services', 'app')?.status?.deployments ?? [];
      return newest?.id !== before && newest?.rolloutState === 'COMPLETED' && older.length === 0 && newest;
    });
    expect(after.taskDefinition).toBe('app:1');
    const [pod] = runningPods(ns.history, 'app');
    expect(await claimOf(ns, pod)).toMatchObject({ spec: { resources: { requests: { storage: '30Gi' } } } });
  });

  it('is made from the VolumeSnapshot that its snapshot is here', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(definition(), service('app', ebs({ snapshotId: 'snap-1', sizeInGiB: 8 })));
    const pod = await ns.until('a pod', () => podsOf(ns.history, 'app')[0]);
    await ns.kubectl(['wait', '--for=create', '--timeout=60s', `pvc/${pod.metadata.name}-data-dir`]);
    expect(await claimOf(ns, pod)).toMatchObject({
      spec: { dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 'snap-1' } },
    });
  });

  it('is one condition where nothing says what it is, or another name is said; then nothing starts', async (context) => {
    const ns = await suite().namespace(context);
    const storageClassName = await provide(context, ns, 1);
    await ns.create(cluster('prod', { mappings: { storageClasses: [{ volumeType: 'gp2', storageClassName }] } }));
    await ns.create(definition(), service('app'));
    const refused = (message: string) =>
      ns.until(message, () => {
        const found = ns.history.get('services', 'app');
        const ready = readyCondition(found);
        return ready?.reason === 'VolumeConfigurationMismatch' && ready.message === message && found;
      });
    const first = await refused(
      'spec.volumeConfigurations: volume "Data_Dir" of the task definition is configured at launch: add {name, managedEBSVolume} for it to spec.volumeConfigurations of the Service',
    );
    expect(conditionOf(first, 'Stalled')).toBe('True');
    expect(conditionOf(first, 'ResolvedRefs')).toBe('False');
    expect(messagesOf(first)).toEqual([]);

    await ns.patch('services', 'app', { spec: ebs({ sizeInGiB: 1 }, 'data-dir') });
    await refused(
      'spec.volumeConfigurations[0].name: "data-dir": Volume configuration provided but no matching configuredAtLaunch volume found in task definition.',
    );
    expect(podsOf(ns.history, 'app')).toEqual([]);

    await ns.patch('services', 'app', { spec: ebs({ sizeInGiB: 1 }) });
    await untilSteady(ns.history, 'app', 1);
    expect(conditionOf(ns.history.get('services', 'app'), 'ResolvedRefs')).toBe('True');

    // A revision that has no such volume any more is not rolled out: what runs goes on.
    const running = runningPods(ns.history, 'app').map(({ metadata }) => metadata.uid);
    await ns.patch('taskdefinitions', 'app', { spec: { volumes: [{ name: 'Data_Dir' }] } });
    await refused(
      'spec.volumeConfigurations[0].name: "Data_Dir": Volume configuration provided but no matching configuredAtLaunch volume found in task definition.',
    );
    expect(runningPods(ns.history, 'app').map(({ metadata }) => metadata.uid)).toEqual(running);
  });
});
