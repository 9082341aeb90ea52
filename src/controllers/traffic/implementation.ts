/** What carries traffic to the targets of a target group, besides its core Service. */
import type { TargetGroupSpec } from '../../api/target-group.ts';
import type { ConditionInput } from '../conditions.ts';
import type { Runtime, TargetGroupRecord } from '../runtime.ts';

/** One way to get traffic to a target group: routes of a Gateway, an Ingress… It says by itself whether it can be used here. */
export type TrafficImplementation = (
  runtime: Runtime,
  targetGroup: TargetGroupRecord,
  spec: TargetGroupSpec,
) => Promise<ConditionInput | undefined>;

export const IMPLEMENTATIONS: readonly TrafficImplementation[] = [];
