/** Pods with the finalizer of Strict accounting, made by hand: nobody counts them, and none of them may stay. */
import { describe, expect, it } from 'vitest';
import { kwok } from '../support/manifests.ts';
import type { Pod } from '../support/recorder.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: true });

const TRACKED = 'longshore.dev/tracked';

const pod = (name: string, more: object = {}): object => ({
  metadata: {
    name,
    labels: { 'app.kubernetes.io/managed-by': 'longshore', 'longshore.dev/task': name },
    annotations: kwok({ exitAfter: '1h' }),
    finalizers: ['example.com/a', TRACKED, 'example.com/b'],
    ...more,
  },
  spec: { containers: [{ name: 'app', image: 'busybox:1.36' }], tolerations: [{ operator: 'Exists' }] },
});

const untilReleased = (ns: TestNamespace, name: string): Promise<Pod> =>
  ns.until(`${name} to be let go`, () => {
    const found = ns.history.get('pods', name);
    return found !== undefined && !found.metadata.finalizers?.includes(TRACKED) && found;
  });

describe('a pod with the finalizer', () => {
  it('of no job is let go at once; finalizers of others stay, and so does the pod', async (context) => {
    const ns = await suite().namespace(context);
    await ns.createRaw('pods', pod('stray'));
    const released = await untilReleased(ns, 'stray');
    expect(released.metadata).toMatchObject({ finalizers: ['example.com/a', 'example.com/b'] });
    expect(released.metadata.deletionTimestamp).toBeUndefined();
    await ns.patch('pods', 'stray', { metadata: { finalizers: null } });
  });

  it('that was there when the operator started is let go as well', async (context) => {
    const ns = await suite().namespace(context);
    await suite().operator.kill('SIGKILL');
    const finalizers = [TRACKED];
    await ns.createRaw('pods', pod('stray', { finalizers }));
    await ns.createRaw('pods', pod('deleted', { finalizers }));
    await ns.kubectl(['delete', 'pod', 'deleted', '--force', '--wait=false']);
    await suite().startOperator();
    await ns.until('the deleted one to be gone', () => ns.history.get('pods', 'deleted') === undefined);
    await untilReleased(ns, 'stray');
  });
});
