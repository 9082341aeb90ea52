/**
 * Keys of the form `namespace/name` in the order they came; but the namespaces take turns, so that one with ten
 * thousand keys does not hold up another's only one. A key in it is not pushed again.
 */
export class FairQueue {
  /** The next namespace comes first; a namespace without keys is not in it. */
  readonly #namespaces = new Map<string, Set<string>>();
  /** Before all others. */
  readonly #urgent = new Set<string>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** A key that is in it comes before all that are not urgent. */
  hasten(key: string): void {
    const namespace = namespaceOf(key);
    const keys = this.#namespaces.get(namespace);
    if (keys?.delete(key) !== true) return;
    if (keys.size === 0) this.#namespaces.delete(namespace);
    this.#urgent.add(key);
  }

  push(key: string): void {
    const namespace = namespaceOf(key);
    const keys = this.#namespaces.get(namespace);
    if (keys === undefined) this.#namespaces.set(namespace, new Set([key]));
    else keys.add(key);
    this.#size += 1;
  }

  shift(): string | undefined {
    for (const key of this.#urgent) {
      this.#urgent.delete(key);
      this.#size -= 1;
      return key;
    }
    for (const [namespace, keys] of this.#namespaces) {
      for (const key of keys) {
        this.#namespaces.delete(namespace);
        keys.delete(key);
        if (keys.size > 0) this.#namespaces.set(namespace, keys);
        this.#size -= 1;
        return key;
      }
    }
    return undefined;
  }
}

/** Empty for a key of something without a namespace. */
const namespaceOf = (key: string): string => key.slice(0, Math.max(0, key.indexOf('/')));
