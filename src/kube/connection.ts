import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

export interface TlsMaterial {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly passphrase?: string;
  readonly servername?: string;
  /** False only where the kubeconfig says insecure-skip-tls-verify. */
  readonly rejectUnauthorized?: boolean;
}

/** Where the API server is and how to prove who calls. Nothing of it is ever logged. */
export interface Connection {
  readonly server: string;
  /** The context's namespace, or the pod's own; `default` where neither says. */
  readonly namespace: string;
  readonly proxyUrl?: string;
  /** TLS material; the same object as before until it changes (rotated certificates). */
  tls(): Promise<TlsMaterial>;
  /** Adds the credential headers. They are read anew after 60 s, and after `expire`. */
  authorize(headers: Record<string, string>): Promise<void>;
  /** The server answered 401: the next `authorize` reads the credentials anew. */
  expire(): void;
}

export interface ConnectionOptions {
  /** Path of a kubeconfig. Default: $KUBECONFIG, then the pod's own service account, then ~/.kube/config. */
  readonly kubeconfig?: string;
  /** Default: the kubeconfig's current context. */
  readonly context?: string;
}

interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsMaterial;
}

const CREDENTIALS_TTL_MS = 60_000;
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * Finds the API server. Throws when there is neither a kubeconfig nor a service account, or when the kubeconfig
 * cannot be used as it is.
 */
export async function loadConnection(options: ConnectionOptions = {}): Promise<Connection> {
  const explicit = options.kubeconfig ?? (process.env.KUBECONFIG || undefined);
  if (explicit === undefined && options.context === undefined) {
    const inCluster = await inClusterConnection();
    if (inCluster) return inCluster;
  }
  return kubeconfigConnection(explicit ?? join(homedir(), '.kube', 'config'), options.context);
}

/** The pod's own service account. Undefined outside a pod. Takes three files, so client-node is not loaded for it. */
async function inClusterConnection(): Promise<Connection | undefined> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = process.env;
  if (!host) return undefined;
  const read = (name: string) => readFile(join(SERVICE_ACCOUNT, name), 'utf8');
  const namespace = await read('namespace').catch(() => 'default');
  const credentials = new CredentialCache(async () => ({
    headers: { authorization: `Bearer ${(await read('token')).trim()}` },
    tls: { ca: await read('ca.crt') },
  }));
  return credentials.connection(`https://${host.includes(':') ? `[${host}]` : host}:${port}`, namespace.trim());
}

/**
 * A kubeconfig, read by client-node, which also runs exec plugins and OIDC refreshes. Loaded lazily: it costs about a
 * second and 88 MB (its config module alone pulls in the generated API as well).
 */
async function kubeconfigConnection(files: string, context: string | undefined): Promise<Connection> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const parse = () => {
    const config = new KubeConfig();
    for (const [index, file] of files
      .split(process.platform === 'win32' ? ';' : ':')
      .filter(Boolean)
      .entries()) {
      if (index === 0) {
        config.loadFromFile(file);
      } else {
        const more = new KubeConfig();
        more.loadFromFile(file);
        config.mergeConfig(more, true);
      }
    }
    if (context !== undefined) config.setCurrentContext(context);
    return config;
  };

  let config = parse();
  const cluster = config.getCurrentCluster();
  if (!cluster) {
    throw new Error(`kubeconfig ${files}: context "${config.getCurrentContext() ?? ''}" names no cluster in it`);
  }
  const credentials = new CredentialCache(
    async () => {
      const options: Parameters<typeof config.applyToHTTPSOptions>[0] & { servername?: string; auth?: string } = {
        headers: {},
      };
      await config.applyToHTTPSOptions(options);
      const headers: Record<string, string> = {};
      for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = String(value);
      if (options.auth) headers.authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`;
      const { ca, cert, key, passphrase, servername, rejectUnauthorized } = options as TlsMaterial;
      return { headers, tls: defined({ ca, cert, key, passphrase, servername, rejectUnauthorized }) };
    },
    // client-node keeps an exec plugin's token until it runs out; reading the file again drops it.
    () => {
      config = parse();
    },
  );
  const namespace = config.getContextObject(config.getCurrentContext())?.namespace || 'default';
  return credentials.connection(cluster.server, namespace, cluster.proxyUrl);
}

/** One read at a time, kept for a minute; when a later read fails the last good credentials stay in use. */
class CredentialCache {
  readonly #load: () => Promise<Credentials>;
  readonly #forget: () => void;
  #current: Credentials | undefined;
  #staleAt = 0;
  #loading: Promise<Credentials> | undefined;

  constructor(load: () => Promise<Credentials>, forget: () => void = () => {}) {
    this.#load = load;
    this.#forget = forget;
  }

  connection(server: string, namespace: string, proxyUrl?: string): Connection {
    return {
      server,
      namespace,
      ...(proxyUrl ? { proxyUrl } : {}),
      tls: async () => (await this.#get()).tls,
      authorize: async (headers) => {
        Object.assign(headers, (await this.#get()).headers);
      },
      expire: () => {
        this.#staleAt = 0;
        this.#forget();
      },
    };
  }

  async #get(): Promise<Credentials> {
    if (this.#current && performance.now() < this.#staleAt) return this.#current;
    this.#loading ??= this.#reload().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #reload(): Promise<Credentials> {
    this.#staleAt = performance.now() + CREDENTIALS_TTL_MS;
    try {
      const loaded = await this.#load();
      const tls = this.#current && sameTls(this.#current.tls, loaded.tls) ? this.#current.tls : loaded.tls;
      this.#current = { headers: loaded.headers, tls };
    } catch (error) {
      if (!this.#current) throw withoutSecrets(error);
    }
    return this.#current;
  }
}

/** JSON.parse quotes its input in the message, and that input may be a token. */
function withoutSecrets(error: unknown): unknown {
  return error instanceof SyntaxError
    ? new Error('credentials for the API server: the plugin printed no JSON object')
    : error;
}

function sameTls(a: TlsMaterial, b: TlsMaterial): boolean {
  return (['ca', 'cert', 'key', 'passphrase', 'servername', 'rejectUnauthorized'] as const).every(
    (field) => String(a[field]) === String(b[field]),
  );
}

function defined(material: { [Key in keyof TlsMaterial]: TlsMaterial[Key] | undefined }): TlsMaterial {
  return Object.fromEntries(Object.entries(material).filter(([, value]) => value !== undefined && value !== null));
}
