/**
 * The service scheduler as one pure function: what is observed in, what to do next out (`ecs-semantics §3.3, §3.4, §3.7`).
 * Every action says which rule asked for it; the controller only carries it out. One file a rule: what ends by itself
 * (`service-endings.ts`), what starts (`service-verdict.ts`, `service-starts.ts`), what is too much (`service-surplus.ts`),
 * which old tasks make place (`service-replacement.ts`), and what the plan says of itself (`service-report.ts`).
 */
import type { NodeAttributes, Strategy } from './balance.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';
import { type Protection, withProtection } from './protection.ts';
import { type Replaces, withReplaced } from './replaces.ts';
import { endings } from './service-endings.ts';
import { oldTaskStops } from './service-replacement.ts';
import { servicePlan } from './service-report.ts';
import { serviceStarts } from './service-starts.ts';
import { surplusStops } from './service-surplus.ts';
import { deploymentVerdict } from './service-verdict.ts';
import { serviceView } from './service-view.ts';
import type { Seat } from './slots.ts';
import type { StopCause, Task } from './task.ts';
import { withRebalancing, type ZoneBalance } from './zone-rebalancing.ts';

export interface ServiceTask extends Task, Seat {
  /** As the plan's input had it when the task was started. */
  readonly placement?: string;
  /** The deployment's 19 digits. */
  readonly deployment: string;
  /** Id of the task in a fuller zone whose place it is to take (AZ rebalancing). */
  readonly standsInFor?: string;
  /** The only zone that it may run in, where it stands in for another task. */
  readonly standInZone?: string;
}

export interface Deployment {
  /** 19 digits; ECS writes `ecs-svc/<id>`. */
  readonly id: string;
  /** The highest is PRIMARY. */
  readonly number: number;
  readonly completed: boolean;
  /** The circuit breaker has given it up: none of its tasks is started any more. */
  readonly failed?: boolean;
  /** Failures of tasks made before do not count: when it was rolled back to, epoch milliseconds. */
  readonly since?: number;
}

export interface ServicePlanInput<T extends ServiceTask> {
  readonly desiredCount: number;
  readonly minimumHealthyPercent: number;
  readonly maximumPercent: number;
  readonly healthCheckGracePeriodSeconds: number;
  readonly circuitBreaker?: CircuitBreaker;
  /** Any order, at least one. */
  readonly deployments: readonly [Deployment, ...Deployment[]];
  /** Identity of where tasks are wanted now; absent where nothing is said. */
  readonly placement?: string | undefined;
  /** AWS: PlacementStrategy[]; it decides whom to stop as well. */
  readonly placementStrategy?: readonly Strategy[];
  /** Of the nodes of the tasks, where they are known. */
  readonly attributes?: NodeAttributes;
  /** Zones that tasks may run in, where their numbers are to be kept equal (AZ rebalancing). */
  readonly zones?: readonly string[] | undefined;
  /** Every task of the service that still exists, ended ones included. */
  readonly tasks: readonly T[];
  /** Names of nodes that are DRAINING: they take no tasks, and those of services move away (`ecs-semantics §3.12`). */
  readonly draining?: ReadonlySet<string>;
  /** Epoch milliseconds. */
  readonly now: number;
}

export interface Start {
  readonly kind: 'start';
  readonly deployment: string;
  readonly seat: Seat;
  /** What it takes the place of; absent for a first start. */
  readonly replaces?: Replaces;
  /** It takes the place of a task in a fuller zone (AZ rebalancing). */
  readonly standIn?: { readonly zone: string; readonly standsInFor: string };
  /** The only node that it may run on; absent where the scheduler of Kubernetes is to choose. */
  readonly node?: string;
  readonly because: string;
}

export interface Stop<T extends ServiceTask> extends StopCause {
  readonly kind: 'stop';
  readonly task: T;
  /** Its place is taken by a task in a zone with fewer (AZ rebalancing). */
  readonly forZone?: true;
  readonly because: string;
}

export type ServiceAction<T extends ServiceTask> = Start | Stop<T>;

export interface DeploymentPlan {
  readonly id: string;
  readonly status: 'PRIMARY' | 'ACTIVE' | 'INACTIVE';
  readonly desiredCount: number;
  readonly pendingCount: number;
  readonly runningCount: number;
  readonly failedTasks: number;
  readonly completed: boolean;
  /** The circuit breaker gives, or has given, it up. */
  readonly failed: boolean;
  /** Which rule holds the next step back; empty when none does. */
  readonly blockedBy: string;
}

export interface ServicePlan<T extends ServiceTask> {
  readonly actions: readonly ServiceAction<T>[];
  /** PRIMARY first, then newest first. */
  readonly deployments: readonly DeploymentPlan[];
  /** The desired number of tasks of the newest deployment is healthy, and nothing else exists. */
  readonly steady: boolean;
  /** The throttle holds starts back. */
  readonly startImpaired: boolean;
  /** Why no node takes one of the tasks, in the scheduler's words. */
  readonly unplaceable?: string;
  /** No further step is possible with these percentages. */
  readonly stuck: boolean;
  /** Nothing but the protection of tasks holds it back. */
  readonly protection?: Protection;
  /** How its tasks are spread over zones, where that is looked after and nothing else is under way. */
  readonly zones?: ZoneBalance;
  /** Restarts wait for the budget of the operator. */
  readonly operationsThrottled?: boolean;
  /** When time alone changes the plan, epoch milliseconds. */
  readonly wakeAt?: number;
}

/**
 * One pass of the scheduler. Where a rolling update may both start and stop, it starts first and stops healthy old
 * tasks one for one as new ones become healthy; it goes down to the lower bound only where that makes the room it
 * lacks (AWS leaves this open: `ecs-semantics §10.2`). Tasks on a node that is DRAINING are replaced like those of an
 * older deployment.
 */
export function planService<T extends ServiceTask>(input: ServicePlanInput<T>): ServicePlan<T> {
  const ending = endings(input);
  const view = serviceView(input, ending);
  const verdict = deploymentVerdict(input, view);
  const starts = serviceStarts(view, verdict);
  const surplus = surplusStops(view, starts);
  const replaced = oldTaskStops(view, starts, verdict, surplus);
  const actions = [...ending, ...surplus, ...replaced, ...withReplaced(view, starts.actions)];
  const plan = withProtection(servicePlan(view, starts, verdict, actions), view);
  return withRebalancing(plan, view, verdict, input);
}
