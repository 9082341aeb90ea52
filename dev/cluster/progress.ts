/** A bar on a terminal, a line now and then elsewhere: logs of a build should not hold a thousand lines of it. */
export class Progress {
  readonly #what: string;
  readonly #say: (line: string) => void;
  readonly #bar = process.stderr.isTTY === true;
  #done = 0;
  #total = 0;
  #said = Date.now();

  constructor(what: string, say: (line: string) => void) {
    this.#what = what;
    this.#say = say;
  }

  /** `done` of `total` are done; `detail` names the one at hand. */
  show(done: number, total: number, detail: string): void {
    if (done === this.#done && total === this.#total) return;
    this.#done = done;
    this.#total = Math.max(total, done);
    if (this.#bar) {
      const width = 30;
      const full = Math.round((width * this.#done) / this.#total);
      const text = `${this.#what} [${'#'.repeat(full)}${'.'.repeat(width - full)}] ${this.#done}/${this.#total} ${detail}`;
      process.stderr.write(`\r\x1b[2K${text.slice(0, (process.stderr.columns ?? 80) - 1)}`);
    } else if (Date.now() - this.#said > 10_000) {
      this.#said = Date.now();
      this.#say(`${this.#what}: ${this.#done} of ${this.#total} (${detail})`);
    }
  }

  /** Takes the bar off the terminal. */
  end(): void {
    if (this.#bar && this.#total > 0) process.stderr.write('\r\x1b[2K');
    if (this.#total > 0) this.#say(`${this.#what}: ${this.#done} of ${this.#total}`);
  }
}
