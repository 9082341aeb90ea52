/** Who looks again when something changed: the owners that read it, found through indexes. */
import { isJobOver } from '../batch/job.ts';
import type { Controller } from '../kube/controller.ts';
import type { Change } from '../kube/store.ts';
import type { ObservedTask } from '../pod/observe.ts';
import { dependentsOf } from './batch/dependencies.ts';
import { DAEMON, type Daemons, isDaemon } from './daemons.ts';
import type { NodeRecord } from './nodes.ts';
import { jobQueueNameOf } from './queue-names.ts';
import { keyOf } from './records.ts';
import type { BatchJobRecord, JobQueueRecord, Stores, TargetGroupRecord } from './runtime.ts';
import { targetGroupNameOf } from './target-group.ts';
import { NAME_TAKEN } from './traffic/names.ts';
import type { Zones } from './zones.ts';

export type Controllers = {
  readonly [Kind in
    | 'taskDefinitions'
    | 'services'
    | 'batchJobs'
    | 'runTasks'
    | 'scheduledTasks'
    | 'jobQueues'
    | 'computeEnvironments'
    | 'clusters'
    | 'targetGroups']: Controller;
};

/** The kinds that follow a family. */
const FOLLOWERS = ['services', 'batchJobs', 'runTasks'] as const;
/** The kinds that own tasks and other objects. */
const OWNERS = [...FOLLOWERS, 'targetGroups', 'scheduledTasks', 'jobQueues'] as const;

const isReady = ({ status: { conditions = [] } }: JobQueueRecord): boolean =>
  conditions.some(({ type, status }) => type === 'Ready' && status === 'True');

export class Wake {
  readonly #stores: Stores;
  readonly #controllers: Controllers;
  readonly #daemons: Daemons;
  readonly #zones: Zones;

  constructor(stores: Stores, controllers: Controllers, daemons: Daemons, zones: Zones) {
    this.#stores = stores;
    this.#controllers = controllers;
    this.#daemons = daemons;
    this.#zones = zones;
  }

