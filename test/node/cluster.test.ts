import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalCluster, realNodePossible, status, up } from '../../dev/cluster/index.ts';
import { until } from '../../dev/cluster/run.ts';

const { possible, why } = realNodePossible();
const title = possible ? 'a local cluster with two real nodes' : `a local cluster with real nodes (skipped: ${why})`;

const output = (program: string, ...args: string[]) => spawnSync(program, args, { encoding: 'utf8' }).stdout ?? '';
const listed = (path: string) => (existsSync(path) ? readdirSync(path).sort() : []);
const lines = (text: string) => text.split('\n').sort();
const withoutCounters = (text: string) =>
  text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.replace(/\[\d+:\d+\]/, ''));

/** All of the machine that a node touches. */
const machine = () => ({
  interfaces: listed('/sys/class/net'),
  routes: lines(output('ip', 'route')),
  mounts: readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4])
    .sort(),
  rules: withoutCounters(output('iptables-save') + output('ip6tables-save')),
  namespaces: output('lsns', '--type=net', '--noheadings', '--output=NS').trim().split(/\s+/).sort(),
  cgroups: lines(output('find', '/sys/fs/cgroup', '-type', 'd', '-name', 'longshore-*')),
  sockets: listed('/run/containerd/s'),
  networks: listed('/var/lib/cni/results'),
  logs: listed('/var/log/containers'),
});

type Machine = ReturnType<typeof machine>;

/**
 * What there is more of than before. Not what there is less of: other clusters on this machine end their pods, and
 * what these occupied goes with them.
 */
function leftBehind(before: Machine, after: Machine): Record<string, unknown> {
  const more = (old: readonly unknown[], now: readonly unknown[]): unknown[] => {
    const rest = [...old];
    return now.filter((item) => {
      const at = rest.indexOf(item);
      if (at >= 0) rest.splice(at, 1);
      return at < 0;
    });
  };
  const kinds = Object.keys(before) as (keyof Machine)[];
  return Object.fromEntries(
    kinds.map((kind) => [kind, more(before[kind], after[kind])] as const).filter(([, added]) => added.length > 0),
  );
}

interface Pod {
  readonly status: {
    readonly phase: string;
    readonly reason?: string;
    readonly podIP?: string;
    readonly conditions?: readonly { type: string; status: string }[];
    readonly containerStatuses?: readonly {
      state: { waiting?: { reason: string }; terminated?: { exitCode: number; reason: string } };
    }[];
  };
}

