/** A proxy between an operator and the real API server: it counts the operator's writes and breaks one of them. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, Agent as HttpsAgent, request, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Authority } from '../../dev/cluster/certificates.ts';
import { writeKubeconfig } from '../../dev/cluster/kubeconfig.ts';

/** When the connection of the chosen write breaks: the server never saw it, or it did and its answer is lost. */
export type Moment = 'before' | 'after';

export interface Fault {
  /** Counted from 1, from the moment the fault is set. */
  readonly write: number;
  readonly moment: Moment;
  /** The watch of pods shows nothing new for so long, from before the server sees the write: the cache stays behind. */
  readonly blindMs?: number;
  /** Done before the connection breaks. */
  readonly act?: () => Promise<void>;
}

const POD_WATCH = /\/pods\?.*\bwatch=/;
const READS = new Set(['GET', 'HEAD']);
/** Nothing is decided by an event, and the lease is not work: neither counts. */
const UNCOUNTED = /^\/apis\/(events|coordination)\.k8s\.io\//;

interface Upstream {
  readonly server: URL;
  readonly agent: HttpsAgent;
}

/** @param kubeconfig a file that the local cluster wrote: JSON, with certificates inside. */
function upstreamOf(kubeconfig: string): Upstream {
  const config = JSON.parse(readFileSync(kubeconfig, 'utf8')) as {
    clusters: [{ cluster: { server: string; 'certificate-authority-data': string } }];
    users: [{ user: { 'client-certificate-data': string; 'client-key-data': string } }];
  };
  const decode = (text: string): Buffer => Buffer.from(text, 'base64');
  const [{ cluster }] = config.clusters;
  const [{ user }] = config.users;
  const agent = new HttpsAgent({
    keepAlive: true,
    ca: decode(cluster['certificate-authority-data']),
    cert: decode(user['client-certificate-data']),
    key: decode(user['client-key-data']),
  });
  return { server: new URL(cluster.server), agent };
}

export class FaultProxy {
  /** For the operator: names the proxy and the authority that signed its certificate. */
  readonly kubeconfig: string;
  /** `METHOD path` of each. */
  readonly writes: string[] = [];
  /** The write that was broken. */
  broken: string | undefined;
  readonly #server: Server;
  readonly #upstream: Upstream;
  readonly #dir: string;
  #fault: Fault | undefined;
  #until = 0;
  #breaking: Promise<void> | undefined;
  #blind: Promise<unknown> = Promise.resolve();

  private constructor(server: Server, upstream: Upstream, dir: string, kubeconfig: string) {
    this.#server = server;
    this.#upstream = upstream;
    this.#dir = dir;
    this.kubeconfig = kubeconfig;
    server.on('request', (incoming, response) => {
      this.#serve(incoming, response).catch(() => incoming.socket.destroy());
    });
  }

  /** @param kubeconfig of the real API server: the proxy calls it as that user, whoever calls the proxy. */
  static async start(kubeconfig: string): Promise<FaultProxy> {
    const dir = mkdtempSync(join(tmpdir(), 'lsh-proxy-'));
    const authority = await Authority.open(join(dir, 'pki'));
    const pair = await authority.issue('fault-proxy', { user: 'fault-proxy', hosts: ['127.0.0.1'] });
    const server = createServer({ cert: readFileSync(pair.cert), key: readFileSync(pair.key) });
    // Watches are answered for as long as the API server says.
    server.requestTimeout = 0;
    // Longer than the operator keeps a connection: none may close just as a write is sent on it.
    server.keepAliveTimeout = 120_000;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = { user: 'operator', groups: [] };
    const own = await writeKubeconfig(join(dir, 'kubeconfig'), authority, `https://127.0.0.1:${port}`, client);
    return new FaultProxy(server, upstreamOf(kubeconfig), dir, own);
  }

  /** From now on: takes the place of a fault that has not come to pass. */
  set(fault: Fault): void {
    this.#fault = fault;
    this.#until = fault.write;
  }

  /** Returns once a fault that has begun is over. */
  async settled(): Promise<void> {
    await this.#breaking;
  }

  async stop(): Promise<void> {
    await this.settled();
    this.#server.closeAllConnections();
    this.#upstream.agent.destroy();
    this.#server.close();
    await once(this.#server, 'close');
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = incoming;
    if (READS.has(method)) return this.#forward(incoming, response);
    const fault = UNCOUNTED.test(url) ? undefined : this.#count(`${method} ${url.replace(/\?.*/, '')}`);
    if (fault === undefined) return this.#forward(incoming, response);
    this.#breaking = this.#break(fault, incoming, response);
    return this.#breaking;
  }

  async #break(fault: Fault, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    if (fault.blindMs !== undefined) this.#blind = delay(fault.blindMs);
    if (fault.moment === 'after') {
      const answer = await this.#ask(incoming, response);
      answer.resume();
      await once(answer, 'end');
    }
    await fault.act?.();
    incoming.socket.destroy();
  }

  /** @returns the fault if this is the write it is for. */
  #count(what: string): Fault | undefined {
    this.writes.push(what);
    const fault = this.#fault;
    if (fault === undefined) return undefined;
    this.#until -= 1;
    if (this.#until > 0) return undefined;
    this.#fault = undefined;
    this.broken = what;
    return fault;
  }

  /** The API server's answer, its body unread. */
  #ask(incoming: IncomingMessage, response: ServerResponse): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const { method, url = '/', headers } = incoming;
    const { server, agent } = this.#upstream;
    const call = request(new URL(url, server), { method, agent, headers: { ...headers, host: server.host } });
    call.on('response', resolve);
    call.on('error', reject);
    // Who has gone does not wait: a watch would stay open. What was sent whole is carried out nevertheless.
    response.once('close', () => {
      if (READS.has(method ?? '') && !response.writableFinished) call.destroy();
    });
    incoming.pipe(call);
    return promise;
  }

  async #forward(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = await this.#ask(incoming, response);
    answer.on('error', () => incoming.socket.destroy());
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    response.flushHeaders();
    if (!POD_WATCH.test(incoming.url ?? '')) return void answer.pipe(response);
    for await (const part of answer) {
      await this.#blind;
      response.write(part);
    }
    response.end();
  }
}
