/**
 * A task as the schedulers see it: what the cluster reports about one pod, in ECS's terms, and what follows from it.
 * Pure: every function takes `now` where time matters.
 */

import type { RestartTraits } from './restart-policy.ts';
import type { TargetGate } from './target-gate.ts';

/** A task definition's healthCheck, in seconds (`ecs-semantics §1.6`). */
export interface HealthCheckTimes {
  readonly interval: number;
  readonly retries: number;
  readonly startPeriod: number;
}

/** A core Service that a container takes the traffic of. */
export interface Endpoint {
  readonly service: string;
  /** Of the container. */
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
  /** Of the core Service's port. */
  readonly portName: string;
  /** The target group, as its service names it; absent where the Service is a name that is looked up, and no more. */
  readonly arn?: string;
}

export type DependencyCondition = 'START' | 'COMPLETE' | 'SUCCESS' | 'HEALTHY';

export interface Dependency {
  /** AWS name of the container that is waited for. */
  readonly container: string;
  readonly condition: DependencyCondition;
}

/** What the task definition says of one container that the schedulers need later; it travels with the pod. */
export interface ContainerTraits {
  /** The AWS name, which may differ from the pod container's. */
  readonly name: string;
  readonly essential: boolean;
  readonly healthCheck?: HealthCheckTimes;
  /** Absent where it takes no traffic. */
  readonly endpoints?: readonly Endpoint[];
  /** Check of its target group, whose result its readiness is then. */
  readonly targetCheck?: HealthCheckTimes;
  /** What holds its start back; absent where the order of the pod's containers alone does. */
  readonly dependsOn?: readonly Dependency[];
  /** A start barrier of this name holds it until the operator opens it. */
  readonly barrier?: string;
  /** Seconds that others wait for it, from its start. */
  readonly startTimeout?: number;
  /** Absent where it is never restarted in place. */
  readonly restartPolicy?: RestartTraits;
}

export type ContainerStatus = 'PENDING' | 'RUNNING' | 'STOPPED';

export interface Container extends ContainerTraits {
  readonly status: ContainerStatus;
  /** Its readiness probe passes now. */
  readonly ready: boolean;
  readonly exitCode?: number;
  /** ECS's `<ErrorName>: <message>`; plain exits have none (`ecs-semantics §2.6`). */
  readonly reason?: string;
  /** Epoch milliseconds. */
  readonly startedAt?: number;
  /** When its present run began, or when the last one ended that is to be followed by one; only after a restart in place. */
  readonly restartedAt?: number;
  readonly finishedAt?: number;
  /** Why it cannot start at present, in ECS's words: set only where waiting longer changes nothing by itself. */
  readonly startFailure?: string;
  /** Its start barrier is open: it starts, whatever its dependencies do from now on. */
  readonly released?: true;
  /** The node waits at its start barrier now. */
  readonly held?: true;
}

export type StopCode =
  | 'TaskFailedToStart'
  | 'EssentialContainerExited'
  | 'UserInitiated'
  | 'ServiceSchedulerInitiated'
  | 'SpotInterruption'
  | 'TerminationNotice'
  | 'InfrastructureHealth';

export interface StopCause {
  readonly stopCode: StopCode;
  readonly stoppedReason: string;
}

/** Why Kubernetes ends a pod that itself is well. */
export type DisruptionKind =
  /** Its node is gone, or has been away for longer than the pod tolerates. */
  | 'NodeLost'
  /** `kubectl drain`, an autoscaler… evict it. */
  | 'Evicted'
  /** One with a higher priority takes its place. */
  | 'Preempted'
  /** Its node shuts down, or lacks memory, disk space… */
  | 'NodePressure';

export interface Disruption {
  readonly kind: DisruptionKind;
  /** In Kubernetes' words. */
  readonly message: string;
}

