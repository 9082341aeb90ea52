/** Many jobs that wait in queues, and an operator that is killed: for `npm run queues` and the tests. */
import { type KubeApi, type Plural, pathOf } from './kube-api.ts';
import { kwok } from './manifests.ts';
import { type QueuedPod, QueueRecord } from './queue-record.ts';
import { until } from './until.ts';

/** At once, of what the run itself writes. */
const WRITES = 16;

export interface QueueRunOptions {
  readonly api: KubeApi;
  readonly namespace: string;
  readonly queues: number;
  /** Of each queue. */
  readonly jobs: number;
  /** vCPUs of the two environments; a job takes one. */
  readonly ceilings: readonly [number, number];
  /** How many jobs end before it is over; absent: all. */
  readonly ends?: number;
  readonly kills: number;
  /** Measured starts, of each sort, before the operator is killed. */
  readonly probes: number;
  /** Kills the operator and starts another; returns when that one works. */
  readonly restart: () => Promise<void>;
  /** All jobs are there. */
  readonly submitted?: () => Promise<void>;
  /** All jobs wait, but for those that have room. */
  readonly waiting?: () => Promise<void>;
  readonly timeoutMs: number;
  readonly say?: (line: string) => void;
}

export interface QueueOutcome {
  readonly record: QueueRecord;
  /** From a job's creation to its pod's, where there is room, in milliseconds, as a watch sees them. */
  readonly created: readonly number[];
  /** From the end of a pod to the creation of the next one. */
  readonly freed: readonly number[];
  readonly kills: number;
  readonly violations: readonly string[];
}

/** They have no namespace. */
export const environmentsOf = (namespace: string): readonly string[] =>
  ['first', 'second', 'probes'].map((name) => `${namespace}-${name}`);

const environment = (name: string, maxvCpus: number): object => ({
  apiVersion: 'longshore.dev/v1alpha1',
  kind: 'ComputeEnvironment',
  metadata: { name },
  spec: { type: 'MANAGED', computeResources: { type: 'EC2', maxvCpus } },
});

const queue = (name: string, priority: number, environments: readonly string[]): object => ({
  apiVersion: 'longshore.dev/v1alpha1',
  kind: 'JobQueue',
  metadata: { name },
  spec: {
    priority,
    computeEnvironmentOrder: environments.map((computeEnvironment, order) => ({ order, computeEnvironment })),
  },
});

const job = (name: string, jobQueue: string): object => ({
  apiVersion: 'longshore.dev/v1alpha1',
  kind: 'BatchJob',
  metadata: { name },
  spec: {
    jobQueue,
    containerProperties: {
      image: 'busybox:1.36',
      resourceRequirements: [
        { type: 'VCPU', value: '1' },
        { type: 'MEMORY', value: '16' },
      ],
    },
    kubernetes: { podAnnotations: kwok({ exitAfter: '10h' }) },
  },
});

async function inTurns<T>(all: readonly T[], work: (one: T, at: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < all.length; at = next++) await work(all[at] as T, at);
  };
  await Promise.all(Array.from({ length: WRITES }, worker));
}

/** @returns once as many jobs have ended as were asked for, or that has taken too long. */
export async function runQueues(options: QueueRunOptions): Promise<QueueOutcome> {
  const { api, namespace, queues, jobs, ceilings, kills, probes, restart, timeoutMs, say = () => {} } = options;
  const [first = '', second = '', free = ''] = environmentsOf(namespace);
  const limits = new Map([
    [first, ceilings[0]],
    [second, ceilings[1]],
    [free, Math.max(probes, 1)],
  ]);
  const began = Date.now();
  const late = (): number => Math.max(began + timeoutMs - Date.now(), 1);
  const create = (kind: Plural, object: object) =>
    api.call('POST', `${pathOf(kind, namespace)}?fieldValidation=Strict`, object);
  const record = await QueueRecord.start(api, namespace, limits);
  for (const [name, maxvCpus] of limits) await create('computeenvironments', environment(name, maxvCpus));
  for (let at = 0; at < queues; at++)
    await create('jobqueues', queue(`q${at}`, at % 10, at % 2 === 0 ? [first, second] : [second, first]));
  await create('jobqueues', queue('probes', 1, [free]));

  const all = Array.from({ length: queues * jobs }, (_, at) => ({
    name: `q${at % queues}-${Math.floor(at / queues)}`,
    queue: `q${at % queues}`,
  }));
  await inTurns(all, async (each, at) => {
    await create('batchjobs', job(each.name, each.queue));
    if (at % 1000 === 999) say(`${at + 1} jobs submitted: ${record.describe()}`);
  });
  await options.submitted?.();
  const running = (): readonly QueuedPod[] =>
    record.pods.filter(({ endedAt, isRunning }) => endedAt === undefined && isRunning);
  const full = ceilings[0] + ceilings[1];
  await until(record, 'the environments to be full', () => running().length === Math.min(full, all.length), late());
  // Then the operator has heard of all of them.
  await until(record, 'the others to wait', () => record.runnable === Math.max(all.length - full, 0), late());
  await options.waiting?.();
  say(`all wait that have no room: ${record.describe()}`);

  const created: number[] = [];
  for (let at = 0; at < probes; at++) {
    const before = performance.now();
    await create('batchjobs', job(`probe-${at}`, 'probes'));
    const pod = await until(record, `the pod of probe ${at}`, () => record.podOf(`probe-${at}`), late());
    created.push(pod.seenAt - before);
  }

  const end = (pod: QueuedPod): Promise<unknown> =>
    api.call('PATCH', `${pathOf('pods', namespace)}/${pod.name}`, {
      metadata: { annotations: kwok({ exitAfter: '1ms' }) },
    });
  const freed: number[] = [];
  const isProbe = ({ environment: own }: QueuedPod): boolean => own === free;
  for (let at = 0; at < probes && all.length > full; at++) {
    const [pod] = running().filter((each) => !isProbe(each));
    if (pod === undefined) break;
    const { length } = record.pods;
    await end(pod);
    const next = await until(record, 'the next pod', () => record.pods[length], late());
    freed.push(next.seenAt - (pod.endedAt ?? NaN));
    await until(record, 'it to run', () => next.isRunning || next.endedAt !== undefined, late());
  }

  const target = Math.min(options.ends ?? all.length, all.length);
  const ended = (): number => record.pods.filter((pod) => pod.endedAt !== undefined && !isProbe(pod)).length;
  const asked = new Set<string>();
  let killed = 0;
  while (ended() < target) {
    const ready = running().filter((pod) => !isProbe(pod) && !asked.has(pod.uid));
    for (const { uid } of ready) asked.add(uid);
    await inTurns(ready, async (pod) => void (await end(pod)));
    // While it starts what these have made room for.
    if (killed < kills && ended() * (kills + 1) >= target * (killed + 1)) {
      killed++;
      await restart();
      say(`killed ${killed} of ${kills} times: ${record.describe()}`);
    }
    const before = ended();
    const isNews = (): boolean => ended() > before || running().some((pod) => !isProbe(pod) && !asked.has(pod.uid));
    await until(record, 'a pod to run, or to end', () => ended() >= target || isNews(), late());
  }
  record.assertWhole();
  const violations = [...record.violations];
  if (killed < kills) violations.push(`the operator was killed ${killed} times only: the work was over`);
  return { record, created, freed, kills: killed, violations };
}
