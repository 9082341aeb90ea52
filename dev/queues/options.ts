import { Command, InvalidArgumentError } from 'commander';

export interface QueueOptions {
  readonly queues: number;
  readonly jobs: number;
  readonly room: number;
  readonly ends: number;
  readonly probes: number;
  readonly kills: number;
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
export function parseQueueOptions(argv: readonly string[]): QueueOptions {
  return new Command('queues')
    .description(
      'Jobs that wait in many queues for two compute environments of a simulated cluster; says how fast they start, and whether more ran than there was room for.',
    )
    .option('--queues <n>', 'queues', whole(1, 100), 20)
    .option('--jobs <n>', 'jobs of each queue', whole(1, 10_000), 1000)
    .option('--room <n>', 'vCPUs of each environment; a job takes one', whole(1, 1000), 50)
    .option('--probes <n>', 'measured starts, of each sort', whole(0, 10_000), 300)
    .option('--ends <n>', 'jobs that end before it is over', whole(0, 1_000_000), 1000)
    .option('--kills <n>', 'how often the operator is killed (SIGKILL) meanwhile', whole(0, 1000), 5)
    .option('--minutes <n>', 'gives up after so long', whole(1, 600), 60)
    .parse(argv)
    .opts<QueueOptions>();
}
