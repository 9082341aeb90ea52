import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { batchJobs, services, taskDefinitions } from './api/meta.ts';
import { createOperator } from './controllers/operator.ts';
import { KubeClient } from './kube/client.ts';
import { loadConnection } from './kube/connection.ts';
import { isNotFound } from './kube/errors.ts';
import { EventRecorder } from './kube/event-recorder.ts';
import { LeaderElector } from './kube/leader-election.ts';
import type { Options } from './options.ts';
import { StartError } from './start-error.ts';
import { startHealthServer } from './telemetry/http.ts';
import { createLogger, type Logger } from './telemetry/logger.ts';
import { Metrics } from './telemetry/metrics.ts';

/**
 * Runs the operator until the signal aborts, or until it loses its lease.
 * @throws StartError where it cannot begin.
 */
export async function runOperator(options: Options, signal: AbortSignal): Promise<void> {
  const logger = createLogger({ level: options.logLevel });
  const metrics = new Metrics();
  const identity = `${hostname()}_${randomUUID()}`;
  const stop = new AbortController();
  signal.addEventListener('abort', () => stop.abort(), { once: true });

  const connection = await loadConnection(options).catch((error: unknown) => {
    throw StartError.connection(error);
  });
  let elector: LeaderElector | undefined;
  const mayWrite = (): boolean => elector?.isLeader() ?? true;
  const client = new KubeClient(connection, { userAgent: 'longshore', logger, onCall: metrics.apiCall, mayWrite });
  const events = new EventRecorder({
    client,
    reportingController: 'longshore.dev/operator',
    reportingInstance: identity,
    logger,
  });
  const operator = createOperator({
    client,
    events,
    logger,
    metrics,
    workers: options.workers,
    ...(options.namespace !== undefined && { namespace: options.namespace }),
  });

  const unsynced = (): string | undefined => {
    const names = operator.unsynced();
    return names.length === 0 ? undefined : `waiting for ${names.join(', ')}`;
  };
  let leading = !options.leaderElect;
  const ready = { caches: () => (leading ? unsynced() : undefined) };
  const health = await startHealthServer({
    port: options.healthPort,
    live: {},
    ready,
    registry: metrics.registry,
  }).catch((error: unknown) => {
    throw StartError.healthPort(options.healthPort, error);
  });
  logger.info(
    { server: connection.server, namespace: options.namespace ?? 'all', healthPort: health.port },
    'longshore starts',
  );

  await kindsInstalled(client, logger, options.namespace, stop.signal);

  if (options.leaderElect) {
    const leaseClient = new KubeClient(connection, { userAgent: 'longshore-lease', logger, maxConnections: 1 });
    elector = new LeaderElector({
      client: leaseClient,
      namespace: options.leaseNamespace ?? connection.namespace,
      name: 'longshore',
      identity,
      logger,
      onStartedLeading: async (leads) => {
        leading = true;
        metrics.leading(true);
        await operator.run(leads);
      },
      onStoppedLeading: () => {
        metrics.leading(false);
        // A new leader may be at work: a fresh process starts from fresh caches.
        stop.abort();
      },
    });
    await elector.run(stop.signal);
    await leaseClient.close();
  } else {
    metrics.leading(true);
    await operator.run(stop.signal);
  }

  await events.flush();
  await health.stop();
  await client.close();
  logger.info({}, 'longshore has stopped');
}

/** Waits for the CRDs, saying so once: an operator may be there before them. */
async function kindsInstalled(
  client: KubeClient,
  logger: Logger,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const at = namespace === undefined ? {} : { namespace };
  for (let said = false; !signal.aborted; said = true) {
    const answers = await Promise.allSettled(
      [taskDefinitions, services, batchJobs].map((kind) => client.list(kind, at, { limit: 1 }, { signal })),
    );
    if (!answers.some((answer) => answer.status === 'rejected' && isNotFound(answer.reason))) return;
    if (!said)
      logger.warn({}, "Longshore's kinds are not installed in this cluster: waiting for `kubectl apply -f crds`");
    await setTimeout(2000, undefined, { signal }).catch(() => {});
  }
}
