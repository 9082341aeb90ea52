/** Who looks again when something changed: the owners that read it, found through indexes. */
import type { Controller } from '../kube/controller.ts';
import { keyOf } from './records.ts';
import type { Stores } from './runtime.ts';

export type Controllers = {
  readonly [Kind in 'taskDefinitions' | 'services' | 'batchJobs' | 'runTasks' | 'clusters']: Controller;
};

/** The kinds that own tasks. */
const OWNERS = ['services', 'batchJobs', 'runTasks'] as const;

export class Wake {
  readonly #stores: Stores;
  readonly #controllers: Controllers;

  constructor(stores: Stores, controllers: Controllers) {
    this.#stores = stores;
    this.#controllers = controllers;
  }

  /** The owner of tasks that has this UID. */
  owner(uid: string): void {
    for (const kind of OWNERS) {
      for (const object of this.#stores[kind].by('uid', uid)) this.#controllers[kind].enqueue(keyOf(object));
    }
  }

  /**
   * The TaskDefinitions of a family, and all that follow it.
   * @param family `<namespace>/<family>`.
   */
  family(family: string): void {
    for (const kind of ['taskDefinitions', ...OWNERS] as const) {
      for (const object of this.#stores[kind].by('family', family)) this.#controllers[kind].enqueue(keyOf(object));
    }
  }

  /** Everything that reads the Cluster of its namespace. */
  namespace(name: string): void {
    for (const kind of ['clusters', 'taskDefinitions', ...OWNERS] as const) {
      for (const object of this.#stores[kind].by('namespace', name)) this.#controllers[kind].enqueue(keyOf(object));
    }
  }

  /** Those with tasks on the node, and no others. */
  node(name: string): void {
    for (const owner of new Set(this.#stores.tasks.by('node', name).map((task) => task.owner))) this.owner(owner);
  }
}
