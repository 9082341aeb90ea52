/**
 * What must hold at every resourceVersion, whatever happens to the operator (`kubernetes-mapping §4`, I1 to I9).
 * Written from the specification alone; each check returns the violations it found, in words.
 */
import type { HistoryEntry, NamespaceHistory, Pod, Service } from './recorder.ts';

export const taskIdOf = ({ metadata }: Pod): string => metadata.labels?.['longshore.dev/task'] ?? '';
export const deploymentIdOf = ({ metadata }: Pod): string => metadata.labels?.['longshore.dev/deployment'] ?? '';

export const isEnded = ({ status }: Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';

/** Not stopped, and nobody asked for its end. */
export const isWanted = (pod: Pod): boolean =>
  !isEnded(pod) && pod.metadata.deletionTimestamp === undefined && pod.spec.activeDeadlineSeconds === undefined;

/** For tasks whose essential containers all have a health check: its probe passes. */
export const isHealthy = (pod: Pod): boolean =>
  isWanted(pod) && pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;

/** The lock of a service's task: `<service>-<deployment>-<slot>`, which its generation follows. */
export const slotOf = ({ metadata }: Pod): string => metadata.name.replace(/-\d+$/, '');

/** The job and index of a Batch attempt, by its owner and label: they are what it is, whatever its pod is called. */
const childOf = ({ metadata: { labels, ownerReferences } }: Pod): string | undefined => {
  const job = labels?.['longshore.dev/batch-job'];
  if (job === undefined) return undefined;
  return `${job}[${labels?.['longshore.dev/array-index'] ?? ''}] of ${ownerReferences?.[0]?.uid}`;
};

const isOwnedBy = (pod: Pod, uid: string | undefined): boolean =>
  pod.metadata.ownerReferences?.some((owner) => owner.uid === uid) === true;

/** A service and its tasks as they were at one resourceVersion. */
export interface Moment {
  readonly entry: HistoryEntry;
  readonly service: Service;
  readonly pods: readonly Pod[];
  readonly live: number;
  readonly healthy: number;
  /** `ceil(desiredCount × minimumHealthyPercent / 100)`. */
  readonly min: number;
  /** `floor(desiredCount × maximumPercent / 100)`. */
  readonly max: number;
}

export function momentsOf(history: NamespaceHistory, serviceName: string): Moment[] {
  const pods = new Map<string, Pod>();
  let service: Service | undefined;
  const moments: Moment[] = [];
  for (const entry of history.entries) {
    if (entry.kind === 'services' && entry.object.metadata.name === serviceName) {
      service = entry.type === 'DELETED' ? undefined : entry.object;
    } else if (entry.kind === 'pods' && entry.object.metadata.labels?.['longshore.dev/service'] === serviceName) {
      if (entry.type === 'DELETED') pods.delete(entry.object.metadata.uid);
      else pods.set(entry.object.metadata.uid, entry.object);
    } else continue;
    if (service === undefined) continue;
    const uid = service.metadata.uid;
    const own = [...pods.values()].filter((pod) => isOwnedBy(pod, uid));
    const { desiredCount, deploymentConfiguration } = service.spec;
    moments.push({
      entry,
      service,
      pods: own,
      live: own.filter((pod) => !isEnded(pod)).length,
      healthy: own.filter(isHealthy).length,
      min: Math.ceil((desiredCount * (deploymentConfiguration?.minimumHealthyPercent ?? 100)) / 100),
      max: Math.floor((desiredCount * (deploymentConfiguration?.maximumPercent ?? 200)) / 100),
    });
  }
  return moments;
}

const at = ({ entry }: Moment): string => `resourceVersion ${entry.resourceVersion}`;

/** I1: nothing starts above the upper bound. A lowered bound takes nothing back: only a start can break it. */
export function startsAboveBound(moments: readonly Moment[]): string[] {
  return moments
    .filter(({ entry, live, max }) => entry.kind === 'pods' && entry.type === 'ADDED' && live > max)
    .map((moment) => `I1 at ${at(moment)}: ${moment.live} tasks are above ${moment.max}`);
}

/** I2: no step takes the number of healthy tasks below the lower bound. For histories without faults of tasks. */
export function stopsBelowBound(moments: readonly Moment[]): string[] {
  return moments
    .filter((moment, index) => {
      const before = moments[index - 1];
      return (
        before !== undefined &&
        moment.entry.kind === 'pods' &&
        moment.healthy < before.healthy &&
        moment.healthy < moment.min
      );
    })
    .map((moment) => `I2 at ${at(moment)}: ${moment.healthy} healthy tasks are below ${moment.min}`);
}

/** I3: at most one live pod a slot or index; and no attempt of a job is made twice. */
export function duplicates(history: NamespaceHistory): string[] {
  const violations: string[] = [];
  const made = new Map<string, string>();
  const live = new Map<string, Map<string, string>>();
  for (const { kind, type, object, resourceVersion } of history.entries) {
    if (kind !== 'pods' || object.metadata.labels?.['longshore.dev/task'] === undefined) continue;
    const { name, uid, labels } = object.metadata;
    const child = childOf(object);
    const runTask = labels['longshore.dev/run-task'] === undefined ? undefined : `task ${name}`;
    // No node gets a pod that is gated: one that went before that has run nothing.
    const gated = object.spec.schedulingGates?.some(({ name: gate }) => gate === 'longshore.dev/recorded');
    if (!gated && (child !== undefined || runTask !== undefined)) {
      const attempt = runTask ?? `attempt ${labels['longshore.dev/attempt']} of ${child}`;
      const first = made.get(attempt) ?? uid;
      made.set(attempt, first);
      if (first !== uid)
        violations.push(`I3 at resourceVersion ${resourceVersion}: ${attempt} was made again: ${name}`);
    }
    const slot = child ?? runTask ?? slotOf(object);
    const tasks = live.get(slot) ?? new Map<string, string>();
    live.set(slot, tasks);
    if (type === 'DELETED' || isEnded(object)) tasks.delete(uid);
    else tasks.set(uid, name);
    if (tasks.size > 1) {
      violations.push(
        `I3 at resourceVersion ${resourceVersion}: ${[...tasks.values()].join(' and ')} live in one slot`,
      );
    }
  }
  return violations;
}

/** How many stopped tasks a status keeps: older ones are lost on purpose (`design §1`). */
const KEPT_STOPPED_TASKS = 10;

/** I4, services: no ended task is listed twice, and none is swept before a status had it, unless newer ones pushed it out. */
export function unrecordedStops(history: NamespaceHistory, serviceName: string): string[] {
  const violations: string[] = [];
  const recorded = new Set<string>();
  let fullStatus = false;
  for (const { kind, type, object, resourceVersion } of history.entries) {
    if (kind === 'services' && object.metadata.name === serviceName) {
      const tasks = (object.status?.stoppedTasks ?? []).map(({ task }) => task);
      if (new Set(tasks).size < tasks.length) {
        violations.push(`I4 at resourceVersion ${resourceVersion}: a task is listed twice in stoppedTasks`);
      }
      for (const task of tasks) recorded.add(task);
      fullStatus = tasks.length === KEPT_STOPPED_TASKS;
    }
    if (
      kind === 'pods' &&
      type === 'DELETED' &&
      object.metadata.labels?.['longshore.dev/service'] === serviceName &&
      isEnded(object) &&
      !recorded.has(taskIdOf(object)) &&
      !fullStatus
    ) {
      violations.push(`I4 at resourceVersion ${resourceVersion}: ${object.metadata.name} was swept unrecorded`);
    }
  }
  return violations;
}

/** I5: an array index that succeeded is not run again; nor is an attempt started while or after another one wins. */
export function rerunsAfterSuccess(history: NamespaceHistory): string[] {
  const won = new Set<string>();
  const violations: string[] = [];
  for (const { kind, type, object, resourceVersion } of history.entries) {
    const child = kind === 'pods' ? childOf(object) : undefined;
    if (kind !== 'pods' || child === undefined) continue;
    if (type === 'ADDED' && won.has(child)) {
      violations.push(`I5 at resourceVersion ${resourceVersion}: ${object.metadata.name} runs what had succeeded`);
    }
    if (object.status?.phase === 'Succeeded') won.add(child);
  }
  return violations;
}

/** I7: pods that are not Longshore's are never deleted. For namespaces where nobody else deletes pods. */
export function foreignDeletions(history: NamespaceHistory): string[] {
  return history.entries
    .filter(({ kind, type, object }) => kind === 'pods' && type === 'DELETED' && !object.metadata.ownerReferences)
    .map(({ object, resourceVersion }) => `I7 at resourceVersion ${resourceVersion}: ${object.metadata.name} is gone`);
}

/** I8: once an essential container has ended, all containers of its pod end within the grace period and 5 s. */
export function slowEnds(pods: readonly Pod[], essential: (container: string) => boolean): string[] {
  return pods.filter(isEnded).flatMap((pod) => {
    const ends = (pod.status?.containerStatuses ?? []).flatMap(({ name, state }) =>
      state?.terminated?.finishedAt === undefined
        ? []
        : [{ name, finishedAt: Date.parse(state.terminated.finishedAt) }],
    );
    const first = Math.min(...ends.filter(({ name }) => essential(name)).map(({ finishedAt }) => finishedAt));
    const last = Math.max(...ends.map(({ finishedAt }) => finishedAt));
    const allowed = ((pod.spec.terminationGracePeriodSeconds ?? 30) + 5) * 1000;
    return last - first > allowed ? [`I8: ${pod.metadata.name} took ${last - first} ms to end`] : [];
  });
}

/** I9: observedGeneration never goes back, nor does a deployment that is COMPLETED, unless it is rolled back to. */
export function statusRegressions(history: NamespaceHistory, serviceName: string): string[] {
  const violations: string[] = [];
  const completed = new Set<string>();
  let generation = 0;
  for (const { metadata, status } of history.statesOf('services', serviceName)) {
    const seen = status?.observedGeneration ?? generation;
    if (seen < generation)
      violations.push(`I9 at ${metadata.resourceVersion}: observedGeneration went back to ${seen}`);
    generation = seen;
    for (const { id, rolloutState, rolloutStateReason } of status?.deployments ?? []) {
      if (rolloutStateReason.includes('circuit breaker: rolling back')) completed.delete(id);
      if (rolloutState === 'COMPLETED') completed.add(id);
      else if (completed.has(id)) violations.push(`I9 at ${metadata.resourceVersion}: ${id} is ${rolloutState} again`);
    }
  }
  return violations;
}

/** Managed pods that belong to nothing: neither a task of a listed deployment, nor a stopped task kept for reading. */
export function orphans(history: NamespaceHistory, serviceName: string): string[] {
  const service = history.get('services', serviceName);
  const deployments = service?.status?.deployments?.map(({ id }) => id.replace('ecs-svc/', '')) ?? [];
  const stopped = service?.status?.stoppedTasks?.map(({ task }) => task) ?? [];
  return history
    .all('pods')
    .filter(({ metadata }) => metadata.labels?.['longshore.dev/task'] !== undefined)
    .filter((pod) => {
      if (!isOwnedBy(pod, service?.metadata.uid)) return true;
      return isEnded(pod) ? !stopped.includes(taskIdOf(pod)) : !deployments.includes(deploymentIdOf(pod));
    })
    .map(({ metadata }) => `${metadata.name} belongs to no deployment and is no kept stopped task`);
}

/** All that must hold for a service whose tasks have no faults of their own. */
export function serviceViolations(history: NamespaceHistory, serviceName: string): string[] {
  const moments = momentsOf(history, serviceName);
  return [
    ...startsAboveBound(moments),
    ...stopsBelowBound(moments),
    ...duplicates(history),
    ...unrecordedStops(history, serviceName),
    ...statusRegressions(history, serviceName),
    ...orphans(history, serviceName),
  ];
}
