/** Counts a service's tasks from its pods alone, at every change: what the operator's status says does not matter here. */
import { LABELS } from '../../src/api/meta.ts';
import type { Pod, Watcher } from './watcher.ts';

export interface RolloutRecord {
  readonly fewestHealthy: number;
  readonly mostTasks: number;
  /** Changes that were counted. */
  readonly observations: number;
}

export const tasksOf = (watcher: Watcher, service: string): Pod[] =>
  watcher.pods.filter((pod) => pod.metadata.labels?.[LABELS.service] === service);

const hasEnded = ({ status }: Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';

/** Serves, and was not asked to stop. */
function isHealthy(pod: Pod): boolean {
  const ready = pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
  return ready && !hasEnded(pod) && pod.metadata.deletionTimestamp === undefined && !isStopping(pod);
}

const isStopping = (pod: Pod): boolean => pod.spec?.activeDeadlineSeconds !== undefined;

export function recordRollout(watcher: Watcher, service: string): () => RolloutRecord {
  let fewestHealthy = Number.POSITIVE_INFINITY;
  let mostTasks = 0;
  let observations = 0;
  const count = (): void => {
    const pods = tasksOf(watcher, service);
    fewestHealthy = Math.min(fewestHealthy, pods.filter(isHealthy).length);
    mostTasks = Math.max(mostTasks, pods.filter((pod) => !hasEnded(pod)).length);
    observations += 1;
  };
  count();
  const off = watcher.onChange(count);
  return () => {
    off();
    return { fewestHealthy, mostTasks, observations };
  };
}
