/** No plan is made from a cache without the owner's own writes, and none waits longer than the watch needs. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KubeClient } from '../../src/kube/client.ts';
import { Controller } from '../../src/kube/controller.ts';
import { silentLogger } from '../../src/kube/logger.ts';
import { Reflector } from '../../src/kube/reflector.ts';
import { type KubeObject, pods } from '../../src/kube/resource.ts';
import { Store, type Stored } from '../../src/kube/store.ts';
import { WriteBarrier } from '../../src/kube/write-barrier.ts';
import { bookmark, FakeServer, type OpenWatch } from './fake-server.ts';

const OWNER = 'shop/web';

let server: FakeServer;
let client: KubeClient;
let stop: AbortController;
let running: Promise<unknown>;
let reflector: Reflector<Stored>;
let barrier: WriteBarrier;
let controller: Controller;
let watch: OpenWatch;
/** What each reconcile saw: `blind` while the barrier was closed, then the pods in the cache. */
let reconciles: string[];
let wake: () => void;

/** A controller of one owner that nothing but its barrier brings back, with a cache that the test feeds. */
beforeEach(async () => {
  server = await FakeServer.start();
  client = new KubeClient(server.connection());
  stop = new AbortController();
  reconciles = [];
  wake = () => {};
  const store = new Store<Stored>();
  reflector = new Reflector<Stored>({
    client,
    resource: pods,
    project: ({ metadata: { uid, namespace = '', name, resourceVersion } }: KubeObject) => ({
      uid,
      namespace,
      name,
      resourceVersion,
    }),
    store,
    onChange: () => {},
    logger: silentLogger,
    timings: { backoff: { initialMs: 5, maxMs: 20 } },
  });
  barrier = new WriteBarrier(reflector);
  controller = new Controller({
    name: 'test',
    logger: silentLogger,
    reconcile: async (key) => {
      const unseen = barrier.pending(key);
      reconciles.push(unseen === undefined ? [...store.values()].map(({ name }) => name).join() : 'blind');
      wake();
      return unseen === undefined ? {} : { requeueWhen: unseen };
    },
  });
  running = Promise.all([reflector.run(stop.signal), controller.run(stop.signal, [])]);
  watch = await server.nextWatch(0);
  await reflector.synced;
});
afterEach(async () => {
  stop.abort();
  await running;
  await client.close();
  await server.stop();
});

function untilReconciles(count: number): Promise<void> {
  return new Promise((resolve) => {
    wake = () => {
      if (reconciles.length >= count) resolve();
    };
    wake();
  });
}

async function untilObserved(resourceVersion: number): Promise<void> {
  while (reflector.observedResourceVersion < BigInt(resourceVersion)) await new Promise((done) => setImmediate(done));
}

/** Writes a pod that the watch does not show, and reconciles its owner. */
async function writeUnseen(): Promise<KubeObject> {
  server.frozen = true;
  const created = await client.create<KubeObject>(pods, { namespace: 'shop' }, { metadata: { name: 'web-1' } });
  barrier.note(OWNER, created.metadata.resourceVersion);
  controller.enqueue(OWNER);
  await untilReconciles(1);
  expect(reconciles).toEqual(['blind']);
  return created;
}

test('an owner is reconciled by the event that shows its write', async () => {
  const created = await writeUnseen();
  watch.send({ type: 'ADDED', object: created });
  await untilReconciles(2);
  expect(reconciles).toEqual(['blind', 'web-1']);
});

test('an owner whose write the watch does not show is reconciled by the bookmark past it, and by none before', async () => {
  const before = server.resourceVersion + 1;
  server.advance(1);
  await writeUnseen();
  watch.send(bookmark(before));
  await untilObserved(before);
  // Nor does anything but the watch bring it back.
  await new Promise((done) => setTimeout(done, 300));
  expect(reconciles).toEqual(['blind']);
  watch.send(bookmark(server.resourceVersion));
  await untilReconciles(2);
  expect(reconciles).toEqual(['blind', '']);
});

test('an owner is reconciled by a list that has its write', async () => {
  await writeUnseen();
  reflector.relist();
  await untilReconciles(2);
  expect(reconciles).toEqual(['blind', 'web-1']);
});

test('an owner is reconciled by the watch that goes on where a broken one ended', async () => {
  await writeUnseen();
  watch.cut();
  await untilReconciles(2);
  expect(reconciles).toEqual(['blind', 'web-1']);
});
