/** What the users of one namespace do, by chance, and what they must find in the end. */
import { duplicates, rerunsAfterSuccess } from '../../test/support/invariants.ts';
import { type KubeApi, type Plural, pathOf } from '../../test/support/kube-api.ts';
import type { NamespaceHistory } from '../../test/support/recorder.ts';
import { steady } from '../../test/support/services.ts';

const SERVICES = 4;
const MOST_TASKS = 6;
const MOST_INDEXES = 8;
const BETWEEN_MS = 400;
const CONVERGE_MS = 120_000;

const resources = [
  { type: 'VCPU', value: '0.25' },
  { type: 'MEMORY', value: '16' },
];

export interface RoundOutcome {
  readonly operations: number;
  readonly convergedMs: number;
  readonly emptiedMs: number;
  readonly violations: readonly string[];
}

export class Round {
  readonly #api: KubeApi;
  readonly #namespace: string;
  readonly #history: NamespaceHistory;
  readonly #random: () => number;
  /** Desired tasks of each service that is there. */
  readonly #services = new Map<string, number>();
  readonly #jobs = new Set<string>();
  #made = 0;

  constructor(api: KubeApi, namespace: string, history: NamespaceHistory, random: () => number) {
    this.#api = api;
    this.#namespace = namespace;
    this.#history = history;
    this.#random = random;
  }

  /** Works for a while, waits until all is as asked for, takes it away and waits until nothing is left. */
  async run(workMs: number): Promise<RoundOutcome> {
    await this.open();
    let operations = 0;
    for (const end = Date.now() + workMs; Date.now() < end; operations += 1) {
      await this.#operate();
      await this.#history.events(50, BETWEEN_MS);
    }
    const asked = Date.now();
    await this.converged();
    const convergedMs = Date.now() - asked;
    const violations = [...duplicates(this.#history), ...rerunsAfterSuccess(this.#history)];
    const ended = Date.now();
    await this.close();
    return { operations, convergedMs, emptiedMs: Date.now() - ended, violations };
  }

  async open(): Promise<void> {
    await this.#api.call('POST', '/api/v1/namespaces', { metadata: { name: this.#namespace } });
    const account = pathOf('serviceaccounts', this.#namespace, 'default');
    for (let tries = 0; tries < 100; tries += 1) {
      const there = await this.#api.call('GET', account).then(
        () => true,
        () => false,
      );
      if (there) return;
      await this.#history.events(1, 100);
    }
    throw new Error(`namespace ${this.#namespace} got no service account`);
  }

  /** Every service is steady with what it was asked for, every job has succeeded. */
  async converged(): Promise<void> {
    const history = this.#history;
    for (const [name, count] of this.#services)
      await history.until(`service ${name} to be steady`, () => steady(history, name, count), CONVERGE_MS);
    for (const name of this.#jobs)
      await history.until(
        `job ${name} to succeed`,
        () => history.get('batchjobs', name)?.status?.status === 'SUCCEEDED',
        CONVERGE_MS,
      );
  }

  /** Something to be idle beside: two services and a job. */
  async settle(): Promise<void> {
    await this.#createService('s0');
    await this.#createService('s1');
    await this.#createJob();
    await this.converged();
  }

  async close(): Promise<void> {
    const history = this.#history;
    const all = (['services', 'batchjobs', 'taskdefinitions'] as const).flatMap((kind) =>
      history.all(kind).map(({ metadata }) => this.#delete(kind, metadata.name)),
    );
    await Promise.all(all);
    const left = (): boolean =>
      (['services', 'batchjobs', 'taskdefinitions', 'pods'] as const).some((kind) => history.all(kind).length > 0);
    await history.until('nothing to be left', () => !left(), CONVERGE_MS);
    const deployments = (): boolean =>
      history.all('controllerrevisions').some(({ metadata }) => metadata.ownerReferences !== undefined);
    await history.until('no deployment to be left', () => !deployments(), CONVERGE_MS);
    // Revisions of task definitions outlive them: only the namespace's end takes them.
    await this.#api.call('DELETE', `/api/v1/namespaces/${this.#namespace}`);
    await history.until('no revision to be left', () => history.all('controllerrevisions').length === 0, CONVERGE_MS);
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count);
  }

  async #operate(): Promise<void> {
    const name = `s${this.#below(SERVICES)}`;
    if (!this.#services.has(name)) return this.#createService(name);
    const choice = this.#random();
    if (choice < 0.35) return this.#scale(name);
    if (choice < 0.65) return this.#roll(name);
    if (choice < 0.75) return this.#deleteService(name);
    if (choice < 0.95) return this.#createJob();
    return this.#deleteJob();
  }

  #create(kind: 'TaskDefinition' | 'Service' | 'BatchJob', plural: Plural, name: string, spec: object) {
    const object = { apiVersion: 'longshore.dev/v1alpha1', kind, metadata: { name }, spec };
    return this.#api.call('POST', pathOf(plural, this.#namespace), object);
  }

  #delete(plural: Plural, name: string) {
    return this.#api.call('DELETE', pathOf(plural, this.#namespace, name));
  }

  #containers(): object[] {
    this.#made += 1;
    const healthCheck = { command: ['CMD-SHELL', 'healthcheck'], interval: 5, timeout: 2, retries: 3 };
    const environment = [{ name: 'VERSION', value: `${this.#made}` }];
    return [{ name: 'web', image: 'httpd:2.4', memoryReservation: 8, healthCheck, environment }];
  }

  async #createService(name: string): Promise<void> {
    const desiredCount = 1 + this.#below(MOST_TASKS);
    this.#services.set(name, desiredCount);
    await this.#create('TaskDefinition', 'taskdefinitions', name, { containerDefinitions: this.#containers() });
    await this.#create('Service', 'services', name, { taskDefinition: name, desiredCount });
  }

  async #scale(name: string): Promise<void> {
    const desiredCount = this.#below(MOST_TASKS + 1);
    this.#services.set(name, desiredCount);
    await this.#api.call('PATCH', pathOf('services', this.#namespace, name), { spec: { desiredCount } });
  }

  async #roll(name: string): Promise<void> {
    const spec = { containerDefinitions: this.#containers() };
    await this.#api.call('PATCH', pathOf('taskdefinitions', this.#namespace, name), { spec });
  }

  async #deleteService(name: string): Promise<void> {
    this.#services.delete(name);
    await Promise.all([this.#delete('services', name), this.#delete('taskdefinitions', name)]);
  }

  async #createJob(): Promise<void> {
    this.#made += 1;
    const name = `job${this.#made}`;
    const size = 2 + this.#below(MOST_INDEXES - 1);
    this.#jobs.add(name);
    await this.#create('BatchJob', 'batchjobs', name, {
      arrayProperties: { size },
      containerProperties: { image: 'busybox:1.36', resourceRequirements: resources },
    });
  }

  async #deleteJob(): Promise<void> {
    const [name] = this.#jobs;
    if (name === undefined) return;
    this.#jobs.delete(name);
    await this.#delete('batchjobs', name);
  }
}
