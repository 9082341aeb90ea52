/**
 * Read your own writes: after a write an owner waits until the reflector has seen that resourceVersion, so that its
 * next plan is never made from a cache without it. ResourceVersions of one resource type are comparable integers.
 */
export class WriteBarrier {
  readonly #observed: () => bigint;
  readonly #awaited = new Map<string, bigint>();

  /** `observed` is the observedResourceVersion of the reflector that watches what is written. */
  constructor(observed: () => bigint) {
    this.#observed = observed;
  }

  note(owner: string, resourceVersion: string): void {
    const written = BigInt(resourceVersion);
    const awaited = this.#awaited.get(owner);
    if (awaited === undefined || written > awaited) this.#awaited.set(owner, written);
  }

  isOpen(owner: string): boolean {
    const awaited = this.#awaited.get(owner);
    if (awaited === undefined) return true;
    if (this.#observed() < awaited) return false;
    this.#awaited.delete(owner);
    return true;
  }

  forget(owner: string): void {
    this.#awaited.delete(owner);
  }
}
