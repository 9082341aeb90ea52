import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { stringify } from 'yaml';
import { type Connection, loadConnection } from '../../../src/kube/connection.ts';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
  vi.stubEnv('KUBECONFIG', undefined);
  vi.stubEnv('KUBERNETES_SERVICE_HOST', undefined);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  vi.useRealTimers();
  await rm(dir, { recursive: true });
});

const base64 = (text: string) => Buffer.from(text).toString('base64');

function config(user: object, more: { cluster?: object; context?: object; name?: string } = {}) {
  const name = more.name ?? 'dev';
  return {
    clusters: [
      {
        name,
        cluster: { server: `https://${name}:6443/`, 'certificate-authority-data': base64('the ca'), ...more.cluster },
      },
    ],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name, ...more.context } }],
    'current-context': name,
  };
}

async function write(name: string, content: object | string): Promise<string> {
  const file = join(dir, name);
  await writeFile(file, typeof content === 'string' ? content : stringify(content), { mode: 0o700 });
  return file;
}

async function headersOf(connection: Connection): Promise<Record<string, string>> {
  const headers: Record<string, string> = {};
  await connection.authorize(headers);
  return headers;
}

test('client certificates and the cluster’s CA come from data or from files beside the kubeconfig', async () => {
  await write('client.crt', 'the certificate');
  const user = { 'client-certificate': 'client.crt', 'client-key-data': base64('the key') };
  const connection = await loadConnection({ kubeconfig: await write('config', config(user)) });
  expect(connection.server).toBe('https://dev:6443');
  expect(connection.namespace).toBe('default');
  expect(await connection.tls()).toEqual({ ca: 'the ca', cert: 'the certificate', key: 'the key' });
  expect(await headersOf(connection)).toEqual({});
});

test('TLS is verified unless the kubeconfig says otherwise', async () => {
  const cluster = {
    'insecure-skip-tls-verify': true,
    'tls-server-name': 'other',
    'certificate-authority-data': undefined,
  };
  const connection = await loadConnection({ kubeconfig: await write('config', config({ token: 't' }, { cluster })) });
  expect(await connection.tls()).toEqual({ rejectUnauthorized: false, servername: 'other' });
  const usual = await loadConnection({ kubeconfig: await write('usual', config({ token: 't' })) });
  expect(await usual.tls()).not.toHaveProperty('rejectUnauthorized');
});

test('the TLS material stays the same object until a file changes', async () => {
  await write('client.crt', 'old');
  const connection = await loadConnection({
    kubeconfig: await write('config', config({ 'client-certificate': 'client.crt' })),
  });
  const first = await connection.tls();
  connection.expire();
  expect(await connection.tls()).toBe(first);
  await write('client.crt', 'new');
  connection.expire();
  expect(await connection.tls()).toMatchObject({ cert: 'new' });
});

test('a token file is read anew after a minute, and after 401 at once', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const file = await write('token', 'first\n');
  const connection = await loadConnection({ kubeconfig: await write('config', config({ tokenFile: file })) });
  expect(await headersOf(connection)).toEqual({ authorization: 'Bearer first' });
  await write('token', 'second\n');
  vi.advanceTimersByTime(59_000);
  expect(await headersOf(connection)).toEqual({ authorization: 'Bearer first' });
  vi.advanceTimersByTime(1_001);
  expect(await headersOf(connection)).toEqual({ authorization: 'Bearer second' });
  await write('token', 'third\n');
  connection.expire();
  expect(await headersOf(connection)).toEqual({ authorization: 'Bearer third' });
  await rm(file);
  connection.expire();
  expect(await headersOf(connection), 'a file that is missing for a moment').toEqual({ authorization: 'Bearer third' });
});

test('in a pod the service account is used, and its token and authority are read anew as the kubelet rotates them', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  vi.stubEnv('KUBERNETES_SERVICE_HOST', '10.96.0.1');
  vi.stubEnv('KUBERNETES_SERVICE_PORT', '6443');
  await Promise.all([write('token', 'first\n'), write('ca.crt', 'the ca'), write('namespace', 'ops\n')]);
  const connection = await loadConnection({ serviceAccount: dir });
  expect(connection).toMatchObject({ server: 'https://10.96.0.1:6443', namespace: 'ops' });
  expect(await headersOf(connection)).toEqual({ authorization: 'Bearer first' });
  const before = await connection.tls();
  expect(before).toEqual({ ca: 'the ca' });
  await Promise.all([write('token', 'second\n'), write('ca.crt', 'the next ca')]);
  vi.advanceTimersByTime(60_001);
  expect(await headersOf(connection)).toEqual({ authorization: 'Bearer second' });
  expect(await connection.tls()).toEqual({ ca: 'the next ca' });

  vi.stubEnv('KUBERNETES_SERVICE_HOST', 'fd00::1');
  expect((await loadConnection({ serviceAccount: dir })).server).toBe('https://[fd00::1]:6443');
  const kubeconfig = await write('config', config({ token: 'of the file' }));
  expect((await loadConnection({ serviceAccount: dir, kubeconfig })).server).toBe('https://dev:6443');
});

