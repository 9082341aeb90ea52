/** Values that many tasks have in common, made once and kept once: the last thousand of them. */
const KEPT = 1000;

export class SharedValues<T> {
  readonly #values = new Map<string, T>();

  /** @param key says all that the value depends on. */
  get(key: string, make: () => T): T {
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    const value = make();
    if (this.#values.size >= KEPT) this.#values.delete(this.#values.keys().next().value as string);
    this.#values.set(key, value);
    return value;
  }
}
