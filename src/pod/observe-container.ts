/** A container's status as the kubelet writes it → the task's container. */
import { type RestartTraits, restartsAfter } from '../ecs/restart-policy.ts';
import type { Container, ContainerTraits } from '../ecs/task.ts';
import { isBarrierMessage } from './start-barrier.ts';

interface ContainerStateJson {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly running?: { readonly startedAt?: string };
  readonly terminated?: {
    readonly exitCode: number;
    readonly reason?: string;
    readonly message?: string;
    readonly startedAt?: string;
    readonly finishedAt?: string;
  };
}

export interface ContainerStatusJson {
  readonly name: string;
  readonly imageID?: string;
  readonly ready?: boolean;
  readonly state?: ContainerStateJson;
  readonly lastState?: ContainerStateJson;
}

const CONFIG_ERROR = 'CreateContainerConfigError';

/** The kubelet had no answer within a second, and asks again: this says nothing of the ConfigMap or Secret. */
const isUnread = (message: string): boolean =>
  /^(failed to sync (configmap|secret) cache: |object "[^"]*"\/"[^"]*" not registered$)/.test(message);

const PULL_ERRORS: ReadonlySet<string> = new Set(['ErrImagePull', 'ImagePullBackOff']);

type Waiting = NonNullable<ContainerStateJson['waiting']>;
type Terminated = NonNullable<ContainerStateJson['terminated']>;

export interface PodState {
  readonly ended: boolean;
  /** Epoch milliseconds. */
  readonly startedAt: number | undefined;
  /** The start barrier of this container is open. */
  readonly opened: boolean;
}

export function observeContainer(
  traits: ContainerTraits,
  seen: ContainerStatusJson | undefined,
  pod: PodState,
): Container {
  const { waiting, running, terminated } = seen?.state ?? {};
  if (traits.restartPolicy !== undefined && (terminated ?? seen?.lastState?.terminated) !== undefined)
    return observeRestarts(traits, traits.restartPolicy, seen, pod);
  if (terminated !== undefined) return ended(traits, terminated);
  if (running !== undefined)
    return { ...traits, status: 'RUNNING', ready: seen?.ready === true, startedAt: time(running.startedAt) };
  if (traits.barrier !== undefined && waiting !== undefined && isAtBarrier(waiting, pod))
    return { ...traits, status: pod.ended ? 'STOPPED' : 'PENDING', ready: false, held: true };
  const startFailure =
    waiting === undefined ? undefined : startFailureOf(waiting.reason ?? '', waiting.message ?? '', traits.essential);
  // The agent gives up on a container that is not essential and goes on without it ([AGENT] task_manager.go,
  // handleEventError); the kubelet still tries.
  const status = pod.ended || (startFailure !== undefined && !traits.essential) ? 'STOPPED' : 'PENDING';
  return { ...traits, status, ready: false, startFailure, reason: startFailure };
}

/**
 * The kubelet pulls the image before it looks at the barrier. The agent creates a container once its dependencies are met,
 * and where the image is missing fails only then ([AGENT] task_manager.go, handleEventError).
 */
function isAtBarrier({ reason = '', message = '' }: Waiting, { opened }: PodState): boolean {
  if (reason === CONFIG_ERROR) return isBarrierMessage(message) || isUnread(message);
  return !opened && PULL_ERRORS.has(reason);
}

const ended = (traits: ContainerTraits, terminated: Terminated): Container => ({
  ...traits,
  status: 'STOPPED',
  ready: false,
  ...exitOf(terminated),
  finishedAt: time(terminated.finishedAt),
});

/**
 * A container with a restart policy that has ended at least once. The kubelet restarts it also where ECS would not: then
 * the end that ECS would have left it with stands. The kubelet remembers one earlier run; the first cannot have begun
 * before the pod.
 */
function observeRestarts(
  traits: ContainerTraits,
  policy: RestartTraits,
  seen: ContainerStatusJson | undefined,
  pod: PodState,
): Container {
  const { running, terminated } = seen?.state ?? {};
  const runs = [seen?.lastState?.terminated, terminated].filter((run) => run !== undefined);
  const isLast = (run: Terminated) => !restartsAfter(policy, { ...exitOf(run), finishedAt: time(run.finishedAt) });
  const end = runs.find(isLast) ?? (pod.ended ? runs.at(-1) : undefined);
  const startedAt = runs.length === 1 && running === undefined ? time(runs[0]?.startedAt) : pod.startedAt;
  if (end !== undefined) {
    const container = ended(traits, end);
    return container.startedAt === undefined ? container : { ...container, startedAt };
  }
  const restartedAt = time(running === undefined ? runs.at(-1)?.finishedAt : running.startedAt);
  return { ...traits, status: 'RUNNING', ready: seen?.ready === true, startedAt, restartedAt };
}

/** A container that the runtime could not start has an exit code that is the runtime's, not its own. */
function exitOf(terminated: Terminated): Pick<Container, 'exitCode' | 'reason' | 'startedAt' | 'startFailure'> {
  const { exitCode, reason, message = '' } = terminated;
  if (reason === 'StartError' || reason === 'ContainerCannotRun') {
    const startFailure = `CannotStartContainerError: ${message}`;
    return { exitCode, reason: startFailure, startFailure };
  }
  const startedAt = time(terminated.startedAt);
  // The kubelet's word for a container that a pod ended without: ECS gives one that never ran no exit code.
  if (reason === 'ContainerStatusUnknown' && startedAt === undefined) return {};
  if (reason === 'OOMKilled')
    return { exitCode, startedAt, reason: 'OutOfMemoryError: Container killed due to memory usage' };
  return { exitCode, startedAt };
}

/** Why a container waits, where waiting changes nothing: the kubelet would try for ever, ECS stops the task (`ecs-semantics §2.6`). */
function startFailureOf(reason: string, message: string, essential: boolean): string | undefined {
  switch (reason) {
    case 'ErrImagePull':
      // Comes before ImagePullBackOff, and again in turn with it: the task's status must not follow.
      return essential ? undefined : `CannotPullContainerError: ${message}`;
    case 'ImagePullBackOff':
    case 'InvalidImageName':
    case 'ErrImageNeverPull':
      return `CannotPullContainerError: ${message}`;
    case CONFIG_ERROR:
      return isUnread(message) ? undefined : `ResourceInitializationError: ${message}`;
    case 'CreateContainerError':
      return `CannotCreateContainerError: ${message}`;
    case 'RunContainerError':
      return `CannotStartContainerError: ${message}`;
    default:
      return undefined;
  }
}

/** The kubelet writes the epoch where it knows no time. */
export function time(text: string | undefined): number | undefined {
  const at = Date.parse(text ?? '');
  return Number.isNaN(at) || at === 0 ? undefined : at;
}
