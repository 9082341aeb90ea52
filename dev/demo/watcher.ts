/** What the demo sees: its own watches, so that it does not take the operator's word for what it can see itself. */
import type { V1Pod } from '@kubernetes/client-node';
import type { BatchJobStatus } from '../../src/api/batch-job.ts';
import { batchJobs, services, taskDefinitions } from '../../src/api/meta.ts';
import type { ServiceStatus } from '../../src/api/service.ts';
import type { TaskDefinitionStatus } from '../../src/api/task-definition.ts';
import { KubeClient } from '../../src/kube/client.ts';
import type { Connection } from '../../src/kube/connection.ts';
import { silentLogger } from '../../src/kube/logger.ts';
import { Reflector } from '../../src/kube/reflector.ts';
import { type KubeObject, pods, type Raw, type Resource } from '../../src/kube/resource.ts';
import { Store, type Stored } from '../../src/kube/store.ts';

export const NAMESPACE = 'default';

export type Seen<T> = KubeObject & { readonly spec?: Record<string, unknown>; readonly status?: Partial<T> };
export type Pod = Raw<V1Pod> & KubeObject;
export type SeenService = Seen<ServiceStatus>;
export type SeenBatchJob = Seen<BatchJobStatus>;
export type SeenTaskDefinition = Seen<TaskDefinitionStatus>;

interface Kept<T> extends Stored {
  readonly object: T;
}

function keep<T extends KubeObject>(object: T): Kept<T> {
  const { uid, name, namespace = '', resourceVersion } = object.metadata;
  return { uid, name, namespace, resourceVersion, object };
}

export interface Wait<T> {
  /** What is waited for, as the end of "not within 60 s: …". */
  readonly what: string;
  readonly seconds: number;
  /** Asked at once and after each change; undefined: not yet. */
  readonly seen: () => T | undefined;
  /** What there is instead, for the message of a wait that ran out. */
  readonly instead: () => string;
}

export class Watcher {
  readonly #client: KubeClient;
  readonly #stop = new AbortController();
  readonly #listeners = new Set<() => void>();
  readonly #pods = new Store<Kept<Pod>>();
  readonly #services = new Store<Kept<SeenService>>();
  readonly #batchJobs = new Store<Kept<SeenBatchJob>>();
  readonly #taskDefinitions = new Store<Kept<SeenTaskDefinition>>();
  #running: Promise<unknown> = Promise.resolve();

  private constructor(client: KubeClient) {
    this.#client = client;
  }

  /** Returns when everything there is has been seen. */
  static async start(connection: Connection): Promise<Watcher> {
    const client = new KubeClient(connection, { userAgent: 'longshore-demo' });
    const watcher = new Watcher(client);
    const reflectors = [
      watcher.#reflect(pods, watcher.#pods),
      watcher.#reflect(services, watcher.#services),
      watcher.#reflect(batchJobs, watcher.#batchJobs),
      watcher.#reflect(taskDefinitions, watcher.#taskDefinitions),
    ];
    watcher.#running = Promise.all(reflectors.map((reflector) => reflector.run(watcher.#stop.signal)));
    await Promise.race([Promise.all(reflectors.map(({ synced }) => synced)), watcher.#running]);
    return watcher;
  }

  get pods(): Pod[] {
    return objects(this.#pods);
  }

  get services(): SeenService[] {
    return objects(this.#services);
  }

  get batchJobs(): SeenBatchJob[] {
    return objects(this.#batchJobs);
  }

  get taskDefinitions(): SeenTaskDefinition[] {
    return objects(this.#taskDefinitions);
  }

  service(name: string): SeenService | undefined {
    return this.#services.get(NAMESPACE, name)?.object;
  }

  batchJob(name: string): SeenBatchJob | undefined {
    return this.#batchJobs.get(NAMESPACE, name)?.object;
  }

  taskDefinition(name: string): SeenTaskDefinition | undefined {
    return this.#taskDefinitions.get(NAMESPACE, name)?.object;
  }

  /** Calls the listener after each change, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @throws when the time is over, saying what was seen instead. */
  until<T>({ what, seconds, seen, instead }: Wait<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const look = (): void => {
      const answer = seen();
      if (answer !== undefined) resolve(answer);
    };
    const off = this.onChange(look);
    const timer = setTimeout(
      () => reject(new Error(`not within ${seconds} s: ${what}; seen: ${instead()}`)),
      seconds * 1000,
    );
    look();
    return promise.finally(() => {
      off();
      clearTimeout(timer);
    });
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#client.close();
  }

  #reflect<T extends KubeObject>(resource: Resource, store: Store<Kept<T>>): Reflector<Kept<T>, T> {
    return new Reflector<Kept<T>, T>({
      client: this.#client,
      resource,
      namespace: NAMESPACE,
      project: keep,
      store,
      onChange: () => {
        for (const listener of this.#listeners) listener();
      },
      logger: silentLogger,
    });
  }
}

function objects<T extends KubeObject>(store: Store<Kept<T>>): T[] {
  return [...store.values()].map(({ object }) => object).sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}
