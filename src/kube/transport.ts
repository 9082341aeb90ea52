import { type Dispatcher, Pool, ProxyAgent } from 'undici';
import type { Connection, TlsMaterial } from './connection.ts';
import { ConnectionError, isUntrusted } from './errors.ts';
import { writeFence } from './write-fence.ts';

export interface TransportOptions {
  readonly userAgent: string;
  readonly maxConnections: number;
  /** Asked when a write is about to go on a socket; false makes its exchange throw NotLeaderError. */
  readonly mayWrite: () => boolean;
}

export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
  readonly signal?: AbortSignal;
  /** From the call to the last byte of the answer; for a stream, to its headers. */
  readonly timeoutMs: number;
}

export interface Answer {
  readonly status: number;
  readonly retryAfter?: string;
  readonly text: string;
}

export interface StreamRequest {
  readonly path: string;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** The stream fails after this long without a byte. */
  readonly silenceMs: number;
}

interface Dispatchers {
  readonly material: TlsMaterial;
  readonly requests: Dispatcher;
  readonly streams: Dispatcher;
}

/** The apiserver closes connections idle for 90 s; ours must go first, or a POST may meet a closing socket. */
const KEEP_ALIVE_MS = 60_000;

/** Kept-alive connections to one API server: one pool for calls, one for watches, which hold theirs for minutes. */
export class Transport {
  readonly #connection: Connection;
  readonly #options: TransportOptions;
  readonly #closed = new AbortController();
  #dispatchers: Dispatchers | undefined;

  constructor(connection: Connection, options: TransportOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /**
   * One HTTP exchange. Throws ConnectionError when no whole answer came, NotLeaderError for a write that may not be
   * sent, and the signal's reason on abort.
   */
  async exchange(request: TransportRequest): Promise<Answer> {
    const deadline = this.#deadline(request.timeoutMs, request.signal);
    try {
      const { requests } = await this.#current();
      const headers = await this.#headers(request.contentType);
      const response = await requests.request({
        origin: this.#connection.server,
        method: request.method,
        path: request.path,
        headers,
        body: request.body ?? null,
        signal: deadline.signal,
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      const text = await response.body.text();
      return { status: response.statusCode, ...retryAfterOf(response), text };
    } catch (error) {
      throw this.#explain(error, request.method, request.path, deadline, request.signal);
    } finally {
      deadline.clear();
    }
  }

  /** Opens a stream; the caller reads `body` to its end or stops iterating, which closes the connection. */
  async stream(request: StreamRequest): Promise<{ status: number; retryAfter?: string; body: AsyncIterable<Buffer> }> {
    const deadline = this.#deadline(request.timeoutMs, request.signal);
    const explain = (error: unknown) => this.#explain(error, 'GET', request.path, deadline, request.signal);
    try {
      const { streams } = await this.#current();
      const response = await streams.request({
        origin: this.#connection.server,
        method: 'GET',
        path: request.path,
        headers: await this.#headers(undefined),
        signal: deadline.signal,
        headersTimeout: 0,
        bodyTimeout: request.silenceMs,
      });
      deadline.stopClock();
      const body = readBody(response.body, explain, deadline.clear);
      return { status: response.statusCode, ...retryAfterOf(response), body };
    } catch (error) {
      deadline.clear();
      throw explain(error);
    }
  }

  expireCredentials(): void {
    this.#connection.expire();
  }

  async close(): Promise<void> {
    this.#closed.abort(new Error('the Kubernetes client is closed'));
    const current = this.#dispatchers;
    this.#dispatchers = undefined;
    await Promise.all([current?.requests.destroy(), current?.streams.destroy()]);
  }

  async #headers(contentType: string | undefined): Promise<Record<string, string>> {
    const headers: Record<string, string> = { accept: 'application/json', 'user-agent': this.#options.userAgent };
    if (contentType) headers['content-type'] = contentType;
    await this.#connection.authorize(headers);
    return headers;
  }

  /** New pools when certificates were rotated; calls under way finish on the old ones. */
  async #current(): Promise<Dispatchers> {
    const material = await this.#connection.tls();
    this.#closed.signal.throwIfAborted();
    const old = this.#dispatchers;
    if (old?.material === material) return old;
    const created = {
      material,
      requests: this.#dispatcher(material, this.#options.maxConnections).compose(writeFence(this.#options.mayWrite)),
      streams: this.#dispatcher(material, null),
    };
    this.#dispatchers = created;
    if (old) {
      void old.requests.close();
      void old.streams.close();
    }
    return created;
  }

  #dispatcher(material: TlsMaterial, connections: number | null): Dispatcher {
    const common = { connections, keepAliveTimeout: KEEP_ALIVE_MS, allowH2: false };
    if (this.#connection.proxyUrl) {
      return new ProxyAgent({ ...common, uri: this.#connection.proxyUrl, requestTls: material });
    }
    return new Pool(this.#connection.server, {
      ...common,
      connect: { ...material, keepAlive: true, keepAliveInitialDelay: 30_000, timeout: 10_000 },
    });
  }

  #deadline(timeoutMs: number, signal: AbortSignal | undefined): Deadline {
    return new Deadline(timeoutMs, [this.#closed.signal, ...(signal ? [signal] : [])]);
  }

  #explain(error: unknown, method: string, path: string, deadline: Deadline, signal?: AbortSignal): unknown {
    if (signal?.aborted) return signal.reason;
    if (this.#closed.signal.aborted) return this.#closed.signal.reason;
    if (deadline.expired) return new ConnectionError({ method, path }, 'ETIMEDOUT');
    const code = codeOf(error);
    // Certificates were rotated on one side: what the files say now may fit. (ERR_SSL_: the server's alert about ours.)
    if (code !== undefined && (isUntrusted(code) || code.startsWith('ERR_SSL_'))) this.#connection.expire();
    return code === undefined ? error : new ConnectionError({ method, path }, code, error);
  }
}

/** A timeout and the callers' signals in one; unlike AbortSignal.any it leaves nothing behind on long-lived signals. */
class Deadline {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #parents: readonly AbortSignal[];
  expired = false;

  constructor(timeoutMs: number, parents: readonly AbortSignal[]) {
    this.#parents = parents;
    this.#timer = setTimeout(() => {
      this.expired = true;
      this.#controller.abort();
    }, timeoutMs);
    for (const parent of parents) {
      if (parent.aborted) this.#abort();
      else parent.addEventListener('abort', this.#abort);
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  stopClock(): void {
    clearTimeout(this.#timer);
  }

  readonly clear = (): void => {
    this.stopClock();
    for (const parent of this.#parents) parent.removeEventListener('abort', this.#abort);
  };

  readonly #abort = (): void => this.#controller.abort();
}

async function* readBody(
  body: AsyncIterable<Buffer>,
  explain: (error: unknown) => unknown,
  done: () => void,
): AsyncGenerator<Buffer> {
  try {
    yield* body;
  } catch (error) {
    throw explain(error);
  } finally {
    done();
  }
}

function retryAfterOf(response: Dispatcher.ResponseData): { retryAfter?: string } {
  const value = response.headers['retry-after'];
  return typeof value === 'string' ? { retryAfter: value } : {};
}

/** The code of a network error; undici's SocketError wraps the socket's own. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const inner = codeOf(error.cause);
  if (inner) return inner;
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
