import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalCluster, status, up } from '../../dev/cluster/index.ts';
import { until } from '../../dev/cluster/run.ts';

const dir = mkdtempSync(join(tmpdir(), 'lsh-'));
const lines: string[] = [];
let cluster: LocalCluster;

beforeAll(async () => {
  cluster = await up({ dir, nodes: 'kwok=3', audit: true, onProgress: (line) => lines.push(line) });
});

afterAll(async () => {
  await cluster?.down();
  rmSync(dir, { recursive: true, force: true });
});

interface PodStatus {
  readonly phase: string;
  readonly reason?: string;
  readonly startTime: string;
  readonly podIP: string;
  readonly conditions: readonly { type: string; status: string }[];
  readonly containerStatuses: readonly {
    name: string;
    ready: boolean;
    started: boolean;
    containerID: string;
    state: {
      running?: { startedAt: string };
      terminated?: { exitCode: number; startedAt: string; finishedAt: string };
    };
  }[];
}

async function create(
  name: string,
  change: { metadata?: object; spec?: object } = {},
  containers = ['main'],
): Promise<void> {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, ...change.metadata },
    spec: {
      restartPolicy: 'Never',
      containers: containers.map((container) => ({ name: container, image: 'busybox' })),
      ...change.spec,
    },
  };
  const made = await cluster.kubectl(['create', '-f', '-'], { input: JSON.stringify(pod) });
  expect(made).toMatchObject({ code: 0 });
}

async function statusOf(name: string): Promise<PodStatus> {
  const { stdout } = await cluster.kubectl(['get', 'pod', name, '-o', 'json']);
  return (JSON.parse(stdout) as { status: PodStatus }).status;
}

const podThat = (name: string, is: (pod: PodStatus) => boolean): Promise<PodStatus> =>
  until(
    `pod ${name}`,
    async () => {
      const pod = await statusOf(name);
      return is(pod) ? pod : undefined;
    },
    { timeout: 20_000, interval: 100 },
  );

const isReady = ({ conditions = [] }: PodStatus) =>
  conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
const exitCodes = ({ containerStatuses }: PodStatus) =>
  Object.fromEntries(containerStatuses.map(({ name, state }) => [name, state.terminated?.exitCode]));

