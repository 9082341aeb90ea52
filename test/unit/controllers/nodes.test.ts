import { describe, expect, it } from 'vitest';
import { nodeRecord, nodeView, withNodes } from '../../../src/controllers/nodes.ts';
import { Store } from '../../../src/kube/store.ts';
import { observePod } from '../../../src/pod/observe.ts';

const metadata = { name: 'n1', uid: 'u1', resourceVersion: '1' };
const ready = { conditions: [{ type: 'Ready', status: 'True' }] };
const cordoned = { unschedulable: true };
const effect = 'NoSchedule';

describe('a node', () => {
  it.each([
    ['as it is', { metadata, status: ready }, false],
    ['that is cordoned', { metadata, spec: cordoned, status: ready }, true],
    [
      'that cluster-autoscaler is about to delete',
      { metadata, spec: { taints: [{ key: 'ToBeDeletedByClusterAutoscaler', effect }] } },
      true,
    ],
    ['that Karpenter disrupts', { metadata, spec: { taints: [{ key: 'karpenter.sh/disrupted', effect }] } }, true],
    ['that is being deleted', { metadata: { ...metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }, true],
    [
      'that may be deleted some day',
      { metadata, spec: { taints: [{ key: 'DeletionCandidateOfClusterAutoscaler', effect }] } },
      false,
    ],
    ['that is not ready', { metadata, spec: { taints: [{ key: 'node.kubernetes.io/not-ready', effect }] } }, false],
  ])('%s drains or does not', (_what, node, draining) => {
    expect(nodeRecord(node).draining).toBe(draining);
  });

  it.each([
    ['True', true],
    ['False', false],
    ['Unknown', false],
  ])('whose Ready condition is %s', (status, is) => {
    expect(nodeRecord({ metadata, status: { conditions: [{ type: 'Ready', status }] } }).ready).toBe(is);
  });

  it('is neither DRAINING nor away while nodes cannot be seen', () => {
    const store = new Store<ReturnType<typeof nodeRecord>>();
    store.upsert(nodeRecord({ metadata, spec: cordoned }));
    let known = false;
    const view = nodeView(store, () => known);
    expect([view.isDraining('n1'), view.isAway('n1'), view.isAway('gone')]).toEqual([false, false, false]);
    known = true;
    expect([view.isDraining('n1'), view.isAway('n1'), view.isAway('gone')]).toEqual([true, true, true]);
    expect(view.isDraining('gone')).toBe(false);
  });
});

describe('nodes', () => {
  const zone = { 'topology.kubernetes.io/zone': 'a' };
  it.each([
    ['while none is known', [], false, true],
    ['while there is none', [], true, true],
    ['when none has one', [{}, {}], true, false],
    ['when one has one', [{}, zone], true, true],
  ])('have zones or not %s', (_what, labels, known, zones) => {
    const store = new Store<ReturnType<typeof nodeRecord>>();
    for (const [index, own] of labels.entries())
      store.upsert(nodeRecord({ metadata: { ...metadata, name: `n${index}`, uid: `u${index}`, labels: own } }));
    expect(nodeView(store, () => known).hasZones()).toBe(zones);
  });
});

describe('a task', () => {
  const pod = {
    metadata: { ...metadata, name: 'web-1-0-1', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { nodeName: 'n1', containers: [{ name: 'web' }] },
    status: {
      phase: 'Running',
      startTime: '2026-01-01T00:00:01Z',
      containerStatuses: [{ name: 'web', state: { running: { startedAt: '2026-01-01T00:00:02Z' } } }],
    },
  };
  const deleted = {
    ...pod,
    metadata: { ...pod.metadata, deletionTimestamp: '2026-01-01T00:10:30Z', deletionGracePeriodSeconds: 30 },
  };
  const away = { isDraining: () => false, isAway: (node: string) => node === 'n1' };
  const there = { isDraining: () => false, isAway: () => false };

  it('on a node that is away has ended once Kubernetes gives it up, and its host is the reason', () => {
    const [task] = withNodes([observePod(deleted)], away);
    expect(task).toMatchObject({
      ended: true,
      stoppingAt: Date.parse('2026-01-01T00:10:00Z'),
      stopCause: { stopCode: 'InfrastructureHealth', stoppedReason: 'Host EC2 (instance n1) terminated.' },
    });
  });

  it('keeps the reason for which it was stopped before', () => {
    const annotations = { 'longshore.dev/stop-code': 'UserInitiated', 'longshore.dev/stopped-reason': 'enough' };
    const [task] = withNodes([observePod({ ...deleted, metadata: { ...deleted.metadata, annotations } })], away);
    expect(task).toMatchObject({ ended: true, stopCause: { stopCode: 'UserInitiated', stoppedReason: 'enough' } });
  });

  it.each([
    ['whose node is away, but which is not given up yet', pod, away],
    ['that is deleted on a node that is there', deleted, there],
  ])('%s lives', (_what, is, nodes) => {
    const tasks = [observePod(is)];
    expect(withNodes(tasks, nodes)).toBe(tasks);
    expect(tasks[0]?.ended).toBe(false);
  });
});
