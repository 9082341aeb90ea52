/** Where a command reads and writes; the process's own, or a test's. */
export interface Io {
  readonly stdin: AsyncIterable<Uint8Array | string>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

export const EXIT = {
  ok: 0,
  /** Something given was refused, or could not be read or written; nothing was written. */
  refused: 1,
  /** The command line itself is wrong. */
  usage: 2,
} as const;
