/** Volumes that the node cannot mount: the kubelet tries for ever and says so in Events only, ECS stops the task. */
import { isForbidden } from '../kube/errors.ts';
import { events } from '../kube/resource.ts';
import type { ObservedTask } from '../pod/observe.ts';
import type { Runtime } from './runtime.ts';

/** A server that restarts, or a node that is busy, is given this long. */
const PATIENCE_MS = 60_000;
/** The kubelet waits twice as long after each attempt: a failure this long after the first is not the first one. */
const STILL_FAILS_MS = 20_000;
const LOOK_AGAIN_MS = 30_000;
const MOST_EVENTS = 500;

interface EventJson {
  readonly note?: string;
  readonly regarding?: { readonly uid?: string };
  readonly deprecatedLastTimestamp?: string | null;
  readonly series?: { readonly lastObservedTime?: string };
}

export interface Mounts {
  readonly tasks: readonly ObservedTask[];
  /** When to look again, epoch milliseconds. */
  readonly wakeAt?: number;
}

/** Asks the API server for Events of an owner's tasks, where one has waited for its volumes for long; not often. */
export class MountFailures {
  /** UID of the owner → when its Events were last read, epoch milliseconds. */
  readonly #lookedAt = new Map<string, number>();

  /** @param tasks all of one owner. */
  async find(runtime: Runtime, tasks: readonly ObservedTask[]): Promise<Mounts> {
    const [first] = tasks;
    if (first === undefined) return { tasks };
    const { owner, namespace } = first;
    const now = runtime.now();
    const mounting = tasks.filter((task) => task.mountingSince !== undefined && !task.stopRequested);
    const since = Math.min(...mounting.map(({ mountingSince = now }) => mountingSince));
    if (mounting.length === 0) {
      this.#lookedAt.delete(owner);
      return { tasks };
    }
    const due = Math.max(since + PATIENCE_MS, (this.#lookedAt.get(owner) ?? 0) + LOOK_AGAIN_MS);
    if (now < due) return { tasks, wakeAt: due };
    this.#lookedAt.set(owner, now);
    const failures = await failuresIn(runtime, namespace);
    const failureOf = ({ uid, mountingSince = now }: ObservedTask): string | undefined => {
      const failure = failures.get(uid);
      const still = failure !== undefined && failure.at >= mountingSince + STILL_FAILS_MS;
      return still && now >= mountingSince + PATIENCE_MS ? failure.note : undefined;
    };
    return {
      tasks: tasks.map((task) => {
        const note = mounting.includes(task) ? failureOf(task) : undefined;
        return note === undefined ? task : { ...task, startFailure: `ResourceInitializationError: ${note}` };
      }),
      wakeAt: now + LOOK_AGAIN_MS,
    };
  }

  /** The owner is gone. */
  forget(owner: string): void {
    this.#lookedAt.delete(owner);
  }
}

/** The last failure of each pod of a namespace. */
async function failuresIn(
  { client, logger }: Runtime,
  namespace: string,
): Promise<Map<string, { at: number; note: string }>> {
  const found = new Map<string, { at: number; note: string }>();
  try {
    const query = { fieldSelector: 'reason=FailedMount', limit: MOST_EVENTS };
    const list = await client.list<EventJson>(events, { namespace }, query);
    for (const { note = '', regarding, series, deprecatedLastTimestamp } of list.items) {
      const at = Date.parse(series?.lastObservedTime ?? deprecatedLastTimestamp ?? '');
      const uid = regarding?.uid ?? '';
      if (at > (found.get(uid)?.at ?? 0)) found.set(uid, { at, note: note.replaceAll(/\s+/g, ' ').trim() });
    }
  } catch (error) {
    if (!isForbidden(error)) throw error;
    logger.warn({ err: error }, 'events may not be read: tasks whose volumes cannot be mounted stay PENDING');
  }
  return found;
}
