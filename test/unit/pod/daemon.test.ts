/** Which nodes a task of a DAEMON service is for, as the DaemonSet controller decides it. */
import { describe, expect, it } from 'vitest';
import { parseTaskDefinition } from '../../../src/api/task-definition.ts';
import { compileTemplate } from '../../../src/pod/compile.ts';
import { daemonNode, type Node, onlyOn, targetOf } from '../../../src/pod/daemon.ts';
import type { TaskPlacement } from '../../../src/pod/placement.ts';
import { stampPod } from '../../../src/pod/stamp.ts';
import { app } from '../../support/compiled.ts';

const daemon = (expression?: string): TaskPlacement => ({
  group: 'service:agent',
  among: {},
  zones: true,
  daemon: true,
  placementConstraints: expression === undefined ? [] : [{ type: 'memberOf', expression }],
  placementStrategy: [],
});

const compile = (placement: TaskPlacement, definition: object = {}) =>
  compileTemplate({
    definition: parseTaskDefinition({ ...definition, containerDefinitions: [app()] }),
    family: 'agent',
    placement,
  });

const node = (fields: Partial<Node> = {}): Node => ({
  labels: {},
  taints: [],
  ready: true,
  draining: false,
  ...fields,
});
const taint = (effect: string, key = 'team', value = 'a') => ({ key, value, effect });
const condition = (name: string, effect: string) => taint(effect, `node.kubernetes.io/${name}`, '');

describe('a node', () => {
  it.each([
    ['active', 'as it is', node()],
    ['closed', 'not ready', node({ ready: false })],
    ['closed', 'new, and not ready yet', node({ taints: [condition('not-ready', 'NoSchedule')] })],
    ['closed', 'with a taint for new pods', node({ taints: [taint('NoSchedule')] })],
    ['active', 'with a taint that is a wish', node({ taints: [taint('PreferNoSchedule')] })],
    ['excluded', 'with a taint for running pods', node({ taints: [taint('NoExecute')] })],
    ['active', 'short of memory', node({ taints: [condition('memory-pressure', 'NoSchedule')] })],
    ['closed', 'whose kubelet is gone', node({ ready: false, taints: [condition('unreachable', 'NoExecute')] })],
    ['closed', 'without a network', node({ taints: [condition('network-unavailable', 'NoSchedule')] })],
    ['draining', 'cordoned', node({ draining: true, taints: [condition('unschedulable', 'NoSchedule')] })],
  ])('is %s: %s', (state, _what, given) => {
    expect(daemonNode(compile(daemon()).spec, given)).toBe(state);
  });

  it.each([
    ['attribute:disk == ssd', { disk: 'ssd' }, { disk: 'hdd' }],
    ['attribute:disk != ssd', { disk: 'hdd' }, {}],
    ['attribute:disk exists', { disk: '' }, {}],
    ['attribute:disk !exists', {}, { disk: 'ssd' }],
    ['attribute:disk !in [hdd, tape]', { disk: 'ssd' }, { disk: 'tape' }],
    ['attribute:rack > 3', { rack: '4' }, { rack: '3' }],
    ['attribute:rack <= 3', { rack: '3' }, { rack: 'x' }],
    ['attribute:disk == ssd or attribute:rack == 1', { rack: '1' }, { rack: '2' }],
    ['attribute:disk == ssd and attribute:rack == 1', { disk: 'ssd', rack: '1' }, { disk: 'ssd' }],
    ['not (attribute:disk == ssd)', {}, { disk: 'ssd' }],
    ['attribute:ecs.cpu-architecture == x86_64', { 'kubernetes.io/arch': 'amd64' }, { 'kubernetes.io/arch': 'arm64' }],
  ])('matches %s by its labels', (expression, matching, other) => {
    const { spec } = compile(daemon(expression));
    const states = [matching, other].map((labels) => daemonNode(spec, node({ labels })));
    expect(states).toEqual(['active', 'excluded']);
    expect(daemonNode(spec, node({ labels: other, draining: true }))).toBe('excluded');
  });

  it('is one that kubernetes.nodeSelector and kubernetes.tolerations let it be', () => {
    const kubernetes = {
      nodeSelector: { pool: 'logs' },
      tolerations: [
        { key: 'team', operator: 'Equal' as const, value: 'a' },
        { key: 'gpu', operator: 'Exists' as const },
      ],
    };
    const { spec } = compile(daemon(), { kubernetes });
    const of = (taints: Node['taints'], pool = 'logs') => daemonNode(spec, node({ labels: { pool }, taints }));
    expect(of([taint('NoExecute'), taint('NoSchedule', 'gpu', 'b')])).toBe('active');
    expect(of([taint('NoExecute', 'team', 'b')])).toBe('excluded');
    expect(of([], 'web')).toBe('excluded');
  });

  it('without a network is one for tasks on the network of the node', () => {
    const { spec } = compile(daemon(), { networkMode: 'host' });
    expect(daemonNode(spec, node({ taints: [condition('network-unavailable', 'NoSchedule')] }))).toBe('active');
  });
});

describe('the pod of a daemon task', () => {
  it('is for one node, stays there while that is not ready, and is not spread', () => {
    const compiled = compile(daemon('attribute:disk == ssd and task:group == service:web'));
    const pod = stampPod(compiled, {
      namespace: 'default',
      name: 'agent',
      task: '0',
      labels: {},
      annotations: {},
      owner: { apiVersion: 'v1', kind: 'x', name: 'x', uid: 'x', controller: true, blockOwnerDeletion: true },
      node: 'node-1',
    }) as { spec: (typeof compiled)['spec'] };
    expect(pod.spec.affinity?.nodeAffinity).toEqual(onlyOn('node-1').nodeAffinity);
    expect(pod.spec.affinity?.podAffinity).toBeDefined();
    expect(targetOf(pod.spec.affinity)).toBe('node-1');
    expect(pod.spec.topologySpreadConstraints).toBeUndefined();
    expect(pod.spec.tolerations).toEqual([
      { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
      { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
      { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
      { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
      { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
    ]);
  });

  it('is told from one that constraints keep to some nodes', () => {
    expect(targetOf(compile(daemon('attribute:disk == ssd')).spec.affinity)).toBeUndefined();
    expect(targetOf(undefined)).toBeUndefined();
  });
});
