/** Traefik before the services of a test: built, started with the file and stopped after it. */
import { request } from 'node:http';
import { afterAll, beforeAll } from 'vitest';
import type { LocalCluster } from '../../dev/cluster/index.ts';
import {
  GATEWAY_CONTROLLER,
  gatewayKinds,
  INGRESS_CONTROLLER,
  startTraefik,
  type Traefik,
  type TraefikProgram,
  traefikProgram,
} from '../../dev/gateway/index.ts';
import type { TestNamespace } from './suite.ts';

const say = (line: string): boolean => process.stderr.write(`${line}\n`);

/** Builds Traefik where it is missing; `why` says what keeps it from being built. */
export const ensureTraefik = (): Promise<TraefikProgram> => traefikProgram(say);

/** @throws Error with kubectl's words where it fails. */
async function apply(cluster: LocalCluster, ...objects: object[]): Promise<void> {
  const list = { apiVersion: 'v1', kind: 'List', items: objects };
  const { code, stderr } = await cluster.kubectl(['apply', '--filename=-'], { input: JSON.stringify(list) });
  if (code !== 0) throw new Error(`kubectl apply: ${stderr}`);
}

/** Gateway API's kinds; returns once they are served. */
export async function installGatewayKinds(cluster: LocalCluster): Promise<void> {
  const folder = await gatewayKinds();
  for (const args of [
    ['apply', '--server-side', '-f', folder],
    ['wait', '--for=condition=Established', '--timeout=120s', '-f', folder],
  ]) {
    const { code, stderr } = await cluster.kubectl(args);
    if (code !== 0) throw new Error(`kubectl ${args[0]} of Gateway API's kinds: ${stderr}`);
  }
}

export const GATEWAY_CLASS = 'traefik';
export const INGRESS_CLASS = 'traefik-ingress';

export const applyClasses = (cluster: LocalCluster): Promise<void> =>
  apply(
    cluster,
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'GatewayClass',
      metadata: { name: GATEWAY_CLASS },
      spec: { controllerName: GATEWAY_CONTROLLER },
    },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name: INGRESS_CLASS },
      spec: { controller: INGRESS_CONTROLLER },
    },
  );

/** Applies objects of any kinds, in the namespace where they are of one. */
export async function applyObjects(ns: TestNamespace, ...items: object[]): Promise<void> {
  await ns.kubectl(['apply', '--filename=-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
}

/** A Gateway whose listener takes routes of its own namespace. */
export const gateway = (name: string, { port }: Pick<Traefik, 'port'>): object => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'Gateway',
  metadata: { name },
  spec: { gatewayClassName: GATEWAY_CLASS, listeners: [{ name: 'web', protocol: 'HTTP', port }] },
});

/** Starts Traefik with Gateway API before the file's tests and stops it after them. */
export function useTraefik(program: TraefikProgram, cluster: () => LocalCluster): () => Traefik {
  let traefik: Traefik | undefined;
  beforeAll(async () => {
    if ('why' in program) return;
    await installGatewayKinds(cluster());
    await applyClasses(cluster());
    traefik = await startTraefik(program.path, cluster(), { gatewayApi: true });
  });
  afterAll(async () => {
    await traefik?.stop();
  });
  return () => {
    if (traefik === undefined) throw new Error('Traefik does not run');
    return traefik;
  };
}

export interface Answer {
  readonly status: number;
  /** The task that answered: header X-Task of the traffic server. */
  readonly task: string | undefined;
}

/** One request, on a connection of its own. */
export function get(
  { host, port }: Traefik,
  hostHeader: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const call = request({ host, port, path, agent: false, headers: { ...headers, host: hostHeader } });
  call.on('error', reject);
  call.on('response', (response) => {
    const task = response.headers['x-task'];
    response.resume();
    response.on('error', reject);
    response.on('end', () => {
      resolve({ status: response.statusCode ?? 0, task: typeof task === 'string' ? task : undefined });
    });
  });
  call.end();
  return promise;
}
