import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { down, type LocalCluster, up } from '../../dev/cluster/index.ts';
import { freePort } from '../../dev/cluster/ports.ts';
import { until } from '../../dev/cluster/run.ts';
import { type AuditedWrite, writesOf } from '../support/audit.ts';
import {
  beginRollBesideJob,
  endOf,
  endRollBesideJob,
  TWO_BATCHES,
  undisturbedEnd,
  untilMidway,
  violationsOf,
} from '../support/chaos-scenario.ts';
import { Component } from '../support/component.ts';
import { isEnded } from '../support/invariants.ts';
import { KubeApi, pathOf } from '../support/kube-api.ts';
import { Operator } from '../support/operator.ts';
import { Recorder } from '../support/recorder.ts';
import { untilSteady } from '../support/services.ts';
import { TestNamespace } from '../support/suite.ts';

const crds = join(import.meta.dirname, '..', '..', 'crds');

/** So that calls meet a server that is not there, and are sent again. */
const OUTAGE_MS = 2_000;
const REMINDER_MS = 3_000;
const STOPPED_MS = 30_000;

let dir: string;
let cluster: LocalCluster;
let api: KubeApi;
let recorder: Recorder;

/**
 * A second API server on the same etcd: the recorder and the test use it, so that the record has no gap while the
 * first, which everything else uses, is gone.
 */
async function startObserver(): Promise<string> {
  const port = await freePort('127.0.0.1');
  new Component(dir, 'kube-apiserver').startTwin('kube-apiserver-observer', [
    `--secure-port=${port}`,
    `--audit-log-path=${join(dir, 'logs', 'observer-audit.log')}`,
  ]);
  const kubeconfig = join(dir, 'observer.kubeconfig');
  const text = readFileSync(cluster.kubeconfig, 'utf8').replaceAll(cluster.server, `https://127.0.0.1:${port}`);
  writeFileSync(kubeconfig, text, { mode: 0o600 });
  const observer = new KubeApi(kubeconfig);
  const served = () =>
    observer.call('GET', pathOf('services')).then(
      () => true,
      () => false,
    );
  await until('the second API server to be ready', served, { timeout: 90_000, interval: 200 });
  observer.close();
  return kubeconfig;
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'lsh-chaos-'));
  const onProgress = (line: string): boolean => process.stderr.write(`${line}\n`);
  cluster = await up({ dir, nodes: 'kwok=3', audit: true, onProgress });
  expect(await cluster.kubectl(['apply', '-f', crds])).toMatchObject({ code: 0 });
  api = new KubeApi(await startObserver());
  recorder = await Recorder.start(api);
});

afterAll(async () => {
  api?.close();
  await down(dir);
  rmSync(dir, { recursive: true, force: true });
});

async function namespace(name: string): Promise<TestNamespace> {
  await api.call('POST', '/api/v1/namespaces', { metadata: { name } });
  const ns = new TestNamespace(name, recorder.in(name), cluster, api);
  await ns.kubectl(['wait', '--for=create', '--timeout=60s', 'serviceaccount/default']);
  return ns;
}

async function startOperator(context: TestContext, user: string, args: readonly string[]): Promise<Operator> {
  const kubeconfig = await cluster.userKubeconfig(user, ['system:masters']);
  const operator = new Operator({ kubeconfig, log: join(dir, 'logs', 'operator.log'), args });
  context.onTestFinished(() => operator.kill('SIGKILL'));
  context.onTestFailed(() => console.error(`${user}:\n${operator.describe()}`));
  return operator;
}

const leaseFlags = (ns: TestNamespace, lease: string, renew: string, retry: string): string[] => [
  `--namespace=${ns.name}`,
  `--leader-elect-resource-namespace=${ns.name}`,
  `--leader-elect-lease-duration=${lease}`,
  `--leader-elect-renew-deadline=${renew}`,
  `--leader-elect-retry-period=${retry}`,
];

/** KWOK forgets what it was about to do with a pod when a write of it fails; any change of the pod reminds it. */
function remindKwok(ns: TestNamespace): () => void {
  let reminders = 0;
  const timer = setInterval(() => {
    reminders += 1;
    const change = { metadata: { annotations: { reminder: `${reminders}` } } };
    for (const pod of ns.history.all('pods').filter((one) => !isEnded(one))) {
      ns.patch('pods', pod.metadata.name, change).catch(() => {}); // gone, or not served yet: the next reminder will do
    }
  }, REMINDER_MS);
  return () => clearInterval(timer);
}

async function surviveKillOf(component: string, context: TestContext): Promise<void> {
  const ns = await namespace(`without-${component}`);
  // A leader that cannot renew for so long ends, as it must; this is about what it does before.
  const operator = await startOperator(context, component, leaseFlags(ns, '120s', '110s', '1s'));
  let ended = false;
  void operator.ended().then(() => {
    ended = true;
  });
  await beginRollBesideJob(ns, TWO_BATCHES);
  await untilMidway(ns);
  const victim = new Component(dir, component);
  await victim.kill();
  await delay(OUTAGE_MS);
  victim.start();
  context.onTestFinished(remindKwok(ns));
  await endRollBesideJob(ns, TWO_BATCHES);

  expect(ended).toBe(false);
  expect(endOf(ns.history)).toEqual(undisturbedEnd(TWO_BATCHES));
  expect(violationsOf(ns.history)).toEqual([]);
}

describe('the operator', () => {
  it('goes on as the same process when the API server is killed in the middle of a rollout', (context) =>
    surviveKillOf('kube-apiserver', context));

  it('goes on as the same process when etcd is killed in the middle of a rollout', (context) =>
    surviveKillOf('etcd', context));

  it(`stopped for ${STOPPED_MS / 1000} s in the middle of a rollout finds another leader, writes nothing more and exits`, async (context) => {
    const ns = await namespace('stopped-leader');
    const users = ['stopped-leader', 'follower'] as const;
    const flags = leaseFlags(ns, '6s', '4s', '1s');
    const leader = await startOperator(context, users[0], flags);
    await leader.logged('became the leader');
    const follower = await startOperator(context, users[1], flags);
    await follower.logged('longshore starts');
    await beginRollBesideJob(ns, TWO_BATCHES);
    await untilMidway(ns);
    const writes = (user: string): AuditedWrite[] => writesOf(join(dir, 'logs', 'audit.log'), user, ns.name);
    leader.signal('SIGSTOP');
    const stopped = Date.now();
    await follower.logged('became the leader', 30_000);
    const tookOver = Date.now();
    await endRollBesideJob(ns, TWO_BATCHES);
    expect(writes(users[1])).not.toEqual([]);
    // Work that the woken leader's caches know nothing of, and that it would do if it still believed to lead.
    await ns.patch('services', 'web', { spec: { desiredCount: 5 } });
    await untilSteady(ns.history, 'web', 5);
    await delay(stopped + STOPPED_MS - Date.now());
    leader.signal('SIGCONT');

    expect(await leader.ended()).toBe(1);
    expect(leader.describe()).toContain('lost the lease');
    expect(writes(users[0]).filter(({ at }) => at >= tookOver)).toEqual([]);
    expect(endOf(ns.history)).toEqual(undisturbedEnd({ desiredCount: 5 }));
    expect(violationsOf(ns.history)).toEqual([]);
  });
});
