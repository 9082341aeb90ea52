import { afterEach, beforeEach, expect, test } from 'vitest';
import { KubeClient } from '../../src/kube/client.ts';
import { ApiError, ConnectionError, isAlreadyExists, isAmbiguous, isNotFound } from '../../src/kube/errors.ts';
import { type KubeObject, pods } from '../../src/kube/resource.ts';
import { FakeServer, type Request, respond, status } from './fake-server.ts';

let server: FakeServer;
let client: KubeClient;
const at = { namespace: 'default', name: 'web' };
const pod = { metadata: { name: 'web', namespace: 'default' } };
const calls = {
  POST: () => client.create(pods, { namespace: 'default' }, { metadata: { name: 'other' } }),
  PUT: () => client.update(pods, at, pod),
  PATCH: () => client.patch(pods, at, {}),
  DELETE: () => client.delete(pods, at),
};
const isPost = (request: Request) => request.method === 'POST';

beforeEach(async () => {
  server = await FakeServer.start();
  client = new KubeClient(server.connection());
});
afterEach(async () => {
  await client.close();
  await server.stop();
});

test('calls one after the other share a connection', async () => {
  const single = new KubeClient(server.connection(), { maxConnections: 1 });
  server.put('/api/v1/pods', pod);
  for (let call = 0; call < 50; call += 1) await single.get(pods, at);
  expect(server.connections).toBe(1);
  await single.close();
});

test('many calls at once open no more connections than the limit', async () => {
  const bounded = new KubeClient(server.connection(), { maxConnections: 4 });
  server.put('/api/v1/pods', pod);
  await Promise.all(Array.from({ length: 100 }, () => bounded.get(pods, at)));
  expect(server.connections).toBe(4);
  await bounded.close();
});

test('an answer that is not 2xx throws the message, reason and place of the server', async () => {
  const error = await client.get(pods, at).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({
    status: 404,
    reason: 'NotFound',
    method: 'GET',
    path: '/api/v1/namespaces/default/pods/web',
    message: '/api/v1/namespaces/default/pods/web not found',
  });
  expect(isNotFound(error)).toBe(true);
});

test('a lost response of a create surfaces as ambiguous, and the same create again meets AlreadyExists', async () => {
  server.inject(isPost, (_request, response, carryOut) => {
    carryOut();
    response.destroy();
  });
  const lost = await client.create(pods, { namespace: 'default' }, pod).catch((caught: unknown) => caught);
  expect(lost).toBeInstanceOf(ConnectionError);
  expect(isAmbiguous(lost)).toBe(true);
  expect(server.requests.filter(isPost)).toHaveLength(1);

  const again = await client.create(pods, { namespace: 'default' }, pod).catch((caught: unknown) => caught);
  expect(isAlreadyExists(again)).toBe(true);
});

test('a refused connection is not ambiguous: nothing was sent', async () => {
  const connection = server.connection();
  await server.stop();
  const unreachable = new KubeClient(connection);
  const error = await unreachable.create(pods, { namespace: 'default' }, pod).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: 'ECONNREFUSED', sent: false });
  expect(isAmbiguous(error)).toBe(false);
  await unreachable.close();
  server = await FakeServer.start();
});

test('a read is sent again after its connection was reset', async () => {
  server.put('/api/v1/pods', pod);
  server.inject(
    () => true,
    (_request, response) => response.destroy(),
    2,
  );
  const found = await client.get<KubeObject>(pods, at);
  expect(found.metadata.name).toBe('web');
  expect(server.requests).toHaveLength(3);
});

test('a create refused with 429 and Retry-After is sent again, not sooner than asked', async () => {
  server.inject(isPost, (_request, response) => {
    respond(response, 429, status(429, 'TooManyRequests', 'slow down').body, { 'retry-after': '0.2' });
  });
  const started = performance.now();
  await client.create(pods, { namespace: 'default' }, pod);
  expect(performance.now() - started).toBeGreaterThanOrEqual(195);
  expect(server.requests.filter(isPost)).toHaveLength(2);
});

test('a Retry-After beyond a minute is the caller’s to see, too', async () => {
  server.inject(isPost, (_request, response) => {
    respond(response, 429, status(429, 'TooManyRequests', 'slow down').body, { 'retry-after': '3600' });
  });
  const error = await client.create(pods, { namespace: 'default' }, pod).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ status: 429, retryAfterSeconds: 3600 });
});

test('429 without Retry-After is the caller’s to see', async () => {
  server.inject(isPost, (_request, response) => respond(response, 429, status(429, 'TooManyRequests', 'full').body));
  await expect(client.create(pods, { namespace: 'default' }, pod)).rejects.toMatchObject({ status: 429 });
  expect(server.requests).toHaveLength(1);
});

test('a create that failed with 500 and Retry-After is not repeated, a read is', async () => {
  const busy = status(500, 'ServerTimeout', 'try again');
  server.put('/api/v1/pods', pod);
  server.inject(
    () => true,
    (_request, response) => respond(response, 500, busy.body, { 'retry-after': '0' }),
    2,
  );
  await expect(client.create(pods, { namespace: 'default' }, pod)).rejects.toMatchObject({ status: 500 });
  await client.get(pods, at);
  expect(server.requests.map(({ method }) => method)).toEqual(['POST', 'GET', 'GET']);
});

