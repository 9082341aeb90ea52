/**
 * Slots make task names a lock: a deployment's tasks sit in numbered slots, at most one live task each, and the next
 * task of a slot has a name that follows from what was seen there. Two schedulers, or one that retries after a lost
 * answer, ask for the same name, and the API server refuses the second (design §3, decision 2).
 *
 * Slots also remember: a slot whose newest task ended by itself still wants a task; one whose newest task the
 * scheduler stopped is given up. So the number of tasks an old deployment should have needs no counter of its own.
 */

export interface Seat {
  readonly slot: number;
  /** Counts the tasks of this slot from 1. */
  readonly generation: number;
}

/** The seats for `count` new tasks: first the slots that lost a task, in order, then the lowest free ones. */
export function nextSeats(taken: readonly (Seat & { readonly ended: boolean })[], count: number): Seat[] {
  const newest = new Map<number, number>();
  const occupied = new Set<number>();
  for (const { slot, generation, ended } of taken) {
    newest.set(slot, Math.max(newest.get(slot) ?? 0, generation));
    if (!ended) occupied.add(slot);
  }
  const seats: Seat[] = [];
  for (let slot = 0; seats.length < count; slot++) {
    if (!occupied.has(slot)) seats.push({ slot, generation: (newest.get(slot) ?? 0) + 1 });
  }
  return seats;
}

/** The newest task of each slot. */
export function newestOfSlots<T extends Seat>(tasks: readonly T[]): T[] {
  const newest = new Map<number, T>();
  for (const task of tasks) {
    const known = newest.get(task.slot);
    if (known === undefined || known.generation < task.generation) newest.set(task.slot, task);
  }
  return [...newest.values()];
}
