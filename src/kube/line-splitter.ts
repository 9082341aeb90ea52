const NEWLINE = 10;

/**
 * Cuts a byte stream into lines. Bytes are decoded only once a line is whole, so a multi-byte character split over
 * two chunks stays intact, and a long line over many chunks is copied once.
 */
export class LineSplitter {
  #pending: Buffer[] = [];

  /** The lines this chunk completes, without their newline; empty lines are left out. */
  *push(chunk: Buffer): Generator<string> {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const line = this.#take(chunk.subarray(start, end));
      start = end + 1;
      if (line.length > 0) yield line;
    }
    if (start < chunk.length) this.#pending.push(chunk.subarray(start));
  }

  #take(tail: Buffer): string {
    if (this.#pending.length === 0) return tail.toString('utf8');
    const line = Buffer.concat([...this.#pending, tail]).toString('utf8');
    this.#pending = [];
    return line;
  }
}
