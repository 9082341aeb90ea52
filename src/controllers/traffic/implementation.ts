/** What carries traffic to the targets of a target group, besides its core Service. */
import type { FieldSupport } from '../../api/status.ts';
import type { TargetGroupSpec } from '../../api/target-group.ts';
import type { Requeue } from '../../kube/controller.ts';
import type { ConditionInput } from '../conditions.ts';
import type { Runtime, TargetGroupRecord } from '../runtime.ts';
import { keepRoutes } from './routes.ts';

/** What an implementation says of a target group; nothing where it has nothing to do with it. */
export interface TrafficReport extends Requeue {
  readonly condition?: ConditionInput;
  readonly support?: readonly FieldSupport[];
}

/** One way to get traffic to a target group: routes of a Gateway, an Ingress… It says by itself whether it can be used here. */
export type TrafficImplementation = (
  runtime: Runtime,
  targetGroup: TargetGroupRecord,
  spec: TargetGroupSpec,
) => Promise<TrafficReport>;

export const IMPLEMENTATIONS: readonly TrafficImplementation[] = [keepRoutes];
