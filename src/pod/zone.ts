/** Tasks that are for one zone (AZ rebalancing). */
import type { V1Affinity, V1NodeSelectorRequirement } from '@kubernetes/client-node';
import { ZONE } from './placement-attributes.ts';

/** The affinity of a pod that may run in this zone alone, of the nodes that it may run on anyway. */
export function inZone(zone: string, affinity: V1Affinity = {}): V1Affinity {
  const here: V1NodeSelectorRequirement = { key: ZONE, operator: 'In', values: [zone] };
  const terms = affinity.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [{}];
  return {
    ...affinity,
    nodeAffinity: {
      ...affinity.nodeAffinity,
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: terms.map((term) => ({
          ...term,
          matchExpressions: [...(term.matchExpressions ?? []), here],
        })),
      },
    },
  };
}

/** The zone that {@link inZone} was asked for. */
export function zoneOf(affinity: V1Affinity | undefined): string | undefined {
  const [term] = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  return term?.matchExpressions?.findLast(({ key }) => key === ZONE)?.values?.[0];
}
