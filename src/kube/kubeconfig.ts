import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import { dirname, resolve } from 'node:path';
import type { Cluster, Context, User } from '@kubernetes/client-node';
import type { Credentials, TlsMaterial } from './connection.ts';
import { idToken } from './oidc.ts';

type NamedUser = User & { tokenFile?: string };

interface Kubeconfig {
  readonly clusters: Cluster[];
  readonly users: NamedUser[];
  readonly contexts: Context[];
  currentContext: string | undefined;
}

export interface Selected {
  readonly server: string;
  readonly namespace: string;
  readonly proxyUrl?: string;
  /** Reads files and runs plugins as they are now. */
  readonly load: () => Promise<Credentials>;
}

/**
 * The cluster and user a kubeconfig's context names. Of several files the first to define a name wins, as in kubectl.
 * Entries are checked by client-node; of that only the parts needed are loaded, as the whole costs a second and 60 MB
 * (its KubeConfig imports the generated API). Only a legacy `auth-provider` takes KubeConfig itself.
 */
export async function selectFromKubeconfig(files: readonly string[], contextName?: string): Promise<Selected> {
  const config = await readKubeconfigs(files);
  const wanted = contextName ?? config.currentContext;
  const context = config.contexts.find(({ name }) => name === wanted);
  if (!context) {
    throw new Error(
      wanted === undefined
        ? `kubeconfig ${files.join(', ')}: no current-context; choose one of: ${names(config.contexts)}`
        : `kubeconfig ${files.join(', ')}: no context "${wanted}"; it has: ${names(config.contexts)}`,
    );
  }
  const cluster = config.clusters.find(({ name }) => name === context.cluster);
  if (!cluster) {
    throw new Error(
      `kubeconfig ${files.join(', ')}: context "${context.name}" names cluster "${context.cluster}"; it has: ${names(config.clusters)}`,
    );
  }
  const user = config.users.find(({ name }) => name === context.user) ?? { name: context.user };
  return {
    server: cluster.server,
    namespace: context.namespace || 'default',
    ...(cluster.proxyUrl && { proxyUrl: cluster.proxyUrl }),
    load: await credentialsOf(cluster, user),
  };
}

async function readKubeconfigs(files: readonly string[]): Promise<Kubeconfig> {
  const [{ parse }, { newClusters, newContexts, newUsers }] = await Promise.all([
    import('yaml'),
    import('@kubernetes/client-node/dist/config_types.js'),
  ]);
  const merged: Kubeconfig = { clusters: [], users: [], contexts: [], currentContext: undefined };
  for (const file of files) {
    const raw = parseWith(parse, file, await readFile(file, 'utf8'));
    const at = (path: string | undefined) => (path ? resolve(dirname(file), path) : undefined);
    for (const cluster of newClusters(raw.clusters)) {
      merged.clusters.push(withDefined({ ...cluster, caFile: at(cluster.caFile) }));
    }
    for (const [index, user] of newUsers(raw.users).entries()) {
      // client-node reads a token file once, under a name kubectl does not write.
      const tokenFile = at(raw.users[index].user?.tokenFile);
      merged.users.push(withDefined({ ...user, certFile: at(user.certFile), keyFile: at(user.keyFile), tokenFile }));
    }
    merged.contexts.push(...newContexts(raw.contexts));
    merged.currentContext ??= raw['current-context'] || undefined;
  }
  return merged;
}

/** Without the parser's own excerpt of the line, which may hold a token. */
function parseWith(parse: typeof import('yaml').parse, file: string, text: string) {
  try {
    return parse(text, { prettyErrors: false }) ?? {};
  } catch (error) {
    throw new Error(`kubeconfig ${file} is not YAML: ${error instanceof Error ? error.message : error}`);
  }
}

