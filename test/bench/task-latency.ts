/**
 * How long the operator takes where a container would live on, or wait: `node test/bench/task-latency.ts [--samples 50]`.
 * On a real node of this machine. Each container writes the machine's uptime, to 10 ms, into a file of the node; what the
 * operator and the kubelet asked the API server is read from its audit log.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { up } from '../../dev/cluster/index.ts';
import { installKinds } from '../../dev/cluster/kinds.ts';
import { KubeApi, pathOf } from '../support/kube-api.ts';
import { Operator } from '../support/operator.ts';

const { values } = parseArgs({ options: { samples: { type: 'string', default: '50' } } });
const samples = Number(values.samples);
const USER = 'longshore-operator';

const note = (what: string): string => `read up rest < /proc/uptime; echo "$HOSTNAME ${what} $up" >> /node/log`;
const container = (name: string, script: string, fields: object = {}): object => ({
  name,
  image: 'busybox:1.37',
  memory: 8,
  command: ['sh', '-c', script],
  mountPoints: [{ sourceVolume: 'node', containerPath: '/node' }],
  ...fields,
});
const log = container('log', `trap '${note('told')}; exit 0' TERM; sleep 1000 & wait`, { essential: false });

/** Each is a service whose tasks end and are replaced, so that every task is one sample. */
const SCENARIOS: Record<string, readonly object[]> = {
  exit: [container('app', `sleep 2; ${note('exited')}; exit 3`), log],
  barrier: [
    container('seed', `sleep 2; ${note('exited')}`, { essential: false }),
    container('app', `${note('opened')}; sleep 1; exit 3`, {
      dependsOn: [{ containerName: 'seed', condition: 'COMPLETE' }],
    }),
    log,
  ],
  // The kubelet restarts it, ECS would not: it ran shorter than restartAttemptPeriod.
  restart: [
    container(
      'app',
      `trap '${note('ended')}; exit 0' TERM; if [ -e /node/$HOSTNAME ]; then ${note('again')}; sleep 1000 & wait; fi; ` +
        `touch /node/$HOSTNAME; sleep 2; ${note('exited')}; exit 3`,
      { restartPolicy: { enabled: true, restartAttemptPeriod: 60 } },
    ),
    log,
  ],
};

interface Line {
  readonly pod: string;
  readonly what: string;
  /** Milliseconds of uptime. */
  readonly at: number;
}

const read = (file: string): Line[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [pod = '', what = '', uptime] = line.split(' ');
      return uptime === undefined ? [] : [{ pod, what, at: Number(uptime) * 1000 }];
    });

/** Milliseconds from the first `from` of a pod to the next `to` after it. */
function between(lines: readonly Line[], from: string, to: string): number[] {
  return [...Map.groupBy(lines, ({ pod }) => pod).values()].flatMap((own) => {
    const start = own.find(({ what }) => what === from);
    const end = own.find(({ what, at }) => what === to && start !== undefined && at >= start.at);
    return start === undefined || end === undefined ? [] : [end.at - start.at];
  });
}

interface AuditEvent {
  readonly stage: string;
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string; readonly name?: string };
  readonly requestReceivedTimestamp: string;
}

/** The first write of the operator to a pod: the request to stop it, or what it says of a barrier that it has opened. */
interface FirstWrite {
  readonly pod: string;
  /** When the API server got it, epoch milliseconds. */
  readonly at: number;
  /** Milliseconds since the API server got the kubelet's last word of the pod: a watch shows it a little later. */
  readonly after: number;
}

