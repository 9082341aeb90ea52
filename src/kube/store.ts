/** What the store needs of a projected object. Cluster-scoped objects have the namespace ''. */
export interface Stored {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly resourceVersion: string;
}

export type Change<T> =
  | { readonly type: 'added'; readonly object: T; readonly previous?: undefined }
  | { readonly type: 'modified'; readonly object: T; readonly previous: T }
  | { readonly type: 'deleted'; readonly object: T; readonly previous?: T };

type Index<T> = Map<string, Map<string, T>>;

/** The objects a reflector last saw, with indexes. Readers must not change what they get. */
export class Store<T extends Stored> {
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<
    string,
    { readonly keysOf: (object: T) => readonly string[]; readonly index: Index<T> }
  >();

  constructor(indexes: Record<string, (object: T) => readonly string[]> = {}) {
    for (const [name, keysOf] of Object.entries(indexes)) this.#indexes.set(name, { keysOf, index: new Map() });
  }

  get size(): number {
    return this.#objects.size;
  }

  get(namespace: string, name: string): T | undefined {
    return this.#objects.get(storeKey(namespace, name));
  }

  /** The objects under a key of an index; takes time for the result only. Throws for an index the store has not. */
  by(index: string, key: string): readonly T[] {
    const found = this.#indexes.get(index);
    if (!found) throw new Error(`the store has no index "${index}"`);
    return [...(found.index.get(key)?.values() ?? [])];
  }

  values(): Iterable<T> {
    return this.#objects.values();
  }

  /**
   * Puts an object in. An object of the same name but another uid was deleted unseen: that delete comes first in the
   * result.
   */
  upsert(object: T): Change<T>[] {
    const key = storeKey(object.namespace, object.name);
    const previous = this.#objects.get(key);
    if (previous) this.#unindex(key, previous);
    this.#objects.set(key, object);
    this.#index(key, object);
    if (!previous) return [{ type: 'added', object }];
    if (previous.uid === object.uid) return [{ type: 'modified', object, previous }];
    return [
      { type: 'deleted', object: previous },
      { type: 'added', object },
    ];
  }

  /** Takes an object out. `object` is its final state, which the change carries; the store's own is `previous`. */
  delete(object: T): Change<T>[] {
    const key = storeKey(object.namespace, object.name);
    const previous = this.#objects.get(key);
    if (!previous || previous.uid !== object.uid) return [];
    this.#unindex(key, previous);
    this.#objects.delete(key);
    return [{ type: 'deleted', object, previous }];
  }

  /** Makes the store hold exactly these objects; the changes are the difference, deletes first. */
  replace(objects: Iterable<T>): Change<T>[] {
    const next = new Map<string, T>();
    for (const object of objects) next.set(storeKey(object.namespace, object.name), object);
    const changes: Change<T>[] = [];
    for (const [key, object] of [...this.#objects]) {
      if (!next.has(key)) changes.push(...this.delete(object));
    }
    for (const [key, object] of next) {
      const known = this.#objects.get(key);
      if (known?.uid === object.uid && known.resourceVersion === object.resourceVersion) continue;
      changes.push(...this.upsert(object));
    }
    return changes;
  }

  #index(key: string, object: T): void {
    for (const { keysOf, index } of this.#indexes.values()) {
      for (const indexKey of keysOf(object)) {
        const bucket = index.get(indexKey);
        if (bucket) bucket.set(key, object);
        else index.set(indexKey, new Map([[key, object]]));
      }
    }
  }

  #unindex(key: string, object: T): void {
    for (const { keysOf, index } of this.#indexes.values()) {
      for (const indexKey of keysOf(object)) {
        const bucket = index.get(indexKey);
        bucket?.delete(key);
        if (bucket?.size === 0) index.delete(indexKey);
      }
    }
  }
}

function storeKey(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}
