import { afterEach, beforeEach, expect, test } from 'vitest';
import { services } from '../../src/api/meta.ts';
import type { CustomRecord } from '../../src/controllers/records.ts';
import { StatusWriter } from '../../src/controllers/status-writer.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { WriteBarrier } from '../../src/kube/write-barrier.ts';
import { FakeServer } from './fake-server.ts';

interface Status {
  readonly runningCount: number;
  readonly rolloutState?: string;
}

let server: FakeServer;
let client: KubeClient;
let barrier: WriteBarrier;
let writer: StatusWriter<Status>;

beforeEach(async () => {
  server = await FakeServer.start();
  client = new KubeClient(server.connection());
  barrier = new WriteBarrier({
    observedResourceVersion: 0n,
    listedAt: Number.NEGATIVE_INFINITY,
    onProgress: () => {},
    relist: () => {},
  });
  writer = new StatusWriter(client, services, barrier);
  server.put('/apis/longshore.dev/v1alpha1/services', { metadata: { name: 'web', namespace: 'shop', uid: 'u1' } });
});
afterEach(async () => {
  await client.close();
  await server.stop();
});

const record = (status: Partial<Status>): CustomRecord<unknown, Status> => ({
  uid: 'u1',
  namespace: 'shop',
  name: 'web',
  resourceVersion: '101',
  generation: 1,
  createdAt: 0,
  deleting: false,
  owner: '',
  annotations: {},
  given: {},
  status,
});
const sent = () => server.requests.map(({ body }) => JSON.parse(body).status);

test('nothing is written when nothing changed, whatever the order of the fields', async () => {
  const known = record({ rolloutState: 'COMPLETED', runningCount: 2 });
  const wait = await writer.write(known, { runningCount: 2, rolloutState: 'COMPLETED' }, { urgent: true, now: 5000 });
  expect(wait).toBe(0);
  expect(server.requests).toHaveLength(0);
});

test('counts are written at most once a second an object, and the caller is told how long to wait', async () => {
  const write = (runningCount: number, now: number) =>
    writer.write(record({ runningCount: 0 }), { runningCount }, { urgent: false, now });
  expect(await write(1, 5000)).toBe(0);
  expect(await write(2, 5300)).toBe(700);
  expect(await write(3, 5999)).toBe(1);
  expect(await write(4, 6000)).toBe(0);
  expect(sent()).toEqual([{ runningCount: 1 }, { runningCount: 4 }]);
});

test('news is written at once', async () => {
  const write = (rolloutState: string, now: number) =>
    writer.write(record({ runningCount: 0 }), { runningCount: 1, rolloutState }, { urgent: true, now });
  await write('IN_PROGRESS', 5000);
  expect(await write('COMPLETED', 5001)).toBe(0);
  expect(sent().map(({ rolloutState }) => rolloutState)).toEqual(['IN_PROGRESS', 'COMPLETED']);
});

test('a field that is no longer true is removed by name', async () => {
  await writer.write(
    record({ runningCount: 1, rolloutState: 'FAILED' }),
    { runningCount: 1 },
    { urgent: true, now: 5000 },
  );
  expect(sent()).toEqual([{ runningCount: 1, rolloutState: null }]);
});

test('a status goes to the object it was made for, and its owner waits until the cache shows it', async () => {
  await writer.write(record({}), { runningCount: 1 }, { urgent: true, now: 5000 });
  const [request] = server.requests;
  expect(request?.path).toBe('/apis/longshore.dev/v1alpha1/namespaces/shop/services/web/status');
  expect(JSON.parse(request?.body ?? '').metadata).toEqual({ uid: 'u1' });
  expect(barrier.pending('u1')).toBeInstanceOf(Promise);
});