export interface Task {
  /** 32 hex digits, the ECS task id. */
  readonly id: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly node?: string;
  /** A service's scheduler keeps it; absent for tasks that are run once and for attempts of jobs. */
  readonly ofService?: true;
  /** Why none of its containers can start, in ECS's words: something that the task as a whole needs is not to be had. */
  readonly startFailure?: string;
  /** Why no node takes it, in the scheduler's words; absent once it is placed. */
  readonly unplaceable?: string;
  readonly containers: readonly Container[];
  /** All containers have ended for good (pod phase Succeeded or Failed). */
  readonly ended: boolean;
  /** A stop was requested: ECS's desiredStatus STOPPED. A pod under deletion counts. */
  readonly stopRequested: boolean;
  /**
   * Its node is ending it, and says why only when all is over: its containers may have ended by themselves, or the node may
   * have evicted it. Counts as a requested stop.
   */
  readonly ending?: true;
  /** When the stop was asked for, epoch milliseconds; ECS's stoppingAt. */
  readonly stoppingAt?: number;
  /**
   * A target that is none any more: until then it goes on for the requests that it has, and its SIGTERM follows. Epoch
   * milliseconds. Counts as a requested stop; ECS shows such a task as DEACTIVATING.
   */
  readonly drainingUntil?: number;
  /** What load balancers of AWS say of it; absent where it is no target of theirs. */
  readonly targetGates?: readonly TargetGate[];
  /** Recorded with the stop request, or with the end of a task that ended by itself. */
  readonly stopCause?: StopCause;
  /** Pod-level reason and message (Evicted, DeadlineExceeded, NodeLost…), empty when there is none. */
  readonly podReason?: string;
  readonly podMessage?: string;
  /** Kubernetes ended the task for the sake of something else. */
  readonly disruption?: Disruption;
  /** When the pod became, or stopped being, ready for the last time; its start where it never was. Epoch milliseconds. */
  readonly readinessChangedAt?: number;
  /** A user asked for StopTask with this text. */
  readonly userStop?: string;
  /** Scale-in protection ends at this time, epoch milliseconds. */
  readonly protectedUntil?: number;
}

export type LastStatus = 'PROVISIONING' | 'PENDING' | 'RUNNING' | 'STOPPING' | 'STOPPED';

/** The task is RUNNING once each container runs or has already ended (`ecs-semantics §2.2`: the minimum over all containers). */
export function allStarted(task: Task): boolean {
  return task.containers.every((container) => container.status !== 'PENDING');
}

export function lastStatus(task: Task): LastStatus {
  if (task.ended) return 'STOPPED';
  if (task.stopRequested) return 'STOPPING';
  if (task.node === undefined) return 'PROVISIONING';
  return allStarted(task) ? 'RUNNING' : 'PENDING';
}

/** Scale-in protection holds now (`ecs-semantics §3.15`). */
export const isProtected = ({ protectedUntil }: Task, now: number): boolean =>
  protectedUntil !== undefined && protectedUntil > now;

/** When the task became RUNNING: its last container's start. Undefined if one never started. Epoch milliseconds. */
export function runningSince(task: Task): number | undefined {
  let latest: number | undefined;
  for (const container of task.containers) {
    if (container.startedAt === undefined) {
      // One that its dependencies kept from running holds nothing up (`ecs-semantics §2.2`).
      if (!container.essential && container.status === 'STOPPED' && container.startFailure !== undefined) continue;
      return undefined;
    }
    latest = Math.max(latest ?? 0, container.startedAt);
  }
  return latest;
}

/**
 * Whether the task ever was RUNNING, which decides throttling and circuit breaker stage (`ecs-semantics §2.2`):
 * a task whose essential container had ended before the last container started goes from PENDING to STOPPED.
 */
export function everRan(task: Task): boolean {
  const since = runningSince(task);
  if (since === undefined) return false;
  return task.containers.every((c) => !c.essential || c.finishedAt === undefined || c.finishedAt >= since);
}

/** When the last container ended; when the stop was asked for if none ever ran. Epoch milliseconds. */
export function stoppedAt(task: Task): number {
  const ends = task.containers.map(({ finishedAt }) => finishedAt).filter((at) => at !== undefined);
  return ends.length > 0 ? ends.reduce((a, b) => Math.max(a, b)) : (task.stoppingAt ?? task.createdAt);
}

/** An essential container that has ended, which ends its task whatever the exit code (`ecs-semantics §2.3`). */
export function endedEssential(task: Task): Container | undefined {
  return task.containers.find((container) => container.essential && container.status === 'STOPPED');
}

/**
 * A container that cannot start and so ends the task: an essential one, or one for which the secrets or files that the
 * task needs are not there. The agent gets those for the task as a whole ([AGENT] task_manager.go, handleResourceStateChange).
 */
const fatalStart = ({ containers }: Task): Container | undefined =>
  containers.find(
    ({ essential, startFailure }) =>
      startFailure !== undefined && (essential || startFailure.startsWith('ResourceInitializationError: ')),
  );