function firstWrites(auditLog: string, service: string): FirstWrite[] {
  const events = readFileSync(auditLog, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"verb":"patch"') && line.includes(`"name":"${service}-`))
    .map((line) => JSON.parse(line) as AuditEvent)
    .filter(({ stage, objectRef }) => stage === 'ResponseComplete' && objectRef?.resource === 'pods');
  return [...Map.groupBy(events, ({ objectRef }) => objectRef?.name ?? '')].flatMap(([pod, own]) => {
    const write = own.find(({ user, objectRef }) => user.username === USER && objectRef?.subresource === undefined);
    if (write === undefined) return [];
    const at = Date.parse(write.requestReceivedTimestamp);
    const seen = own
      .filter(({ user, objectRef }) => user.username.startsWith('system:node:') && objectRef?.subresource === 'status')
      .map(({ requestReceivedTimestamp }) => Date.parse(requestReceivedTimestamp))
      .filter((time) => time <= at);
    return seen.length === 0 ? [] : [{ pod, at, after: at - Math.max(...seen) }];
  });
}

/** Epoch milliseconds at which the machine's uptime was 0. */
const bootedAt = (): number => Date.now() - Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000;

function print(what: string, times: readonly number[]): void {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number): string =>
    `${Math.round(sorted[Math.min(Math.floor(part * sorted.length), sorted.length - 1)] ?? Number.NaN)} ms`;
  console.log(`${what.padEnd(72)} n=${sorted.length}  p50 ${at(0.5)}  p90 ${at(0.9)}  p99 ${at(0.99)}  max ${at(1)}`);
}

const dir = mkdtempSync(join(tmpdir(), 'lsh-'));
const cluster = await up({ dir, nodes: 'real', audit: true, onProgress: (line) => console.error(line) });
let operator: Operator | undefined;
try {
  await installKinds(cluster);
  const kubeconfig = await cluster.userKubeconfig(USER, ['system:masters']);
  operator = new Operator({ kubeconfig, log: join(dir, 'logs', 'operator.log') });
  await operator.ready();
  const api = new KubeApi(cluster.kubeconfig);
  for (const [name, containerDefinitions] of Object.entries(SCENARIOS)) {
    const folder = mkdtempSync(join(dir, `${name}-`));
    const file = join(folder, 'log');
    writeFileSync(file, '');
    const object = (kind: string, spec: object): object => ({
      apiVersion: 'longshore.dev/v1alpha1',
      kind,
      metadata: { name },
      spec,
    });
    const volumes = [{ name: 'node', host: { sourcePath: folder } }];
    const definition = object('TaskDefinition', { containerDefinitions, volumes });
    await api.call('POST', pathOf('taskdefinitions', 'default'), definition);
    await api.call('POST', pathOf('services', 'default'), object('Service', { taskDefinition: name, desiredCount: 1 }));
    while (read(file).filter(({ what }) => what === 'told').length < samples) await delay(500);
    await api.call('DELETE', pathOf('services', 'default', name));
    const lines = read(file);
    const writes = firstWrites(join(dir, 'logs', 'audit.log'), name);
    const reported = writes.map(({ after }) => after);
    const booted = bootedAt();
    const until = (what: string): number[] =>
      writes.flatMap(({ pod, at }) => {
        const line = lines.find((one) => one.pod === pod && one.what === what);
        return line === undefined ? [] : [line.at + booted - at];
      });
    if (name === 'exit') {
      print('kubelet reports an essential exit → request to stop (goal: p99 100 ms)', reported);
      print('request to stop → SIGTERM to the others (goal: 1.5 s)', until('told'));
      print('essential exit → SIGTERM to the others, in all', between(lines, 'exited', 'told'));
    } else if (name === 'barrier') {
      print('kubelet reports the end of a dependency → barrier open', reported);
      print('barrier open → container runs (goal: 1 s)', until('opened'));
      print('end of a dependency → container runs, in all', between(lines, 'exited', 'opened'));
    } else {
      print('restarted by the kubelet alone: start of the second life → SIGTERM', between(lines, 'again', 'ended'));
    }
  }
  api.close();
} finally {
  await operator?.kill('SIGTERM');
  await cluster.down();
  rmSync(dir, { recursive: true, force: true });
}
