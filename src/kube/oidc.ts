import { readFile } from 'node:fs/promises';
import { Agent, request } from 'undici';

/** The `config` of a kubeconfig's auth-provider `oidc`, as kubectl reads it. */
export type OidcConfig = Readonly<Record<string, string | undefined>>;

interface Tokens {
  readonly idToken: string | undefined;
  readonly refreshToken: string | undefined;
}

/** Credentials are read once a minute: what would run out before the next time is refreshed now. */
const EARLY_MS = 70_000;
const TIMEOUT_MS = 30_000;

/**
 * What was refreshed, by the refresh token that the kubeconfig has. An issuer may take each refresh token only once,
 * and the file, which is the user's, keeps its own.
 */
const refreshed = new Map<string, Tokens>();

/**
 * The ID token of a kubeconfig's user, refreshed when it runs out. (client-node 2.0.1 uses one that is valid, but its
 * refresh fails before it has asked the issuer.)
 * @throws Error that names the issuer and what it answered, never a token.
 */
export async function idToken(config: OidcConfig): Promise<string> {
  const inFile = { idToken: config['id-token'], refreshToken: config['refresh-token'] };
  const tokens = refreshed.get(inFile.refreshToken ?? '') ?? inFile;
  const now = Date.now();
  const expiresAt = expiryOf(tokens.idToken);
  if (tokens.idToken !== undefined && expiresAt > now + EARLY_MS) return tokens.idToken;
  try {
    const next = await refresh(config, tokens.refreshToken);
    refreshed.set(inFile.refreshToken ?? '', { ...next, refreshToken: next.refreshToken ?? tokens.refreshToken });
    return next.idToken;
  } catch (error) {
    if (tokens.idToken !== undefined && expiresAt > now) return tokens.idToken;
    throw error;
  }
}

/** OAuth 2.0's refresh_token grant, at the token endpoint that the issuer's discovery document names. */
async function refresh(
  config: OidcConfig,
  refreshToken: string | undefined,
): Promise<{ idToken: string; refreshToken?: string }> {
  const { 'idp-issuer-url': issuer, 'client-id': client, 'client-secret': secret } = config;
  if (issuer === undefined || client === undefined || refreshToken === undefined)
    throw new Error(
      'the ID token has run out, and without idp-issuer-url, client-id and refresh-token there is no new one: log in again',
    );
  const { 'idp-certificate-authority': caFile, 'idp-certificate-authority-data': caData } = config;
  const ca = caFile ? await readFile(caFile, 'utf8') : caData && Buffer.from(caData, 'base64').toString('utf8');
  const agent = new Agent({ connect: { timeout: 10_000, ...(ca && { ca }) } });
  try {
    const at = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const discovery = await ask(agent, at);
    const methods = discovery.token_endpoint_auth_methods_supported;
    const inBody = Array.isArray(methods) && !methods.includes('client_secret_basic');
    const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken });
    if (!secret || inBody) form.set('client_id', client);
    if (secret && inBody) form.set('client_secret', secret);
    const basic = `Basic ${btoa(`${encodeURIComponent(client)}:${encodeURIComponent(secret ?? '')}`)}`;
    const answer = await ask(agent, String(discovery.token_endpoint), {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        ...(secret && !inBody && { authorization: basic }),
      },
      body: form.toString(),
    });
    if (typeof answer.id_token !== 'string') throw new Error(`${issuer} answered without an id_token`);
    return {
      idToken: answer.id_token,
      ...(typeof answer.refresh_token === 'string' && { refreshToken: answer.refresh_token }),
    };
  } finally {
    await agent.close();
  }
}

async function ask(
  dispatcher: Agent,
  url: string,
  options: { method?: 'POST'; headers?: Record<string, string>; body?: string } = {},
): Promise<Record<string, unknown>> {
  const response = await request(url, { dispatcher, signal: AbortSignal.timeout(TIMEOUT_MS), ...options });
  const text = await response.body.text();
  const answer = parse(text);
  if (response.statusCode !== 200 || answer === undefined) {
    const why = [answer?.error, answer?.error_description].filter(Boolean).join(': ');
    throw new Error(`${url} answered ${response.statusCode}${why && ` ${why}`}`);
  }
  return answer;
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : undefined;
  } catch {
    return undefined;
  }
}

/** Epoch milliseconds of a JWT's `exp`; 0 where it has none. */
function expiryOf(token: string | undefined): number {
  const payload = token?.split('.')[1];
  const exp = payload === undefined ? undefined : parse(Buffer.from(payload, 'base64url').toString('utf8'))?.exp;
  return typeof exp === 'number' ? exp * 1000 : 0;
}
