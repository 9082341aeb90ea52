/** Traefik as a real Gateway API and Ingress controller for the local cluster, as a process of this machine. */
import { join } from 'node:path';
import { ensureGoPrograms, GoUnavailableError } from '../cluster/go-programs.ts';
import type { LocalCluster } from '../cluster/index.ts';
import { freePort } from '../cluster/ports.ts';
import { assertRunning, startProcess, stopProcesses } from '../cluster/processes.ts';
import { mustRun, until } from '../cluster/run.ts';
import { readState, writeState } from '../cluster/state.ts';

const moduleDir = import.meta.dirname;

/** What Traefik calls itself in a GatewayClass and in an IngressClass. */
export const GATEWAY_CONTROLLER = 'traefik.io/gateway-controller';
export const INGRESS_CONTROLLER = 'traefik.io/ingress-controller';

/** Where Traefik is, or why it cannot be built here. */
export type TraefikProgram = { readonly path: string } | { readonly why: string };

/** Traefik, built when it is not in the cache: about 4 minutes on two cores. */
export async function traefikProgram(onProgress: (line: string) => void): Promise<TraefikProgram> {
  const source = { moduleDir, what: 'Traefik', minutes: 4, files: ['traefik'], flags: [] };
  try {
    return { path: join(await ensureGoPrograms(source, onProgress), 'traefik') };
  } catch (error) {
    if (error instanceof GoUnavailableError) return { why: error.message };
    throw error;
  }
}

/** The folder of Gateway API's definitions (standard channel), in the version that this Traefik is made for. */
export async function gatewayKinds(): Promise<string> {
  const told = await mustRun('go', ['mod', 'download', '-json', 'sigs.k8s.io/gateway-api'], {
    cwd: moduleDir,
    env: { ...process.env, GOFLAGS: '-mod=readonly', GOWORK: 'off' },
    timeout: 300_000,
  });
  return join((JSON.parse(told) as { Dir: string }).Dir, 'config', 'crd', 'standard');
}

export interface Traefik {
  /** The address of the API server: loopback, or with real nodes that of this machine in their network. */
  readonly host: string;
  /** Listeners of Gateways must have it. */
  readonly port: number;
  readonly log: string;
  stop(): Promise<void>;
}

/** Starts it as the controller of Ingresses, and of Gateways if their kinds are installed; `down` of the cluster stops it too. */
export async function startTraefik(
  program: string,
  cluster: LocalCluster,
  options: { readonly gatewayApi: boolean },
): Promise<Traefik> {
  const host = new URL(cluster.server).hostname;
  const port = await freePort(host);
  const ping = await freePort('127.0.0.1');
  const log = join(cluster.dir, 'logs', `traefik-${port}.log`);
  const record = startProcess({
    name: 'traefik',
    program,
    log,
    env: { ...process.env, KUBECONFIG: cluster.kubeconfig },
    args: [
      '--global.checknewversion=false',
      '--global.sendanonymoususage=false',
      `--entrypoints.web.address=${host}:${port}`,
      `--entrypoints.ping.address=127.0.0.1:${ping}`,
      '--ping.entrypoint=ping',
      '--providers.providersthrottleduration=100ms',
      '--providers.kubernetesingress=true',
      // As Ingress means Prefix: Traefik by itself takes /api for a prefix of /apis.
      '--providers.kubernetesingress.strictprefixmatching=true',
      ...(options.gatewayApi
        ? ['--providers.kubernetesgateway=true', `--providers.kubernetesgateway.statusaddress.ip=${host}`]
        : []),
    ],
  });
  const state = readState(cluster.dir);
  if (state !== undefined) writeState(cluster.dir, { ...state, processes: [...state.processes, record] });
  const stop = async (): Promise<void> => {
    await stopProcesses([record], 10_000);
    const now = readState(cluster.dir);
    if (now === undefined) return;
    writeState(cluster.dir, { ...now, processes: now.processes.filter(({ pid }) => pid !== record.pid) });
  };
  try {
    await until(
      'Traefik to listen',
      async () => {
        assertRunning([record]);
        const answer = await fetch(`http://127.0.0.1:${ping}/ping`).catch(() => undefined);
        return answer?.ok;
      },
      { timeout: 120_000 },
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { host, port, log, stop };
}
