import { sleep } from './backoff.ts';
import type { Connection } from './connection.ts';
import { ApiError, ConnectionError, toApiError, watchErrorToApiError } from './errors.ts';
import { encodeJson } from './json.ts';
import { LineSplitter } from './line-splitter.ts';
import { type Logger, silentLogger } from './logger.ts';
import { type Place, type Resource, resourcePath } from './resource.ts';
import { retryDelayMs } from './retry.ts';
import { Transport, type TransportRequest } from './transport.ts';
import type { CallOptions, DeleteOptions, List, ListQuery, PatchType, WatchEvent, WatchQuery } from './verbs.ts';

export type { CallOptions, DeleteOptions, List, ListQuery, PatchType, WatchEvent, WatchQuery } from './verbs.ts';

export interface KubeClientOptions {
  readonly userAgent?: string;
  /** Per attempt, milliseconds. Default 30 000. */
  readonly timeoutMs?: number;
  /** Connections for calls; watches have their own. Default 32. */
  readonly maxConnections?: number;
  readonly logger?: Logger;
  /**
   * Asked when a write is about to go on a socket, each time it is sent; false makes it throw NotLeaderError instead. For
   * `LeaderElector.isLeader`, which needs a client of its own to take the lease with.
   */
  readonly mayWrite?: () => boolean;
  /** Called once an attempt. */
  readonly onCall?: (call: ObservedCall) => void;
}

/** One attempt of a call, for metrics. */
export interface ObservedCall {
  /** As Kubernetes counts: get, list, watch, create, update, patch, delete, deletecollection. */
  readonly verb: string;
  readonly method: string;
  readonly resource: string;
  /** The HTTP status, or the network error's code where no answer came. */
  readonly code: number | string;
  readonly seconds: number;
}

const patchTypes: Record<PatchType, string> = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

interface ObjectPlace {
  readonly namespace?: string;
  readonly name: string;
  readonly subresource?: string;
}

interface Outgoing {
  readonly verb: string;
  readonly method: TransportRequest['method'];
  readonly resource: Resource;
  readonly at: Place;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly options?: CallOptions;
}

/**
 * The API server's verbs over kept-alive connections. Objects go through as the JSON they are, unknown fields included.
 * Every method throws ApiError for an answer that is not 2xx, ConnectionError when no answer came; see `retry.ts` for
 * what is repeated before that.
 */
export class KubeClient {
  readonly connection: Connection;
  readonly #transport: Transport;
  readonly #timeoutMs: number;
  readonly #logger: Logger;
  readonly #onCall: KubeClientOptions['onCall'];

