import { readFileSync } from 'node:fs';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Authority, type KeyPairFiles } from '../../dev/cluster/certificates.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { type Connection, loadConnection } from '../../src/kube/connection.ts';
import { pods } from '../../src/kube/resource.ts';
import { FakeServer, respond, status } from './fake-server.ts';

let dir: string;
let server: FakeServer;
let authority: Authority;
let clients: KubeClient[];
const at = { namespace: 'default', name: 'web' };

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tls-'));
  clients = [];
  authority = await Authority.open(join(dir, 'first'));
  server = await FakeServer.start(await certificatesOf(authority));
  server.put('/api/v1/pods', { metadata: { name: 'web', namespace: 'default' } });
});
afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await server.stop();
  await rm(dir, { recursive: true });
});

/** A server certificate of the authority, which also says whose client certificates are good. */
async function certificatesOf(of: Authority) {
  const files = await of.issue('server', { user: 'server', hosts: ['127.0.0.1'] });
  return { ...read(files), ca: readFileSync(of.ca.cert), requestCert: true, rejectUnauthorized: true };
}

const read = ({ cert, key }: KeyPairFiles) => ({ cert: readFileSync(cert), key: readFileSync(key) });

/** Files of a user of the authority, as a kubeconfig names them. */
async function useCertificatesOf(of: Authority, user: string): Promise<void> {
  const files = await of.issue(user, { user });
  await copyFile(of.ca.cert, join(dir, 'ca.crt'));
  await copyFile(files.cert, join(dir, 'client.crt'));
  await copyFile(files.key, join(dir, 'client.key'));
}

async function connect(): Promise<Connection> {
  const kubeconfig = join(dir, 'config');
  const config = {
    clusters: [{ name: 'c', cluster: { server: server.url, 'certificate-authority': 'ca.crt' } }],
    users: [{ name: 'u', user: { 'client-certificate': 'client.crt', 'client-key': 'client.key' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  await writeFile(kubeconfig, JSON.stringify(config));
  return loadConnection({ kubeconfig });
}

function clientOf(connection: Connection, maxConnections = 1): KubeClient {
  const client = new KubeClient(connection, { maxConnections });
  clients.push(client);
  return client;
}

test('1,000 requests open no more TLS connections than the pool has', async () => {
  await useCertificatesOf(authority, 'longshore');
  const client = clientOf(await connect(), 8);
  await Promise.all(Array.from({ length: 1000 }, () => client.get(pods, at)));
  expect(server.requests).toHaveLength(1000);
  expect(server.connections).toBe(8);
});

test('a new certificate authority is read as soon as the old one does not fit any more', async () => {
  await useCertificatesOf(authority, 'longshore');
  const client = clientOf(await connect());
  await client.get(pods, at);

  const next = await Authority.open(join(dir, 'next'));
  server.rotate(await certificatesOf(next));
  await useCertificatesOf(next, 'longshore');
  server.disconnect();
  await expect(client.get(pods, at)).resolves.toMatchObject({ metadata: { name: 'web' } });
});

test('a server whose certificate nothing vouches for gets no request', async () => {
  await useCertificatesOf(authority, 'longshore');
  const client = clientOf(await connect());
  server.rotate(await certificatesOf(await Authority.open(join(dir, 'stranger'))));
  const error = await client.create(pods, { namespace: 'default' }, {}).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ name: 'ConnectionError', sent: false });
  expect(server.requests).toHaveLength(0);
});

test('a client certificate that the server no longer takes is read anew from its file', async () => {
  await useCertificatesOf(authority, 'before');
  const client = clientOf(await connect());
  await client.get(pods, at);

  const users: (string | undefined)[] = [];
  server.inject(
    () => true,
    (_request, response) => {
      const subject = (response.socket as TLSSocket).getPeerCertificate().subject;
      users.push(typeof subject.CN === 'string' ? subject.CN : undefined);
      if (subject.CN === 'before') respond(response, 401, status(401, 'Unauthorized', 'Unauthorized').body);
      else respond(response, 200, { metadata: { name: 'web' } });
    },
    10,
  );
  await useCertificatesOf(authority, 'after');
  await client.get(pods, at);
  expect(users).toEqual(['before', 'after']);
});

test('certificates replaced in their files are used within a minute, without a fault', async () => {
  await useCertificatesOf(authority, 'longshore');
  const connection = await connect();
  const before = await connection.tls();
  expect(await connection.tls()).toBe(before);
  await useCertificatesOf(authority, 'longshore');
  connection.expire();
  expect(await connection.tls()).not.toBe(before);
});