describe.skipIf(!possible)(title, () => {
  const dir = mkdtempSync(join(tmpdir(), 'lsh-'));
  let cluster: LocalCluster;
  let before: Machine;

  beforeAll(async () => {
    // A first cluster installs packages and loads kernel modules; what it leaves of those stays.
    await (await up({ dir, nodes: 'real' })).down();
    before = machine();
    cluster = await up({ dir, nodes: 'real=2' });
  });

  afterAll(async () => {
    await cluster?.down();
    rmSync(dir, { recursive: true, force: true });
  });

  const create = async (name: string, container: object, spec: object = {}) => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'busybox', ...container }], ...spec },
    };
    expect(await cluster.kubectl(['create', '-f', '-'], { input: JSON.stringify(pod) })).toMatchObject({ code: 0 });
  };
  const podThat = (name: string, is: (pod: Pod['status']) => unknown): Promise<Pod['status']> =>
    until(
      `pod ${name}`,
      async () => {
        const { stdout } = await cluster.kubectl(['get', 'pod', name, '-o', 'json']);
        const pod = (JSON.parse(stdout) as Pod).status;
        return is(pod) ? pod : undefined;
      },
      { timeout: 60_000, interval: 200 },
    );
  const isReady = ({ conditions = [] }: Pod['status']) =>
    conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
  const shell = (script: string) => ({ command: ['/bin/sh', '-c', script] });

  it('runs a container, and keeps its log and exit code after it ended', async () => {
    await create('short', shell('echo hello; exit 3'));
    const pod = await podThat('short', ({ phase }) => phase === 'Failed');
    expect(pod.containerStatuses?.[0]?.state.terminated?.exitCode).toBe(3);
    expect((await cluster.kubectl(['logs', 'short'])).stdout).toBe('hello\n');
  });

  it('sends SIGTERM when a deadline is patched in, and the pod ends as Failed with its log kept', async () => {
    await create('stopped', shell("trap 'echo got TERM; exit 5' TERM; echo up; while :; do sleep 0.1; done"));
    await until('the container', async () => (await cluster.kubectl(['logs', 'stopped'])).stdout === 'up\n', {
      timeout: 30_000,
    });
    await cluster.kubectl(['patch', 'pod', 'stopped', '--type=merge', '-p', '{"spec":{"activeDeadlineSeconds":1}}']);
    const pod = await podThat('stopped', ({ phase }) => phase === 'Failed');
    expect(pod.reason).toBe('DeadlineExceeded');
    expect(pod.containerStatuses?.[0]?.state.terminated).toMatchObject({ exitCode: 5 });
    expect((await cluster.kubectl(['logs', 'stopped'])).stdout).toBe('up\ngot TERM\n');
  });

  it('cannot pull an image that does not exist', async () => {
    await create('unknown', { image: 'nosuch/image:1' });
    const pod = await podThat('unknown', ({ containerStatuses }) =>
      /ImagePull/.test(containerStatuses?.[0]?.state.waiting?.reason ?? ''),
    );
    expect(pod.phase).toBe('Pending');
  });

  it('answers HTTP between pods of two nodes, straight and through a Service', async () => {
    const probe = { readinessProbe: { exec: { command: ['/bin/sh', '-c', 'healthcheck'] }, periodSeconds: 1 } };
    const web = { image: 'nginx:1.27', ...probe };
    await create('web', web, { nodeName: 'real-1' });
    await create('client', {}, { nodeName: 'real-2' });
    await cluster.kubectl(['label', 'pod', 'web', 'app=web']);
    await cluster.kubectl(['create', 'service', 'clusterip', 'web', '--tcp=80']);
    const { podIP } = await podThat('web', isReady);
    await podThat('client', isReady);
    const { stdout: service } = await cluster.kubectl(['get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}']);
    for (const address of [podIP, service]) {
      await until(
        `an answer of ${address}`,
        async () => {
          const request = `printf 'GET /health HTTP/1.0\\r\\n\\r\\n' | nc -w 2 ${address} 80`;
          return (await cluster.kubectl(['exec', 'client', '--', 'sh', '-c', request])).stdout.includes('200 OK');
        },
        { timeout: 20_000, interval: 300 },
      );
    }
  });

  it('sees a server become unhealthy and healthy again, and stops it promptly', async () => {
    await cluster.kubectl(['exec', 'web', '--', 'unhealthy']);
    await podThat('web', (pod) => !isReady(pod));
    await cluster.kubectl(['exec', 'web', '--', 'healthy']);
    await podThat('web', isReady);
    // Its grace period is 30 s.
    expect((await cluster.kubectl(['delete', 'pod', 'web', '--timeout=25s'])).code).toBe(0);
  });

  it('gives everything back when it is taken down, with pods still running', async () => {
    await create('running', { image: 'tomcat', args: ['catalina.sh', 'run'] }, { nodeName: 'real-1' });
    expect((await status(dir)).nodes).toEqual([
      { name: 'real-1', kind: 'real', ready: true },
      { name: 'real-2', kind: 'real', ready: true },
    ]);
    await cluster.down();
    expect(output('pgrep', '-f', dir)).toBe('');
    const after = machine();
    const unshared = ({ interfaces, routes, rules }: Machine) => ({ interfaces, routes, rules });
    expect(unshared(after)).toEqual(unshared(before));
    expect(leftBehind(before, after)).toEqual({});
    expect(readdirSync(dir)).toEqual(['logs']);
  });
});