  constructor(connection: Connection, options: KubeClientOptions = {}) {
    this.connection = connection;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    this.#logger = options.logger ?? silentLogger;
    this.#onCall = options.onCall;
    this.#transport = new Transport(connection, {
      userAgent: options.userAgent ?? 'longshore',
      maxConnections: options.maxConnections ?? 32,
      mayWrite: options.mayWrite ?? (() => true),
    });
  }

  get<T>(resource: Resource, at: ObjectPlace, options?: CallOptions): Promise<T> {
    return this.#call({ verb: 'get', method: 'GET', resource, at, ...(options && { options }) });
  }

  /** What the API server serves of a group and version: an APIResourceList. */
  discover<T>(of: Pick<Resource, 'group' | 'version'>, options?: CallOptions): Promise<T> {
    const resource = { ...of, plural: '', kind: 'APIResourceList', namespaced: false };
    return this.#call({ verb: 'get', method: 'GET', resource, at: {}, ...(options && { options }) });
  }

  list<T>(
    resource: Resource,
    at: { namespace?: string } = {},
    query: ListQuery = {},
    options?: CallOptions,
  ): Promise<List<T>> {
    return this.#call({
      verb: 'list',
      method: 'GET',
      resource,
      at,
      query: { ...query },
      ...(options && { options }),
    });
  }

  create<T>(
    resource: Resource,
    at: { namespace?: string; name?: string; subresource?: string },
    body: unknown,
    options?: CallOptions,
  ): Promise<T> {
    return this.#call({ verb: 'create', method: 'POST', resource, at, body, ...(options && { options }) });
  }

  /** PUT: with metadata.resourceVersion in the body it fails with Conflict when the object changed meanwhile. */
  update<T>(resource: Resource, at: ObjectPlace, body: unknown, options?: CallOptions): Promise<T> {
    return this.#call({ verb: 'update', method: 'PUT', resource, at, body, ...(options && { options }) });
  }

  /** A merge patch unless told otherwise. `apply` needs `query.fieldManager`. */
  patch<T>(
    resource: Resource,
    at: ObjectPlace,
    body: unknown,
    type: PatchType = 'merge',
    options?: CallOptions,
  ): Promise<T> {
    return this.#call({
      verb: 'patch',
      method: 'PATCH',
      resource,
      at,
      body,
      contentType: patchTypes[type],
      ...(options && { options }),
    });
  }

  async delete(resource: Resource, at: ObjectPlace, options: DeleteOptions = {}): Promise<void> {
    const { gracePeriodSeconds, propagationPolicy, preconditions, ...rest } = options;
    const body = { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds, propagationPolicy, preconditions };
    await this.#call({ verb: 'delete', method: 'DELETE', resource, at, body, options: rest });
  }

  /** Deletes what the selector finds: one request, but the server deletes one object after the other. */
  async deleteCollection(
    resource: Resource,
    at: { namespace: string },
    query: { labelSelector: string; fieldSelector?: string },
    options: DeleteOptions = {},
  ): Promise<void> {
    const { gracePeriodSeconds, propagationPolicy, preconditions, ...rest } = options;
    const body = { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds, propagationPolicy, preconditions };
    await this.#call({
      verb: 'deletecollection',
      method: 'DELETE',
      resource,
      at,
      query: { ...query },
      body,
      options: rest,
    });
  }

  /**
   * One watch, until the server ends it. Throws ApiError for a non-2xx answer and for an ERROR event, ConnectionError
   * when the stream breaks or is silent for `silenceMs` (default 130 s), and ends without a throw on abort.
   */
  async *watch(
    resource: Resource,
    at: { namespace?: string; name?: string },
    query: WatchQuery,
    signal: AbortSignal,
    options: { readonly silenceMs?: number } = {},
  ): AsyncGenerator<WatchEvent> {
    const path = `${resourcePath(resource, { ...(at.namespace !== undefined && { namespace: at.namespace }) })}${queryString(
      {
        ...query,
        ...(at.name !== undefined && { fieldSelector: `metadata.name=${at.name}` }),
        watch: 'true',
      },
    )}`;
    const call = { method: 'GET', path, verb: 'watch' };
    const started = performance.now();
    let code: number | string = 'aborted';
    try {
      const response = await this.#transport.stream({
        path,
        signal,
        timeoutMs: this.#timeoutMs,
        silenceMs: options.silenceMs ?? 130_000,
      });
      code = response.status;
      if (response.status >= 300) {
        if (response.status === 401) this.#transport.expireCredentials();
        throw toApiError(call, response.status, await readText(response.body), response.retryAfter);
      }
      const lines = new LineSplitter();
      for await (const chunk of response.body) {
        for (const line of lines.push(chunk)) {
          const event: WatchEvent | { type: 'ERROR'; object: unknown } = JSON.parse(line);
          if (event.type === 'ERROR') throw watchErrorToApiError(call, event.object);
          yield event;
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ConnectionError) code = error.code;
      throw error;
    } finally {
      this.#onCall?.({ verb: 'watch', method: 'GET', resource: resource.plural, code, seconds: elapsed(started) });
    }
  }

  /** Closes all connections; calls under way fail. */
  close(): Promise<void> {
    return this.#transport.close();
  }

  async #call<T>(outgoing: Outgoing): Promise<T> {
    const path = resourcePath(outgoing.resource, outgoing.at);
    const options = outgoing.options ?? {};
    const request: TransportRequest = {
      method: outgoing.method,
      path: `${path}${queryString({ ...outgoing.query, ...options.query })}`,
      timeoutMs: options.timeoutMs ?? this.#timeoutMs,
      ...(outgoing.body === undefined
        ? {}
        : { body: encodeJson(outgoing.body), contentType: outgoing.contentType ?? 'application/json' }),
      ...(options.signal && { signal: options.signal }),
    };
    let renewed = false;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#attempt<T>(outgoing, path, request);
      } catch (error) {
        if (error instanceof ApiError && error.status === 401 && !renewed) {
          renewed = true;
          this.#transport.expireCredentials();
          continue;
        }
        const wait = retryDelayMs(outgoing.method, error, attempt, Math.random);
        if (wait === undefined || options.signal?.aborted) throw error;
        this.#logger.debug({ verb: outgoing.verb, path, attempt, waitMs: Math.round(wait) }, 'sending the call again');
        await sleep(wait, options.signal);
        options.signal?.throwIfAborted();
      }
    }
  }

  async #attempt<T>(outgoing: Outgoing, path: string, request: TransportRequest): Promise<T> {
    const { verb, method, resource } = outgoing;
    const started = performance.now();
    let code: number | string = 'aborted';
    try {
      const answer = await this.#transport.exchange(request);
      code = answer.status;
      if (answer.status >= 300) throw toApiError({ method, path, verb }, answer.status, answer.text, answer.retryAfter);
      return JSON.parse(answer.text) as T;
    } catch (error) {
      if (error instanceof ConnectionError) code = error.code;
      throw error;
    } finally {
      this.#onCall?.({ verb, method, resource: resource.plural, code, seconds: elapsed(started) });
    }
  }
}

const elapsed = (started: number): number => (performance.now() - started) / 1000;

function queryString(query: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value));
  return parameters.size === 0 ? '' : `?${parameters}`;
}

async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
