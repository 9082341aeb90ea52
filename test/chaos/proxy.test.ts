/** A cluster behind a proxy, as a kubeconfig's proxy-url names it. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Authority } from '../../dev/cluster/certificates.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { loadConnection } from '../../src/kube/connection.ts';
import { NotLeaderError } from '../../src/kube/errors.ts';
import { pods } from '../../src/kube/resource.ts';
import { FakeServer } from './fake-server.ts';

let dir: string;
let server: FakeServer;
let proxy: Server;
let tunnels: string[];
let client: KubeClient;
let mayWrite: boolean;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'proxy-'));
  const authority = await Authority.open(join(dir, 'pki'));
  const { cert, key } = await authority.issue('server', { user: 'server', hosts: ['cluster.test'] });
  server = await FakeServer.start({ cert: readFileSync(cert), key: readFileSync(key) });
  tunnels = [];
  proxy = createServer().on('connect', (request, socket) => {
    tunnels.push(request.url ?? '');
    const inner = connect(Number(new URL(server.url).port), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      inner.pipe(socket).pipe(inner);
    });
    for (const end of [inner, socket]) end.on('error', () => {});
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const kubeconfig = join(dir, 'config');
  const cluster = {
    server: 'https://cluster.test:6443',
    'certificate-authority': authority.ca.cert,
    'proxy-url': `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
  };
  const content = {
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user: { token: 't' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  await writeFile(kubeconfig, JSON.stringify(content));
  mayWrite = true;
  client = new KubeClient(await loadConnection({ kubeconfig }), { maxConnections: 2, mayWrite: () => mayWrite });
});
afterEach(async () => {
  await client.close();
  await server.stop();
  proxy.close();
  await rm(dir, { recursive: true });
});

test('calls and watches go through it, no more tunnels than connections, and verify the cluster’s certificate', async () => {
  await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      client.create(pods, { namespace: 'default' }, { metadata: { name: `p${index}` } }),
    ),
  );
  expect(tunnels).toEqual(['cluster.test:6443', 'cluster.test:6443']);
  const stop = new AbortController();
  const watch = client.watch(pods, {}, { sendInitialEvents: true }, stop.signal);
  expect(await watch.next()).toMatchObject({ value: { type: 'ADDED' } });
  stop.abort();
  await watch.return(undefined);
  expect(tunnels).toHaveLength(3);
});

test('what may not be written is not, and what may be read is', async () => {
  mayWrite = false;
  const write = client.create(pods, { namespace: 'default' }, { metadata: { name: 'web' } });
  await expect(write).rejects.toBeInstanceOf(NotLeaderError);
  await expect(client.list(pods)).resolves.toMatchObject({ items: [] });
  expect(server.requests.map(({ method }) => method)).toEqual(['GET']);
});