test('an exec plugin’s credential that runs out is asked for again, and its client certificate is used', async () => {
  vi.useFakeTimers({ toFake: ['performance', 'Date'] });
  const plugin = await write(
    'plugin',
    `#!/bin/sh
echo run >> ${dir}/runs
run=$(wc -l < ${dir}/runs | tr -d ' ')
echo '{"kind":"ExecCredential","status":{"clientCertificateData":"cert '$run'","clientKeyData":"key '$run'","expirationTimestamp":"${new Date(Date.now() + 90_000).toISOString()}"}}'
`,
  );
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: plugin, interactiveMode: 'Never' };
  const connection = await loadConnection({ kubeconfig: await write('config', config({ exec })) });
  expect(await connection.tls()).toMatchObject({ cert: 'cert 1', key: 'key 1' });
  vi.advanceTimersByTime(61_000);
  expect(await connection.tls()).toMatchObject({ cert: 'cert 1', key: 'key 1' });
  vi.advanceTimersByTime(61_000);
  expect(await connection.tls()).toMatchObject({ cert: 'cert 2', key: 'key 2' });
});

test('an exec plugin runs once for many calls, is told about the cluster, and runs again after 401', async () => {
  const plugin = await write(
    'plugin',
    `#!/bin/sh
echo run >> ${dir}/runs
test -n "$KUBERNETES_EXEC_INFO" || exit 1
echo '{"kind":"ExecCredential","status":{"token":"'$(wc -l < ${dir}/runs | tr -d ' ')'"}}'
`,
  );
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: plugin, interactiveMode: 'Never' };
  const connection = await loadConnection({ kubeconfig: await write('config', config({ exec })) });
  const all = await Promise.all([headersOf(connection), headersOf(connection), headersOf(connection)]);
  expect(all).toEqual(Array(3).fill({ authorization: 'Bearer 1' }));
  connection.expire();
  expect(await headersOf(connection)).toEqual({ authorization: 'Bearer 2' });
});

test('a plugin that prints something else is reported without what it printed', async () => {
  const plugin = await write('plugin', '#!/bin/sh\necho hunter2\n');
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: plugin };
  const connection = await loadConnection({ kubeconfig: await write('config', config({ exec })) });
  const error = await headersOf(connection).catch((caught: unknown) => caught);
  expect(String(error)).toContain('no JSON');
  expect(String(error)).not.toContain('hunter2');
});

test('of several kubeconfigs the first to define a name wins, and a context may be chosen', async () => {
  const first = await write('one', config({ token: 'one' }, { context: { namespace: 'shop' } }));
  const second = await write('two', config({ token: 'two' }, { name: 'prod' }));
  const third = await write('three', config({ token: 'three' }));
  vi.stubEnv('KUBECONFIG', [first, second, third].join(':'));
  const current = await loadConnection();
  expect(current.namespace).toBe('shop');
  expect(await headersOf(current)).toEqual({ authorization: 'Bearer one' });
  const chosen = await loadConnection({ context: 'prod' });
  expect(chosen.server).toBe('https://prod:6443');
  expect(await headersOf(chosen)).toEqual({ authorization: 'Bearer two' });
});

test('a context that does not exist is answered with those that do', async () => {
  const kubeconfig = await write('config', config({ token: 't' }));
  await expect(loadConnection({ kubeconfig, context: 'prud' })).rejects.toThrow(/no context "prud"; it has: dev/);
});

test('a kubeconfig that is not YAML is named, and its content is not shown', async () => {
  const kubeconfig = await write('config', 'users:\n- user: {token: hunter2\n  x: y: z\n');
  const error = await loadConnection({ kubeconfig }).catch((caught: unknown) => caught);
  expect(String(error)).toContain(`kubeconfig ${kubeconfig} is not YAML`);
  expect(String(error)).not.toContain('hunter2');
});
