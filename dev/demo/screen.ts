/** Lines that stay, and below them, on a terminal, a table that is redrawn in place. */
import { jobSentence, serviceSentence, table } from './table.ts';
import type { Watcher } from './watcher.ts';

const REDRAW_MS = 100;

export class Screen {
  readonly #live = process.stdout.isTTY === true;
  readonly #began = performance.now();
  /** What was last said of each object, where there is no table. */
  readonly #said = new Map<string, string>();
  readonly #eventsSaid = new Set<string>();
  #watcher: Watcher | undefined;
  #off = (): void => {};
  #height = 0;
  #timer: NodeJS.Timeout | undefined;

  /** A line that stays. */
  readonly say = (text: string): void => {
    const time = ((performance.now() - this.#began) / 1000).toFixed(1).padStart(6);
    this.#erase();
    process.stdout.write(`${`${time}  ${text}`.replaceAll('\n', '\n        ')}\n`);
    this.#draw();
  };

  /** From now on shows what the watcher sees. */
  follow(watcher: Watcher): void {
    this.#watcher = watcher;
    this.#off = watcher.onChange(() => {
      this.#sayEvents();
      if (!this.#live) this.#sayChanges();
      else this.#timer ??= setTimeout(() => this.#redraw(), REDRAW_MS);
    });
  }

  /** Leaves the last table standing. */
  close(): void {
    this.#off();
    clearTimeout(this.#timer);
    if (this.#watcher !== undefined) this.#redraw();
    this.#watcher = undefined;
    this.#height = 0;
  }

  #redraw(): void {
    this.#timer = undefined;
    this.#erase();
    this.#draw();
  }

  #erase(): void {
    if (this.#height > 0) process.stdout.write(`\x1b[${this.#height}A\x1b[J`);
    this.#height = 0;
  }

  #draw(): void {
    if (!this.#live || this.#watcher === undefined) return;
    const width = (process.stdout.columns || 80) - 1;
    const lines = ['', ...table(this.#watcher.services, this.#watcher.batchJobs)].slice(
      0,
      (process.stdout.rows || 24) - 1,
    );
    process.stdout.write(lines.map((line) => `${line.slice(0, width)}\n`).join(''));
    this.#height = lines.length;
  }

  #sayChanges(): void {
    for (const object of this.#watcher?.services ?? []) this.#sayOnce(object.metadata.uid, serviceSentence(object));
    for (const object of this.#watcher?.batchJobs ?? []) this.#sayOnce(object.metadata.uid, jobSentence(object));
  }

  #sayOnce(uid: string, sentence: string): void {
    if (this.#said.get(uid) === sentence) return;
    this.#said.set(uid, sentence);
    this.say(sentence);
  }

  #sayEvents(): void {
    for (const { metadata, status } of this.#watcher?.services ?? []) {
      for (const { message, createdAt } of [...(status?.events ?? [])].reverse()) {
        const key = `${metadata.uid} ${createdAt} ${message}`;
        if (this.#eventsSaid.has(key)) continue;
        this.#eventsSaid.add(key);
        this.say(shortened(message));
      }
    }
  }
}

/** ECS names every task; ten 32-digit names fill a screen. */
function shortened(message: string): string {
  const [first, ...more] = message.match(/\(task [0-9a-f]{32}\)/g) ?? [];
  if (first === undefined || more.length === 0) return message;
  const from = message.indexOf(first);
  return `${message.slice(0, from + first.length)} and ${more.length} more.`;
}