describe('a local cluster with simulated nodes', () => {
  it('has its nodes Ready, each with a host name and a zone of its own', async () => {
    const { stdout } = await cluster.kubectl(['get', 'nodes', '-o', 'json']);
    const { items } = JSON.parse(stdout) as { items: { metadata: { labels: Record<string, string> } }[] };
    const labels = items.map(({ metadata }) => metadata.labels);
    expect(labels.map((label) => label['topology.kubernetes.io/zone'])).toEqual(['local-a', 'local-b', 'local-c']);
    expect(labels.map((label) => label['kubernetes.io/hostname'])).toEqual(['kwok-0', 'kwok-1', 'kwok-2']);
  });

  it('is left as it is by a second up, and refuses other nodes than it has', async () => {
    const before = await status(dir);
    const said: string[] = [];
    const again = await up({ dir, nodes: 'kwok=3', onProgress: (line) => said.push(line) });
    expect(again.server).toBe(cluster.server);
    expect(said).toEqual([`the cluster in ${dir} is already up`]);
    expect((await status(dir)).components).toEqual(before.components);
    await expect(up({ dir, nodes: 'kwok=4' })).rejects.toThrow(/is up with --nodes kwok=3/);
  });

  it('runs a pod: running and ready, with the times and addresses a kubelet gives', async () => {
    await create('plain');
    const pod = await podThat('plain', isReady);
    expect(pod.phase).toBe('Running');
    expect(pod.podIP).toMatch(/^10\./);
    expect(pod.containerStatuses).toMatchObject([
      { ready: true, started: true, containerID: expect.stringMatching(/^kwok:/) },
    ]);
    expect(pod.containerStatuses[0]?.state.running?.startedAt).toBe(pod.startTime);
    expect(pod.conditions.filter(({ status }) => status === 'True').map(({ type }) => type)).toEqual(
      expect.arrayContaining(['PodScheduled', 'Initialized', 'ContainersReady', 'Ready']),
    );
  });

  it('ends all containers when an annotation asks for it, with the exit code it names', async () => {
    const annotations = { 'kwok.longshore.dev/exit-after': '500ms', 'kwok.longshore.dev/exit-code': '3' };
    await create('exits', { metadata: { annotations } }, ['one', 'two']);
    const pod = await podThat('exits', ({ phase }) => phase === 'Failed');
    expect(exitCodes(pod)).toEqual({ one: 3, two: 3 });
  });

  it("ends one container and keeps the pod Running, until a deadline ends the rest with SIGTERM's code", async () => {
    const annotations = {
      'kwok.longshore.dev/exit-after': '200ms',
      'kwok.longshore.dev/exit-code': '7',
      'kwok.longshore.dev/exit-container': 'one',
    };
    await create('half', { metadata: { annotations } }, ['one', 'two']);
    const half = await podThat('half', (pod) => pod.containerStatuses?.some(({ state }) => state.terminated) === true);
    expect(half.phase).toBe('Running');
    expect(isReady(half)).toBe(false);
    expect(exitCodes(half)).toEqual({ one: 7, two: undefined });

    await cluster.kubectl(['patch', 'pod', 'half', '--type=merge', '-p', '{"spec":{"activeDeadlineSeconds":1}}']);
    const ended = await podThat('half', ({ phase }) => phase === 'Failed');
    expect(ended.reason).toBe('DeadlineExceeded');
    expect(exitCodes(ended)).toEqual({ one: 7, two: 143 });
  });

  it('lets a pod be ready later, when an annotation asks for it', async () => {
    const readinessProbe = { exec: { command: ['true'] } };
    await create('slow', {
      metadata: { annotations: { 'kwok.longshore.dev/ready-after': '1s' } },
      spec: { containers: [{ name: 'main', image: 'busybox', readinessProbe }] },
    });
    const early = await podThat('slow', ({ phase }) => phase === 'Running');
    expect(isReady(early)).toBe(false);
    expect(await podThat('slow', isReady)).toMatchObject({ phase: 'Running', containerStatuses: [{ ready: true }] });
  });

  it('completes the pods of a batch job', async () => {
    await create('batch', { metadata: { labels: { 'longshore.dev/batch-job': 'b' } } });
    expect(exitCodes(await podThat('batch', ({ phase }) => phase === 'Succeeded'))).toEqual({ main: 0 });
  });

  it('ends the sidecars of a pod whose containers have ended', async () => {
    const initContainers = [
      { name: 'first', image: 'busybox' },
      { name: 'sidecar', image: 'busybox', restartPolicy: 'Always' },
    ];
    const annotations = { 'kwok.longshore.dev/exit-after': '300ms' };
    await create('sidecars', { metadata: { annotations }, spec: { initContainers } });
    await podThat('sidecars', ({ phase }) => phase === 'Succeeded');
    const { stdout } = await cluster.kubectl(['get', 'pod', 'sidecars', '-o', 'json']);
    const { initContainerStatuses } = (
      JSON.parse(stdout) as { status: { initContainerStatuses: PodStatus['containerStatuses'] } }
    ).status;
    expect(initContainerStatuses.map(({ state }) => state.terminated?.exitCode)).toEqual([0, 143]);
  });

  it('removes a deleted pod', async () => {
    await create('gone');
    await podThat('gone', isReady);
    expect((await cluster.kubectl(['delete', 'pod', 'gone', '--timeout=10s'])).code).toBe(0);
  });

  it('lets another user do only what its role allows', async () => {
    const kubeconfig = await cluster.userKubeconfig('reader', ['readers']);
    const asReader = (...args: string[]) => cluster.kubectl([`--kubeconfig=${kubeconfig}`, ...args]);
    expect((await asReader('get', 'pods')).stderr).toContain('User "reader" cannot list resource "pods"');
    await cluster.kubectl(['create', 'clusterrolebinding', 'readers', '--clusterrole=view', '--group=readers']);
    await until('the role', async () => (await asReader('get', 'pods')).code === 0, { timeout: 10_000 });
    expect((await asReader('delete', 'pod', 'plain')).code).not.toBe(0);
  });

  it('writes every request to the audit log when asked to', () => {
    const [line = ''] = readFileSync(join(dir, 'logs', 'audit.log'), 'utf8').split('\n');
    expect(JSON.parse(line)).toMatchObject({ kind: 'Event', level: 'Metadata' });
  });

  it('reports a component that crashed, with the end of its log, and leaves no process behind', async () => {
    const scheduler = (await status(dir)).components.find(({ name }) => name === 'kube-scheduler');
    process.kill(scheduler?.pid ?? 0, 'SIGKILL');
    const seen = await until(
      'the crash',
      async () => {
        const now = await status(dir);
        return now.state === 'partial' ? now : undefined;
      },
      { timeout: 10_000 },
    );
    expect(seen.components.filter(({ running }) => !running)).toMatchObject([
      { name: 'kube-scheduler', logEnd: expect.stringMatching(/\S/) },
    ]);
    await expect(up({ dir, nodes: 'kwok=3' })).rejects.toThrow(
      /kube-scheduler \(pid \d+\) has ended; the end of .*kube-scheduler.log/,
    );

    await cluster.down();
    expect(spawnSync('pgrep', ['-f', dir], { encoding: 'utf8' }).stdout).toBe('');
    expect((await status(dir)).state).toBe('down');
    expect(readdirSync(dir)).toEqual(['logs']);
    expect(existsSync(join(dir, 'kubeconfig'))).toBe(false);
  });

  it('says what it is doing', () => {
    expect(lines).toContainEqual(expect.stringMatching(/^control plane ready after \d/));
    expect(lines).toContainEqual(expect.stringMatching(/^cluster up after \d/));
  });
});
