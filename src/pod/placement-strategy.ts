/** Placement strategies as topology spread constraints (`ecs-semantics §3.12`). */
import type { V1TopologySpreadConstraint } from '@kubernetes/client-node';
import { LABELS } from '../api/meta.ts';
import type { PlacementStrategy } from '../api/placement.ts';
import { attributeOf, HOSTNAME, ZONE } from './placement-attributes.ts';

/** Without a strategy ECS spreads over the zones; among the nodes of a zone it takes one with few tasks of the service. */
const DEFAULT: readonly string[] = [ZONE, HOSTNAME];

export interface Strategies {
  readonly topologySpreadConstraints: V1TopologySpreadConstraint[];
  /** Why a strategy cannot be followed: `field path: reason`. */
  readonly problems: readonly string[];
}

/**
 * @param among labels of the tasks that are spread: those of the same deployment of a service, or of the same group
 * @param zones whether nodes have zones: the scheduler ignores all constraints on a node that lacks the label of one
 */
export function compileStrategies(
  strategies: readonly PlacementStrategy[],
  { among, zones }: { readonly among: Readonly<Record<string, string>>; readonly zones: boolean },
): Strategies {
  const spreads = strategies.flatMap(({ type, field = '' }, index) => {
    const [, attribute] = /^attribute:(.*)$/.exec(field) ?? [];
    return type === 'spread' ? [{ attribute, index, key: attribute === undefined ? HOSTNAME : keyOf(attribute) }] : [];
  });
  const wanted = strategies.length === 0 ? DEFAULT : spreads.flatMap(({ key }) => key ?? []);
  const keys = zones ? wanted : wanted.filter((key) => key !== ZONE);
  return {
    topologySpreadConstraints: [...new Set(keys)].map((topologyKey) => ({
      maxSkew: 1,
      topologyKey,
      whenUnsatisfiable: 'ScheduleAnyway',
      nodeTaintsPolicy: 'Honor',
      labelSelector: {
        matchLabels: { ...among },
        matchExpressions: [{ key: LABELS.stopped, operator: 'DoesNotExist' }],
      },
    })),
    problems: spreads.flatMap(({ attribute, index, key }) =>
      key === undefined
        ? [`spec.placementStrategy[${index}].field: no label of a node can have the name "${attribute}"`]
        : [],
    ),
  };
}

const keyOf = (attribute: string): string | undefined => attributeOf(attribute)?.key;
