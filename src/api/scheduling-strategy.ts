/** What REPLICA and DAEMON ask of the other fields of a service (`ecs-semantics` §3.1, §3.3). */
import type { Rule } from './schema.ts';

type SchedulingStrategy = 'REPLICA' | 'DAEMON';

/** Of DeploymentConfiguration, by strategy: a schema has no default that depends on another field. */
export const DEFAULT_PERCENTAGES: Readonly<
  Record<SchedulingStrategy, { readonly minimumHealthyPercent: number; readonly maximumPercent: number }>
> = {
  REPLICA: { minimumHealthyPercent: 100, maximumPercent: 200 },
  DAEMON: { minimumHealthyPercent: 0, maximumPercent: 100 },
};

type Percentage = keyof (typeof DEFAULT_PERCENTAGES)['REPLICA'];

/** The fields that the strategy is about. */
export interface Scheduled {
  readonly schedulingStrategy: SchedulingStrategy;
  readonly desiredCount?: number | undefined;
  readonly launchType?: string | undefined;
  readonly deploymentConfiguration: { readonly [Field in Percentage]?: number | undefined };
  readonly placementStrategy: readonly unknown[];
}

/** The percentages that hold for a service, defaults included. */
export function percentagesOf({ schedulingStrategy, deploymentConfiguration: given }: Scheduled) {
  const byDefault = DEFAULT_PERCENTAGES[schedulingStrategy];
  return {
    minimumHealthyPercent: given.minimumHealthyPercent ?? byDefault.minimumHealthyPercent,
    maximumPercent: given.maximumPercent ?? byDefault.maximumPercent,
  };
}

const isDaemon = ({ schedulingStrategy }: Scheduled): boolean => schedulingStrategy === 'DAEMON';
const celIsReplica = "self.schedulingStrategy != 'DAEMON'";

const celPercentage = (field: Percentage): string => {
  const { REPLICA, DAEMON } = DEFAULT_PERCENTAGES;
  const given = `self.deploymentConfiguration.${field}`;
  return `(has(${given}) ? ${given} : (${celIsReplica} ? ${REPLICA[field]} : ${DAEMON[field]}))`;
};

export const schedulingStrategyRules: readonly Rule<Scheduled>[] = [
  {
    // Text: AWS (kayac/ecspresso).
    message: 'DesiredCount is missing',
    holds: (spec) => isDaemon(spec) || spec.desiredCount !== undefined,
    cel: "self.schedulingStrategy == 'DAEMON' || has(self.desiredCount)",
    field: 'desiredCount',
  },
  {
    // Text: AWS (fabfuel/ecs-deploy#59, kayac/ecspresso#17).
    message:
      'The daemon scheduling strategy does not support a desired count for services. Remove the desired count value and try again',
    holds: (spec) => !isDaemon(spec) || spec.desiredCount === undefined,
    cel: `${celIsReplica} || !has(self.desiredCount)`,
    field: 'desiredCount',
  },
  {
    // Text: AWS (kayac/ecspresso#402, reproio/ecs_deploy#93).
    message:
      'The daemon scheduling strategy does not support placement strategies. Remove the placement strategy and try again',
    holds: (spec) => !isDaemon(spec) || spec.placementStrategy.length === 0,
    cel: `${celIsReplica} || !has(self.placementStrategy) || size(self.placementStrategy) == 0`,
    field: 'placementStrategy',
  },
  {
    // AWS refuses it ([API-ECS] CreateService, schedulingStrategy); its words are not public.
    message:
      'The daemon scheduling strategy does not support the FARGATE launch type. Change the launch type and try again',
    holds: (spec) => !isDaemon(spec) || spec.launchType !== 'FARGATE',
    cel: `${celIsReplica} || !has(self.launchType) || self.launchType != 'FARGATE'`,
    field: 'launchType',
  },
  {
    // Text: AWS (badmintoncryer/cdk-preflight).
    message: 'The daemon scheduling strategy does not support values above 100 for maximumPercent',
    holds: (spec) => !isDaemon(spec) || percentagesOf(spec).maximumPercent <= 100,
    cel: `${celIsReplica} || ${celPercentage('maximumPercent')} <= 100`,
    field: 'deploymentConfiguration.maximumPercent',
  },
  {
    // Text: ecs-semantics §3.3.
    message: 'Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.',
    holds: (spec) => Object.values(percentagesOf(spec)).some((percent) => percent !== 100),
    cel: `${celPercentage('minimumHealthyPercent')} != 100 || ${celPercentage('maximumPercent')} != 100`,
    field: 'deploymentConfiguration',
  },
];
