/** A kubeconfig's auth-provider `oidc`, against a scripted issuer. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Authority } from '../../dev/cluster/certificates.ts';
import { type Connection, loadConnection } from '../../src/kube/connection.ts';

interface Asked {
  readonly path: string;
  readonly form: Record<string, string>;
  readonly authorization: string | undefined;
}

let dir: string;
let authority: Authority;
let issuer: Server;
let url: string;
let asked: Asked[];
/** What the token endpoint answers next; the discovery document's methods. */
let answers: { status: number; body: object }[];
let methods: string[] | undefined;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'oidc-'));
  authority = await Authority.open(join(dir, 'pki'));
  const { cert, key } = await authority.issue('issuer', { user: 'issuer', hosts: ['127.0.0.1'] });
  asked = [];
  answers = [];
  methods = undefined;
  issuer = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { url: path = '', headers } = request;
    asked.push({ path, form: Object.fromEntries(new URLSearchParams(body)), authorization: headers.authorization });
    const document = { issuer: url, token_endpoint: `${url}/token`, token_endpoint_auth_methods_supported: methods };
    const answer = path === '/token' ? answers.shift() : { status: 200, body: document };
    response.writeHead(answer?.status ?? 500).end(JSON.stringify(answer?.body ?? {}));
  });
  issuer.listen(0, '127.0.0.1');
  await once(issuer, 'listening');
  url = `https://127.0.0.1:${(issuer.address() as AddressInfo).port}`;
});
afterEach(async () => {
  issuer.closeAllConnections();
  issuer.close();
  await rm(dir, { recursive: true });
});

const base64url = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
/** An ID token of somebody that is good for so many seconds. */
const idToken = (seconds: number, subject = 'somebody') =>
  `${base64url({ alg: 'RS256' })}.${base64url({ sub: subject, exp: Math.floor(Date.now() / 1000) + seconds })}.c2ln`;

async function connect(config: Record<string, string | undefined>): Promise<Connection> {
  const user = {
    'auth-provider': {
      name: 'oidc',
      config: { 'idp-issuer-url': url, 'idp-certificate-authority': authority.ca.cert, 'client-id': 'kube', ...config },
    },
  };
  const kubeconfig = join(dir, 'config');
  const content = {
    clusters: [{ name: 'c', cluster: { server: 'https://cluster' } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  await writeFile(kubeconfig, JSON.stringify(content));
  return loadConnection({ kubeconfig });
}

async function authorization(connection: Connection): Promise<string | undefined> {
  const headers: Record<string, string> = {};
  await connection.authorize(headers);
  return headers.authorization;
}

test('an ID token is used as it is while it is good, and nobody is asked', async () => {
  const token = idToken(3600);
  expect(await authorization(await connect({ 'id-token': token }))).toBe(`Bearer ${token}`);
  expect(asked).toEqual([]);
});

test('an ID token that has run out is refreshed once for many calls', async () => {
  const [old, fresh] = [idToken(-10), idToken(3600, 'fresh')];
  answers = [{ status: 200, body: { id_token: fresh } }];
  const connection = await connect({ 'id-token': old, 'refresh-token': 'once-for-many', 'client-secret': 's&=' });
  const all = await Promise.all([authorization(connection), authorization(connection), authorization(connection)]);
  expect(all).toEqual(Array(3).fill(`Bearer ${fresh}`));
  expect(asked).toEqual([
    { path: '/.well-known/openid-configuration', form: {}, authorization: undefined },
    {
      path: '/token',
      form: { grant_type: 'refresh_token', refresh_token: 'once-for-many' },
      authorization: `Basic ${btoa('kube:s%26%3D')}`,
    },
  ]);
});

test('a token about to run out is refreshed, and used to its end where the issuer has trouble', async () => {
  const last = idToken(30);
  answers = [{ status: 503, body: {} }];
  expect(await authorization(await connect({ 'id-token': last, 'refresh-token': 'trouble' }))).toBe(`Bearer ${last}`);
  expect(asked).toHaveLength(2);
});

test('a client that has no secret, or may send it in the body only, does so', async () => {
  answers = [1, 2].map(() => ({ status: 200, body: { id_token: idToken(3600) } }));
  await authorization(await connect({ 'id-token': idToken(-10), 'refresh-token': 'public' }));
  expect(asked.at(-1)).toMatchObject({ form: { client_id: 'kube' }, authorization: undefined });
  methods = ['client_secret_post'];
  await authorization(await connect({ 'id-token': idToken(-10), 'refresh-token': 'post', 'client-secret': 's' }));
  expect(asked.at(-1)).toMatchObject({ form: { client_id: 'kube', client_secret: 's' }, authorization: undefined });
});

test('a refresh token that is good for one use is followed by the next, also after 401', async () => {
  const [first, second] = [idToken(1, 'first'), idToken(3600, 'second')];
  answers = [
    { status: 200, body: { id_token: first, refresh_token: 'rotated' } },
    { status: 200, body: { id_token: second } },
  ];
  const connection = await connect({ 'id-token': idToken(-10), 'refresh-token': 'first-use' });
  expect(await authorization(connection)).toBe(`Bearer ${first}`);
  connection.expire();
  expect(await authorization(connection)).toBe(`Bearer ${second}`);
  const forms = asked.filter(({ path }) => path === '/token').map(({ form }) => form.refresh_token);
  expect(forms).toEqual(['first-use', 'rotated']);
});

test('an issuer that refuses is named with its reason, and no token is', async () => {
  const refreshToken = 'a-refresh-token-that-nobody-should-see';
  answers = [{ status: 400, body: { error: 'invalid_grant', error_description: `${refreshToken} is revoked` } }];
  const connection = await connect({ 'id-token': idToken(-10), 'refresh-token': refreshToken });
  const error = await authorization(connection).catch((caught: unknown) => caught);
  expect(String(error)).toMatch(/the auth-provider oidc failed: .*\/token answered 400 invalid_grant: … is revoked/);
  expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(refreshToken);
});

test('an issuer that the configured authority does not vouch for gets no token', async () => {
  const stranger = await Authority.open(join(dir, 'stranger'));
  const connection = await connect({
    'id-token': idToken(-10),
    'refresh-token': 'secret',
    'idp-certificate-authority': stranger.ca.cert,
  });
  await expect(authorization(connection)).rejects.toThrow('the auth-provider oidc cannot be used: ');
  expect(asked).toEqual([]);
});

test('without a refresh token, one that has run out is said to have', async () => {
  const connection = await connect({ 'id-token': idToken(-10) });
  await expect(authorization(connection)).rejects.toThrow(/the ID token has run out, .*: log in again/);
});
