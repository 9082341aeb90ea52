import type { BackoffTimings } from './backoff.ts';
import type { KubeClient } from './client.ts';
import type { Logger } from './logger.ts';
import type { Resource } from './resource.ts';
import type { Change, Store, Stored } from './store.ts';

export interface ReflectorTimings {
  /** The server is asked to end each watch after a random time in this range. Default 300 to 600 s. */
  readonly watchSeconds: { readonly min: number; readonly max: number };
  /** A stream without a byte for this long is dead; bookmarks come once a minute. Default 130 s. */
  readonly silenceMs: number;
  /** Default 0.8 s doubling to 30 s. */
  readonly backoff: BackoffTimings;
  /** A stream that lasted this long was healthy: the backoff starts anew. Default 5 s. */
  readonly healthyMs: number;
  /**
   * After the server refused the same resourceVersion for this long, list again; after it answered with lists older than
   * what was seen for this long, believe them: its store was set back. Default 20 s.
   */
  readonly giveUpMs: number;
}

export const defaultTimings: ReflectorTimings = {
  watchSeconds: { min: 300, max: 600 },
  silenceMs: 130_000,
  backoff: { initialMs: 800, maxMs: 30_000 },
  healthyMs: 5_000,
  giveUpMs: 20_000,
};

export interface ReflectorOptions<T extends Stored, Source> {
  readonly client: KubeClient;
  readonly resource: Resource;
  /** Default: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /**
   * Makes the stored record of an object as the server sent it; `previous` is the record that is stored under its name, if
   * any. An object it throws on is logged and left out.
   */
  readonly project: (raw: Source, previous?: T) => T;
  readonly store: Store<T>;
  /** Called after the store has the change. What it throws is logged. */
  readonly onChange: (change: Change<T>) => void;
  readonly logger: Logger;
  readonly timings?: Partial<ReflectorTimings>;
}
