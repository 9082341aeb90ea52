/** Opens the start barriers of tasks whose dependencies are met (`ecs-semantics §1.5`, design §3, decision 4). */
import { ANNOTATIONS, LABELS, MANAGED_BY } from '../api/meta.ts';
import { gateOf, isHeld, withFailedDependencies } from '../ecs/dependencies.ts';
import type { Container } from '../ecs/task.ts';
import { isAlreadyExists, isNotFound } from '../kube/errors.ts';
import { configMaps, type KubeObject, pods } from '../kube/resource.ts';
import type { ObservedTask } from '../pod/observe.ts';
import { barrierName, type StartBarriers } from '../pod/start-barrier.ts';
import type { Runtime } from './runtime.ts';

/** The kubelet may look before its cache has the ConfigMap: it is made to look again while it waits. */
const NUDGE_MS = 500;

export interface Settled {
  /** As ECS shows them: with the containers that never start. */
  readonly tasks: readonly ObservedTask[];
  /** When to look again, epoch milliseconds. */
  readonly wakeAt?: number;
  /** The first write that failed; the rest was done. */
  readonly failure?: unknown;
}

/**
 * Decides for every container that waits, and writes what was decided; finds tasks that wait for volumes in vain. Other
 * tasks cost nothing.
 * @param observed all of one owner.
 */
export async function settleStarts(runtime: Runtime, observed: readonly ObservedTask[]): Promise<Settled> {
  const now = runtime.now();
  let failure: unknown;
  const mounts = await runtime.mountFailures.find(runtime, observed);
  let { wakeAt } = mounts;
  const settle = async (task: ObservedTask): Promise<ObservedTask> => {
    if (!task.containers.some((container) => isHeld(container) || container.held)) return task;
    const settled = withFailedDependencies(task, now);
    if (task.ended || task.stopRequested) return settled;
    try {
      const next = await decide(runtime, task, settled);
      if (next !== undefined) wakeAt = Math.min(wakeAt ?? Number.POSITIVE_INFINITY, next);
    } catch (error) {
      failure ??= error;
    }
    return settled;
  };
  const tasks = await Promise.all(mounts.tasks.map(settle));
  return { tasks, ...(wakeAt !== undefined && { wakeAt }), ...(failure !== undefined && { failure }) };
}

/** @returns when to look again. */
async function decide(runtime: Runtime, task: ObservedTask, settled: ObservedTask): Promise<number | undefined> {
  const now = runtime.now();
  const { opened = [], failed = {}, nudgedAt = '' } = task.startBarriers ?? {};
  const toOpen: Container[] = [];
  const given: Record<string, string> = {};
  let wakeAt = Number.POSITIVE_INFINITY;
  let nudge = false;
  for (const [index, container] of settled.containers.entries()) {
    const waited = isHeld(task.containers[index] as Container);
    if (waited && container.startFailure !== undefined) given[container.name] = container.startFailure;
    if (container.barrier === undefined) continue;
    if (isHeld(container)) {
      const gate = gateOf(container, settled, now);
      if (gate.state === 'open') toOpen.push(container);
      if (gate.state === 'wait' && gate.until !== undefined) wakeAt = Math.min(wakeAt, gate.until);
    } else if (container.held && container.released) {
      const due = Date.parse(nudgedAt) + NUDGE_MS;
      if (now >= due) nudge = true;
      else wakeAt = Math.min(wakeAt, due);
    }
  }
  await Promise.all(toOpen.map((container) => openBarrier(runtime, task, container.barrier ?? container.name)));
  if (toOpen.length > 0 || nudge || Object.keys(given).length > 0) {
    await writeBarriers(runtime, task, {
      opened: [...opened, ...toOpen.map(({ name }) => name)],
      failed: { ...failed, ...given },
      nudgedAt: new Date(now).toISOString(),
    });
  }
  if (toOpen.length > 0 || nudge) wakeAt = Math.min(wakeAt, now + NUDGE_MS);
  return Number.isFinite(wakeAt) ? wakeAt : undefined;
}

/** The ConfigMap is empty, and goes with the pod. */
async function openBarrier(runtime: Runtime, task: ObservedTask, podContainer: string): Promise<void> {
  const { namespace, name, uid } = task;
  runtime.logger.info({ task: task.id, container: podContainer }, 'start: its dependencies are met');
  try {
    await runtime.client.create<KubeObject>(
      configMaps,
      { namespace },
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: {
          name: barrierName(task.id, podContainer),
          namespace,
          labels: { [LABELS.managedBy]: MANAGED_BY, [LABELS.task]: task.id },
          ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name, uid }],
        },
        immutable: true,
      },
    );
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

async function writeBarriers(runtime: Runtime, task: ObservedTask, barriers: StartBarriers): Promise<void> {
  const { namespace, name, uid } = task;
  try {
    const written = await runtime.client.patch<KubeObject>(
      pods,
      { namespace, name },
      { metadata: { uid, annotations: { [ANNOTATIONS.startBarriers]: JSON.stringify(barriers) } } },
    );
    runtime.barriers.tasks.note(task.owner, written.metadata.resourceVersion);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
