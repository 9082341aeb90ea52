import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';

/** Undefined when all is well, or else what is wrong, in a few words. */
export type Check = () => string | undefined;

export interface HealthServerOptions {
  /** 0 takes any free port. */
  readonly port: number;
  /** Default: all addresses, as the kubelet's probes come from outside the pod. */
  readonly host?: string;
  /** By name. The process should be restarted when one of them fails. */
  readonly live: Readonly<Record<string, Check>>;
  /** By name. The process can do its work when none of them fails. */
  readonly ready: Readonly<Record<string, Check>>;
  readonly registry: Registry;
}

export interface HealthServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** Serves /livez, /readyz and /metrics. */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const server = createServer(async (request, response) => {
    const path = request.url?.split('?')[0];
    if (path === '/livez') answerChecks(response, options.live);
    else if (path === '/readyz') answerChecks(response, options.ready);
    else if (path === '/metrics') await answerMetrics(response, options.registry);
    else answer(response, 404, 'not found\n');
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : options.port,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** One line a check, as the Kubernetes components answer with `?verbose`. */
function answerChecks(response: ServerResponse, checks: Readonly<Record<string, Check>>): void {
  const problems = Object.entries(checks).map(([name, check]) => ({ name, problem: check() }));
  const healthy = problems.every(({ problem }) => problem === undefined);
  const lines = problems.map(({ name, problem }) =>
    problem === undefined ? `[+]${name} ok` : `[-]${name} ${problem}`,
  );
  answer(response, healthy ? 200 : 503, [...lines, healthy ? 'ok' : 'failed', ''].join('\n'));
}

async function answerMetrics(response: ServerResponse, registry: Registry): Promise<void> {
  try {
    answer(response, 200, await registry.metrics(), registry.contentType);
  } catch (error) {
    answer(response, 500, `${error instanceof Error ? error.message : error}\n`);
  }
}

function answer(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type }).end(text);
}
