/** Traefik before the services of a test: built, started with the file and stopped after it. */
import { request } from 'node:http';
import { connect } from 'node:http2';
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

/** Builds Traefik where it is missing; `why` says what keeps it, or Gateway API's kinds, from being there. */
export async function ensureTraefik(): Promise<TraefikProgram> {
  const program = await traefikProgram(say);
  if ('why' in program) return program;
  return gatewayKinds().then(
    () => program,
    (error: Error) => ({ why: `the module of Gateway API cannot be had: ${error.message}` }),
  );
}

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
  /** The service whose task answered (header X-Task of the traffic server). */
  readonly service: string | undefined;
  /** What the task was asked with: header X-Protocol. */
  readonly protocol: string | undefined;
  readonly text: string;
}

/** The name of a service's task is the service's, and what tells it from others. */
const answer = (status: number, headers: Readonly<Record<string, unknown>>, body: string): Answer => {
  const text = (name: string): string | undefined => {
    const value = headers[name];
    return typeof value === 'string' ? value : undefined;
  };
  return { status, service: text('x-task')?.replace(/-.*$/, ''), protocol: text('x-protocol'), text: body };
};

export interface Asked {
  readonly host: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One request, on a connection of its own. */
export function get({ host, port }: Traefik, asked: Asked): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const headers = { ...asked.headers, host: asked.host };
  const call = request({ host, port, path: asked.path ?? '/', agent: false, headers });
  call.on('error', reject);
  call.on('response', (response) => {
    let body = '';
    response.setEncoding('utf8').on('data', (part: string) => {
      body += part;
    });
    response.on('error', reject);
    response.on('end', () => resolve(answer(response.statusCode ?? 0, response.headers, body)));
  });
  call.end();
  return promise;
}

/** As {@link get}, with HTTP/2 from the first byte. */
export function getOverHttp2({ host, port }: Traefik, asked: Asked): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const session = connect(`http://${host}:${port}`);
  session.on('error', reject);
  const stream = session.request({ ...asked.headers, ':authority': asked.host, ':path': asked.path ?? '/' });
  stream.on('error', reject);
  let head: Readonly<Record<string, unknown>> = {};
  stream.on('response', (headers) => {
    head = headers;
  });
  let body = '';
  stream.setEncoding('utf8').on('data', (part: string) => {
    body += part;
  });
  stream.on('end', () => resolve(answer(Number(head[':status']), head, body)));
  stream.end();
  return promise.finally(() => session.close());
}
