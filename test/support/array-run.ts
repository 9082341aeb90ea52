/** One array job whose operator is killed again and again: for `npm run array` and the tests. */
import { ArrayRecord } from './array-record.ts';
import { type KubeApi, pathOf } from './kube-api.ts';
import { kwok } from './manifests.ts';
import { until } from './until.ts';

const ATTEMPTS = 3;
/** The first attempt of every 10th child, and each of every 50th. */
const FAILING = `10:1,50:${ATTEMPTS}`;
/** Scheduled, running, its container over, its phase over: fewer events no attempt has. */
const EVENTS_A_POD = 4;

export interface ArrayRunOptions {
  readonly api: KubeApi;
  readonly namespace: string;
  readonly size: number;
  readonly accounting: 'Relaxed' | 'Strict';
  /** How often the operator is killed before the work is over. */
  readonly kills: number;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Kills the operator and starts another; returns when that one works. */
  readonly restart: () => Promise<void>;
  readonly timeoutMs: number;
  readonly say?: (line: string) => void;
}

export interface ArrayOutcome {
  readonly record: ArrayRecord;
  readonly seconds: number;
  readonly kills: number;
  readonly violations: readonly string[];
}

const KEPT_PODS = 100;

const job = (name: string, { size, accounting }: ArrayRunOptions): object => ({
  apiVersion: 'longshore.dev/v1alpha1',
  kind: 'BatchJob',
  metadata: { name },
  spec: {
    arrayProperties: { size },
    retryStrategy: { attempts: ATTEMPTS },
    containerProperties: {
      image: 'busybox:1.36',
      command: ['sh', '-c', 'exit 0'],
      resourceRequirements: [
        { type: 'VCPU', value: '0.25' },
        { type: 'MEMORY', value: '16' },
      ],
    },
    kubernetes: {
      accounting,
      retention: { stoppedTasks: KEPT_PODS },
      podAnnotations: kwok({ exitAfter: '1s', failingChildren: FAILING }),
    },
  },
});

/** @returns once the job is over and its pods are swept, or that has taken too long. */
export async function runArray(options: ArrayRunOptions): Promise<ArrayOutcome> {
  const { api, namespace, size, kills, random, restart, timeoutMs, say = () => {} } = options;
  const name = 'array';
  const record = await ArrayRecord.start(api, namespace, name);
  const began = Date.now();
  const late = (): number => Math.max(began + timeoutMs - Date.now(), 1);
  await api.call('POST', `${pathOf('batchjobs', namespace)}?fieldValidation=Strict`, job(name, options));
  const moments = Array.from({ length: kills }, () => Math.floor(random() * EVENTS_A_POD * size)).toSorted(
    (a, b) => a - b,
  );
  let killed = 0;
  for (const moment of moments) {
    const pause = random() * 500;
    await until(record, `event ${moment} of ${size} pods`, () => record.podEvents >= moment || record.isOver, late());
    await new Promise((resolve) => setTimeout(resolve, pause));
    if (record.isOver) break;
    await restart();
    killed += 1;
    say(`killed ${killed} of ${kills} times: ${record.describe()}`);
  }
  await until(record, 'the array to be over', () => record.isOver, late());
  const seconds = (Date.now() - began) / 1000;
  await until(record, 'its pods to be swept', () => record.pods <= KEPT_PODS, late()).catch(() => {});
  record.assertWhole();
  const violations = await record.violations({ size, attempts: ATTEMPTS, keptPods: KEPT_PODS });
  if (killed < kills) violations.push(`the operator was killed ${killed} times only: the work was over`);
  return { record, seconds, kills: killed, violations };
}
