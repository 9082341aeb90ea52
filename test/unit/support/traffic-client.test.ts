/** What the client of the zero-loss tests repeats, and what it calls lost. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { TrafficStream } from '../../support/traffic.ts';
import type { RequestKind } from '../../support/traffic-client.ts';

const NONE = { 'keep-alive': 0, 'new connection': 0, 'slow keep-alive': 0, 'slow new connection': 0, websocket: 0 };

const good = (response: ServerResponse): unknown => response.setHeader('x-task', 'one').end('one\n');

/** @param answer is told how many requests the connection has had, this one included. */
async function serverThat(
  answer: (response: ServerResponse, onConnection: number, request: IncomingMessage) => unknown,
): Promise<Server> {
  const counts = new WeakMap<object, number>();
  const server = createServer((request, response) => {
    const count = (counts.get(request.socket) ?? 0) + 1;
    counts.set(request.socket, count);
    answer(response, count, request);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return server;
}

const streamAt = (server: Server, kind: RequestKind): Promise<TrafficStream> =>
  TrafficStream.onThisMachine({
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    seconds: 30,
    lanes: { ...NONE, [kind]: 1 },
  });

it('repeats once a request on a connection used before that was reset before the first byte', async () => {
  const enough = Promise.withResolvers<void>();
  let resets = 0;
  const server = await serverThat((response, onConnection) => {
    if (onConnection === 1) return good(response);
    resets += 1;
    if (resets === 3) enough.resolve();
    return response.socket?.resetAndDestroy();
  });
  const stream = await streamAt(server, 'keep-alive');
  await enough.promise;
  const summary = await stream.end();
  expect(stream.failures).toEqual([]);
  expect(summary.repeats).toBe(resets);
  expect(summary.answeredBy).toEqual({ one: summary.requests });
});

it('repeats it once, and no more', async () => {
  let isOver = false;
  const server = await serverThat((response, onConnection) => {
    isOver ||= onConnection === 2;
    return isOver ? response.socket?.resetAndDestroy() : good(response);
  });
  const stream = await streamAt(server, 'keep-alive');
  expect(await stream.failureOf('keep-alive')).toMatchObject({ error: 'read ECONNRESET' });
  expect(await stream.end()).toMatchObject({ repeats: 1 });
});

it.each<[string, (response: ServerResponse) => unknown, RequestKind, RegExp]>([
  ['a new connection that is reset', (response) => response.socket?.resetAndDestroy(), 'new connection', /ECONNRESET/],
  [
    'an answer that is cut off, on a connection used before as well',
    (response) => response.setHeader('x-task', 'one').write('o', () => response.socket?.destroy()),
    'slow keep-alive',
    /^cut off within the answer/,
  ],
  ['an answer other than 200', (response) => response.writeHead(503).end('no'), 'keep-alive', /^503 "no"$/],
  ['a WebSocket that is refused', (response) => response.writeHead(503).end(), 'websocket', /./],
])('calls lost %s', async (_, answer, kind, error) => {
  const server = await serverThat((response, onConnection) =>
    kind === 'slow keep-alive' && onConnection === 1 ? good(response) : answer(response),
  );
  const stream = await streamAt(server, kind);
  expect(await stream.failureOf(kind)).toMatchObject({ kind, error: expect.stringMatching(error) });
  const summary = await stream.end();
  expect(summary.failures).toBe(stream.failures.length);
  expect(summary.repeats).toBe(0);
});

it('calls lost what finds nobody', async () => {
  const server = await serverThat(good);
  const stream = await streamAt(server, 'new connection');
  await new Promise((resolve) => server.close(resolve));
  expect(await stream.failureOf('new connection')).toMatchObject({ error: expect.stringContaining('ECONNREFUSED') });
  await stream.end();
});
