/** Whatever fails, no credential is in an error or in a log line. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { Authority } from '../../dev/cluster/certificates.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { loadConnection } from '../../src/kube/connection.ts';
import { LeaderElector } from '../../src/kube/leader-election.ts';
import { Reflector } from '../../src/kube/reflector.ts';
import { pods } from '../../src/kube/resource.ts';
import { Store } from '../../src/kube/store.ts';
import { StartError } from '../../src/start-error.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { FakeServer, respond, status } from './fake-server.ts';

/** Looks like a service account's token. */
const TOKEN = `eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.${'eyJpc3MiOiJrdWJlcm5ldGVzIn0'.repeat(4)}.c2lnbmF0dXJlLXNpZ25hdHVyZQ`;
const PASSWORD = 'correct-horse-battery-staple';

let dir: string;
let server: FakeServer;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'credentials-'));
  server = await FakeServer.start();
});
afterEach(async () => {
  await server.stop();
  await rm(dir, { recursive: true });
});

async function kubeconfig(user: object | string, cluster: object = {}): Promise<string> {
  const file = join(dir, 'config');
  const config = {
    clusters: [{ name: 'c', cluster: { server: server.url, ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  await writeFile(file, stringify(config));
  return file;
}

async function plugin(script: string): Promise<string> {
  const file = join(dir, 'plugin');
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o700);
  return file;
}

/** All that a call, a lease and a watch say and log while they fail, down to the last hidden property. */
async function everythingSaid(file: string): Promise<string> {
  const log = join(dir, 'log');
  const logger = createLogger({ level: 'debug', destination: log });
  const said: unknown[] = [];
  const caught = (error: unknown): void => {
    said.push(error, error instanceof Error ? error.stack : '', StartError.connection(error));
    logger.error({ err: error }, 'failed');
  };
  try {
    const connection = await loadConnection({ kubeconfig: file, logger });
    said.push(connection);
    const client = new KubeClient(connection, { logger, timeoutMs: 200 });
    said.push(client);
    const at = { namespace: 'default', name: 'web' };
    await client.get(pods, at).catch(caught);
    await client.create(pods, { namespace: 'default' }, { metadata: { name: 'web' } }).catch(caught);
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), 500);
    const elector = new LeaderElector({
      client,
      namespace: 'default',
      name: 'lease',
      identity: 'me',
      lead: async () => {},
      logger,
      timings: { retryPeriodMs: 50 },
    });
    const reflector = new Reflector({
      client,
      resource: pods,
      project: ({ metadata: { uid, name, resourceVersion } }) => ({ uid, name, resourceVersion, namespace: '' }),
      store: new Store(),
      onChange: () => {},
      logger,
      timings: { backoff: { initialMs: 20, maxMs: 40 } },
    });
    said.push(elector, reflector);
    await Promise.all([elector.run(stop.signal).catch(caught), reflector.run(stop.signal)]);
    clearTimeout(timer);
    connection.expire();
    await client.get(pods, at).catch(caught);
    await client.close();
  } catch (error) {
    caught(error);
  }
  const { readFileSync } = await import('node:fs');
  return inspect(said, { depth: 20, showHidden: true, maxStringLength: null }) + readFileSync(log, 'utf8');
}

/** No part of a secret long enough to be of use. */
function expectWithout(text: string, secret: string): void {
  expect(text.length).toBeGreaterThan(100);
  for (let from = 0; from + 16 <= secret.length; from += 4) expect(text).not.toContain(secret.slice(from, from + 16));
}

const faults = {
  'answers 401': () => {
    server.inject(
      () => true,
      (_request, response) => respond(response, 401, status(401, 'Unauthorized', 'Unauthorized').body),
      10_000,
    );
  },
  'answers 500 without a Status': () => {
    server.inject(
      () => true,
      (_request, response) => response.writeHead(500).end('panic'),
      10_000,
    );
  },
  'cuts every connection': () => {
    server.inject(
      () => true,
      (_request, response) => response.destroy(),
      10_000,
    );
  },
  'never answers': () => {
    server.inject(
      () => true,
      () => {},
      10_000,
    );
  },
  'answers no JSON': () => {
    server.inject(
      () => true,
      (_request, response) => response.writeHead(200).end('{"metadata":'),
      10_000,
    );
  },
  'refuses connections': () => server.stop(),
};

for (const [fault, inject] of Object.entries(faults)) {
  test(`a token, when the server ${fault}`, async () => {
    const file = await kubeconfig({ token: TOKEN });
    await inject();
    expectWithout(await everythingSaid(file), TOKEN);
    server = fault === 'refuses connections' ? await FakeServer.start() : server;
  });
}

test('a password, when the server answers 403', async () => {
  server.inject(
    () => true,
    (_request, response) => respond(response, 403, status(403, 'Forbidden', 'no').body),
    10_000,
  );
  const text = await everythingSaid(await kubeconfig({ username: 'admin', password: PASSWORD }));
  expectWithout(text, PASSWORD);
  expectWithout(text, btoa(`admin:${PASSWORD}`));
});

const outputs = {
  'a credential the server refuses': `echo '{"kind":"ExecCredential","status":{"token":"${TOKEN}"}}'`,
  'a token without JSON': `echo ${TOKEN}`,
  'half a JSON object': `echo '{"kind":"ExecCredential","status":{"token":"${TOKEN}'`,
  'a token on standard error, and fails': `echo "cannot use ${TOKEN}" >&2; exit 1`,
  'a credential, and fails': `echo '{"status":{"token":"${TOKEN}"}}'; exit 1`,
};

for (const [what, script] of Object.entries(outputs)) {
  test(`a plugin's output, when it prints ${what}`, async () => {
    server.inject(
      () => true,
      (_request, response) => respond(response, 401, status(401, 'Unauthorized', 'Unauthorized').body),
      10_000,
    );
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: await plugin(script) };
    expectWithout(await everythingSaid(await kubeconfig({ exec })), TOKEN);
  });
}

