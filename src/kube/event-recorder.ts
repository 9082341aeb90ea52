import { randomBytes } from 'node:crypto';
import type { KubeClient } from './client.ts';
import { isForbidden, isNamespaceTerminating, isNotFound, missingRight } from './errors.ts';
import type { Logger } from './logger.ts';
import { microTime } from './micro-time.ts';
import { apiVersion, events, resourceName } from './resource.ts';
import { TokenBucket } from './token-bucket.ts';

export interface EventRecord {
  readonly regarding: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
  };
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, why. */
  readonly reason: string;
  /** CamelCase, what was done. */
  readonly action: string;
  /** For people; cut at 1024 characters, the API's limit. */
  readonly note: string;
}

export interface EventRecorderOptions {
  readonly client: KubeClient;
  readonly reportingController: string;
  readonly reportingInstance: string;
  readonly logger: Logger;
}

/** One event object and what was not yet written about it. */
interface Series {
  readonly record: EventRecord;
  /** Undefined until the object was created. */
  name?: string;
  count: number;
  writtenCount: number;
  firstAt: Date;
  lastAt: Date;
}

const NOTE_LIMIT = 1024;
const SERIES_LIMIT = 4096;
/** A repeat after this long starts a new event. */
const SERIES_IDLE_MS = 6 * 60_000;
/** Repeats are gathered this long before their count is written. */
const REPEAT_FLUSH_MS = 10_000;
const OBJECT_BURST = 25;
const OBJECT_REFILL_MS = 300_000;
const WRITES_PER_SECOND = 5;

/**
 * Writes events.k8s.io/v1 events in the background. The same event again becomes a count in its series. Beyond 25 new
 * events of one object (then one in 5 min), and beyond 5 writes a second in all, events wait or are dropped: they are
 * for people, and must not cost the API server what the work itself needs. Never throws, never makes the caller wait.
 */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  /** By what makes two events the same; in order of last use, so the first is the one to forget. */
  readonly #series = new Map<string, Series>();
  readonly #objects = new Map<string, TokenBucket>();
  readonly #writes = new TokenBucket(WRITES_PER_SECOND, 1000 / WRITES_PER_SECOND);
  /** Series whose count is ahead of what was written. */
  readonly #pending = new Set<Series>();
  #writing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #dropped = 0;
  /** Said of these that they are not allowed; once is enough. */
  readonly #refusedVerbs = new Set<string>();

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  /** Events that the limit for one object, or for all that wait, kept from being written. */
  get dropped(): number {
    return this.#dropped;
  }

  record(event: EventRecord): void {
    const { regarding, type, reason, action, note } = event;
    const key = JSON.stringify([regarding.uid, regarding.name, type, reason, action, note]);
    const now = new Date();
    const known = this.#series.get(key);
    this.#series.delete(key);
    if (known && now.getTime() - known.lastAt.getTime() < SERIES_IDLE_MS) {
      known.count += 1;
      known.lastAt = now;
      this.#series.set(key, known);
      this.#pending.add(known);
      this.#schedule(known.name === undefined ? 0 : REPEAT_FLUSH_MS);
      return;
    }
    if (this.#pending.size >= SERIES_LIMIT || !this.#bucket(regarding.uid || regarding.name).take()) {
      this.#dropped += 1;
      return;
    }
    const series: Series = { record: event, count: 1, writtenCount: 0, firstAt: now, lastAt: now };
    this.#series.set(key, series);
    this.#pending.add(series);
    forgetOldest(this.#series, SERIES_LIMIT);
    this.#schedule(0);
  }

  /** Writes what waits, at full speed but not for longer than this: for the end of the process. */
  async flush(limitMs = 10_000): Promise<void> {
    const until = performance.now() + limitMs;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#writing;
    for (const series of this.#pending) {
      if (performance.now() >= until) return;
      await this.#write(series);
    }
  }

  #schedule(ms: number): void {
    if (this.#writing) return;
    // A new event must not wait for the repeats' timer.
    if (this.#timer !== undefined && ms > 0) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#writing = this.#writePending().finally(() => {
        this.#writing = undefined;
        if (this.#pending.size > 0) this.#schedule(this.#hasNew() ? this.#writes.waitMs() : REPEAT_FLUSH_MS);
      });
    }, ms);
    this.#timer.unref();
  }

  async #writePending(): Promise<void> {
    const fresh = [...this.#pending].filter((series) => series.name === undefined);
    const rest = [...this.#pending].filter((series) => series.name !== undefined);
    for (const series of [...fresh, ...rest]) {
      if (!this.#writes.take()) return;
      await this.#write(series);
    }
  }

  #hasNew(): boolean {
    for (const series of this.#pending) if (series.name === undefined) return true;
    return false;
  }

  async #write(series: Series): Promise<void> {
    this.#pending.delete(series);
    const { client, logger } = this.#options;
    const count = series.count;
    const namespace = series.record.regarding.namespace || 'default';
    try {
      if (series.name === undefined) {
        const name = `${series.record.regarding.name.slice(0, 230)}.${randomBytes(8).toString('hex')}`;
        await client.create(events, { namespace }, this.#object(series, name, namespace));
        series.name = name;
      } else {
        await client.patch(events, { namespace, name: series.name }, { series: seriesOf(series) });
      }
      series.writtenCount = count;
      if (series.count > count) this.#pending.add(series);
    } catch (error) {
      // The event expired (an hour, as a rule): the next repeat writes a new one.
      if (isNotFound(error)) delete series.name;
      if (isForbidden(error) && !isNamespaceTerminating(error) && !this.#refusedVerbs.has(error.verb)) {
        this.#refusedVerbs.add(error.verb);
        logger.error(
          { resource: resourceName(events), verb: error.verb },
          missingRight(error, resourceName(events), namespace),
        );
      }
      logger.debug({ err: error, reason: series.record.reason }, 'an event was not written');
    }
  }

  #object(series: Series, name: string, namespace: string): object {
    const { regarding, type, reason, action, note } = series.record;
    return {
      apiVersion: apiVersion(events),
      kind: events.kind,
      metadata: { name, namespace },
      eventTime: microTime(series.firstAt),
      reportingController: this.#options.reportingController,
      reportingInstance: this.#options.reportingInstance.slice(0, 128),
      regarding: { ...regarding, namespace: regarding.namespace || undefined },
      type,
      reason,
      action,
      note: note.length > NOTE_LIMIT ? `${note.slice(0, NOTE_LIMIT - 1)}…` : note,
      ...(series.count > 1 && { series: seriesOf(series) }),
    };
  }

  #bucket(object: string): TokenBucket {
    const bucket = this.#objects.get(object) ?? new TokenBucket(OBJECT_BURST, OBJECT_REFILL_MS);
    this.#objects.delete(object);
    this.#objects.set(object, bucket);
    forgetOldest(this.#objects, SERIES_LIMIT);
    return bucket;
  }
}

function seriesOf(series: Series): object {
  return { count: series.count, lastObservedTime: microTime(series.lastAt) };
}

function forgetOldest(map: Map<string, unknown>, limit: number): void {
  if (map.size <= limit) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
