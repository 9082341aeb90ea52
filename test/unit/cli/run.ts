import { Readable } from 'node:stream';
import { runCli } from '../../../src/cli/program.ts';

export interface CliResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** One command line, as the tool itself runs it; `stdin` is what `-` reads. */
export async function longshore(args: readonly string[], stdin = ''): Promise<CliResult> {
  let out = '';
  let err = '';
  const code = await runCli(args, {
    stdin: Readable.from([stdin]),
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err };
}

export const json = (value: unknown): string => JSON.stringify(value);
