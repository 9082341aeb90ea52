/**
 * An array of short jobs beside an Indexed Job of Kubernetes that does the same:
 * `npm run bench -- batch [--size 1000] [--rounds 3] [--json FILE] [--floor] [--profile FOLDER] [--before CHECKOUT]`, on
 * simulated nodes of this machine, with all components on the same cores. The rounds alternate, so that whatever slows the machine slows
 * both; only ratios mean something. `--floor` adds pods that no controller makes; `--before` another checkout of this repository.
 */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { up } from '../../dev/cluster/index.ts';
import { installKinds } from '../../dev/cluster/kinds.ts';
import { readState } from '../../dev/cluster/state.ts';
import { callsIn } from '../support/audit.ts';
import { KubeApi, type KubeObject, pathOf } from '../support/kube-api.ts';
import { Operator } from '../support/operator.ts';
import { cpuSeconds, peakRssMiB, resetPeakRss } from '../support/process-usage.ts';
import { takingDown } from '../support/take-down.ts';
import { type Measured, phasesOf, reportOf, rowsOf } from './batch-report.ts';
import { type Subject, WORKS } from './batch-runs.ts';

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'string' },
    floor: { type: 'boolean', default: false },
    profile: { type: 'string' },
    before: { type: 'string' },
  },
});
const [size, rounds] = [Number(values.size), Number(values.rounds)];
const USER = 'longshore-operator';
/** As many simulated nodes as hold all pods at once. */
const PODS_A_NODE = 1000;
/** What is still written after the work is complete belongs to it. */
const SETTLE_MS = 3_000;

const dir = mkdtempSync(join(tmpdir(), 'lsh-bench-'));
const say = (line: string): void => console.error(line);
const nodes = Math.max(3, Math.ceil(size / PODS_A_NODE) + 1);
const cluster = await up({ dir, nodes: `kwok=${nodes}`, audit: true, onProgress: say });
const api = new KubeApi(cluster.kubeconfig);
let operator: Operator | undefined;
const { takeDown, isEnding } = takingDown(async () => {
  await operator?.kill('SIGTERM');
  api.close();
  await cluster.down();
  rmSync(dir, { recursive: true, force: true });
});

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

async function open(namespace: string): Promise<void> {
  await api.call('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
  await cluster.kubectl(['wait', '--for=create', '--timeout=60s', 'serviceaccount/default', '-n', namespace]);
}

/** Returns once nothing of it is left, which would slow down what comes next. */
async function close(namespace: string): Promise<void> {
  const answer = await cluster.kubectl(['delete', 'namespace', namespace, '--timeout=1200s']);
  if (answer.code !== 0) throw new Error(answer.stderr);
}

const auditLogs = (): string[] =>
  readdirSync(join(dir, 'logs'))
    .filter((name) => name.startsWith('audit'))
    .toSorted()
    .map((name) => join(dir, 'logs', name));

/** Of the operator, by the names that its metrics have. */
async function metricsOf(port: number): Promise<ReadonlyMap<string, number>> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
  const samples = (await answer.text()).matchAll(/^(\w+(?:\{.*\})?) (\S+)$/gm);
  return new Map([...samples].map(([, name = '', value]) => [name, Number(value)]));
}

const RECONCILES = 'controller_runtime_reconcile_time_seconds';
const ofJobs = (name: string): string => `${RECONCILES}_${name}{controller="batchjob"}`;

/** One for all rounds, whose code is warm as that of the other controllers; with `--before` each work has its own. */
async function operatorFor(subject: Subject, kubeconfig: string): Promise<Operator> {
  if (operator !== undefined && values.before === undefined) return operator;
  await operator?.kill('SIGTERM');
  const checkout = subject === 'Longshore, before' && values.before !== undefined ? { checkout: values.before } : {};
  const nodeArgs = values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(values.profile)}`];
  operator = new Operator({ kubeconfig, log: join(dir, 'logs', 'operator.log'), nodeArgs, ...checkout });
  await operator.ready();
  return operator;
}

async function measure(subject: Subject, round: number, running: Operator): Promise<Measured> {
  const namespace = `bench-${subject.toLowerCase().replaceAll(/[^a-z]+/g, '-')}-${round}`;
  await open(namespace);
  const components = (readState(dir)?.processes ?? []).map(({ name, pid }) => [name, pid] as const);
  const processes = [...components, ['longshore', running.pid] as const];
  for (const [, pid] of processes) resetPeakRss(pid);
  const cpuBefore = new Map(processes.map(([name, pid]) => [name, cpuSeconds(pid)]));
  const before = await metricsOf(running.healthPort); // begins the event loop's histogram anew
  const began = Date.now();
  await WORKS[subject]({ api, kubeconfig: cluster.kubeconfig }, namespace, size);
  const seconds = (Date.now() - began) / 1000;
  const after = await metricsOf(running.healthPort);
  const usage = Object.fromEntries(
    processes.map(([name, pid]) => [
      name,
      { cpuSeconds: cpuSeconds(pid) - (cpuBefore.get(name) ?? 0), peakRssMiB: peakRssMiB(pid) },
    ]),
  );
  await pause(SETTLE_MS);
  const { items } = await api.call<{ items: readonly KubeObject[] }>('GET', pathOf('pods', namespace));
  const calls = callsIn(auditLogs(), namespace);
  const grown = (name: string): number => (after.get(name) ?? 0) - (before.get(name) ?? 0);
  const measured = {
    subject,
    round,
    seconds,
    usage,
    podsLeft: items.length,
    calls: rowsOf(calls),
    phases: phasesOf(calls, began),
    operator: {
      eventLoopP99Ms: 1000 * (after.get('nodejs_eventloop_lag_p99_seconds') ?? Number.NaN),
      eventLoopMaxMs: 1000 * (after.get('nodejs_eventloop_lag_max_seconds') ?? Number.NaN),
      reconciles: grown(ofJobs('count')),
      reconcileSeconds: grown(ofJobs('sum')),
    },
  };
  say(`round ${round}, ${subject}: ${seconds.toFixed(1)} s, ${JSON.stringify(measured.phases)}`);
  await close(namespace);
  return measured;
}

try {
  await installKinds(cluster);
  const kubeconfig = await cluster.userKubeconfig(USER, ['system:masters']);
  const subjects: Subject[] = [
    'Longshore',
    ...(values.before === undefined ? [] : (['Longshore, before'] as const)),
    'Indexed Job',
    ...(values.floor ? (['pods alone'] as const) : []),
  ];
  const runs: Measured[] = [];
  const [cpu] = cpus();
  const machine = `${cpus().length} × ${cpu?.model.trim()}, Node ${process.version}`;
  for (let round = 1; round <= rounds; round += 1) {
    for (const subject of round % 2 === 1 ? subjects : subjects.toReversed()) {
      runs.push(await measure(subject, round, await operatorFor(subject, kubeconfig)));
      // Hours may go into it: what is measured is not lost with what comes after.
      if (values.json !== undefined)
        writeFileSync(values.json, JSON.stringify({ size, rounds, machine, runs }, null, 2));
    }
  }
  console.log(reportOf({ size, rounds, machine, runs }));
} catch (error) {
  if (!isEnding()) {
    console.error(operator?.describe());
    throw error;
  }
} finally {
  await takeDown();
}
