import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions, type Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Connection } from '../../src/kube/connection.ts';

export interface FakeObject {
  apiVersion?: string;
  kind?: string;
  metadata: { name: string; namespace?: string; uid?: string; resourceVersion?: string; [field: string]: unknown };
  [field: string]: unknown;
}

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** What a fault does with a request. `carryOut` lets the server do its work and returns the answer it would send. */
export type Fault = (
  request: Request,
  response: ServerResponse,
  carryOut: () => { status: number; body: unknown },
) => void;

interface WatchEvent {
  type: string;
  object: unknown;
}

/** An open watch stream, for the test to feed or to break. */
export interface OpenWatch {
  readonly request: Request;
  readonly closed: boolean;
  send(event: WatchEvent): void;
  raw(bytes: string | Buffer): Promise<void>;
  /** Ends the stream as a server does at its timeout. */
  end(): void;
  /** Breaks the connection. */
  cut(): void;
}

interface Waiter {
  readonly matches: () => boolean;
  readonly resolve: () => void;
}

/**
 * An API server in memory, on loopback: objects with one resourceVersion counter, lists, watches with history, and
 * faults that the test puts in the way. It knows no schemas, so a test says what it needs.
 */
export class FakeServer {
  readonly requests: Request[] = [];
  readonly watches: OpenWatch[] = [];
  connections = 0;
  /** Watches that resume before this resourceVersion are refused. */
  compactedBefore = 0;
  /** How they are refused: an HTTP status, as the apiserver does on connect, or an ERROR event. */
  refuseCompactedBy: 'status' | 'event' = 'status';
  streamingLists = true;
  /** Open watches hear nothing while true. */
  frozen = false;
  readonly #objects = new Map<string, FakeObject>();
  readonly #history: { rv: number; collection: string; event: WatchEvent }[] = [];
  readonly #faults: { matches: (request: Request) => boolean; fault: Fault; left: number }[] = [];
  #waiters: Waiter[] = [];
  #rv = 100;
  readonly #server: Server | TlsServer;
  readonly #sockets = new Set<Socket>();

  private constructor(tls: ServerOptions | undefined) {
    const receive = (request: IncomingMessage, response: ServerResponse): Promise<void> =>
      this.#receive(request, response);
    this.#server = tls === undefined ? createServer(receive) : createTlsServer(tls, receive);
    // The apiserver's.
    this.#server.keepAliveTimeout = 90_000;
  }

  /** @param tls makes it an HTTPS server. */
  static async start(tls?: ServerOptions): Promise<FakeServer> {
    const fake = new FakeServer(tls);
    fake.#server.on('connection', (socket: Socket) => {
      fake.connections += 1;
      fake.#sockets.add(socket);
      socket.on('close', () => fake.#sockets.delete(socket));
    });
    fake.#server.listen(0, '127.0.0.1');
    await once(fake.#server, 'listening');
    return fake;
  }

  get resourceVersion(): number {
    return this.#rv;
  }