test("a plugin's arguments, when it cannot be run", async () => {
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: join(dir, 'missing'),
    args: [`--token=${TOKEN}`],
    env: [{ name: 'PASSWORD', value: PASSWORD }],
  };
  const text = await everythingSaid(await kubeconfig({ exec }));
  expectWithout(text, TOKEN);
  expectWithout(text, PASSWORD);
  expect(text).toContain('cannot be used: ENOENT');
});

test("a plugin's own explanation is kept", async () => {
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: await plugin('echo "the session of arn:aws:iam::111122223333:role/ops has expired" >&2; exit 1'),
  };
  const text = await everythingSaid(await kubeconfig({ exec }));
  expect(text).toContain('the session of arn:aws:iam::111122223333:role/ops has expired');
});

test('a client key that does not fit its certificate, and one that is no key', async () => {
  const authority = await Authority.open(join(dir, 'pki'));
  const [one, two] = [await authority.issue('one', { user: 'one' }), await authority.issue('two', { user: 'two' })];
  const { readFileSync } = await import('node:fs');
  const key = readFileSync(two.key, 'utf8');
  const broken = key.replace('PRIVATE KEY', 'PRIVATE THING');
  await server.stop();
  server = await FakeServer.start({
    cert: readFileSync((await authority.issue('server', { user: 's', hosts: ['127.0.0.1'] })).cert),
    key: readFileSync(join(dir, 'pki', 'server.key')),
  });
  for (const text of [key, broken]) {
    const user = { 'client-certificate': one.cert, 'client-key-data': Buffer.from(text).toString('base64') };
    const said = await everythingSaid(await kubeconfig(user, { 'certificate-authority': authority.ca.cert }));
    expectWithout(said, key.split('\n')[1] ?? '');
    expectWithout(said, Buffer.from(text).toString('base64'));
  }
});

test('a kubeconfig that is not YAML, with a token in the line that breaks it', async () => {
  const file = join(dir, 'config');
  await writeFile(file, `users:\n- name: u\n  user:\n    token: [${TOKEN}\n  - "`);
  expectWithout(await everythingSaid(file), TOKEN);
});
