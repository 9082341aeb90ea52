/** Where the tasks of a service stand in the traffic: behind a core Service, with a port of a container. */
import { createHash } from 'node:crypto';
import { TRAFFIC_LABEL } from '../api/meta.ts';
import type { TaskProblem } from '../pod/problems.ts';
import type { DiscoveryName } from './discovery.ts';

/** How the targets of a target group are checked. */
export interface TargetCheck {
  readonly protocol: 'HTTP' | 'HTTPS' | 'TCP';
  /** Absent: the port that takes the traffic. */
  readonly port?: number;
  readonly path: string;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  /** Failures in a row that make a target unhealthy. */
  readonly unhealthyThresholdCount: number;
}

/** What a registration has that is one in a target group. */
export interface TargetGroupTraits {
  /** As its service names it: the ARN, or the name. */
  readonly arn: string;
  /** Absent where its targets are not checked by their pods. */
  readonly check?: TargetCheck;
  /** `deregistration_delay.timeout_seconds`. */
  readonly delaySeconds: number;
  /** Type of the pod's condition by which somebody else says that the target is healthy. */
  readonly readinessGate?: string;
}

export interface Registration {
  /** Path of what asks for it, such as spec.loadBalancers[0]. */
  readonly field: string;
  /** Name of the core Service. */
  readonly service: string;
  /** AWS name of the container. */
  readonly container: string;
  readonly containerPort: number;
  readonly protocol: 'tcp' | 'udp';
  /** Name of the port of the pod's container, to which the core Service sends. */
  readonly portName: string;
  /** Name of the port of the core Service; absent where it is as the pod's. */
  readonly servicePort?: string;
  /** Seconds that a task which stops goes on, for clients that have not heard of it; a target group has its own. Default: 0. */
  readonly pauseSeconds?: number;
  /** Absent where it is only a name that is looked up. */
  readonly targetGroup?: TargetGroupTraits;
}

/** What a service's deployment registers its tasks in, and what of that cannot be. */
export interface Traffic {
  readonly registrations: readonly Registration[];
  /** Names under which its tasks are found, whether with ports or without. */
  readonly names: readonly DiscoveryName[];
  readonly problems: readonly TaskProblem[];
}

export const NO_TRAFFIC: Traffic = { registrations: [], names: [], problems: [] };

/** One name for all tasks behind a core Service, whichever port each listens on; a port name has at most 15 characters. */
export const trafficPortName = (service: string): string =>
  `lb-${createHash('sha256').update(service).digest('hex').slice(0, 8)}`;

/** The key of the label that puts a pod behind a core Service. */
export const trafficLabel = (service: string): string => `${TRAFFIC_LABEL}${service}`;

/**
 * A core Service selects its pods (`selected`), and Kubernetes keeps its endpoints. Not those that are `listed`: a
 * container that has ended and was not essential takes nothing from their task, but makes the pod not ready, so that
 * Longshore writes their endpoints.
 */
export type Membership = 'selected' | 'listed';

/** The longest that a pod goes on by itself before its SIGTERM, for what is sent to it while its end gets about: seconds. */
const LONGEST_PAUSE = 15;

/** Seconds that a pod of these registrations waits before it sends SIGTERM, whoever ends it (design §3, decision 4). */
export const pauseOf = (registrations: readonly Registration[]): number =>
  Math.max(
    0,
    ...registrations.map(({ targetGroup, pauseSeconds = 0 }) =>
      Math.min(targetGroup?.delaySeconds ?? pauseSeconds, LONGEST_PAUSE),
    ),
  );
