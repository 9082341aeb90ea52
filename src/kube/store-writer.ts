import type { WatchEvent } from './client.ts';
import type { ReflectorOptions } from './reflector-options.ts';
import type { Change, Stored } from './store.ts';

/** The server's store seems older than what it showed before. */
class OlderListError extends Error {
  override readonly name = 'OlderListError';
}

export interface StoreWriterOptions<T extends Stored, Source>
  extends Pick<ReflectorOptions<T, Source>, 'resource' | 'project' | 'store' | 'onChange' | 'logger'> {
  /** Lists older than what was seen are believed once they have come for this long. */
  readonly giveUpMs: number;
  /** Called after each event, bookmark and complete list; before the changes it brought are told. */
  readonly onProgress: () => void;
}

/** Puts lists and events into a store, forward only, and knows how far it is. */
export class StoreWriter<T extends Stored, Source> {
  readonly #options: StoreWriterOptions<T, Source>;
  #observed = 0n;
  #listedAt = Number.NEGATIVE_INFINITY;
  #lists = 0;
  #olderSince: number | undefined;

  constructor(options: StoreWriterOptions<T, Source>) {
    this.#options = options;
  }

  /** Everything up to this resourceVersion is in the store; 0n before the first list. */
  get observed(): bigint {
    return this.#observed;
  }

  /** When the newest complete list began, by `performance.now()`. */
  get listedAt(): number {
    return this.#listedAt;
  }

  /** Complete lists so far. */
  get lists(): number {
    return this.#lists;
  }

  /** Adds an object to a list that is on its way, or takes it out again: nothing of it is in the store yet. */
  stage(list: Map<string, T>, event: WatchEvent): void {
    const { namespace = '', name } = event.object.metadata;
    const key = `${namespace}/${name}`;
    // An object that cannot be read any more keeps its last readable record.
    const record = this.#project(event.object) ?? this.#options.store.get(namespace, name);
    if (event.type === 'DELETED' || record === undefined) list.delete(key);
    else list.set(key, record);
  }

  /**
   * Makes a complete list the store's content.
   * @param begun when it was asked for, by `performance.now()`.
   * @throws OlderListError for a list older than what was seen, unless that goes on.
   */
  replace(list: ReadonlyMap<string, T>, resourceVersion: string, begun: number): void {
    this.#checkNotOlder(BigInt(resourceVersion));
    const changes = this.#options.store.replace(list.values());
    this.#listedAt = begun;
    this.#lists += 1;
    this.#seen(resourceVersion);
    for (const change of changes) this.#notify(change);
  }

  apply(event: WatchEvent): void {
    // A watch goes forward only: what comes twice or late is in the store, or was replaced there.
    if (event.type !== 'BOOKMARK' && BigInt(event.object.metadata.resourceVersion) <= this.#observed) return;
    let changes: Change<T>[] = [];
    if (event.type !== 'BOOKMARK') {
      const record = this.#project(event.object);
      if (event.type === 'DELETED') changes = this.#remove(event, record);
      else if (record) changes = this.#options.store.upsert(record);
    }
    this.#seen(event.object.metadata.resourceVersion);
    for (const change of changes) this.#notify(change);
  }

  /**
   * A server behind the others would turn back time: pods just made would seem deleted. A store restored from a backup
   * looks the same, but goes on looking so.
   */
  #checkNotOlder(listed: bigint): void {
    if (listed >= this.#observed) {
      this.#olderSince = undefined;
      return;
    }
    this.#olderSince ??= performance.now();
    if (performance.now() - this.#olderSince < this.#options.giveUpMs)
      throw new OlderListError(`the list is of resourceVersion ${listed}, but ${this.#observed} was seen before`);
    this.#olderSince = undefined;
    const { logger, resource } = this.#options;
    logger.warn(
      { resource: resource.plural },
      'resourceVersions have gone back: the store of the cluster was restored',
    );
  }

  #remove(event: WatchEvent, record: T | undefined): Change<T>[] {
    const { store } = this.#options;
    const { namespace = '', name, uid } = event.object.metadata;
    const gone = record ?? store.get(namespace, name);
    return gone?.uid === uid ? store.delete(gone) : [];
  }

  #seen(resourceVersion: string): void {
    this.#observed = BigInt(resourceVersion);
    this.#options.onProgress();
  }

  #project(object: WatchEvent['object']): T | undefined {
    const { namespace = '', name } = object.metadata;
    try {
      return this.#options.project(object as Source, this.#options.store.get(namespace, name));
    } catch (error) {
      this.#complain(object.metadata, error, 'skipped an object that cannot be read');
      return undefined;
    }
  }

  #notify(change: Change<T>): void {
    try {
      this.#options.onChange(change);
    } catch (error) {
      this.#complain(change.object, error, 'a change handler failed');
    }
  }

  #complain({ namespace, name }: { namespace?: string; name: string }, error: unknown, message: string): void {
    const { logger, resource } = this.#options;
    logger.error({ resource: resource.plural, namespace, name, err: error }, message);
  }
}
