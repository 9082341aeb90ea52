interface Entry {
  readonly key: string;
  readonly at: number;
}

/** Keys by the time they are due; a key's earliest time holds. Superseded entries are dropped when they surface. */
export class DeadlineHeap {
  readonly #due = new Map<string, number>();
  #heap: Entry[] = [];

  get size(): number {
    return this.#due.size;
  }

  add(key: string, at: number): void {
    const known = this.#due.get(key);
    if (known !== undefined && known <= at) return;
    this.#due.set(key, at);
    this.#push({ key, at });
  }

  earliest(): number | undefined {
    this.#dropSuperseded();
    return this.#heap[0]?.at;
  }

  /** Takes out the keys due at `now`, in order. */
  takeUntil(now: number): string[] {
    const taken: string[] = [];
    for (let at = this.earliest(); at !== undefined && at <= now; at = this.earliest()) {
      const entry = this.#pop();
      if (!entry) break;
      this.#due.delete(entry.key);
      taken.push(entry.key);
    }
    return taken;
  }

  clear(): void {
    this.#due.clear();
    this.#heap = [];
  }

  #dropSuperseded(): void {
    for (let top = this.#heap[0]; top && this.#due.get(top.key) !== top.at; top = this.#heap[0]) this.#pop();
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (!parent || parent.at <= entry.at) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (!last || heap.length === 0) return top;
    let index = 0;
    while (true) {
      const left = heap[2 * index + 1];
      const right = heap[2 * index + 2];
      const child = right && left && right.at < left.at ? right : left;
      if (!child || child.at >= last.at) break;
      heap[index] = child;
      index = child === right ? 2 * index + 2 : 2 * index + 1;
    }
    heap[index] = last;
    return top;
  }
}
