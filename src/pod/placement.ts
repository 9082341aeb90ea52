import { createHash } from 'node:crypto';
import type { V1PodSpec } from '@kubernetes/client-node';
import type { KubernetesOptions } from '../api/kubernetes-options.ts';
import type { Placement } from '../api/placement.ts';
import type { TaskDefinitionSpec } from '../api/task-definition.ts';
import type { RuntimePlatform } from '../api/task-definition-fields.ts';
import { daemonTolerations } from './daemon.ts';
import { WINDOWS_BUILDS } from './placement-attributes.ts';
import { compileConstraints } from './placement-constraints.ts';
import { compileStrategies, type Strategies } from './placement-strategy.ts';
import type { TaskContext } from './task-context.ts';

/** Where the Service or RunTask that starts the tasks wants them. */
export interface TaskPlacement extends Placement {
  /** AWS name of their group, such as `service:web`. */
  readonly group: string;
  /** Labels of the tasks among which they are spread: of one deployment, or of the group. */
  readonly among: Readonly<Record<string, string>>;
  /** They are of a DAEMON service: each is for one node, which `stampPod` is told. */
  readonly daemon?: boolean;
  /** Whether nodes have zones. Where none has, all are in one, as ECS sees it. */
  readonly zones: boolean;
  /** Schedulers that fill a node before they take the next: `<name>-cpu` and `<name>-memory`. Absent: there are none. */
  readonly binpackScheduler?: string | undefined;
}

/** Identity of what the owner says; undefined where it says nothing. Same words, same identity. */
export function placementId({ placementConstraints, placementStrategy }: Placement): string | undefined {
  if (placementConstraints.length === 0 && placementStrategy.length === 0) return undefined;
  const said = JSON.stringify([placementConstraints, placementStrategy]);
  return createHash('sha256').update(said).digest('hex').slice(0, 16);
}

/** Seconds a task on a node that is gone is waited for before it is given up (`kubernetes-mapping §2.6`). */
const NODE_LOSS_SECONDS = 60;

const nodeLost = (condition: 'not-ready' | 'unreachable') => ({
  key: `node.kubernetes.io/${condition}`,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: NODE_LOSS_SECONDS,
});

/**
 * Which nodes the task may run on, and which of them it prefers; `kubernetes.nodeSelector` wins over runtimePlatform.
 * @param placement absent for a task that has no group
 */
export function scheduling(
  { definition }: TaskContext,
  options: KubernetesOptions,
  placement?: TaskPlacement,
): Pick<V1PodSpec, 'nodeSelector' | 'tolerations' | 'affinity' | 'topologySpreadConstraints' | 'schedulerName'> {
  const { affinity } = constraintsOf(definition, placement);
  const isDaemon = placement?.daemon === true;
  const topologySpreadConstraints = isDaemon ? [] : strategiesOf(placement).topologySpreadConstraints;
  const schedulerName = options.schedulerName ?? binpackScheduler(placement);
  const nodeSelector = { ...platform(definition.runtimePlatform ?? {}), ...options.nodeSelector };
  return {
    ...(Object.keys(nodeSelector).length > 0 && { nodeSelector }),
    tolerations: [
      ...options.tolerations.map((toleration) => ({ ...toleration })),
      ...(isDaemon
        ? daemonTolerations(definition.networkMode === 'host')
        : [nodeLost('not-ready'), nodeLost('unreachable')]),
    ],
    ...(affinity !== undefined && { affinity }),
    ...(topologySpreadConstraints.length > 0 && { topologySpreadConstraints }),
    ...(schedulerName !== undefined && { schedulerName }),
  };
}

function binpackScheduler(placement: TaskPlacement | undefined): string | undefined {
  const first = placement?.placementStrategy.find(({ type }) => type === 'binpack');
  if (first === undefined || placement?.binpackScheduler === undefined) return undefined;
  return `${placement.binpackScheduler}-${first.field?.toLowerCase()}`;
}

/** What of the constraints and strategies cannot be kept: `field path: reason`. */
export const placementProblems = (definition: TaskDefinitionSpec, placement?: TaskPlacement): readonly string[] => [
  ...constraintsOf(definition, placement).problems,
  ...strategiesOf(placement).problems,
];

const constraintsOf = ({ placementConstraints }: TaskDefinitionSpec, placement: TaskPlacement | undefined) =>
  compileConstraints({
    definition: placementConstraints,
    owner: placement?.placementConstraints ?? [],
    group: placement?.group ?? '',
  });

const strategiesOf = (placement: TaskPlacement | undefined): Strategies =>
  placement === undefined
    ? { topologySpreadConstraints: [], problems: [] }
    : compileStrategies(placement.placementStrategy, placement);

function platform({ cpuArchitecture, operatingSystemFamily: system }: RuntimePlatform): Record<string, string> {
  const [, version = ''] = /^WINDOWS_SERVER_([^_]+)_/.exec(system ?? '') ?? [];
  const build = WINDOWS_BUILDS[version];
  return {
    ...(cpuArchitecture !== undefined && { 'kubernetes.io/arch': cpuArchitecture === 'ARM64' ? 'arm64' : 'amd64' }),
    ...(system !== undefined && { 'kubernetes.io/os': system === 'LINUX' ? 'linux' : 'windows' }),
    ...(build !== undefined && { 'node.kubernetes.io/windows-build': build }),
  };
}
