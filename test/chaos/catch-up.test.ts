import { afterEach, beforeEach, expect, test } from 'vitest';
import { catchUp } from '../../src/kube/catch-up.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { silentLogger } from '../../src/kube/logger.ts';
import { Reflector } from '../../src/kube/reflector.ts';
import { type KubeObject, pods } from '../../src/kube/resource.ts';
import { Store, type Stored } from '../../src/kube/store.ts';
import { bookmark, FakeServer, type Request, respond, status } from './fake-server.ts';

const PODS = '/api/v1/pods';

let server: FakeServer;
let client: KubeClient;
let store: Store<Stored>;
let reflector: Reflector<Stored>;
let stop: AbortController;
let running: Promise<void>;

beforeEach(async () => {
  server = await FakeServer.start();
  client = new KubeClient(server.connection());
  stop = new AbortController();
  store = new Store();
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
});
afterEach(async () => {
  stop.abort();
  await running;
  await client.close();
  await server.stop();
});

/** A follower that has seen `count` pods and whose watch then hears nothing of one more. */
async function lagBehind(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) put(`p${index}`);
  running = reflector.run(stop.signal);
  await server.nextWatch(0);
  await reflector.synced;
  server.frozen = true;
  put('unseen');
}

const caughtUp = (timeoutMs = 60_000) => catchUp([reflector], { logger: silentLogger, signal: stop.signal, timeoutMs });
const put = (name: string) => server.put(PODS, { metadata: { name, namespace: 'default' } });
const has = (name: string) => store.get('default', name) !== undefined;
const isWatch = ({ query }: Request) => query.has('watch');

test('a small cache behind a watch that is silent is listed anew', async () => {
  await lagBehind(3);
  expect(has('unseen')).toBe(false);
  await caughtUp();
  expect(has('unseen')).toBe(true);
  expect(reflector.lists).toBe(2);
});

test('a large cache resumes, with a watch short enough to get a bookmark at once, and is not listed anew', async () => {
  await lagBehind(501);
  const done = caughtUp();
  const brief = await server.nextWatch(1);
  expect(brief.request.query.get('resourceVersion')).toBe('601');
  expect(brief.request.query.get('timeoutSeconds')).toBe('3');
  brief.send(bookmark(server.resourceVersion));
  await done;
  expect(has('unseen')).toBe(true);
  expect(reflector.lists).toBe(1);
  brief.end();
  const usual = await server.nextWatch(2);
  expect(Number(usual.request.query.get('timeoutSeconds'))).toBeGreaterThanOrEqual(300);
});

test('a cache as far as the server needs neither', async () => {
  await lagBehind(3);
  server.frozen = false;
  put('seen');
  await server.until(() => server.watches.length === 1);
  while (!has('seen')) await new Promise((resolve) => setImmediate(resolve));
  await caughtUp();
  expect(server.requests.filter(isWatch)).toHaveLength(1);
});

test('a consistent read that is refused is asked for again', async () => {
  await lagBehind(3);
  server.inject(
    ({ query }) => query.get('limit') === '1',
    (_request, response) => respond(response, 500, status(500, 'InternalError', 'etcd').body),
  );
  await caughtUp();
  expect(has('unseen')).toBe(true);
});

test('it ends with its signal, while the first list is still to come', async () => {
  server.inject(isWatch, () => {}, 1000);
  running = reflector.run(stop.signal);
  const done = caughtUp();
  await server.until(() => server.requests.length === 1);
  stop.abort();
  await done;
});
