import { Command } from 'commander';
import { defaultDir, parseNodes } from '../cluster/options.ts';

export interface DemoOptions {
  /** What `--nodes` of the cluster takes; absent: a real node where one is possible, KWOK otherwise. */
  readonly nodes?: string;
  readonly dir: string;
  /** Leave cluster, operator and examples running. */
  readonly keep: boolean;
}

/** @throws never returns where the arguments are wrong: it says which and exits, as command lines do. */
export function parseDemoOptions(argv: readonly string[]): DemoOptions {
  return new Command('demo')
    .description('Runs examples/ on a local cluster, shows what happens and checks that it is what ECS does.')
    .option('--nodes <kinds>', 'kwok=N or real (default: real where it is possible, else kwok=3)', (text: string) => {
      parseNodes(text);
      return text;
    })
    .option('--dir <path>', "the cluster's folder", defaultDir)
    .option('--keep', 'leave everything running at the end', false)
    .parse(argv)
    .opts<DemoOptions>();
}