/** Why the task stopped, from the record where one was made, otherwise from what its containers show (`ecs-semantics §2.5, §2.6`). */
export function stopCauseOf(task: Task): StopCause {
  if (task.stopCause !== undefined) return task.stopCause;
  const failure = task.startFailure ?? fatalStart(task)?.startFailure;
  if (failure !== undefined) return { stopCode: 'TaskFailedToStart', stoppedReason: failure };
  if (task.disruption !== undefined) return disruptionCause(task, task.disruption);
  // A node that starts anew may reject what still runs there: its word counts, not the exit codes that followed.
  if (task.podReason !== undefined && task.podReason !== 'DeadlineExceeded') {
    return {
      stopCode: everRan(task) ? 'InfrastructureHealth' : 'TaskFailedToStart',
      stoppedReason: podText(task),
    };
  }
  // Somebody deleted the pod: with a stop of ours a cause would be recorded.
  if (task.stopRequested && !endedBefore(task))
    return { stopCode: 'UserInitiated', stoppedReason: 'Task stopped by user' };
  if (endedEssential(task)?.startedAt !== undefined) return ESSENTIAL_EXITED;
  return { stopCode: 'TaskFailedToStart', stoppedReason: 'Task failed to start' };
}

/** It had ended by itself when its pod was deleted: earlier by a second at least, which is how exact those times are. */
const endedBefore = (task: Task): boolean => {
  const { startedAt, finishedAt } = endedEssential(task) ?? {};
  return startedAt !== undefined && finishedAt !== undefined && finishedAt < (task.stoppingAt ?? 0);
};

const podText = ({ podReason = '', podMessage }: Task): string =>
  podMessage === undefined ? podReason : `${podReason}: ${podMessage}`;

/** AWS's words where it has any; `Host EC2` is what evaluateOnExit of Batch jobs looks for. */
function disruptionCause(task: Task, { kind, message }: Disruption): StopCause {
  if (kind === 'NodeLost') return hostTerminated(task.node ?? '');
  // ECS leaves tasks that are in no service alone on a DRAINING instance: only its end ends them (`ecs-semantics §3.12`).
  if (kind === 'Evicted') return task.ofService ? DRAINING : evictedByHost(task.node ?? '');
  return {
    stopCode: 'InfrastructureHealth',
    stoppedReason: kind === 'NodePressure' && task.podReason !== undefined ? podText(task) : `${kind}: ${message}`,
  };
}

/** @param node stands for the instance. */
export const hostTerminated = (node: string): StopCause => ({
  stopCode: 'InfrastructureHealth',
  stoppedReason: `Host EC2 (instance ${node}) terminated.`,
});

const evictedByHost = (node: string): StopCause => ({
  stopCode: 'InfrastructureHealth',
  stoppedReason: `Host EC2 (instance ${node}) evicted the task.`,
});

/** Text: AWS (developer guide, track-service-rebalancing). */
export const rebalanced = (deployment: string): StopCause => ({
  stopCode: 'ServiceSchedulerInitiated',
  stoppedReason: `Availability-zone rebalancing initiated by (deployment ecs-svc/${deployment})`,
});

export const DRAINING: StopCause = {
  stopCode: 'ServiceSchedulerInitiated',
  stoppedReason: 'Task stopped because its container instance is in DRAINING state',
};

/** An attempt that took longer than it may. Text: AWS (`ecs-semantics §5.14`). */
export const OUTLIVED: StopCause = {
  stopCode: 'UserInitiated',
  stoppedReason: 'Job attempt duration exceeded timeout',
};

export const ESSENTIAL_EXITED: StopCause = {
  stopCode: 'EssentialContainerExited',
  stoppedReason: 'Essential container in task exited',
};

/**
 * What every task needs, whoever owns it: end it when an essential container has ended or can never start, or when
 * its user asked for it. Undefined while the task may go on.
 */
export function stopDue(task: Task): (StopCause & { readonly because: string }) | undefined {
  if (task.ended || task.stopRequested) return undefined;
  if (task.userStop !== undefined) {
    const stoppedReason = task.userStop.trim() === '' ? 'Task stopped by user' : task.userStop;
    return { stopCode: 'UserInitiated', stoppedReason, because: 'the longshore.dev/stop annotation asks for it' };
  }
  if (task.startFailure !== undefined)
    return {
      stopCode: 'TaskFailedToStart',
      stoppedReason: task.startFailure,
      because: 'its volumes cannot be mounted',
    };
  const failed = fatalStart(task);
  if (failed?.startFailure !== undefined) {
    const because = `${failed.essential ? 'essential container' : 'container'} ${failed.name} cannot start`;
    return { stopCode: 'TaskFailedToStart', stoppedReason: failed.startFailure, because };
  }
  const essential = endedEssential(task);
  if (essential !== undefined) {
    const because = `essential container ${essential.name} exited with ${essential.exitCode ?? 'no exit code'}`;
    return { ...ESSENTIAL_EXITED, because };
  }
  return undefined;
}
