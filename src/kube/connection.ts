import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { selectFromKubeconfig } from './kubeconfig.ts';
import { type Logger, silentLogger } from './logger.ts';

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
  /** Path of a kubeconfig, or several as $KUBECONFIG has them. Default: $KUBECONFIG, then the pod's own service account, then ~/.kube/config. */
  readonly kubeconfig?: string;
  /** Default: the kubeconfig's current context. */
  readonly context?: string;
  /** Where the pod's service account is mounted. Default: where the kubelet mounts it. */
  readonly serviceAccount?: string;
  /** Told when credentials cannot be read again. */
  readonly logger?: Logger;
}

/** One reading of the credentials. */
export interface Credentials {
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
  const { logger = silentLogger, serviceAccount = SERVICE_ACCOUNT } = options;
  const explicit = options.kubeconfig ?? (process.env.KUBECONFIG || undefined);
  if (explicit === undefined && options.context === undefined) {
    const inCluster = await inClusterConnection(serviceAccount, logger);
    if (inCluster) return inCluster;
  }
  const files = (explicit ?? join(homedir(), '.kube', 'config')).split(delimiter).filter(Boolean);
  return kubeconfigConnection(files, options.context, logger);
}

/** The pod's own service account. Undefined outside a pod. Takes three files, so client-node is not loaded for it. */
async function inClusterConnection(directory: string, logger: Logger): Promise<Connection | undefined> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = process.env;
  if (!host) return undefined;
  const read = (name: string) => readFile(join(directory, name), 'utf8');
  const namespace = await read('namespace').catch(() => 'default');
  const credentials = new CredentialCache(logger, async () => ({
    headers: { authorization: `Bearer ${(await read('token')).trim()}` },
    tls: { ca: await read('ca.crt') },
  }));
  return credentials.connection(`https://${host.includes(':') ? `[${host}]` : host}:${port}`, namespace.trim());
}

async function kubeconfigConnection(
  files: readonly string[],
  context: string | undefined,
  logger: Logger,
): Promise<Connection> {
  let selected = await selectFromKubeconfig(files, context);
  let stale = false;
  const credentials = new CredentialCache(
    logger,
    async () => {
      // A plugin's token is kept until it runs out; reading the kubeconfig again drops it.
      if (stale) selected = await selectFromKubeconfig(files, context);
      stale = false;
      return selected.load();
    },
    () => {
      stale = true;
    },
  );
  return credentials.connection(selected.server, selected.namespace, selected.proxyUrl);
}

/** One read at a time, kept for a minute; when a later read fails the last good credentials stay in use. */
class CredentialCache {
  readonly #logger: Logger;
  readonly #load: () => Promise<Credentials>;
  readonly #forget: () => void;
  #current: Credentials | undefined;
  #staleAt = 0;
  #loading: Promise<Credentials> | undefined;

  constructor(logger: Logger, load: () => Promise<Credentials>, forget: () => void = () => {}) {
    this.#logger = logger;
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
      if (!this.#current) throw error;
      this.#logger.warn({ err: error }, 'the credentials cannot be read again: those read before stay in use');
    }
    return this.#current;
  }
}

function sameTls(a: TlsMaterial, b: TlsMaterial): boolean {
  return (['ca', 'cert', 'key', 'passphrase', 'servername', 'rejectUnauthorized'] as const).every(
    (field) => String(a[field]) === String(b[field]),
  );
}
