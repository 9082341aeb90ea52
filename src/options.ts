import { Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_POLICIES, type DefaultPolicy } from './api/cluster-policy.ts';
import { type LogLevel, logLevels } from './telemetry/logger.ts';
import { version } from './version.ts';

/** The operator's options, checked. */
export interface Options {
  readonly kubeconfig?: string;
  readonly context?: string;
  /** Watched namespace; absent: all. */
  readonly namespace?: string;
  readonly leaderElect: boolean;
  /** Milliseconds, whole seconds. */
  readonly leaderElectLeaseDuration: number;
  /** Milliseconds; less than the lease duration. */
  readonly leaderElectRenewDeadline: number;
  /** Milliseconds; less than the renew deadline by a fifth at least. */
  readonly leaderElectRetryPeriod: number;
  /** Name of the Lease. */
  readonly leaderElectResourceName: string;
  /** Namespace of the Lease; absent: the connection's own. */
  readonly leaderElectResourceNamespace?: string;
  /** Milliseconds. */
  readonly cacheSyncTimeout: number;
  /** 0: any free port. */
  readonly healthPort: number;
  /** Of tasks with the strategy binpack: `<name>-cpu`, `<name>-memory`. */
  readonly binpackScheduler?: string;
  /** What tasks may ask of their node where the Cluster of their namespace does not say. */
  readonly defaultPolicy: DefaultPolicy;
  readonly logLevel: LogLevel;
  readonly workers: number;
  /** Of tasks of services that ended by themselves. */
  readonly restartsPerSecond: number;
  readonly restartBurst: number;
}

const whole =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < min || value > max)
      throw new InvalidArgumentError(`allowed: ${min} to ${max}.`);
    return value;
  };

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** A duration as Go's flags have it, in milliseconds. */
function duration(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  const ms = parts.reduce((sum, [, count, unit]) => sum + Number(count) * UNITS[unit as keyof typeof UNITS], 0);
  if (parts.map(([part]) => part).join('') !== text || ms <= 0)
    throw new InvalidArgumentError('allowed: a duration above zero, such as 15s, 1m30s or 500ms.');
  return ms;
}

/** @throws never returns where the arguments are wrong: it says which and exits, as command lines do. */
export function parseOptions(argv: readonly string[]): Options {
  const command = new Command('longshore')
    .description('Runs ECS task definitions, services and AWS Batch jobs on the Kubernetes cluster it is pointed at.')
    .version(version)
    .option(
      '--kubeconfig <file>',
      'kubeconfig to use (default: $KUBECONFIG, then ~/.kube/config, then the in-cluster account)',
    )
    .option('--context <name>', 'context of the kubeconfig (default: its current one)')
    .option('--namespace <name>', 'watch this namespace only (default: all)')
    .option('--no-leader-elect', 'run without the leader lease; only one such operator may run')
    .addOption(
      new Option(
        '--leader-elect-lease-duration <duration>',
        'how long the others wait after the last renewal they saw before they take over',
      )
        .argParser(duration)
        .default(15_000, '15s'),
    )
    .addOption(
      new Option(
        '--leader-elect-renew-deadline <duration>',
        'how long the leader goes on after its last renewal; less than the lease duration',
      )
        .argParser(duration)
        .default(10_000, '10s'),
    )
    .addOption(
      new Option('--leader-elect-retry-period <duration>', 'time between two renewals, or two attempts to take over')
        .argParser(duration)
        .default(2_000, '2s'),
    )
    .option('--leader-elect-resource-name <name>', 'name of the leader lease', 'longshore')
    .option(
      '--leader-elect-resource-namespace <name>',
      "namespace of the leader lease (default: the context's, or the pod's own)",
    )
    .addOption(
      new Option(
        '--cache-sync-timeout <duration>',
        'how long a leader waits for complete caches, at most, before the process ends with an error',
      )
        .argParser(duration)
        .default(120_000, '2m'),
    )
    .option('--health-port <port>', 'port of /livez, /readyz and /metrics; 0 takes any free one', whole(0, 65535), 8080)
    .option(
      '--binpack-scheduler <name>',
      'schedulers of tasks with placementStrategy binpack: <name>-cpu and <name>-memory, such as longshore-binpack (deploy/kube-scheduler-binpack.yaml)',
    )
    .addOption(
      new Option(
        '--default-policy <policy>',
        'where the Cluster of a namespace does not say: Permissive lets tasks be privileged and use paths, network, ports and devices of their node, as ECS does; Restricted does not',
      )
        .choices([...DEFAULT_POLICIES])
        .default('Permissive'),
    )
    .addOption(new Option('--log-level <level>', 'least level that is logged').choices([...logLevels]).default('info'))
    .option('--workers <count>', 'objects of one kind reconciled at a time, 1 to 64', whole(1, 64), 8)
    .option(
      '--restarts-per-second <count>',
      'tasks of services that ended by themselves and are started again in a second, all services together, 1 to 1000',
      whole(1, 1000),
      20,
    )
    .option('--restart-burst <count>', 'such restarts at once, after a quiet while, 1 to 10000', whole(1, 10_000), 100)
    .parse(argv);
  const options = command.opts<Options>();
  const problem = leaseProblem(options);
  if (problem !== undefined) command.error(`error: ${problem}`);
  return options;
}

/** client-go's rules, which keep two leaders apart. */
function leaseProblem(options: Options): string | undefined {
  const { leaderElectLeaseDuration: lease, leaderElectRenewDeadline: renew, leaderElectRetryPeriod: retry } = options;
  if (lease % 1000 !== 0) return '--leader-elect-lease-duration must be whole seconds: the Lease has no finer unit';
  if (renew >= lease) return '--leader-elect-renew-deadline must be less than --leader-elect-lease-duration';
  if (retry * 1.2 >= renew)
    return '--leader-elect-retry-period must be less than --leader-elect-renew-deadline by a fifth at least';
  return undefined;
}
