/** A stream of requests from a network namespace of its own, and what it says of them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { joinNetwork } from '../../dev/cluster/network.ts';
import { readState } from '../../dev/cluster/state.ts';
import type { KubeObject } from './kube-api.ts';
import type { Answering, Failure, Line, RequestKind, StreamOptions, Summary } from './traffic-client.ts';
import { type Source, until } from './until.ts';

export type { Failure, Summary } from './traffic-client.ts';

/** Its image: dev/cluster/traffic-server.ts builds it. */
export const TRAFFIC_IMAGE = 'longshore.local/traffic-server:1';

const root = resolve(import.meta.dirname, '..', '..');
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** The client as a machine beside the nodes of a local cluster with real ones; its namespace goes with its process. */
export class TrafficStream implements Source {
  readonly failures: Failure[] = [];
  /** Those that have answered so far. */
  readonly servers: Answering[] = [];
  readonly #child: ChildProcess;
  readonly #listeners = new Set<() => void>();
  readonly #closed: Promise<unknown>;
  #ready = false;
  #flowing = false;
  #summary: Summary | undefined;
  #ended = false;
  #said = '';

  private constructor(options: StreamOptions, before: readonly string[]) {
    const [program = '', ...args] = [
      ...before,
      join(root, 'node_modules', '.bin', 'node'),
      '--disable-warning=ExperimentalWarning',
      join(import.meta.dirname, 'traffic-client.ts'),
      JSON.stringify(options),
    ];
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    running.add(this.#child);
    this.#child.stdin?.on('error', () => {}); // it may have ended by itself
    this.#child.stderr?.on('data', (part: Buffer) => {
      this.#said += part.toString();
    });
    if (this.#child.stdout !== null)
      createInterface({ input: this.#child.stdout }).on('line', (line) => this.#hear(JSON.parse(line) as Line));
    this.#closed = once(this.#child, 'close').then(() => {
      this.#ended = true;
      running.delete(this.#child);
      this.#tell();
    });
  }

  /** Returns once every lane has had its first outcome. */
  static async start(clusterDir: string, options: StreamOptions): Promise<TrafficStream> {
    const bridge = readState(clusterDir)?.real?.bridge;
    if (bridge === undefined) throw new Error(`the cluster in ${clusterDir} has no real nodes`);
    // unshare becomes the client: one process, whose end is the end of the namespace.
    const stream = new TrafficStream(options, ['unshare', '--net', '--']);
    await stream.#until('the client to be there', () => stream.#ready);
    await joinNetwork(bridge, stream.#child.pid ?? 0);
    return stream.#begin();
  }

  /** The client in the network of this process: for servers of the machine itself. */
  static onThisMachine(options: StreamOptions): Promise<TrafficStream> {
    return new TrafficStream(options, []).#begin();
  }

  async #begin(): Promise<TrafficStream> {
    this.#child.stdin?.write('start\n');
    await this.#until('the stream to flow', () => this.#flowing);
    return this;
  }

  /** Returns the first answer of this pod's server, once there is one. */
  async answerOf({ metadata: { name, creationTimestamp } }: KubeObject, timeoutMs?: number): Promise<Answering> {
    const find = (): Answering | undefined =>
      this.servers.find(({ task, startedAt }) => task === name && startedAt >= Date.parse(creationTimestamp));
    await this.#until(`an answer of ${name}`, () => find() !== undefined, timeoutMs);
    return find() as Answering;
  }

  /** Returns the first failure of this kind, once there is one. */
  async failureOf(kind: RequestKind, timeoutMs?: number): Promise<Failure> {
    const find = (): Failure | undefined => this.failures.find((failure) => failure.kind === kind);
    await this.#until(`a failure of a request of kind ${kind}`, () => find() !== undefined, timeoutMs);
    return find() as Failure;
  }

  /** Lets it finish what it has begun. */
  async end(): Promise<Summary> {
    this.#child.stdin?.end('end\n');
    await this.#closed;
    if (this.#summary === undefined) throw new Error(`the client has ended without a summary: ${this.#said}`);
    return this.#summary;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  describe(): string {
    const failures = this.failures.slice(-10).map((failure) => JSON.stringify(failure));
    return [`answers of ${this.servers.map(({ task }) => task).join(', ')}`, ...failures, this.#said].join('\n');
  }

  #until(what: string, ask: () => boolean, timeoutMs = 120_000): Promise<boolean> {
    const checked = (): boolean => {
      if (ask()) return true;
      if (this.#ended) throw new Error(`${what}: the client has ended: ${this.#said}`);
      return false;
    };
    return until(this, what, checked, timeoutMs);
  }

  #hear(line: Line): void {
    switch (line.line) {
      case 'ready':
        this.#ready = true;
        break;
      case 'flowing':
        this.#flowing = true;
        break;
      case 'server':
        this.servers.push(line.server);
        break;
      case 'failure':
        this.failures.push(line.failure);
        break;
      case 'summary':
        this.#summary = line.summary;
        break;
    }
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