  /** The owner of tasks and other objects that has this UID. */
  owner(uid: string): void {
    for (const kind of OWNERS) {
      for (const object of this.#stores[kind].by('uid', uid)) this.#controllers[kind].enqueue(keyOf(object));
    }
  }

  /** It may start something, or is at the head of its queue: what it was given is lost to the others for as long as it does nothing. */
  granted(job: string): void {
    for (const object of this.#stores.batchJobs.by('uid', job))
      this.#controllers.batchJobs.enqueueUrgent(keyOf(object));
  }

  /**
   * The TaskDefinitions of a family, and all that follow it.
   * @param family `<namespace>/<family>`.
   */
  family(family: string): void {
    for (const kind of ['taskDefinitions', ...FOLLOWERS] as const) {
      for (const object of this.#stores[kind].by('family', family)) this.#controllers[kind].enqueue(keyOf(object));
    }
  }

  /** The jobs that depend on this one. */
  dependents(job: BatchJobRecord): void {
    for (const dependent of dependentsOf(this.#stores, job)) this.#controllers.batchJobs.enqueue(keyOf(dependent));
  }

  /** Who waits in the queue, or may: a job finds its queue by name, and one that names none needs none where there is none. */
  jobQueue({ type, object, previous }: Change<JobQueueRecord>): void {
    this.#controllers.jobQueues.enqueue(keyOf(object));
    for (const other of this.#stores.jobQueues.by('name', `${object.namespace}/${jobQueueNameOf(object)}`))
      this.#controllers.jobQueues.enqueue(keyOf(other));
    const { blocked } = object.status;
    if (type === 'modified' && object.generation === previous.generation && isReady(object) === isReady(previous)) {
      // The time at the head of the queue counts from when it is written.
      if (blocked !== undefined && blocked.since !== previous.status.blocked?.since) this.owner(blocked.job);
      return;
    }
    this.#unfinishedJobs(object.namespace);
  }

  /** Who starts what is to be isolated: the queue that has this UID, and the jobs that may be waiting in it. */
  isolated(uid: string): void {
    this.owner(uid);
    for (const { namespace } of this.#stores.jobQueues.by('uid', uid)) this.#unfinishedJobs(namespace);
  }

  #unfinishedJobs(namespace: string): void {
    for (const job of this.#stores.batchJobs.by('namespace', namespace))
      if (!isJobOver(job.status.status)) this.#controllers.batchJobs.enqueue(keyOf(job));
  }

  /** What there is of compute environments, for all queues. */
  queues(): void {
    for (const kind of ['jobQueues', 'computeEnvironments'] as const) {
      for (const object of this.#stores[kind].values()) this.#controllers[kind].enqueue(keyOf(object));
    }
  }

  /** Everything that reads the Cluster of its namespace. */
  namespace(name: string): void {
    for (const kind of ['clusters', 'taskDefinitions', ...OWNERS] as const) {
      for (const object of this.#stores[kind].by('namespace', name)) this.#controllers[kind].enqueue(keyOf(object));
    }
  }

  /** Who writes the endpoints of the task, as it is and as it was. */
  listed(...tasks: readonly (ObservedTask | undefined)[]): void {
    for (const { namespace, traffic = [] } of tasks.filter((task) => task !== undefined)) {
      for (const { service, membership } of traffic) {
        if (membership === 'listed') this.owner(this.#stores.coreServices.get(namespace, service)?.owner ?? '');
      }
    }
  }

  /** The services that wait for a name of somebody else's. */
  nameFreed(namespace: string): void {
    for (const service of this.#stores.services.by('namespace', namespace)) {
      const { conditions = [] } = service.status;
      if (conditions.some(({ reason }) => reason === NAME_TAKEN)) this.#controllers.services.enqueue(keyOf(service));
    }
  }

  /** The services with targets in it, and whoever else has its name. */
  targetGroup(group: TargetGroupRecord): void {
    const key = `${group.namespace}/${targetGroupNameOf(group)}`;
    for (const service of this.#stores.services.by('targetGroup', key))
      this.#controllers.services.enqueue(keyOf(service));
    for (const other of this.#stores.targetGroups.by('name', key)) this.#controllers.targetGroups.enqueue(keyOf(other));
  }

  /** The TargetGroups with routes: of one namespace, or of all. */
  routed(namespace?: string): void {
    const { targetGroups } = this.#stores;
    const groups = namespace === undefined ? targetGroups.values() : targetGroups.by('namespace', namespace);
    for (const group of groups)
      if ((group.spec?.routes.length ?? 0) > 0) this.#controllers.targetGroups.enqueue(keyOf(group));
  }

  /** Those with tasks on the node, those to which it opens a zone, and the DAEMON services to which it is something else now. */
  node(change: Change<NodeRecord>): void {
    const { type, object, previous } = change;
    for (const service of this.#zones.note(change)) this.owner(service);
    if (type !== 'modified' || object.draining !== previous.draining || object.ready !== previous.ready) {
      for (const owner of this.#ownersOn(object.name)) this.owner(owner);
    }
    const [before, after] = type === 'deleted' ? [previous ?? object, undefined] : [previous, object];
    for (const service of this.#stores.services.by('daemon', DAEMON)) {
      if (this.#daemons.concerns(service, before, after)) this.#controllers.services.enqueue(keyOf(service));
    }
  }

  /** The DAEMON services that wait, on a DRAINING node, for the end of this task. */
  daemonsBeside({ node = '' }: ObservedTask): void {
    if (this.#stores.nodes.get('', node)?.draining !== true) return;
    for (const owner of this.#ownersOn(node)) {
      for (const service of this.#stores.services.by('uid', owner)) {
        if (isDaemon(service)) this.#controllers.services.enqueue(keyOf(service));
      }
    }
  }

  #ownersOn(node: string): ReadonlySet<string> {
    return new Set(this.#stores.tasks.by('node', node).map((task) => task.owner));
  }
}
