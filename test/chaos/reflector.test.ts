import { afterEach, beforeEach, expect, test } from 'vitest';
import { KubeClient } from '../../src/kube/client.ts';
import { silentLogger } from '../../src/kube/logger.ts';
import { Reflector } from '../../src/kube/reflector.ts';
import type { ReflectorTimings } from '../../src/kube/reflector-options.ts';
import { type KubeObject, pods } from '../../src/kube/resource.ts';
import { type Change, Store, type Stored } from '../../src/kube/store.ts';
import { bookmark, FakeServer, type Request, respond, status } from './fake-server.ts';

interface Record extends Stored {
  readonly note: string;
}

const PODS = '/api/v1/pods';
const timings: Partial<ReflectorTimings> = {
  backoff: { initialMs: 5, maxMs: 40 },
  silenceMs: 10_000,
  healthyMs: 50,
  giveUpMs: 60_000,
};
const isWatch = ({ query }: Request) => query.get('watch') === 'true';
const isResume = (request: Request) => isWatch(request) && request.query.has('resourceVersion');

let server: FakeServer;
let client: KubeClient;
let stop: AbortController;
let running: Promise<void>;
let store: Store<Record>;
let reflector: Reflector<Record>;
let seen: string[];
let wake: () => void;

beforeEach(async () => {
  server = await FakeServer.start();
  client = new KubeClient(server.connection());
  stop = new AbortController();
  running = Promise.resolve();
  seen = [];
  wake = () => {};
  store = new Store({ byNote: ({ note }) => [note] });
});
afterEach(async () => {
  stop.abort();
  await running;
  await client.close();
  await server.stop();
});

interface Hooks {
  readonly timings?: Partial<ReflectorTimings>;
  readonly project?: (raw: KubeObject) => Record;
  readonly onChange?: (change: Change<Record>) => void;
}

/** Starts a reflector whose changes are noted as `added a`, `modified a`… */
function reflect(hooks: Hooks = {}): void {
  reflector = new Reflector<Record>({
    client,
    resource: pods,
    labelSelector: 'app=web',
    project: hooks.project ?? project,
    store,
    onChange: (change) => {
      seen.push(`${change.type} ${change.object.name}`);
      wake();
      hooks.onChange?.(change);
    },
    logger: silentLogger,
    timings: { ...timings, ...hooks.timings },
  });
  running = reflector.run(stop.signal);
}

function project(raw: KubeObject): Record {
  const { uid, namespace = '', name, resourceVersion, annotations } = raw.metadata;
  return { uid, namespace, name, resourceVersion, note: annotations?.note ?? '' };
}

function pod(name: string, note = '') {
  return { metadata: { name, namespace: 'default', annotations: { note } } };
}

/** Resolves at the change that makes the condition true. */
function until(condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    wake = () => {
      if (condition()) resolve();
    };
    wake();
  });
}

const names = () => [...store.values()].map(({ name }) => name).sort();

test('the first list is one consistent streamed read, followed by changes on the same stream', async () => {
  server.put(PODS, pod('a'));
  server.put(PODS, pod('b'));
  reflect();
  expect(reflector.isSynced).toBe(false);
  expect(reflector.observedResourceVersion).toBe(0n);
  await reflector.synced;
  expect(seen).toEqual(['added a', 'added b']);
  expect(reflector.observedResourceVersion).toBe(102n);

  server.put(PODS, pod('c'));
  server.put(PODS, pod('a', 'changed'));
  server.remove(PODS, { namespace: 'default', name: 'b' });
  await until(() => seen.length === 5);
  expect(seen.slice(2)).toEqual(['added c', 'modified a', 'deleted b']);
  expect(store.by('byNote', 'changed')).toHaveLength(1);
  expect(reflector.observedResourceVersion).toBe(105n);
  const [first] = server.requests;
  expect(server.requests).toHaveLength(1);
  expect(first?.query.has('resourceVersion')).toBe(false);
  expect(Object.fromEntries(first?.query ?? [])).toMatchObject({
    sendInitialEvents: 'true',
    resourceVersionMatch: 'NotOlderThan',
    allowWatchBookmarks: 'true',
    labelSelector: 'app=web',
  });
  expect(Number(first?.query.get('timeoutSeconds'))).toBeGreaterThanOrEqual(300);
  expect(Number(first?.query.get('timeoutSeconds'))).toBeLessThanOrEqual(600);
});

test('nothing is visible before the list is complete', async () => {
  server.inject(isWatch, (_request, response) => {
    response.write(`${JSON.stringify({ type: 'ADDED', object: server.put(PODS, pod('a')) })}\n`);
    response.write(`${JSON.stringify(bookmark(server.resourceVersion))}\n`);
    response.end();
  });
  reflect();
  await reflector.synced;
  expect(seen).toEqual(['added a']);
  expect(server.requests).toHaveLength(2);
  expect(server.requests.some(isResume)).toBe(false);
});

