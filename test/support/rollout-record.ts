/**
 * Judges the rollouts of a service at every resourceVersion of its pods, by the specification alone (`ecs-semantics §3.3`):
 * what is alive and what is healthy is read from the pods here, not with the planner's functions.
 */
import { duplicates, isEnded, isWanted } from './invariants.ts';
import type { HistoryEntry, NamespaceHistory, Pod, Service } from './recorder.ts';

/** A task without any check counts as healthy this long after its last container started. */
const HEALTHY_AFTER_MS = 40_000;

/** One event of a pod of the service, and what the service was like after it. */
export interface Instant {
  readonly resourceVersion: bigint;
  readonly type: HistoryEntry['type'];
  readonly pod: Pod;
  /** Pods that have not ended. */
  readonly live: number;
  readonly healthy: number;
  /** Pods that Kubernetes evicted so far: it judges by the service's budget, and the operator may not have known of them yet. */
  readonly evicted: number;
  /** The lowest lower bound of all specs that the operator may have had before it. */
  readonly min: number;
  /** The highest upper bound of those. */
  readonly max: number;
}

const isReady = ({ status }: Pod, container: string): boolean =>
  status?.containerStatuses?.find(({ name }) => name === container)?.ready === true;

/**
 * The table without load balancers: all containers with a check pass it; where there are none, 40 s of running.
 * @param now when the recorder saw the pod so, epoch milliseconds. Every container is taken as essential.
 */
export function countsAsHealthy(pod: Pod, now: number): boolean {
  const statuses = pod.status?.containerStatuses ?? [];
  if (!isWanted(pod) || statuses.length < pod.spec.containers.length) return false;
  const starts = statuses.map(({ state }) => state?.running?.startedAt);
  if (starts.includes(undefined)) return false;
  const checked = pod.spec.containers.filter(({ readinessProbe }) => readinessProbe !== undefined);
  if (checked.length > 0) return checked.every(({ name }) => isReady(pod, name));
  return starts.every((startedAt) => now >= Date.parse(startedAt ?? '') + HEALTHY_AFTER_MS);
}

const isEvicted = ({ metadata, spec, status }: Pod): boolean =>
  metadata.deletionTimestamp !== undefined &&
  spec.activeDeadlineSeconds === undefined &&
  status?.conditions?.some(({ reason }) => reason === 'EvictionByEvictionAPI') === true;

const boundsOf = ({ spec: { desiredCount, deploymentConfiguration = {} } }: Service): { min: number; max: number } => {
  const { minimumHealthyPercent = 100, maximumPercent = 200 } = deploymentConfiguration;
  return {
    min: Math.ceil((desiredCount * minimumHealthyPercent) / 100),
    max: Math.floor((desiredCount * maximumPercent) / 100),
  };
};

/** Oldest first. */
export function instantsOf(history: NamespaceHistory, name: string): Instant[] {
  const pods = new Map<string, Pod>();
  const instants: Instant[] = [];
  const evicted = new Set<string>();
  /** By generation: those that no status has left behind yet. */
  const specs = new Map<number, Service>();
  for (const { kind, type, object, resourceVersion, seenAt } of history.entries) {
    if (kind === 'services' && object.metadata.name === name) {
      specs.set(object.metadata.generation ?? 0, object);
      // It acts first and writes the status then, and never goes back to an older spec.
      const seen = object.status?.observedGeneration ?? 0;
      for (const generation of specs.keys()) if (generation < seen) specs.delete(generation);
    }
    if (kind !== 'pods' || object.metadata.labels?.['longshore.dev/service'] !== name) continue;
    if (type === 'DELETED') pods.delete(object.metadata.uid);
    else pods.set(object.metadata.uid, object);
    if (isEvicted(object)) evicted.add(object.metadata.uid);
    const own = [...pods.values()];
    const bounds = [...specs.values()].map(boundsOf);
    instants.push({
      resourceVersion,
      type,
      pod: object,
      live: own.filter((pod) => !isEnded(pod)).length,
      healthy: own.filter((pod) => countsAsHealthy(pod, seenAt)).length,
      evicted: evicted.size,
      min: Math.min(...bounds.map(({ min }) => min)),
      max: Math.max(...bounds.map(({ max }) => max)),
    });
  }
  return instants;
}

/**
 * What broke a bound, in words, and every slot with two live pods. A bound that a new desired count moved takes nothing
 * back: only a step that makes it worse breaks it. For services whose tasks have no faults of their own.
 */
export function rolloutViolations(history: NamespaceHistory, name: string): string[] {
  const instants = instantsOf(history, name);
  return [
    ...instants.flatMap(({ resourceVersion, pod, live, max, healthy, evicted, min }, index) => {
      const before = instants[index - 1] ?? { live: 0, healthy: 0 };
      const at = `resourceVersion ${resourceVersion}, ${pod.metadata.name}`;
      return [
        ...(live > max && live > before.live ? [`${at}: ${live} tasks are above the upper bound ${max}`] : []),
        ...(healthy + evicted < min && healthy < before.healthy
          ? [`${at}: ${healthy} healthy tasks are below the lower bound ${min}`]
          : []),
      ];
    }),
    ...duplicates(history),
  ];
}

/** The fewest healthy and the most live tasks that there were at any resourceVersion after the given one. */
export function extremesSince(
  history: NamespaceHistory,
  name: string,
  { metadata }: { metadata: { resourceVersion: string } },
): { readonly fewestHealthy: number; readonly mostLive: number } {
  const since = instantsOf(history, name).filter(
    ({ resourceVersion }) => resourceVersion > BigInt(metadata.resourceVersion),
  );
  return {
    fewestHealthy: Math.min(...since.map(({ healthy }) => healthy)),
    mostLive: Math.max(...since.map(({ live }) => live)),
  };
}
