import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Authority } from './certificates.ts';
import { startControlPlane, waitForServiceAccounts } from './control-plane.ts';
import { ensureDebianLayer } from './debian-programs.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { startKwok } from './kwok.ts';
import { claimNetwork } from './network.ts';
import { type ClusterOptions, defaultDir, parseNodes } from './options.ts';
import { assertRunning, isRunning } from './processes.ts';
import { installPackages, realNodePossible, startRealNodes } from './real-node.ts';
import { type CommandResult, run, until } from './run.ts';
import { Session } from './session.ts';
import { type ClusterState, readState } from './state.ts';
import { down, readNodes } from './status.ts';
import { ensureToolchain } from './toolchain.ts';

export type { ClusterOptions } from './options.ts';
export { realNodePossible } from './real-node.ts';
export { type ClusterStatus, type ComponentStatus, down, type NodeStatus, status } from './status.ts';

export interface LocalCluster {
  readonly dir: string;
  /** The administrator's kubeconfig. */
  readonly kubeconfig: string;
  readonly server: string;
  readonly kubectlPath: string;
  /** Never throws: the exit code says how it went. */
  kubectl(args: readonly string[], options?: { input?: string }): Promise<CommandResult>;
  /** A kubeconfig file for another user: a client certificate with CN=user and O=groups, written below `dir`. */
  userKubeconfig(user: string, groups: readonly string[]): Promise<string>;
  down(): Promise<void>;
}

/** Brings a cluster up and returns when its nodes are Ready. A cluster that is up already is returned as it is. */
export async function up(options: ClusterOptions = {}): Promise<LocalCluster> {
  const dir = resolve(options.dir ?? defaultDir);
  const wanted = options.nodes ?? 'kwok=3';
  const counts = parseNodes(wanted);
  const say = options.onProgress ?? (() => {});

  const before = readState(dir);
  if (before !== undefined) {
    if (before.complete && before.processes.every(isRunning)) {
      if (before.nodes !== wanted) {
        throw new Error(
          `the cluster in ${dir} is up with --nodes ${before.nodes}; take it down to change that to ${wanted}`,
        );
      }
      say(`the cluster in ${dir} is already up`);
      return handle(dir, before);
    }
    if (before.complete && before.processes.some(isRunning)) {
      assertRunning(before.processes); // a component crashed: say which, and leave the rest for a look
    }
    if (!before.complete && before.starter.pid !== process.pid && isRunning(before.starter)) {
      throw new Error(`another process (pid ${before.starter.pid}) is starting the cluster in ${dir}`);
    }
    say('cleaning up after a cluster that was not taken down');
    await down(dir);
  }

  if (counts.real > 0) {
    const { possible, why } = realNodePossible();
    if (!possible) throw new Error(`--nodes ${wanted}: ${why}`);
    await installPackages(say);
  }
  if (options.programs === 'debian') await ensureDebianLayer(say);
  const tools = await ensureToolchain(say);
  const began = Date.now();
  for (const part of ['pki', 'config', 'logs']) rmSync(join(dir, part), { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  const session = new Session(dir, tools, wanted);
  try {
    const authority = await Authority.open(join(dir, 'pki'));
    const network = counts.real > 0 ? await claimNetwork(session) : undefined;
    const api = await startControlPlane(session, {
      authority,
      address: network?.address ?? '127.0.0.1',
      serviceCidr: network?.serviceCidr ?? '10.96.0.0/16',
      endpoints: network !== undefined,
      audit: options.audit ?? false,
      emulate: options.emulate,
      nodeMonitorGraceSeconds: options.nodeMonitorGraceSeconds,
    });
    say(`control plane ready after ${seconds(began)}`);
    if (counts.kwok > 0) await startKwok(session, authority, api, counts.kwok);
    if (network !== undefined) await startRealNodes(session, authority, network, counts.real, options);
    await waitForServiceAccounts(session, api);
    await until(
      'every node to be Ready',
      async () => {
        assertRunning(session.processes);
        const nodes = await readNodes(api);
        return nodes !== undefined && nodes.length === counts.kwok + counts.real && nodes.every((node) => node.ready);
      },
      { timeout: 120_000, interval: 100 },
    );
    api.close();
    session.update({ complete: true });
    say(`cluster up after ${seconds(began)}: KUBECONFIG=${join(dir, 'kubeconfig')}`);
    return handle(dir, session.state);
  } catch (error) {
    await down(dir);
    throw error;
  }
}

const seconds = (since: number): string => `${((Date.now() - since) / 1000).toFixed(1)} s`;

function handle(dir: string, state: ClusterState): LocalCluster {
  const kubeconfig = join(dir, 'kubeconfig');
  return {
    dir,
    kubeconfig,
    server: state.server,
    kubectlPath: state.kubectl,
    kubectl: (args, options) =>
      run(state.kubectl, args, {
        env: { ...process.env, KUBECONFIG: kubeconfig },
        timeout: 300_000,
        ...(options?.input === undefined ? {} : { input: options.input }),
      }),
    userKubeconfig: async (user, groups) => {
      const authority = await Authority.open(join(dir, 'pki'));
      const path = join(dir, 'config', `user-${user.replaceAll(/[^\w.-]/g, '-')}.kubeconfig`);
      return writeKubeconfig(path, authority, state.server, { user, groups });
    },
    down: () => down(dir),
  };
}
