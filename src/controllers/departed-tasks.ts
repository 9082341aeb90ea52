import { stoppedAt } from '../ecs/task.ts';
import type { ObservedTask } from '../pod/observe.ts';

/** What a service shows of them at most (`Service.status.stoppedTasks`), and a Task has. */
const KEPT = 10;

/**
 * Ended tasks whose pods are gone already: one that is deleted or evicted leaves the API server as soon as its last
 * container has ended, often before its end was written down. Followers keep them too, and write nothing.
 */
export class DepartedTasks {
  readonly #byOwner = new Map<string, ObservedTask[]>();

  /** The newest stay. */
  add(task: ObservedTask): void {
    const tasks = [...this.of(task.owner), task].sort((a, b) => stoppedAt(b) - stoppedAt(a));
    this.#byOwner.set(task.owner, tasks.slice(0, KEPT));
  }

  /** All stay. */
  addAttempt(task: ObservedTask): void {
    const tasks = this.#byOwner.get(task.owner);
    if (tasks === undefined) this.#byOwner.set(task.owner, [task]);
    else tasks.push(task);
  }

  of(owner: string): readonly ObservedTask[] {
    return this.#byOwner.get(owner) ?? [];
  }

  /** They are written down: `tasks`, or all where the owner is gone. */
  forget(owner: string, tasks: readonly ObservedTask[] = this.of(owner)): void {
    const written = new Set(tasks);
    const rest = this.of(owner).filter((task) => !written.has(task));
    if (rest.length === 0) this.#byOwner.delete(owner);
    else this.#byOwner.set(owner, rest);
  }
}

/** A task whose pod is gone has stopped, whatever was seen of it last. */
export const asStopped = (task: ObservedTask, now: number): ObservedTask =>
  task.ended
    ? task
    : {
        ...task,
        ended: true,
        stopRequested: true,
        stoppingAt: task.stoppingAt ?? now,
        containers: task.containers.map((container) => ({ ...container, status: 'STOPPED' })),
      };
