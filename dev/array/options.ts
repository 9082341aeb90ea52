import { Command, InvalidArgumentError, Option } from 'commander';

export interface ArrayOptions {
  readonly size: number;
  readonly kills: number;
  readonly accounting: 'Relaxed' | 'Strict';
  readonly seed: number;
  readonly minutes: number;
}

const whole =
  (from: number, to: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < from || value > to)
      throw new InvalidArgumentError(`allowed: a whole number from ${from} to ${to}.`);
    return value;
  };

/** @throws never returns where the arguments are wrong: it says which and exits, as command lines do. */
export function parseArrayOptions(argv: readonly string[]): ArrayOptions {
  return new Command('array')
    .description(
      'One array of short jobs on a simulated cluster, its operator killed again and again; says whether every child was counted once.',
    )
    .option('--size <n>', 'children', whole(2, 10_000), 10_000)
    .option('--kills <n>', 'how often the operator is killed (SIGKILL) before the work is over', whole(0, 1000), 10)
    .addOption(new Option('--accounting <how>', 'of the job').choices(['Relaxed', 'Strict']).default('Relaxed'))
    .option('--seed <n>', 'repeats the moments of an earlier run', whole(0, 1_000_000), Date.now() % 1_000_000)
    .option('--minutes <n>', 'gives up after so long', whole(1, 600), 60)
    .parse(argv)
    .opts<ArrayOptions>();
}
