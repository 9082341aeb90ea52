import { isDeepStrictEqual } from 'node:util';
import type { ResourceDescriptor } from '../api/meta.ts';
import type { KubeClient } from '../kube/client.ts';
import { isNotFound } from '../kube/errors.ts';
import type { KubeObject } from '../kube/resource.ts';
import type { WriteBarrier } from '../kube/write-barrier.ts';
import type { CustomRecord } from './records.ts';

/** A status that may wait is written at most this often an object. */
const INTERVAL_MS = 1000;

export interface StatusWrite {
  /** What is written brings more than new counts: at once. */
  readonly urgent: boolean;
  /** Epoch milliseconds. */
  readonly now: number;
  /** What the status relies on: done before each write, and not where none is due. */
  readonly before?: (() => Promise<void>) | undefined;
}

/** Writes the status of one kind: nothing where nothing changed, counts at most once a second. */
export class StatusWriter<Status extends object> {
  readonly #client: KubeClient;
  readonly #kind: ResourceDescriptor;
  readonly #barrier: WriteBarrier;
  /** When each object was last written, by UID. It only spares writes, so a restart may lose it. */
  readonly #lastWrites = new Map<string, number>();

  constructor(client: KubeClient, kind: ResourceDescriptor, barrier: WriteBarrier) {
    this.#client = client;
    this.#kind = kind;
    this.#barrier = barrier;
  }

  /** @returns milliseconds to wait before this status may be written; 0 when the API server has it. */
  async write(
    record: CustomRecord<unknown, Status>,
    status: Status,
    { urgent, now, before }: StatusWrite,
  ): Promise<number> {
    const next = JSON.parse(JSON.stringify(status)) as Record<string, unknown>;
    if (isDeepStrictEqual(next, record.status)) return 0;
    const due = (this.#lastWrites.get(record.uid) ?? 0) + INTERVAL_MS;
    if (!urgent && now < due) return due - now;
    await before?.();
    // One writer, so no resourceVersion; the UID keeps it off an object of the same name that was made anew.
    const { uid, namespace, name } = record;
    const patch = { metadata: { uid }, status: withRemovals(record.status, next) };
    const at = { namespace, name, subresource: 'status' };
    try {
      const written = await this.#client.patch<KubeObject>(this.#kind, at, patch);
      this.#barrier.note(uid, written.metadata.resourceVersion);
      this.#lastWrites.set(uid, now);
    } catch (error) {
      // Deleted meanwhile: nobody is left to read it.
      if (!isNotFound(error)) throw error;
    }
    return 0;
  }

  forget(uid: string): void {
    this.#lastWrites.delete(uid);
  }
}

/** A merge patch keeps what it does not name: what is no longer true is removed by name, at every depth. */
function withRemovals(before: object, next: object): object {
  const known = new Map(Object.entries(before));
  const removed = [...known.keys()].filter((field) => !(field in next)).map((field) => [field, null]);
  const kept = Object.entries(next).map(([field, value]) => {
    const old: unknown = known.get(field);
    return [field, isMap(old) && isMap(value) ? withRemovals(old, value) : value];
  });
  return Object.fromEntries([...kept, ...removed]);
}

const isMap = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value);
