/**
 * A constant stream of requests at one address, as a process of its own: `traffic-client.ts <options as JSON>`. It says `ready`,
 * waits for the line `start`, and ends after `seconds`, at the line `end`, or with its standard input.
 *
 * It repeats once a request on a connection used before that was reset before the first byte of the answer, and a WebSocket's
 * message that the server's close (1001) left without an answer. Everything else that goes wrong is a failure.
 */
import { Agent, type ClientRequest, request } from 'node:http';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

export type RequestKind = 'keep-alive' | 'new connection' | 'slow keep-alive' | 'slow new connection' | 'websocket';

export interface StreamOptions {
  readonly host: string;
  readonly port: number;
  /** Path of the requests, without what the server looks at. Default empty. */
  readonly prefix?: string;
  /** Of the requests; default that of the address. */
  readonly hostHeader?: string;
  /** Most seconds of the stream. */
  readonly seconds: number;
  /** How many of each kind at a time; default 4, 2, 2, 2 and 2. */
  readonly lanes?: Readonly<Partial<Record<RequestKind, number>>>;
}

export interface Failure {
  readonly kind: RequestKind;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly failedAt: number;
  readonly error: string;
  /** The task at the other end of the connection, where it has answered on it before. */
  readonly task?: string;
}

/** A server when it answered for the first time. A task may have the name of one that is long gone. */
export interface Answering {
  readonly task: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly answeredAt: number;
}

export interface Summary {
  readonly requests: number;
  readonly byKind: Readonly<Partial<Record<RequestKind, number>>>;
  readonly failures: number;
  readonly repeats: number;
  /** Milliseconds until the end of the answer; of the slow ones without what they were asked to take. */
  readonly p50: number;
  readonly p99: number;
  readonly slowest: number;
  readonly answeredBy: Readonly<Record<string, number>>;
}

/** What it prints: a line of JSON each. */
export type Line =
  | { readonly line: 'ready' }
  /** Every lane has had its first outcome. */
  | { readonly line: 'flowing' }
  | { readonly line: 'server'; readonly server: Answering }
  | { readonly line: 'failure'; readonly failure: Failure }
  | { readonly line: 'summary'; readonly summary: Summary };

const SLOW_MS = 1200;
const TIMEOUT_MS = 30_000;

const KINDS: Readonly<Record<RequestKind, { readonly lanes: number; readonly everyMs: number }>> = {
  'keep-alive': { lanes: 4, everyMs: 50 },
  'new connection': { lanes: 2, everyMs: 50 },
  'slow keep-alive': { lanes: 2, everyMs: 0 },
  'slow new connection': { lanes: 2, everyMs: 0 },
  websocket: { lanes: 2, everyMs: 100 },
};

/** A request that may be made once more: nothing of an answer came, and it is known that the connection has ended. */
class Repeatable extends Error {}

class Stream {
  readonly #options: StreamOptions;
  readonly #ending = new AbortController();
  readonly #latencies: number[] = [];
  readonly #answeredBy = new Map<string, number>();
  readonly #servers = new Set<string>();
  readonly #byKind = new Map<RequestKind, number>();
  #failures = 0;
  #repeats = 0;
  #begun = 0;

  constructor(options: StreamOptions) {
    this.#options = options;
  }

  end(): void {
    this.#ending.abort();
  }

