import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';

export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
}

/** The few calls that bringing a cluster up needs, without starting a kubectl for each. */
export class ApiClient {
  readonly #server: URL;
  readonly #agent: Agent;

  /** Reads the server, the authority and the client certificate from a kubeconfig that kubeconfig.ts wrote. */
  constructor(kubeconfig: string) {
    const config = JSON.parse(readFileSync(kubeconfig, 'utf8')) as {
      clusters: { cluster: { server: string; 'certificate-authority-data': string } }[];
      users: { user: { 'client-certificate-data': string; 'client-key-data': string } }[];
    };
    const cluster = config.clusters[0]?.cluster;
    const user = config.users[0]?.user;
    if (cluster === undefined || user === undefined) throw new Error(`${kubeconfig} names no cluster or no user`);
    const decode = (text: string) => Buffer.from(text, 'base64');
    this.#server = new URL(cluster.server);
    this.#agent = new Agent({
      keepAlive: true,
      ca: decode(cluster['certificate-authority-data']),
      cert: decode(user['client-certificate-data']),
      key: decode(user['client-key-data']),
    });
  }

  /** Status 0 when the server could not be reached. */
  call(method: string, path: string, body?: unknown): Promise<ApiAnswer> {
    return new Promise((resolve) => {
      const call = request(new URL(path, this.#server), {
        method,
        agent: this.#agent,
        timeout: 10_000,
        headers: { 'content-type': 'application/json', accept: 'application/json' },
      });
      call.on('timeout', () => call.destroy(new Error('timed out after 10 s')));
      call.on('error', (error) => resolve({ status: 0, body: error.message }));
      call.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
        response.on('error', (error) => resolve({ status: 0, body: error.message }));
      });
      call.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** Creates an object that may exist already. */
  async create(path: string, body: unknown): Promise<void> {
    const answer = await this.call('POST', path, body);
    if (answer.status !== 201 && answer.status !== 409) {
      throw new Error(`POST ${path}: ${answer.status} ${answer.body}`);
    }
  }

  close(): void {
    this.#agent.destroy();
  }
}
