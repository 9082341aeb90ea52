/** RunTask's placement on Kubernetes: what its constraints and strategies ask of the scheduler (`ecs-semantics §3.12`). */
import type { V1LabelSelector, V1PodAntiAffinity } from '@kubernetes/client-node';
import { ANNOTATIONS, LABELS } from '../api/meta.ts';
import { uniqueDnsName } from '../api/names.ts';
import type { Placement, PlacementStrategy } from '../api/placement.ts';
import type { PodTemplate } from './compile.ts';

const HOST = 'kubernetes.io/hostname';
const ZONE = 'topology.kubernetes.io/zone';

export interface TaskPlacement extends Placement {
  /** AWS name of the group. */
  readonly group: string;
}

/** The label of the nodes over which a strategy spreads; undefined where there is none. */
export function spreadKey({ type, field = '' }: PlacementStrategy): string | undefined {
  if (type !== 'spread') return undefined;
  if (field === 'instanceId' || field === 'host') return HOST;
  return field === 'attribute:ecs.availability-zone' ? ZONE : undefined;
}

/** Without a strategy ECS spreads over the zones and takes any node in them; here a node with fewer tasks of the group. */
const DEFAULT = [ZONE, HOST];

/** Of the first strategy; each further one has half of it, so that it decides where the ones before see no difference. */
const FIRST_WEIGHT = 100;

/**
 * Tasks of a group keep away from each other: not bound by it where a strategy spreads, bound where each is to have a node
 * of its own. Topology spread constraints would do nothing on a cluster whose nodes have no zone.
 */
export function withPlacement(
  template: PodTemplate,
  { group, placementConstraints, placementStrategy }: TaskPlacement,
): PodTemplate {
  const name = uniqueDnsName(group);
  // A task that is stopping no longer occupies its node.
  const labelSelector: V1LabelSelector = {
    matchLabels: { [LABELS.group]: name },
    matchExpressions: [{ key: LABELS.stopped, operator: 'DoesNotExist' }],
  };
  const keys = placementStrategy.length === 0 ? DEFAULT : placementStrategy.flatMap((one) => spreadKey(one) ?? []);
  const isDistinct = placementConstraints.some(({ type }) => type === 'distinctInstance');
  const podAntiAffinity: V1PodAntiAffinity = {
    ...(keys.length > 0 && {
      preferredDuringSchedulingIgnoredDuringExecution: keys.map((topologyKey, index) => ({
        weight: Math.ceil(FIRST_WEIGHT / 2 ** index),
        podAffinityTerm: { topologyKey, labelSelector },
      })),
    }),
    ...(isDistinct && { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: HOST, labelSelector }] }),
  };
  return {
    ...template,
    labels: { ...template.labels, [LABELS.group]: name },
    annotations: { ...template.annotations, [ANNOTATIONS.group]: group },
    spec: { ...template.spec, ...((keys.length > 0 || isDistinct) && { affinity: { podAntiAffinity } }) },
  };
}
