import { existsSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ApiClient } from './api.ts';
import { defaultDir } from './options.ts';
import { isRunning, logEnd, stopProcesses } from './processes.ts';
import { releaseNodes, stopContainers } from './real-node-end.ts';
import { type ClusterState, type ProcessRecord, readState, removeState } from './state.ts';

export interface ComponentStatus {
  readonly name: string;
  readonly pid: number;
  readonly running: boolean;
  readonly log: string;
  /** The end of the log of a component that is not running. */
  readonly logEnd?: string;
}

export interface NodeStatus {
  readonly name: string;
  readonly kind: 'kwok' | 'real';
  readonly ready: boolean;
}

export interface ClusterStatus {
  readonly dir: string;
  /** `partial`: some component is not running. */
  readonly state: 'up' | 'partial' | 'down';
  readonly server?: string;
  readonly components: readonly ComponentStatus[];
  readonly nodes: readonly NodeStatus[];
}

export async function status(dir: string = defaultDir): Promise<ClusterStatus> {
  const path = resolve(dir);
  const state = readState(path);
  if (state === undefined) return { dir: path, state: 'down', components: [], nodes: [] };
  const components = state.processes.map((record): ComponentStatus => {
    const running = isRunning(record);
    const { name, pid, log } = record;
    return { name, pid, running, log, ...(running ? {} : { logEnd: logEnd(log) }) };
  });
  const alive = components.filter((component) => component.running).length;
  const nodes = alive > 0 ? await nodesOf(path) : [];
  const whole = state.complete && alive === components.length;
  return { dir: path, state: alive === 0 ? 'down' : whole ? 'up' : 'partial', server: state.server, components, nodes };
}

async function nodesOf(dir: string): Promise<readonly NodeStatus[]> {
  if (!existsSync(join(dir, 'kubeconfig'))) return [];
  const api = new ApiClient(join(dir, 'kubeconfig'));
  try {
    return (await readNodes(api)) ?? [];
  } finally {
    api.close();
  }
}

/** The cluster's nodes, or undefined when the API server does not answer. */
export async function readNodes(api: ApiClient): Promise<NodeStatus[] | undefined> {
  const answer = await api.call('GET', '/api/v1/nodes');
  if (answer.status !== 200) return undefined;
  const list = JSON.parse(answer.body) as {
    items: {
      metadata: { name: string; labels?: Record<string, string> };
      spec: { taints?: { key: string }[] };
      status: { conditions?: { type: string; status: string }[] };
    }[];
  };
  return list.items.map((node) => ({
    name: node.metadata.name,
    kind: node.metadata.labels?.['longshore.dev/node'] === 'kwok' ? 'kwok' : 'real',
    // A node is Ready a moment before the controller manager takes its start-up taint away and pods can go there.
    ready:
      (node.status.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True') &&
      !(node.spec.taints ?? []).some(({ key }) => key === 'node.kubernetes.io/not-ready'),
  }));
}

/**
 * Takes the cluster of `dir` down, whole or half-made: no process, mount, network namespace or interface of it is left.
 * The logs stay, in `<dir>/logs`, until the next `up`.
 */
export async function down(dir: string = defaultDir): Promise<void> {
  const path = resolve(dir);
  const state = readState(path);
  if (state === undefined) return;
  // The API server before etcd, or it waits a minute for it; the kubelets before their containers, or they restart them.
  const named = (wanted: (record: ProcessRecord) => boolean) => state.processes.filter(wanted);
  const is =
    (...names: string[]) =>
    (record: ProcessRecord) =>
      names.includes(record.name);
  const isContainerd = (record: ProcessRecord) => record.name.startsWith('containerd');
  const controlPlane = is('etcd', 'kube-apiserver');
  const serves = is('registry');
  await stopProcesses(
    named((record) => !controlPlane(record) && !isContainerd(record) && !serves(record)),
    3_000,
  );
  await stopContainers(state, named(isContainerd));
  await stopProcesses(named(is('kube-apiserver')), 5_000);
  await stopProcesses(named(is('etcd', 'registry')), 5_000);
  await releaseNodes(state);
  forget(path, state);
}

function forget(dir: string, state: ClusterState): void {
  for (const part of ['etcd', 'pki', 'config', 'kubeconfig']) rmSync(join(dir, part), { recursive: true, force: true });
  for (const node of state.real?.nodes ?? []) rmSync(node.dir, { recursive: true, force: true });
  removeState(dir);
}