test('a server that does not stream lists is read in pages of 500', async () => {
  server.streamingLists = false;
  for (let count = 0; count < 1001; count += 1) server.put(PODS, pod(`p${count}`));
  reflect();
  await reflector.synced;
  expect(store.size).toBe(1001);
  const lists = server.requests.filter((request) => !isWatch(request));
  expect(lists.map(({ query }) => query.get('continue'))).toEqual([null, '500', '1000']);
  expect(lists[0]?.query.has('resourceVersion')).toBe(false);
  await server.nextWatch(0);
  expect(server.requests.at(-1)?.query.get('resourceVersion')).toBe(String(server.resourceVersion));
});

test('a page token that expired begins the list anew', async () => {
  server.streamingLists = false;
  for (let count = 0; count < 600; count += 1) server.put(PODS, pod(`p${count}`));
  server.inject(
    ({ query }) => query.has('continue'),
    (_request, response) => respond(response, 410, status(410, 'Expired', 'continue token too old').body),
  );
  reflect();
  await reflector.synced;
  expect(store.size).toBe(600);
});

test('an event cut in the middle of its line and resumed is neither lost nor doubled', async () => {
  server.put(PODS, pod('a'));
  reflect();
  const watch = await server.nextWatch(0);
  await reflector.synced;
  server.frozen = true;
  const half = JSON.stringify({ type: 'ADDED', object: server.put(PODS, pod('b', 'zwölf')) });
  await watch.raw(half.slice(0, half.length - 10));
  watch.cut();
  server.frozen = false;
  await server.nextWatch(1);
  server.put(PODS, pod('c'));
  await until(() => seen.length >= 3);
  expect(seen).toEqual(['added a', 'added b', 'added c']);
  expect(server.requests.at(-1)?.query.get('resourceVersion')).toBe('101');
});

test('an event that arrives in pieces, split inside a character, is read whole', async () => {
  reflect();
  const watch = await server.nextWatch(0);
  await reflector.synced;
  const line = Buffer.from(`${JSON.stringify({ type: 'ADDED', object: fromServer('a', 'größer ✓ 🚢') })}\n`);
  for (const byte of line) await watch.raw(Buffer.from([byte]));
  await until(() => seen.length === 1);
  expect(store.get('default', 'a')?.note).toBe('größer ✓ 🚢');
});

function fromServer(name: string, note: string) {
  return { metadata: { ...pod(name, note).metadata, uid: 'u', resourceVersion: String(server.advance(1)) } };
}

test('a watch that the server ends resumes at the last resourceVersion', async () => {
  server.put(PODS, pod('a'));
  reflect();
  const watch = await server.nextWatch(0);
  await reflector.synced;
  watch.end();
  await server.nextWatch(1);
  server.put(PODS, pod('b'));
  await until(() => seen.length === 2);
  expect(server.requests.at(-1)?.query.get('resourceVersion')).toBe('101');
  expect(server.requests).toHaveLength(2);
});

for (const how of ['status', 'event'] as const) {
  test(`410 as ${how} lists again and synthesises the deletes that went unseen`, async () => {
    server.put(PODS, pod('a'));
    server.put(PODS, pod('b'));
    server.put(PODS, pod('c'));
    reflect();
    const watch = await server.nextWatch(0);
    await reflector.synced;
    server.frozen = true;
    server.remove(PODS, { namespace: 'default', name: 'a' });
    server.remove(PODS, { namespace: 'default', name: 'b' });
    server.put(PODS, pod('b'));
    server.put(PODS, pod('d'));
    server.refuseCompactedBy = how;
    server.compactedBefore = server.resourceVersion;
    server.frozen = false;
    watch.cut();
    await until(() => seen.includes('added d'));
    expect(seen.slice(3)).toEqual(['deleted a', 'deleted b', 'added b', 'added d']);
    expect(names()).toEqual(['b', 'c', 'd']);
    expect(reflector.observedResourceVersion).toBe(BigInt(server.resourceVersion));
  });
}

test('429 keeps the resourceVersion and waits as long as asked', async () => {
  server.put(PODS, pod('a'));
  reflect();
  const watch = await server.nextWatch(0);
  await reflector.synced;
  server.inject(isResume, (_request, response) => {
    respond(response, 429, status(429, 'TooManyRequests', 'slow down').body, { 'retry-after': '0.2' });
  });
  watch.cut();
  await server.until(() => server.requests.filter(isResume).length === 1);
  const refused = performance.now();
  await server.nextWatch(1);
  expect(performance.now() - refused).toBeGreaterThanOrEqual(190);
  expect(server.requests.filter(isResume).map(({ query }) => query.get('resourceVersion'))).toEqual(['101', '101']);
});

