/** A proxy between an operator and the real API server: counts the operator's writes, breaks one, holds calls back. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, Agent as HttpsAgent, request, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { Authority } from '../../dev/cluster/certificates.ts';
import { writeKubeconfig } from '../../dev/cluster/kubeconfig.ts';
import type { Source } from './until.ts';

/** When the connection of the chosen write breaks: the server never saw it, or it did and its answer is lost. */
export type Moment = 'before' | 'after';

export interface Fault {
  /** Counted from 1, from the moment the fault is set. */
  readonly write: number;
  /** Which writes are counted, by `METHOD path`; default all. */
  readonly of?: RegExp;
  readonly moment: Moment;
  /** The watch of pods shows nothing new until then, from before the server sees the write: the cache stays behind. */
  readonly blindUntil?: () => Promise<unknown>;
  /** Done before the connection breaks. */
  readonly act?: () => Promise<void>;
}

/** Calls that wait, and streams that show nothing new, until they are released. */
export interface Hold {
  /** Calls that wait now. */
  readonly waiting: number;
  /** Each goes on now, or is dropped where its caller has gone. */
  release(): void;
}

interface HoldState {
  readonly calls: RegExp;
  readonly released: Promise<void>;
  readonly deliverLate: boolean;
  waiting: number;
}

const POD_WATCH = /\/pods\?.*\bwatch=/;
const WATCH = /[?&]watch=/;
const READS = new Set(['GET', 'HEAD']);
/** Nothing is decided by an event, the lease is not work, a dry run writes nothing: none of them counts. */
const UNCOUNTED = /^\/apis\/(events|coordination)\.k8s\.io\/|[?&]dryRun=/;

const isWork = (method: string, url: string): boolean => !READS.has(method) && !UNCOUNTED.test(url);

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

export class FaultProxy implements Source {
  /** For the operator: names the proxy and the authority that signed its certificate. */
  readonly kubeconfig: string;
  /** `METHOD path` of each. */
  readonly writes: string[] = [];
  /** The HTTP status that the API server answered each with, in the order of the answers. */
  readonly answers: number[] = [];
  /** The write that was broken. */
  broken: string | undefined;
  readonly #server: Server;
  readonly #upstream: Upstream;
  readonly #dir: string;
  #fault: Fault | undefined;
  #until = 0;
  #breaking: Promise<void> | undefined;
  readonly #holds = new Map<HoldState, () => void>();
  readonly #listeners = new Set<() => void>();

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

  /**
   * @param calls by `METHOD path?query`; what is held is counted when it comes, not when it goes on.
   * @param options.deliverLate carries calls out whose caller has gone, as a slow network does.
   */
  hold(calls: RegExp, { deliverLate = false } = {}): Hold {
    const { promise: released, resolve } = Promise.withResolvers<void>();
    const hold: HoldState = { calls, released, deliverLate, waiting: 0 };
    const release = (): void => {
      this.#holds.delete(hold);
      resolve();
    };
    this.#holds.set(hold, release);
    return {
      get waiting() {
        return hold.waiting;
      },
      release,
    };
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  describe(): string {
    return this.writes.join('\n');
  }

  async stop(): Promise<void> {
    for (const release of this.#holds.values()) release();
    await this.settled();
    this.#server.closeAllConnections();
    this.#upstream.agent.destroy();
    this.#server.close();
    await once(this.#server, 'close');
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = incoming;
    // All of it, before who sent it can go away.
    const body = await buffer(incoming);
    const fault = isWork(method, url) ? this.#count(`${method} ${url.replace(/\?.*/, '')}`) : undefined;
    if (!(await this.#passes(`${method} ${url}`, response))) return;
    if (fault === undefined) return this.#forward(incoming, body, response);
    this.#breaking = this.#break(fault, incoming, body, response);
    return this.#breaking;
  }

  async #break(fault: Fault, incoming: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
    if (fault.blindUntil !== undefined) {
      const { release } = this.hold(POD_WATCH);
      fault.blindUntil().then(release, release);
    }
    if (fault.moment === 'after') {
      const answer = await this.#ask(incoming, body, response);
      answer.resume();
      await once(answer, 'end');
    }
    await fault.act?.();
    incoming.socket.destroy();
  }

  /** @returns the fault if this is the write it is for. */
  #count(what: string): Fault | undefined {
    this.writes.push(what);
    this.#changed();
    const fault = this.#fault;
    if (fault === undefined || fault.of?.test(what) === false) return undefined;
    this.#until -= 1;
    if (this.#until > 0) return undefined;
    this.#fault = undefined;
    this.broken = what;
    return fault;
  }

  /** Waits while it is held. @returns whether it is to be carried out then. */
  async #passes(call: string, response: ServerResponse): Promise<boolean> {
    let late = false;
    const next = (): HoldState | undefined => [...this.#holds.keys()].find(({ calls }) => calls.test(call));
    for (let hold = next(); hold !== undefined; hold = next()) {
      hold.waiting += 1;
      this.#changed();
      await hold.released;
      hold.waiting -= 1;
      late ||= hold.deliverLate;
    }
    return late || !response.destroyed;
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  /** The API server's answer, its body unread. */
  #ask(incoming: IncomingMessage, body: Buffer, response: ServerResponse): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const { method = 'GET', url = '/', headers } = incoming;
    const { server, agent } = this.#upstream;
    const call = request(new URL(url, server), { method, agent, headers: { ...headers, host: server.host } });
    call.on('response', (answer) => {
      if (isWork(method, url)) this.answers.push(answer.statusCode ?? 0);
      this.#changed();
      resolve(answer);
    });
    call.on('error', reject);
    // Who has gone does not wait: a watch would stay open. What was sent whole is carried out nevertheless.
    response.once('close', () => {
      if (READS.has(method) && !response.writableFinished) call.destroy();
    });
    call.end(body);
    return promise;
  }

  async #forward(incoming: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = incoming;
    const answer = await this.#ask(incoming, body, response);
    answer.on('error', () => incoming.socket.destroy());
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    response.flushHeaders();
    if (!WATCH.test(url)) return void answer.pipe(response);
    for await (const part of answer) {
      if (!(await this.#passes(`${method} ${url}`, response))) return;
      response.write(part);
    }
    response.end();
  }
}
