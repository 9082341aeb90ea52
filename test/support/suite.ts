/** What a test file against a cluster starts from: the suite's cluster, an operator, and a namespace for each test. */
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, type TestContext } from 'vitest';
import { type LocalCluster, up } from '../../dev/cluster/index.ts';
import { installKinds } from '../../dev/cluster/kinds.ts';
import { KubeApi, type KubeObject, type Plural, pathOf } from './kube-api.ts';
import { Operator } from './operator.ts';
import { isPod, logOfPod, POD_USER, startOperatorPod, stopOperatorPod } from './operator-pod.ts';
import { grantOperatorRights, OPERATOR_USER } from './operator-rights.ts';
import { isRecorded, type NamespaceHistory, Recorder } from './recorder.ts';

export { OPERATOR_USER } from './operator-rights.ts';

export interface SuiteOptions {
  /** `real,kwok=1`, `real=2` and `real=4` in a cluster of the file's own. */
  readonly nodes: 'kwok=3' | 'real' | 'real,kwok=1' | 'real=2' | 'real=4';
  /** Whether one operator, for all namespaces, runs during the whole file. */
  readonly operator: boolean;
  /** An older Kubernetes, such as `1.34`, in a cluster of the file's own. */
  readonly emulate?: string;
  /** Seconds of silence after which a node is lost, in a cluster of the file's own; default Kubernetes' 50. */
  readonly nodeMonitorGraceSeconds?: number;
}

/** Of clusters of one file, below the folder of the shared one. */
const FOLDERS = { 'kwok=3': '', real: '', 'real,kwok=1': 'mixed', 'real=2': 'two', 'real=4': 'four' } as const;

export interface Manifest {
  readonly kind: keyof typeof PLURALS;
  readonly name: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec: object;
}

const PLURALS = {
  TaskDefinition: 'taskdefinitions',
  Service: 'services',
  BatchJob: 'batchjobs',
  Task: 'tasks',
  Cluster: 'clusters',
  TargetGroup: 'targetgroups',
  ScheduledTask: 'scheduledtasks',
  JobQueue: 'jobqueues',
  /** Of the whole cluster: give it the name of the namespace, and delete it. */
  ComputeEnvironment: 'computeenvironments',
} as const;

const objectOf = ({ kind, name, annotations, spec }: Manifest): object => ({
  apiVersion: 'longshore.dev/v1alpha1',
  kind,
  metadata: { name, ...(annotations !== undefined && { annotations }) },
  spec,
});

/** A namespace of one test. What its methods did or waited for is on record when they return. */
export class TestNamespace {
  readonly name: string;
  readonly history: NamespaceHistory;
  readonly #cluster: LocalCluster;
  readonly #api: KubeApi;

  constructor(name: string, history: NamespaceHistory, cluster: LocalCluster, api: KubeApi) {
    this.name = name;
    this.history = history;
    this.#cluster = cluster;
    this.#api = api;
  }

  create(...manifests: Manifest[]): Promise<KubeObject[]> {
    return Promise.all(
      manifests.map((manifest) => {
        const plural = PLURALS[manifest.kind];
        const path = `${pathOf(plural, this.name)}?fieldValidation=Strict`;
        return this.#write('POST', plural, path, objectOf(manifest));
      }),
    );
  }

  createRaw(plural: Plural, object: object): Promise<KubeObject> {
    return this.#write('POST', plural, pathOf(plural, this.name), object);
  }

  patch(plural: Plural, name: string, change: object, subresource = ''): Promise<KubeObject> {
    return this.#write('PATCH', plural, `${pathOf(plural, this.name, name)}${subresource}`, change);
  }

  async delete(plural: Plural, name: string): Promise<void> {
    await this.#api.call('DELETE', pathOf(plural, this.name, name));
    await this.history.caughtUp();
  }

  async #write(method: 'POST' | 'PATCH', plural: Plural, path: string, body: object): Promise<KubeObject> {
    const written = await this.#api.call<KubeObject>(method, path, body);
    if (isRecorded(plural)) await this.history.shows(plural, written);
    return written;
  }

  /** @throws Error with kubectl's words where it fails. */
  async kubectl(args: readonly string[], input?: string): Promise<string> {
    const { stdout, stderr, code } = await this.#cluster.kubectl(
      [`--namespace=${this.name}`, ...args],
      input === undefined ? {} : { input },
    );
    expect(code, `kubectl ${args.join(' ')}: ${stderr}`).toBe(0);
    await this.history.caughtUp();
    return stdout;
  }

  until<T>(what: string, ask: () => T | undefined | false, timeoutMs?: number): Promise<T> {
    return this.history.until(what, ask, timeoutMs);
  }
}

