/** RBAC that is not enough: said once and clearly, shown by readiness, and no reason to hold the lease for ever. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CacheSyncError, catchUp } from '../../src/kube/catch-up.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { LeaderElector } from '../../src/kube/leader-election.ts';
import { type Logger, silentLogger } from '../../src/kube/logger.ts';
import { Reflector } from '../../src/kube/reflector.ts';
import { type KubeObject, pods } from '../../src/kube/resource.ts';
import { Store, type Stored } from '../../src/kube/store.ts';
import { FakeServer, type Request, respond, status } from './fake-server.ts';

const PODS = '/api/v1/pods';
const isWatch = ({ query }: Request) => query.get('watch') === 'true';

let server: FakeServer;
let client: KubeClient;
let stop: AbortController;
let running: Promise<unknown>;
let errors: { fields: object; message: string }[];
let logger: Logger;

beforeEach(async () => {
  server = await FakeServer.start();
  client = new KubeClient(server.connection());
  stop = new AbortController();
  running = Promise.resolve();
  errors = [];
  logger = { ...silentLogger, error: (fields, message) => errors.push({ fields, message }) };
});
afterEach(async () => {
  stop.abort();
  await running;
  await client.close();
  await server.stop();
});

function reflect(namespace?: string): Reflector<Stored> {
  const reflector = new Reflector<Stored>({
    client,
    resource: pods,
    ...(namespace !== undefined && { namespace }),
    project: ({ metadata: { uid, namespace: inside = '', name, resourceVersion } }: KubeObject) => ({
      uid,
      namespace: inside,
      name,
      resourceVersion,
    }),
    store: new Store(),
    onChange: () => {},
    logger,
    timings: { backoff: { initialMs: 5, maxMs: 20 }, giveUpMs: 100 },
  });
  running = reflector.run(stop.signal);
  return reflector;
}

/** Refuses what matches, in the API server's words, until it is granted. */
function forbid(matches: (request: Request) => boolean, words: string): { grant(): void; readonly asked: number } {
  let granted = false;
  let asked = 0;
  server.inject(
    (request) => !granted && matches(request),
    (_request, response) => {
      asked += 1;
      respond(response, 403, status(403, 'Forbidden', words).body);
    },
    100_000,
  );
  return {
    grant: () => {
      granted = true;
    },
    get asked() {
      return asked;
    },
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const watchWords = 'pods is forbidden: User "op" cannot watch resource "pods" in API group "" at the cluster scope';

test('a watch that is not allowed is said once with resource, verb and scope, and goes on once it is granted', async () => {
  const right = forbid(isWatch, watchWords);
  const reflector = reflect();
  await server.until(() => right.asked >= 5);
  expect(errors).toEqual([
    {
      fields: { resource: 'pods', verb: 'watch', namespace: undefined },
      message: `not allowed to watch pods in all namespaces; the API server says: ${watchWords}`,
    },
  ]);
  expect(reflector.problem).toEqual({ message: errors[0]?.message, forbidden: true });
  right.grant();
  await reflector.synced;
  expect(reflector.problem).toBeUndefined();
  expect(errors).toHaveLength(1);
});

test('a list that is not allowed names the verb and the namespace', async () => {
  server.streamingLists = false;
  const right = forbid((request) => !isWatch(request), 'no');
  reflect('shop');
  await server.until(() => right.asked >= 2);
  expect(errors).toEqual([
    {
      fields: { resource: 'pods', verb: 'list', namespace: 'shop' },
      message: 'not allowed to list pods in namespace shop; the API server says: no',
    },
  ]);
});

test('a right taken away later is said, and the cache is listed anew once it is back', async () => {
  const reflector = reflect();
  const watch = await server.nextWatch(0);
  await reflector.synced;
  const right = forbid(isWatch, watchWords);
  watch.cut();
  await until(() => reflector.problem?.forbidden === true);
  server.put(PODS, { metadata: { name: 'unseen', namespace: 'shop' } });
  right.grant();
  await until(() => reflector.problem === undefined);
  await until(() => reflector.size === 1);
  expect(errors).toHaveLength(1);
});

test('a server that cannot be asked is a problem too, but not one of rights', async () => {
  server.inject(isWatch, (_request, response) => response.destroy(), 100_000);
  const reflector = reflect();
  await until(() => reflector.problem !== undefined);
  expect(reflector.problem).toMatchObject({ message: expect.stringContaining('no answer'), forbidden: false });
  expect(errors).toEqual([]);
});

test('a kind that the server does not have is said once, and watched once it is there', async () => {
  let asked = 0;
  let there = false;
  server.inject(
    (request) => !there && request.path.startsWith(PODS),
    (_request, response) => {
      asked += 1;
      // As for a group that it does not know: no Status.
      response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found\n');
    },
    100_000,
  );
  const said: string[] = [];
  logger = {
    ...logger,
    info: (_fields, message) => said.push(message),
    warn: (_fields, message) => said.push(message),
  };
  const reflector = reflect();
  await server.until(() => asked >= 5);
  expect(said).toEqual(['the API server has no pods of version v1']);
  expect(reflector.problem).toEqual({ message: said[0], forbidden: false, absent: true });
  there = true;
  await reflector.synced;
  expect(reflector.problem).toBeUndefined();
  expect(errors).toEqual([]);
});

test('caches that stay incomplete end the wait with an error that says which and why', async () => {
  forbid(isWatch, watchWords);
  const reflector = reflect();
  const error = await catchUp([reflector], { logger, signal: stop.signal, timeoutMs: 300 }).catch((caught) => caught);
  expect(error).toBeInstanceOf(CacheSyncError);
  expect(error.message).toBe(
    `these caches were not complete within 0.3 s: pods (not allowed to watch pods in all namespaces; the API server says: ${watchWords})`,
  );
});

test('a wait that is called off throws nothing', async () => {
  forbid(isWatch, watchWords);
  const reflector = reflect();
  const done = catchUp([reflector], { logger, signal: stop.signal, timeoutMs: 60_000 });
  await until(() => reflector.problem !== undefined);
  stop.abort();
  await expect(done).resolves.toBeUndefined();
});

test('who may watch but not list catches up with a streamed list', async () => {
  const reflector = reflect();
  await server.nextWatch(0);
  await reflector.synced;
  server.frozen = true;
  server.put(PODS, { metadata: { name: 'unseen', namespace: 'shop' } });
  forbid((request) => !isWatch(request), 'no list');
  await catchUp([reflector], { logger, signal: stop.signal, timeoutMs: 60_000 });
  expect(reflector.size).toBe(1);
  expect(reflector.lists).toBe(2);
});

test('a lease that may not be taken is said once, and taken once that is granted', async () => {
  const right = forbid(({ method, path }) => path.includes('/leases') && method === 'POST', 'no create');
  const started = Promise.withResolvers<void>();
  const elector = new LeaderElector({
    client,
    namespace: 'ops',
    name: 'operator',
    identity: 'one',
    lead: (signal) => {
      started.resolve();
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    },
    logger,
    timings: { leaseDurationMs: 1000, renewDeadlineMs: 600, retryPeriodMs: 50 },
  });
  running = elector.run(stop.signal);
  await server.until(() => right.asked >= 3);
  const message = 'not allowed to create leases.coordination.k8s.io in namespace ops; the API server says: no create';
  expect(errors.map((error) => error.message)).toEqual([message]);
  expect(elector.missingRight).toBe(message);
  right.grant();
  await started.promise;
  expect(elector.missingRight).toBeUndefined();
});
