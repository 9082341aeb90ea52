import { describe, expect, it } from 'vitest';
import { parseService } from '../../../src/api/service.ts';
import { parseTaskDefinition } from '../../../src/api/task-definition.ts';
import { Daemons } from '../../../src/controllers/daemons.ts';
import { nodeRecord } from '../../../src/controllers/nodes.ts';
import { recordOf } from '../../../src/controllers/records.ts';
import type { ServiceRecord } from '../../../src/controllers/runtime.ts';
import { createStores } from '../../../src/controllers/stores.ts';
import { compileTemplate } from '../../../src/pod/compile.ts';
import { observePod } from '../../../src/pod/observe.ts';
import { app } from '../../support/compiled.ts';

const record = (uid: string, spec: object): ServiceRecord =>
  recordOf(parseService)({
    metadata: { name: uid, namespace: 'default', uid, resourceVersion: '1' },
    spec,
  } as never) as ServiceRecord;
const agent = record('agent', { taskDefinition: 'agent', schedulingStrategy: 'DAEMON' });
const web = record('web', { taskDefinition: 'web', desiredCount: 1 });

const template = compileTemplate({
  definition: parseTaskDefinition({ containerDefinitions: [app()] }),
  family: 'agent',
  kubernetes: {
    nodeSelector: { pool: 'logs' },
    tolerations: [],
    imagePullSecrets: [],
    podLabels: {},
    podAnnotations: {},
  },
});

const node = ({ labels = { pool: 'logs' }, unschedulable = false, ready = 'True', version = '1' } = {}) =>
  nodeRecord({
    metadata: { name: 'n1', uid: 'u1', resourceVersion: version, labels },
    spec: { unschedulable },
    status: { conditions: [{ type: 'Ready', status: ready }] },
  });

const task = (name: string, owner: string, phase = 'Running') =>
  observePod({
    metadata: {
      name,
      namespace: 'default',
      uid: name,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ownerReferences: [{ uid: owner, controller: true }],
    },
    spec: { nodeName: 'n1' },
    status: { phase },
  });

describe('a change of a node', () => {
  const daemons = new Daemons();
  const stores = createStores();
  daemons.nodesFor({ stores }, agent, template);

  it.each([
    ['comes', undefined, node(), true],
    ['goes', node(), undefined, true],
    ['comes, and does not match', undefined, node({ labels: { pool: 'web' } }), true],
    ['is cordoned', node(), node({ unschedulable: true }), true],
    ['is not ready', node(), node({ ready: 'Unknown' }), true],
    ['no longer matches', node(), node({ labels: { pool: 'web' } }), true],
    ['reports', node(), node({ version: '2' }), false],
    ['gets a label', node(), node({ labels: { pool: 'logs', x: 'y' } as never }), false],
    ['gets another label that does not match', node({ labels: { pool: 'a' } }), node({ labels: { pool: 'b' } }), false],
  ])('that %s concerns the daemon or not', (_what, before, after, concerned) => {
    expect(daemons.concerns(agent, before, after)).toBe(concerned);
  });

  it('concerns a daemon that was not planned yet', () => {
    expect(new Daemons().concerns(agent, node(), node())).toBe(true);
    const forgetful = new Daemons();
    forgetful.nodesFor({ stores }, agent, template);
    forgetful.forget('agent');
    expect(forgetful.concerns(agent, node(), node())).toBe(true);
  });
});

describe('a DRAINING node', () => {
  it.each([
    ['a task of a service', [task('a', 'web')], true],
    ['a task of nobody that is known', [task('a', 'job')], true],
    ['one that has ended', [task('a', 'web', 'Failed')], false],
    ['tasks of daemons', [task('a', 'agent')], false],
    ['nothing', [], false],
  ])('with %s is busy or not', (_what, tasks, busy) => {
    const stores = createStores();
    for (const service of [agent, web]) stores.services.upsert(service);
    for (const one of tasks) stores.tasks.upsert(one);
    stores.nodes.upsert(node({ unschedulable: true }));
    expect(new Daemons().nodesFor({ stores }, agent, template)).toEqual({
      nodes: new Map([['n1', 'draining']]),
      busy: new Set(busy ? ['n1'] : []),
    });
  });
});
