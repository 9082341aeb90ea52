import { Command, InvalidArgumentError } from 'commander';

export interface SoakOptions {
  /** All of it, the idle end included. */
  readonly minutes: number;
  readonly seed: number;
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('allowed: a number above zero.');
  return value;
}

/** @throws never returns where the arguments are wrong: it says which and exits, as command lines do. */
export function parseSoakOptions(argv: readonly string[]): SoakOptions {
  return new Command('soak')
    .description('Random work for one operator on a simulated cluster; says what it left behind, and what it cost.')
    .option('--minutes <n>', 'how long, the idle third at the end (10 minutes at most) included', positive, 30)
    .option('--seed <n>', 'repeats the choices of an earlier run', positive, Date.now() % 1_000_000)
    .parse(argv)
    .opts<SoakOptions>();
}