test('a resourceVersion the server goes on refusing is given up for a list', async () => {
  server.put(PODS, pod('a'));
  reflect({ timings: { giveUpMs: 100 } });
  const watch = await server.nextWatch(0);
  await reflector.synced;
  server.inject(
    isResume,
    (_request, response) => respond(response, 504, status(504, 'Timeout', 'Too large resource version').body),
    1000,
  );
  watch.cut();
  await server.nextWatch(1);
  expect(server.requests.at(-1)?.query.get('sendInitialEvents')).toBe('true');
});

test('a server that closes its connections is followed over new ones, without a gap', async () => {
  server.put(PODS, pod('a'));
  reflect();
  await server.nextWatch(0);
  await reflector.synced;
  server.inject(isResume, (_request, response) => response.writeHead(200, { connection: 'close' }).end());
  server.disconnect();
  server.put(PODS, pod('b'));
  await server.nextWatch(1);
  server.put(PODS, pod('c'));
  await until(() => seen.length === 3);
  expect(seen).toEqual(['added a', 'added b', 'added c']);
  expect(server.connections).toBe(3);
});

test('a watch refused with 401 reads the credentials anew and goes on where it was', async () => {
  server.put(PODS, pod('a'));
  let token = 'old';
  const connection = {
    ...server.connection(),
    authorize: async (headers: { authorization?: string }) => {
      headers.authorization = token;
    },
    expire: () => {
      token = 'new';
    },
  };
  await client.close();
  client = new KubeClient(connection);
  reflect();
  const watch = await server.nextWatch(0);
  await reflector.synced;
  server.inject(
    ({ headers }) => headers.authorization === 'old',
    (_request, response) => respond(response, 401, status(401, 'Unauthorized', 'Unauthorized').body),
    1000,
  );
  watch.cut();
  const next = await server.nextWatch(1);
  expect(next.request.headers.authorization).toBe('new');
  expect(next.request.query.get('resourceVersion')).toBe('101');
});

test('500s are waited out, each longer than the last, and the resourceVersion is kept', async () => {
  server.put(PODS, pod('a'));
  reflect({ timings: { backoff: { initialMs: 40, maxMs: 1000 } } });
  const watch = await server.nextWatch(0);
  await reflector.synced;
  const asked: number[] = [];
  server.inject(
    isResume,
    (_request, response) => {
      asked.push(performance.now());
      respond(response, 500, status(500, 'InternalError', 'etcd').body);
    },
    4,
  );
  watch.cut();
  const next = await server.nextWatch(1);
  expect(next.request.query.get('resourceVersion')).toBe('101');
  const [first = 0, , , last = 0] = asked;
  expect(last - first).toBeGreaterThanOrEqual(40 + 80 + 160 - 5);
});

test('events that come twice or late change nothing', async () => {
  reflect();
  const watch = await server.nextWatch(0);
  await reflector.synced;
  const first = server.put(PODS, pod('a', 'first'));
  const second = server.put(PODS, pod('a', 'second'));
  const gone = server.put(PODS, pod('b'));
  server.remove(PODS, { namespace: 'default', name: 'b' });
  watch.send({ type: 'ADDED', object: first });
  watch.send({ type: 'MODIFIED', object: second });
  watch.send({ type: 'ADDED', object: gone });
  server.put(PODS, pod('c'));
  await until(() => seen.includes('added c'));
  expect(seen).toEqual(['added a', 'modified a', 'added b', 'deleted b', 'added c']);
  expect(store.get('default', 'a')?.note).toBe('second');
  expect(names()).toEqual(['a', 'c']);
});

/** Answers the next lists with what was there at resourceVersion 101: one pod. */
function answerStale(times: number): void {
  const old = { metadata: { ...pod('a').metadata, uid: 'uid-101', resourceVersion: '101' } };
  server.inject(
    ({ query }) => query.get('sendInitialEvents') === 'true',
    (_request, response) => {
      response.write(`${JSON.stringify({ type: 'ADDED', object: old })}\n`);
      response.write(`${JSON.stringify(bookmark(101, { 'k8s.io/initial-events-end': 'true' }))}\n`);
    },
    times,
  );
}

test('a list older than what was seen does not turn back time', async () => {
  server.put(PODS, pod('a'));
  server.put(PODS, pod('b'));
  reflect();
  await server.nextWatch(0);
  await reflector.synced;
  answerStale(3);
  reflector.relist();
  await server.nextWatch(1);
  server.put(PODS, pod('c'));
  await until(() => seen.includes('added c'));
  expect(seen).toEqual(['added a', 'added b', 'added c']);
  expect(reflector.lists).toBe(2);
});

