import { Command, InvalidArgumentError, Option } from 'commander';
import { type LogLevel, logLevels } from './telemetry/logger.ts';

/** The operator's options, checked. */
export interface Options {
  readonly kubeconfig?: string;
  readonly context?: string;
  /** Watched namespace; absent: all. */
  readonly namespace?: string;
  readonly leaderElect: boolean;
  /** Namespace of the Lease; absent: the connection's own. */
  readonly leaseNamespace?: string;
  /** 0: any free port. */
  readonly healthPort: number;
  readonly logLevel: LogLevel;
  readonly workers: number;
}

const whole =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < min || value > max)
      throw new InvalidArgumentError(`allowed: ${min} to ${max}.`);
    return value;
  };

/** @throws never returns where the arguments are wrong: it says which and exits, as command lines do. */
export function parseOptions(argv: readonly string[]): Options {
  return new Command('longshore')
    .description('Runs ECS task definitions, services and AWS Batch jobs on the Kubernetes cluster it is pointed at.')
    .option(
      '--kubeconfig <file>',
      'kubeconfig to use (default: $KUBECONFIG, then ~/.kube/config, then the in-cluster account)',
    )
    .option('--context <name>', 'context of the kubeconfig (default: its current one)')
    .option('--namespace <name>', 'watch this namespace only (default: all)')
    .option('--no-leader-elect', 'run without the leader lease; only one such operator may run')
    .option('--lease-namespace <name>', "namespace of the leader lease (default: the context's, or the pod's own)")
    .option('--health-port <port>', 'port of /livez, /readyz and /metrics; 0 takes any free one', whole(0, 65535), 8080)
    .addOption(new Option('--log-level <level>', 'least level that is logged').choices([...logLevels]).default('info'))
    .option('--workers <count>', 'objects of one kind reconciled at a time, 1 to 64', whole(1, 64), 8)
    .parse(argv)
    .opts<Options>();
}
