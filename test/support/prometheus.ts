/** A server that answers instant queries in Prometheus's format (Prometheus HTTP API, /api/v1/query). */
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const VECTOR = [{ metric: { __name__: 'errors', job: 'web' }, value: [1_763_800_000.123, '7'] }];

export class PrometheusServer {
  /** Queries that give a result; a query that is "(" is none, and "1" gives a scalar. */
  readonly firing = new Set<string>();
  /** Queries that were asked for, in order. */
  readonly asked: string[] = [];
  readonly #server: Server;
  readonly #waiters = new Set<() => void>();
  /** Answers that are held back. */
  #held: (() => void)[] | undefined;

  private constructor() {
    this.#server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
      if (pathname !== '/prometheus/api/v1/query') return void response.writeHead(404).end('404 page not found');
      const query = searchParams.get('query') ?? '';
      this.asked.push(query);
      if (this.#held === undefined) this.#answer(query, response);
      else this.#held.push(() => this.#answer(query, response));
      for (const wake of this.#waiters) wake();
    });
  }

  static async start(): Promise<PrometheusServer> {
    const server = new PrometheusServer();
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  /** With a path of its own, as behind a proxy. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/prometheus`;
  }

  /** Holds answers back from now on. */
  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const answer of held) answer();
  }

  /** Returns once so many queries more were asked for. */
  async untilAsked(more: number): Promise<void> {
    const wanted = this.asked.length + more;
    while (this.asked.length < wanted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiters.add(resolve);
      await promise;
      this.#waiters.delete(resolve);
    }
  }

  async stop(): Promise<void> {
    this.release();
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  #answer(query: string, response: ServerResponse): void {
    const say = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    const give = (resultType: string, result: unknown): void =>
      say(200, { status: 'success', data: { resultType, result } });
    if (query === '(')
      say(400, { status: 'error', errorType: 'bad_data', error: 'invalid parameter "query": 1:2: parse error' });
    else if (query === '1') give('scalar', [1_763_800_000.123, '1']);
    else give('vector', this.firing.has(query) ? VECTOR : []);
  }
}