export class Suite {
  readonly cluster: LocalCluster;
  readonly api: KubeApi;
  readonly #recorder: Recorder;
  readonly #kubeconfig: string;
  #operator: Operator | undefined;
  readonly #nodes: SuiteOptions['nodes'];
  readonly #names: string[] = [];

  private constructor(
    cluster: LocalCluster,
    api: KubeApi,
    recorder: Recorder,
    kubeconfig: string,
    nodes: SuiteOptions['nodes'],
  ) {
    this.#nodes = nodes;
    this.cluster = cluster;
    this.api = api;
    this.#recorder = recorder;
    this.#kubeconfig = kubeconfig;
  }

  static async start({ operator, ...options }: SuiteOptions): Promise<Suite> {
    const onProgress = (line: string): boolean => process.stderr.write(`${line}\n`);
    const shared = inject('clusterDir');
    const { nodes, emulate } = options;
    const dir = join(shared, emulate ?? FOLDERS[nodes]);
    const cluster = await up({ ...options, dir, audit: true, onProgress });
    await installKinds(cluster);
    await grantOperatorRights(cluster, OPERATOR_USER);
    const kubeconfig = await cluster.userKubeconfig(OPERATOR_USER, []);
    const api = new KubeApi(cluster.kubeconfig);
    const suite = new Suite(cluster, api, await Recorder.start(api), kubeconfig, nodes);
    if (isPod(nodes)) await (operator ? startOperatorPod(cluster) : stopOperatorPod(cluster));
    else if (operator) await suite.startOperator();
    return suite;
  }

  get auditLog(): string {
    return join(this.cluster.dir, 'logs', 'audit.log');
  }

  /** As whom the operator that runs during the whole file calls the API server. */
  get operatorUser(): string {
    return isPod(this.#nodes) ? POD_USER : OPERATOR_USER;
  }

  /** The operator of the file. */
  get operator(): Operator {
    if (this.#operator === undefined) throw new Error('no operator runs');
    return this.#operator;
  }

  /** Starts the operator of the file, again after it was killed. */
  async startOperator(args: readonly string[] = ['--no-leader-elect']): Promise<Operator> {
    this.#operator = this.newOperator(args);
    await this.#operator.ready();
    return this.#operator;
  }

  /** One more operator, which the test itself ends. */
  newOperator(args: readonly string[], kubeconfig = this.#kubeconfig, program?: string): Operator {
    const log = join(this.cluster.dir, 'logs', 'operator.log');
    return new Operator({ kubeconfig, log, args, ...(program !== undefined && { program }) });
  }

  /** A namespace with the test's life; pods can be made in it when this returns. */
  async namespace({ task, onTestFinished, onTestFailed }: TestContext): Promise<TestNamespace> {
    const name = `${task.file.name.replace(/^.*\/(.*).test.ts$/, '$1')}-${process.pid}-${this.#names.length + 1}`;
    this.#names.push(name);
    const history = this.#recorder.in(name);
    await this.api.call('POST', '/api/v1/namespaces', { metadata: { name } });
    onTestFailed(async () => {
      const log = this.#operator?.describe(name) ?? (isPod(this.#nodes) ? await logOfPod(this.cluster, name) : '');
      console.error(`${task.name}: namespace ${name} at the end:\n${history.describe()}\n${log}`);
    });
    onTestFinished(async () => {
      await this.api.call('DELETE', `/api/v1/namespaces/${name}`);
    });
    const namespace = new TestNamespace(name, history, this.cluster, this.api);
    await namespace.kubectl(['wait', '--for=create', '--timeout=60s', 'serviceaccount/default']);
    return namespace;
  }

  /** Ends what the file started; containers that still run are gone when this returns. */
  async stop(): Promise<void> {
    if (this.#nodes !== 'kwok=3' && this.#names.length > 0) {
      const namespaces = this.#names.map((name) => `namespace/${name}`);
      expect(await this.cluster.kubectl(['wait', '--for=delete', '--timeout=600s', ...namespaces])).toMatchObject({
        code: 0,
      });
    }
    await this.#operator?.kill('SIGTERM');
    this.api.close();
    if (this.cluster.dir === inject('clusterDir')) return;
    await this.cluster.down();
    // The next file's cluster begins with an empty folder of logs, and at the end all audit logs are read.
    await rename(join(this.cluster.dir, 'logs'), join(this.cluster.dir, `logs-${process.pid}`));
  }
}

/** Starts the suite before the file's tests and stops it after them. */
export function useSuite(options: SuiteOptions): () => Suite {
  let suite: Suite | undefined;
  beforeAll(async () => {
    suite = await Suite.start(options);
  });
  afterAll(async () => {
    await suite?.stop();
  });
  return () => {
    if (suite === undefined) throw new Error('the suite has not started');
    return suite;
  };
}
