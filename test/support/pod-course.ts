/** The course of a pod as its statuses tell it, without what differs between two pods that do the same. */
import { isDeepStrictEqual } from 'node:util';
import type { ContainerState, NamespaceHistory, Pod } from './recorder.ts';

/** What schedulers, controllers and users read of a pod's status at one time. */
export interface PodStage {
  readonly deleted: boolean;
  readonly phase: string | undefined;
  readonly reason: string | undefined;
  readonly message: string | undefined;
  /** By type: status, reason and message. */
  readonly conditions: Readonly<Record<string, string>>;
  readonly containers: Readonly<Record<string, string>>;
  readonly addressed: boolean;
}

const statusesOf = ({ status }: Pod): readonly ContainerState[] => [
  ...(status?.initContainerStatuses ?? []),
  ...(status?.containerStatuses ?? []),
];

function describeContainer({ state, ready, started, restartCount }: ContainerState): string {
  const { waiting, running, terminated } = state ?? {};
  const is =
    running !== undefined
      ? 'running'
      : terminated !== undefined
        ? `terminated ${terminated.exitCode} ${terminated.reason}`
        : `waiting ${waiting?.reason}`;
  return `${is}, ready ${ready}, started ${started}, restarts ${restartCount}`;
}

function stageOf(pod: Pod): PodStage {
  const { metadata, status } = pod;
  return {
    deleted: metadata.deletionTimestamp !== undefined,
    phase: status?.phase,
    reason: status?.reason,
    message: status?.message,
    conditions: Object.fromEntries(
      (status?.conditions ?? []).map(({ type, status: is, reason, message }) => [
        type,
        [is, reason, message].filter((part) => part !== undefined).join(': '),
      ]),
    ),
    containers: Object.fromEntries(statusesOf(pod).map((container) => [container.name, describeContainer(container)])),
    addressed: status?.podIP !== undefined,
  };
}

const runs = (pod: Pod): boolean => statusesOf(pod).some(({ state }) => state?.running !== undefined);

const SANDBOX = 'PodReadyToStartContainers';

/** Of a pod that is over, nothing but that its sandbox has gone since: a busy kubelet writes that by itself, others with the end. */
function isSandboxGone(before: PodStage | 'gone' | undefined, stage: PodStage | 'gone'): boolean {
  if (before === undefined || before === 'gone' || stage === 'gone') return false;
  if (before.phase !== 'Succeeded' && before.phase !== 'Failed') return false;
  const conditions = { ...before.conditions, [SANDBOX]: stage.conditions[SANDBOX] };
  return isDeepStrictEqual({ ...before, conditions }, stage);
}

/**
 * From Running on, each stage once; `gone` at last for a pod that is. A kubelet says that the last container has ended
 * one write before it says that the pod has: the two are one stage.
 */
export function courseOf(history: NamespaceHistory, name: string): (PodStage | 'gone')[] {
  const course: (PodStage | 'gone')[] = [];
  let last = '';
  for (const { kind, type, object } of history.entries) {
    if (kind !== 'pods' || object.metadata.name !== name) continue;
    const { phase } = object.status ?? {};
    if (phase === 'Pending' || (phase === 'Running' && !runs(object))) continue;
    const stage = type === 'DELETED' ? 'gone' : stageOf(object);
    const text = JSON.stringify(stage, (_key, value) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
        : value,
    );
    if (text !== last && !isSandboxGone(course.at(-1), stage)) course.push(stage);
    else if (text !== last) course.splice(-1, 1, stage);
    last = text;
  }
  return course;
}
