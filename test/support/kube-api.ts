import { readFileSync } from 'node:fs';
import type { ClientRequest } from 'node:http';
import { Agent as HttpsAgent, request } from 'node:https';

/** An object of the API server, as far as tests look at every kind alike. */
export interface KubeObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation?: number;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly uid: string; readonly kind: string }[];
    readonly finalizers?: readonly string[];
  };
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: KubeObject;
}

/** Where the API server serves what tests touch. */
const ROOTS = {
  pods: '/api/v1',
  nodes: '/api/v1',
  serviceaccounts: '/api/v1',
  networkpolicies: '/apis/networking.k8s.io/v1',
  runtimeclasses: '/apis/node.k8s.io/v1',
  resourcequotas: '/api/v1',
  configmaps: '/api/v1',
  secrets: '/api/v1',
  persistentvolumeclaims: '/api/v1',
  persistentvolumes: '/api/v1',
  controllerrevisions: '/apis/apps/v1',
  services: '/apis/longshore.dev/v1alpha1',
  taskdefinitions: '/apis/longshore.dev/v1alpha1',
  batchjobs: '/apis/longshore.dev/v1alpha1',
  tasks: '/apis/longshore.dev/v1alpha1',
  clusters: '/apis/longshore.dev/v1alpha1',
  endpointslices: '/apis/discovery.k8s.io/v1',
  targetgroups: '/apis/longshore.dev/v1alpha1',
  scheduledtasks: '/apis/longshore.dev/v1alpha1',
  jobqueues: '/apis/longshore.dev/v1alpha1',
  computeenvironments: '/apis/longshore.dev/v1alpha1',
} as const;

export type Plural = keyof typeof ROOTS;

/** Of these a namespace is left out of the path. */
const OF_THE_CLUSTER: readonly Plural[] = ['nodes', 'persistentvolumes', 'computeenvironments', 'runtimeclasses'];

export const pathOf = (plural: Plural, namespace?: string, name?: string): string =>
  `${ROOTS[plural]}${namespace === undefined || OF_THE_CLUSTER.includes(plural) ? '' : `/namespaces/${namespace}`}/${plural}${name === undefined ? '' : `/${name}`}`;

/** The server did not begin a watch: nothing was missed. */
export class WatchRefusedError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(`${status} ${message}`);
    this.status = status;
  }
}

/** The tests' own client, so that what they see does not pass through the code they test. */
export class KubeApi {
  readonly #server: URL;
  readonly #agent: HttpsAgent;
  readonly #watches = new Set<ClientRequest>();

  /** @param kubeconfig a file that the local cluster wrote: JSON, with certificates inside. */
  constructor(kubeconfig: string) {
    const config = JSON.parse(readFileSync(kubeconfig, 'utf8')) as {
      clusters: [{ cluster: { server: string; 'certificate-authority-data': string } }];
      users: [{ user: { 'client-certificate-data': string; 'client-key-data': string } }];
    };
    const decode = (text: string): Buffer => Buffer.from(text, 'base64');
    const [{ cluster }] = config.clusters;
    const [{ user }] = config.users;
    this.#server = new URL(cluster.server);
    this.#agent = new HttpsAgent({
      keepAlive: true,
      ca: decode(cluster['certificate-authority-data']),
      cert: decode(user['client-certificate-data']),
      key: decode(user['client-key-data']),
    });
  }

  /** @throws Error with the server's words for every answer but 2xx. */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const call = request(new URL(path, this.#server), {
      method,
      agent: this.#agent,
      timeout: 30_000,
      headers: { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' },
    });
    call.on('timeout', () => call.destroy(new Error(`${method} ${path}: no answer within 30 s`)));
    call.on('error', reject);
    call.on('response', (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(parts).toString();
        if (response.statusCode !== undefined && response.statusCode < 300) resolve(JSON.parse(text) as T);
        else reject(new Error(`${method} ${path}: ${response.statusCode} ${messageOf(text)}`));
      });
    });
    call.end(body === undefined ? undefined : JSON.stringify(body));
    return promise;
  }

  /** One watch, until it ends by itself (then `onEnd`) or the client is closed. */
  watch(path: string, onEvent: (event: WatchEvent) => void, onEnd: (problem?: Error) => void): void {
    const call = request(new URL(path, this.#server), { agent: this.#agent });
    this.#watches.add(call);
    const end = (problem?: Error): void => {
      if (this.#watches.delete(call)) onEnd(problem);
    };
    call.on('error', end);
    call.on('response', (response) => {
      let rest = '';
      response.setEncoding('utf8');
      if (response.statusCode !== 200) {
        response.on('data', (part: string) => {
          rest += part;
        });
        response.on('end', () => end(new WatchRefusedError(response.statusCode ?? 0, messageOf(rest))));
        return;
      }
      response.on('data', (part: string) => {
        const lines = (rest + part).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) onEvent(JSON.parse(line) as WatchEvent);
      });
      response.on('end', () => end());
      response.on('error', end);
    });
    call.end();
  }

  close(): void {
    for (const watch of this.#watches) {
      this.#watches.delete(watch);
      watch.destroy();
    }
    this.#agent.destroy();
  }
}

function messageOf(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text;
  } catch {
    return text;
  }
}