  async run(): Promise<Summary> {
    const lanes = (Object.keys(KINDS) as RequestKind[]).flatMap((kind) => {
      const count = this.#options.lanes?.[kind] ?? KINDS[kind].lanes;
      return Array.from({ length: count }, () => kind);
    });
    const late = setTimeout(() => this.end(), this.#options.seconds * 1000);
    await Promise.all(lanes.map((kind) => this.#lane(kind, lanes.length)));
    clearTimeout(late);
    const sorted = this.#latencies.toSorted((a, b) => a - b);
    const at = (part: number): number => Math.round(sorted[Math.ceil(part * sorted.length) - 1] ?? 0);
    return {
      requests: [...this.#byKind.values()].reduce((sum, count) => sum + count, 0),
      byKind: Object.fromEntries(this.#byKind),
      failures: this.#failures,
      repeats: this.#repeats,
      p50: at(0.5),
      p99: at(0.99),
      slowest: at(1),
      answeredBy: Object.fromEntries(this.#answeredBy),
    };
  }

  /** One request after the other, none before its time. */
  async #lane(kind: RequestKind, lanes: number): Promise<void> {
    const lane = kind === 'websocket' ? new SocketLane(this.#options) : new HttpLane(this.#options, kind);
    const expectedMs = kind.startsWith('slow') ? SLOW_MS : 0;
    for (let first = true; !this.#ending.signal.aborted; first = false) {
      const startedAt = Date.now();
      const start = performance.now();
      this.#byKind.set(kind, (this.#byKind.get(kind) ?? 0) + 1);
      try {
        this.#answered(await this.#twice(lane));
        this.#latencies.push(performance.now() - start - expectedMs);
      } catch (error) {
        this.#failures += 1;
        const task = lane.task;
        const failure = { kind, startedAt, failedAt: Date.now(), error: wordsOf(error), ...(task && { task }) };
        print({ line: 'failure', failure });
      }
      if (first) this.#begun += 1;
      if (first && this.#begun === lanes) print({ line: 'flowing' });
      const rest = KINDS[kind].everyMs - (performance.now() - start);
      await delay(Math.max(rest, 1), undefined, { signal: this.#ending.signal }).catch(() => {});
    }
    lane.close();
  }

  async #twice(lane: Lane): Promise<Answer> {
    try {
      return await lane.ask();
    } catch (error) {
      if (!(error instanceof Repeatable)) throw error;
      this.#repeats += 1;
      return await lane.ask();
    }
  }

  #answered({ task, startedAt }: Answer): void {
    this.#answeredBy.set(task, (this.#answeredBy.get(task) ?? 0) + 1);
    const server = `${task} ${startedAt}`;
    if (startedAt === undefined || this.#servers.has(server)) return;
    this.#servers.add(server);
    print({ line: 'server', server: { task, startedAt, answeredAt: Date.now() } });
  }
}

interface Answer {
  readonly task: string;
  /** Of the server, epoch milliseconds; absent where it did not say. */
  readonly startedAt?: number;
}

interface Lane {
  /** The task that answered last on the connection that is open, or was when it failed. */
  readonly task: string | undefined;
  /** @throws Repeatable */
  ask(): Promise<Answer>;
  close(): void;
}

class HttpLane implements Lane {
  readonly #options: StreamOptions;
  readonly #slow: boolean;
  readonly #agent: Agent;
  #task: string | undefined;

  constructor(options: StreamOptions, kind: RequestKind) {
    this.#options = options;
    this.#slow = kind.startsWith('slow');
    this.#agent = new Agent({ keepAlive: kind.endsWith('keep-alive'), maxSockets: 1 });
  }

  get task(): string | undefined {
    return this.#task;
  }

  close(): void {
    this.#agent.destroy();
  }

  ask(): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const { host, port, prefix = '', hostHeader } = this.#options;
    const call = request({
      host,
      port,
      path: `${prefix}${this.#slow ? `/slow?ms=${SLOW_MS}` : '/'}`,
      agent: this.#agent,
      timeout: TIMEOUT_MS,
      ...(hostHeader !== undefined && { headers: { host: hostHeader } }),
    });
    let socket: Socket | undefined;
    let bytesBefore = 0;
    call.on('socket', (given: Socket) => {
      socket = given;
      bytesBefore = given.bytesRead;
      if (!call.reusedSocket) this.#task = undefined;
    });
    call.on('timeout', () => call.destroy(new Error(`nothing came for ${TIMEOUT_MS} ms`)));
    call.on('error', (error) => {
      const nothingCame = socket !== undefined && socket.bytesRead === bytesBefore;
      reject(call.reusedSocket && nothingCame && isReset(error) ? new Repeatable(wordsOf(error)) : error);
    });
    this.#read(call, resolve, reject);
    call.end();
    return promise;
  }

  #read(call: ClientRequest, resolve: (answer: Answer) => void, reject: (error: unknown) => void): void {
    call.on('response', (response) => {
      const task = response.headers['x-task'];
      if (typeof task === 'string') this.#task = task;
      const startedAt = response.headers['x-started'];
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('error', (error) => reject(new Error(`cut off within the answer: ${wordsOf(error)}`)));
      response.on('end', () => {
        if (response.statusCode === 200 && text === `${task}\n`)
          resolve({ task: text.trim(), ...(startedAt !== undefined && { startedAt: Number(startedAt) }) });
        else reject(new Error(`${response.statusCode} ${JSON.stringify(text.slice(0, 200))}`));
      });
    });
  }
}

class SocketLane implements Lane {
  readonly #url: string;
  #socket: WebSocket | undefined;
  #closedWith: number | undefined;
  #task: string | undefined;
  #count = 0;

  constructor({ host, port, prefix = '', hostHeader }: StreamOptions) {
    if (hostHeader !== undefined && hostHeader !== host) throw new Error('a WebSocket names the host of its address');
    this.#url = `ws://${host}:${port}${prefix}/ws`;
  }

  get task(): string | undefined {
    return this.#task;
  }

  close(): void {
    this.#socket?.close(1000);
  }

  async ask(): Promise<Answer> {
    const socket = await this.#open();
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#count += 1;
    const message = `message ${this.#count}`;
    const late = setTimeout(() => reject(new Error(`nothing came for ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
    const onMessage = ({ data }: MessageEvent): void => {
      const [task = '', ...rest] = String(data).split(' ');
      this.#task = task;
      if (rest.join(' ') === message) resolve({ task });
      else reject(new Error(`${JSON.stringify(data)} came for ${JSON.stringify(message)}`));
    };
    const onClose = ({ code }: CloseEvent): void => {
      reject(code === 1001 ? new Repeatable('closed with 1001') : new Error(`the WebSocket was closed with ${code}`));
    };
    socket.addEventListener('message', onMessage);
    socket.addEventListener('close', onClose);
    if (socket.readyState === WebSocket.OPEN) socket.send(message);
    try {
      return await promise;
    } catch (error) {
      socket.close();
      this.#socket = undefined;
      throw error;
    } finally {
      clearTimeout(late);
      socket.removeEventListener('message', onMessage);
      socket.removeEventListener('close', onClose);
    }
  }

  /** The socket that is open; a new one where there is none, or the server has gone away between two messages, as it said. */
  async #open(): Promise<WebSocket> {
    const [before, code] = [this.#socket, this.#closedWith];
    if (before !== undefined && code === undefined) return before;
    this.#socket = undefined;
    if (before !== undefined && code !== 1001) throw new Error(`the WebSocket was closed with ${code}`);
    this.#task = undefined;
    const { promise, resolve, reject } = Promise.withResolvers<WebSocket>();
    const socket = new WebSocket(this.#url);
    const late = setTimeout(() => reject(new Error(`no WebSocket for ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
    socket.addEventListener('open', () => resolve(socket));
    socket.addEventListener('error', (event) => {
      reject(new Error(`the WebSocket failed: ${wordsOf(event.error)}`));
    });
    socket.addEventListener('close', ({ code }) => {
      reject(new Error(`the WebSocket was closed with ${code} before it was open`));
      if (this.#socket === socket) this.#closedWith = code;
    });
    try {
      this.#socket = await promise;
      this.#closedWith = undefined;
      return socket;
    } catch (error) {
      socket.close();
      throw error;
    } finally {
      clearTimeout(late);
    }
  }
}

const isReset = (error: Error): boolean =>
  ['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '');

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function print(line: Line): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function main(): Promise<void> {
  const stream = new Stream(JSON.parse(process.argv[2] ?? '') as StreamOptions);
  process.stdout.on('error', () => process.exit(1)); // nobody reads any more
  const input = createInterface({ input: process.stdin });
  const started = Promise.withResolvers<void>();
  input.on('line', (line) => (line === 'start' ? started.resolve() : stream.end()));
  input.on('close', () => {
    stream.end();
    started.resolve();
  });
  print({ line: 'ready' });
  await started.promise;
  const summary = await stream.run();
  print({ line: 'summary', summary });
  input.close();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