for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
  test(`a ${method} refused with 503 and Retry-After was not carried out: it is sent again`, async () => {
    server.put('/api/v1/pods', pod);
    server.inject(
      () => true,
      (_request, response) =>
        respond(response, 503, status(503, 'ServiceUnavailable', 'shutting down').body, { 'retry-after': '0' }),
    );
    await calls[method]();
    expect(server.requests.map((request) => request.method)).toEqual([method, method]);
  });
}

test('a call that is refused again and again is given up after ten attempts', async () => {
  server.inject(
    () => true,
    (_request, response) => respond(response, 429, status(429, 'TooManyRequests', 'full').body, { 'retry-after': '0' }),
    100,
  );
  await expect(client.get(pods, at)).rejects.toMatchObject({ status: 429 });
  expect(server.requests).toHaveLength(10);
});

test('a server that closes its connection after each answer gets each call over a new one', async () => {
  server.put('/api/v1/pods', pod);
  server.inject(
    () => true,
    (_request, response, carryOut) => respond(response, 200, carryOut().body, { connection: 'close' }),
    5,
  );
  for (let call = 0; call < 5; call += 1) await client.patch(pods, at, {});
  expect(server.requests).toHaveLength(5);
  expect(server.connections).toBe(5);
});

test('a write after the server closed the idle connection is sent once, over a new one', async () => {
  server.put('/api/v1/pods', pod);
  await client.get(pods, at);
  server.disconnect();
  await client.patch(pods, at, {});
  expect(server.requests.map(({ method }) => method)).toEqual(['GET', 'PATCH']);
  expect(server.connections).toBe(2);
});

test('a call without an answer ends at its timeout, and the client goes on working', async () => {
  server.put('/api/v1/pods', pod);
  server.inject(
    () => true,
    () => {},
  );
  await expect(client.get(pods, at, { timeoutMs: 100 })).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  await expect(client.get(pods, at)).resolves.toMatchObject(pod);
});

test('an answer that stops half-way ends at the timeout too', async () => {
  server.inject(
    () => true,
    (_request, response) => response.write('{"metadata":'),
  );
  await expect(client.get(pods, at, { timeoutMs: 100 })).rejects.toMatchObject({ code: 'ETIMEDOUT' });
});

test('a caller’s abort ends the call with the caller’s reason', async () => {
  server.inject(
    () => true,
    () => {},
  );
  const abort = new AbortController();
  const call = client.get(pods, at, { signal: abort.signal });
  await server.until(() => server.requests.length === 1);
  abort.abort(new Error('enough'));
  await expect(call).rejects.toThrow('enough');
});

test('after 401 the credentials are read anew, once', async () => {
  let token = 'old';
  let expired = 0;
  const connection = {
    ...server.connection(),
    authorize: async (headers: Record<string, string>) => {
      headers.authorization = `Bearer ${token}`;
    },
    expire: () => {
      expired += 1;
      token = 'new';
    },
  };
  const rotating = new KubeClient(connection);
  server.put('/api/v1/pods', pod);
  server.inject(
    ({ headers }) => headers.authorization === 'Bearer old',
    (_request, response) => respond(response, 401, status(401, 'Unauthorized', 'Unauthorized').body),
    10,
  );
  await expect(rotating.get(pods, at)).resolves.toMatchObject(pod);
  expect(expired).toBe(1);
  await rotating.close();
});

test('no error carries the credentials', async () => {
  const secret = 'hunter2';
  const careful = new KubeClient(server.connection({ authorization: `Bearer ${secret}` }));
  server.inject(isPost, (_request, response) => response.destroy());
  const errors = await Promise.all([
    careful.get(pods, at).catch((caught: unknown) => caught),
    careful.create(pods, { namespace: 'default' }, pod).catch((caught: unknown) => caught),
  ]);
  for (const error of errors) {
    const { inspect } = await import('node:util');
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(secret);
  }
  await careful.close();
});

test('what is not a Status is shown as far as it helps', async () => {
  server.inject(
    () => true,
    (_request, response) => response.writeHead(502).end('<html>bad gateway</html>'),
  );
  await expect(client.get(pods, at)).rejects.toMatchObject({
    status: 502,
    reason: '',
    message: expect.stringContaining('bad gateway'),
  });
});

test('deletes carry their preconditions, patches their type', async () => {
  server.put('/api/v1/pods', pod);
  await client.patch(pods, at, { metadata: { labels: { a: 'b' } } });
  await client.delete(pods, at, { gracePeriodSeconds: 0, preconditions: { uid: 'u' } });
  const [patch, remove] = server.requests;
  expect(patch?.headers['content-type']).toBe('application/merge-patch+json');
  expect(JSON.parse(remove?.body ?? '')).toMatchObject({ gracePeriodSeconds: 0, preconditions: { uid: 'u' } });
});