test('a list asked for while events stream in is not forgotten for them', async () => {
  reflect({
    onChange: ({ object }) => {
      if (object.name === 'a') reflector.relist();
    },
  });
  const watch = await server.nextWatch(0);
  await reflector.synced;
  server.frozen = true;
  const lines = ['a', 'b', 'c'].map((name) => JSON.stringify({ type: 'ADDED', object: server.put(PODS, pod(name)) }));
  await watch.raw(`${lines.join('\n')}\n`);
  await until(() => seen.includes('added c'));
  expect(reflector.lists).toBe(2);
});

test('older lists that go on coming are believed: the store was restored from a backup', async () => {
  server.put(PODS, pod('a'));
  server.put(PODS, pod('b'));
  reflect({ timings: { giveUpMs: 100 } });
  await server.nextWatch(0);
  await reflector.synced;
  const before = performance.now();
  answerStale(1000);
  reflector.relist();
  await until(() => reflector.lists === 2);
  expect(performance.now() - before).toBeGreaterThanOrEqual(100);
  expect(names()).toEqual(['a']);
  expect(reflector.observedResourceVersion).toBe(101n);
});

test('a silent stream is detected and resumed where it was', async () => {
  reflect({ timings: { silenceMs: 200 } });
  await server.nextWatch(0);
  await reflector.synced;
  server.frozen = true;
  server.put(PODS, pod('missed'));
  await server.nextWatch(1);
  await until(() => seen.length === 1);
  expect(seen).toEqual(['added missed']);
  expect(server.requests.filter(isResume)).toHaveLength(1);
  expect(server.watches[0]?.closed).toBe(true);
});

test('a bookmark moves observedResourceVersion and the place to resume', async () => {
  server.put(PODS, pod('a'));
  reflect();
  const watch = await server.nextWatch(0);
  await reflector.synced;
  watch.send(bookmark(server.advance(1000)));
  watch.end();
  await server.nextWatch(1);
  expect(reflector.observedResourceVersion).toBe(1101n);
  expect(server.requests.at(-1)?.query.get('resourceVersion')).toBe('1101');
});

test('a server that ends every watch at once is not asked in a tight loop', async () => {
  reflect({ timings: { backoff: { initialMs: 100, maxMs: 400 } } });
  await server.nextWatch(0);
  await reflector.synced;
  server.inject(isResume, (_request, response) => response.writeHead(200).end(), 3);
  const started = performance.now();
  server.watches[0]?.end();
  await server.nextWatch(1);
  expect(performance.now() - started).toBeGreaterThanOrEqual(50 + 100 + 200 + 200 - 5);
});

test('an object that cannot be read is left out, a handler that throws is survived', async () => {
  server.put(PODS, pod('a'));
  server.put(PODS, pod('broken'));
  server.put(PODS, pod('b'));
  reflect({
    project: (raw) => {
      if (raw.metadata.name === 'broken') throw new Error('cannot read this');
      return project(raw);
    },
    onChange: () => {
      throw new Error('handler failed');
    },
  });
  await reflector.synced;
  server.put(PODS, pod('c'));
  await until(() => seen.includes('added c'));
  expect(seen).toEqual(['added a', 'added b', 'added c']);
  expect(names()).toEqual(['a', 'b', 'c']);
  expect(server.requests).toHaveLength(1);
});

test('an object deleted in a state that cannot be read still leaves the store', async () => {
  server.put(PODS, pod('a'));
  let broken = false;
  reflect({
    project: (raw) => {
      if (broken) throw new Error('cannot read this');
      return project(raw);
    },
  });
  await reflector.synced;
  broken = true;
  server.remove(PODS, { namespace: 'default', name: 'a' });
  await until(() => seen.length === 2);
  expect(store.size).toBe(0);
});

test('it tells for how long it has heard nothing, whatever came last', async () => {
  reflect();
  const watch = await server.nextWatch(0);
  await reflector.synced;
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(reflector.silentMs).toBeGreaterThanOrEqual(490);
  watch.send(bookmark(server.advance(1)));
  while (reflector.observedResourceVersion < 101n) await new Promise((resolve) => setImmediate(resolve));
  expect(reflector.silentMs).toBeLessThan(490);
});

test('a reflector that has not begun is not silent', () => {
  const waiting = new Reflector<Record>({
    client,
    resource: pods,
    project,
    store: new Store(),
    onChange: () => {},
    logger: silentLogger,
  });
  expect(waiting.silentMs).toBe(0);
});

test('run ends soon after its signal, whatever it waits for', async () => {
  reflect();
  await server.nextWatch(0);
  stop.abort();
  await running;
  expect(server.requests).toHaveLength(1);
});