async function credentialsOf(cluster: Cluster, user: NamedUser): Promise<() => Promise<Credentials>> {
  const authenticate = await authenticator(cluster, user);
  return async () => {
    const options: RequestOptions & { headers: Record<string, string> } = { headers: {} };
    const token = user.tokenFile ? (await readFile(user.tokenFile, 'utf8')).trim() : user.token;
    if (token) options.headers.authorization = `Bearer ${token}`;
    else if (user.username) options.headers.authorization = `Basic ${btoa(`${user.username}:${user.password ?? ''}`)}`;
    if (user.impersonateUser) options.headers['impersonate-user'] = user.impersonateUser;
    await authenticate?.(options);
    const [ca, cert, key] = await Promise.all([
      fileOrData(cluster.caFile, cluster.caData),
      fileOrData(user.certFile, user.certData),
      fileOrData(user.keyFile, user.keyData),
    ]);
    const { cert: pluginCert, key: pluginKey } = options as TlsMaterial;
    const tls: TlsMaterial = withDefined({
      ca,
      cert: pluginCert ?? cert,
      key: pluginKey ?? key,
      servername: cluster.tlsServerName,
      rejectUnauthorized: cluster.skipTLSVerify ? false : undefined,
    });
    const headers = Object.fromEntries(
      Object.entries(options.headers).map(([name, value]) => [name.toLowerCase(), value]),
    );
    return { headers, tls };
  };
}

/** What adds the credentials that a plugin gives, if the user has one. */
async function authenticator(
  cluster: Cluster,
  user: NamedUser,
): Promise<((options: RequestOptions) => Promise<void>) | undefined> {
  if (user.exec) {
    const { ExecAuth } = await import('@kubernetes/client-node/dist/exec_auth.js');
    const plugin = new ExecAuth();
    const told = { ...user, exec: { ...user.exec, env: [...(user.exec.env ?? []), execInfo(cluster, user.exec)] } };
    const { command } = user.exec;
    return (options) =>
      plugin.applyAuthentication(told, options).catch((error: unknown) => {
        throw pluginError(`the credential plugin ${command}`, error);
      });
  }
  if (user.authProvider?.name === 'oidc') {
    const { config } = user.authProvider;
    return async (options) => {
      const token = await idToken(config).catch((error: unknown) => {
        throw pluginError('the auth-provider oidc', error);
      });
      options.headers = { ...options.headers, authorization: `Bearer ${token}` };
    };
  }
  if (user.authProvider) {
    const { KubeConfig } = await import('@kubernetes/client-node');
    const config = new KubeConfig();
    config.loadFromClusterAndUser(cluster, user);
    return (options) =>
      config.applyToHTTPSOptions(options).catch((error: unknown) => {
        throw pluginError(`the auth-provider ${user.authProvider?.name ?? ''}`, error);
      });
  }
  return undefined;
}

/**
 * What a plugin printed may be a credential, and so may its arguments: of its output only what it said on standard
 * error is shown, without anything that looks like a token.
 */
function pluginError(what: string, error: unknown): Error {
  if (error instanceof SyntaxError) return new Error(`${what} printed no JSON object`);
  if (error instanceof Error && 'code' in error) return new Error(`${what} cannot be used: ${error.code}`);
  const said = error instanceof Error ? error.message : String(error);
  return new Error(
    `${what} failed: ${said
      .replaceAll(/[\w+=-]{20,}/g, '…')
      .slice(0, 500)
      .trim()}`,
  );
}

/** Plugins such as GKE's refuse to run without it; client-node leaves it out. */
function execInfo(cluster: Cluster, exec: { apiVersion?: string; provideClusterInfo?: boolean }) {
  const info = {
    apiVersion: exec.apiVersion,
    kind: 'ExecCredential',
    spec: {
      interactive: false,
      ...(exec.provideClusterInfo && {
        cluster: { server: cluster.server, 'certificate-authority-data': cluster.caData },
      }),
    },
  };
  return { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) };
}

async function fileOrData(file: string | undefined, base64: string | undefined): Promise<string | undefined> {
  if (file) return readFile(file, 'utf8');
  return base64 ? Buffer.from(base64, 'base64').toString('utf8') : undefined;
}

function names(entries: readonly { name: string }[]): string {
  return entries.map(({ name }) => name).join(', ') || 'none';
}

function withDefined<T extends object>(object: { [Key in keyof T]: T[Key] | undefined }): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined && value !== null)) as T;
}