  get url(): string {
    const scheme = 'setSecureContext' in this.#server ? 'https' : 'http';
    return `${scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** New certificates for connections from now on. */
  rotate(tls: ServerOptions): void {
    if ('setSecureContext' in this.#server) this.#server.setSecureContext(tls);
  }

  /** Cuts every connection. */
  disconnect(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  connection(headers: Record<string, string> = {}): Connection {
    const tls = {};
    return {
      server: this.url,
      namespace: 'default',
      tls: async () => tls,
      authorize: async (target) => {
        Object.assign(target, headers);
      },
      expire: () => {},
    };
  }

  async stop(): Promise<void> {
    this.disconnect();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** The next `times` requests that match meet the fault instead of the server. */
  inject(matches: (request: Request) => boolean, fault: Fault, times = 1): void {
    this.#faults.push({ matches, fault, left: times });
  }

  /** Resolves when the condition holds; it is looked at after each request and each change of a stream. */
  until(matches: () => boolean): Promise<void> {
    if (matches()) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ matches, resolve }));
  }

  async nextWatch(after = this.watches.length): Promise<OpenWatch> {
    await this.until(() => this.watches.length > after);
    const watch = this.watches[after];
    if (!watch) throw new Error('no watch was opened');
    return watch;
  }

  object(path: string): FakeObject | undefined {
    return this.#objects.get(path);
  }

  /** Creates or replaces an object as somebody else would, and tells the watches. */
  put(collection: string, object: FakeObject): FakeObject {
    const path = objectPath(collection, object);
    const old = this.#objects.get(path);
    this.#rv += 1;
    const stored = structuredClone(object);
    stored.metadata.uid ??= old?.metadata.uid ?? `uid-${this.#rv}`;
    stored.metadata.resourceVersion = String(this.#rv);
    this.#objects.set(path, stored);
    this.#publish(collection, { type: old ? 'MODIFIED' : 'ADDED', object: stored });
    return stored;
  }

  remove(collection: string, at: { namespace?: string; name: string }): void {
    const path = objectPath(collection, { metadata: at });
    const old = this.#objects.get(path);
    if (!old) throw new Error(`no ${path}`);
    this.#rv += 1;
    this.#objects.delete(path);
    const final = { ...old, metadata: { ...old.metadata, resourceVersion: String(this.#rv) } };
    this.#publish(collection, { type: 'DELETED', object: final });
  }

  /** Time passes elsewhere: the resourceVersion moves on without an event for our collections. */
  advance(by: number): number {
    this.#rv += by;
    return this.#rv;
  }

  #publish(collection: string, event: WatchEvent): void {
    this.#history.push({ rv: this.#rv, collection, event });
    if (this.frozen) return;
    for (const watch of this.watches) if (collectionOf(watch.request.path).collection === collection) watch.send(event);
  }

  #notify(): void {
    const waiting = this.#waiters;
    this.#waiters = waiting.filter(({ matches }) => !matches());
    for (const waiter of waiting) if (!this.#waiters.includes(waiter)) waiter.resolve();
  }

  async #receive(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const url = new URL(incoming.url ?? '/', 'http://fake');
    const request: Request = {
      method: incoming.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      headers: incoming.headers,
      body: Buffer.concat(chunks).toString('utf8'),
    };
    this.requests.push(request);
    const injected = this.#faults.find(({ matches, left }) => left > 0 && matches(request));
    if (injected) {
      injected.left -= 1;
      injected.fault(request, response, () => this.#carryOut(request));
    } else if (request.query.get('watch') === 'true') {
      this.#watch(request, response);
    } else {
      const { status, body } = this.#carryOut(request);
      respond(response, status, body);
    }
    this.#notify();
  }

  #carryOut(request: Request): { status: number; body: unknown } {
    const { collection, namespace, name } = collectionOf(request.path);
    // A subresource is a part of its object.
    const old =
      name && this.#objects.get(objectPath(collection, { metadata: { ...(namespace && { namespace }), name } }));
    if (request.method === 'GET' && name === undefined) return { status: 200, body: this.#list(collection, request) };
    if (request.method === 'POST') {
      const object: FakeObject = JSON.parse(request.body);
      if (namespace !== undefined) object.metadata.namespace = namespace;
      if (this.#objects.has(objectPath(collection, object))) return status(409, 'AlreadyExists', 'already exists');
      return { status: 201, body: this.put(collection, object) };
    }
    if (!old) return status(404, 'NotFound', `${request.path} not found`);
    if (request.method === 'GET') return { status: 200, body: old };
    if (request.method === 'DELETE') {
      this.remove(collection, old.metadata);
      return { status: 200, body: { kind: 'Status', status: 'Success' } };
    }
    const sent: FakeObject = JSON.parse(request.body);
    const guard = sent.metadata?.resourceVersion;
    if (guard !== undefined && guard !== old.metadata.resourceVersion) {
      return status(409, 'Conflict', 'the object has been modified');
    }
    const next =
      request.method === 'PATCH' ? { ...old, ...sent, metadata: { ...old.metadata, ...sent.metadata } } : sent;
    return { status: 200, body: this.put(collection, next) };
  }

  #list(collection: string, request: Request): unknown {
    const all = [...this.#objects].filter(([path]) => collectionOf(path).collection === collection);
    const limit = Number(request.query.get('limit') ?? all.length);
    const start = Number(request.query.get('continue') ?? 0);
    const more = start + limit < all.length ? { continue: String(start + limit) } : {};
    return {
      metadata: { resourceVersion: String(this.#rv), ...more },
      items: all.slice(start, start + limit).map(([, object]) => object),
    };
  }

  #watch(request: Request, response: ServerResponse): void {
    const { collection } = collectionOf(request.path);
    const initial = request.query.get('sendInitialEvents') === 'true';
    const from = Number(request.query.get('resourceVersion') ?? 0);
    if (initial && !this.streamingLists) {
      const refused = status(422, 'Invalid', 'sendInitialEvents is forbidden');
      respond(response, refused.status, refused.body);
      return;
    }
    const gone = status(410, 'Expired', 'too old resource version');
    const tooOld = !initial && from < this.compactedBefore;
    if (tooOld && this.refuseCompactedBy === 'status') {
      respond(response, gone.status, gone.body);
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const watch = this.#open(request, response);
    if (tooOld) {
      watch.send({ type: 'ERROR', object: gone.body });
      watch.end();
      return;
    }
    if (initial) {
      for (const [path, object] of this.#objects) {
        if (collectionOf(path).collection === collection) watch.send({ type: 'ADDED', object });
      }
      watch.send(bookmark(this.#rv, { 'k8s.io/initial-events-end': 'true' }));
    } else {
      for (const { rv, collection: where, event } of this.#history) {
        if (rv > from && where === collection) watch.send(event);
      }
    }
    this.watches.push(watch);
  }

  #open(request: Request, response: ServerResponse): OpenWatch {
    let open = true;
    response.on('close', () => {
      open = false;
      this.#notify();
    });
    const watch: OpenWatch = {
      request,
      get closed() {
        return !open;
      },
      send: (event) => {
        if (open) response.write(`${JSON.stringify(event)}\n`);
      },
      raw: (bytes) => new Promise((resolve) => response.write(bytes, () => resolve())),
      end: () => {
        open = false;
        response.end();
      },
      cut: () => {
        open = false;
        response.destroy();
      },
    };
    return watch;
  }
}

export function respond(
  response: ServerResponse,
  code: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

export function status(code: number, reason: string, message: string, details: object = {}) {
  return { status: code, body: { kind: 'Status', status: 'Failure', code, reason, message, details } };
}

export function bookmark(resourceVersion: number, annotations: Record<string, string> = {}) {
  return { type: 'BOOKMARK', object: { metadata: { resourceVersion: String(resourceVersion), annotations } } };
}

/** `collection` leaves the namespace out, so that a list over all namespaces finds the objects of each. */
function collectionOf(path: string): { collection: string; namespace?: string; name?: string } {
  const match = /^(\/api\/[^/]+|\/apis\/[^/]+\/[^/]+)(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?/.exec(path);
  if (!match) throw new Error(`the fake server does not know ${path}`);
  const [, root, namespace, plural, name] = match;
  return {
    collection: `${root}/${plural}`,
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { name }),
  };
}

function objectPath(collection: string, object: { metadata: { namespace?: string; name: string } }): string {
  const at = collection.lastIndexOf('/');
  const { namespace, name } = object.metadata;
  const scope = namespace ? `/namespaces/${namespace}` : '';
  return `${collection.slice(0, at)}${scope}${collection.slice(at)}/${name}`;
}
