import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { batchJobs, clusters, services, taskDefinitions, tasks } from './api/meta.ts';
import { type CacheState, createOperator } from './controllers/operator.ts';
import { KubeClient } from './kube/client.ts';
import { loadConnection } from './kube/connection.ts';
import { isNotFound } from './kube/errors.ts';
import { EventRecorder } from './kube/event-recorder.ts';
import { LeaderElector } from './kube/leader-election.ts';
import type { Options } from './options.ts';
import { StartError } from './start-error.ts';
import { eventLoopCheck } from './telemetry/event-loop.ts';
import { startHealthServer } from './telemetry/http.ts';
import { createLogger, type Logger } from './telemetry/logger.ts';
import { Metrics } from './telemetry/metrics.ts';
import { version } from './version.ts';

/** A reconcile under way may go on writing for this long once the process is asked to end: a handover waits for it. */
const LAST_WRITES_MS = 1_000;
/** A watch hears of the server every minute, or tries to. */
const WATCH_DEAD_MS = 5 * 60_000;

/**
 * Runs the operator until the signal aborts. Its caches are kept up to date from the start; it reconciles while it
 * leads.
 * @throws StartError where it cannot begin; LeadershipLostError when it lost its lease.
 */
export async function runOperator(options: Options, signal: AbortSignal): Promise<void> {
  const logger = createLogger({ level: options.logLevel });
  const metrics = new Metrics({ version });
  const identity = `${hostname()}_${randomUUID()}`;
  const connection = await loadConnection({ ...options, logger }).catch((error: unknown) => {
    throw StartError.connection(error);
  });
  const onCall = metrics.requestsTo(connection.server);

  let writesEnded = false;
  const mayWrite = (): boolean => !writesEnded && (!options.leaderElect || elector.isLeader());
  const client = new KubeClient(connection, { userAgent: 'longshore', logger, onCall, mayWrite });
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
    binpackScheduler: options.binpackScheduler,
    defaultPolicy: options.defaultPolicy,
    cacheSyncTimeoutMs: options.cacheSyncTimeout,
    restarts: { perSecond: options.restartsPerSecond, burst: options.restartBurst },
    ...(options.namespace !== undefined && { namespace: options.namespace }),
  });
  metrics.restarts(operator.restarts);
  metrics.watch(operator.caches, () => events.dropped);

  const lease = options.leaderElectResourceName;
  metrics.leading(lease, false);
  const lead = async (leads: AbortSignal): Promise<void> => {
    metrics.leading(lease, true);
    let late: NodeJS.Timeout | undefined;
    leads.addEventListener('abort', () => {
      late = setTimeout(() => {
        writesEnded = true;
      }, LAST_WRITES_MS);
    });
    await operator.reconcile(leads);
    clearTimeout(late);
    writesEnded = false;
    await events.flush(LAST_WRITES_MS);
    metrics.leading(lease, false);
  };
  const leaseClient = new KubeClient(connection, { userAgent: 'longshore-lease', logger, onCall, maxConnections: 1 });
  const elector = new LeaderElector({
    client: leaseClient,
    namespace: options.leaderElectResourceNamespace ?? connection.namespace,
    name: lease,
    identity,
    lead,
    logger,
    timings: {
      leaseDurationMs: options.leaderElectLeaseDuration,
      renewDeadlineMs: options.leaderElectRenewDeadline,
      retryPeriodMs: options.leaderElectRetryPeriod,
    },
  });

  const eventLoop = eventLoopCheck();
  const health = await startHealthServer({
    port: options.healthPort,
    live: {
      'event-loop': eventLoop.check,
      watches: () => deadWatches(operator.caches()),
    },
    ready: {
      caches: () => incompleteCaches(operator.caches()),
      ...(options.leaderElect && { lease: () => elector.missingRight }),
    },
    registry: metrics.registry,
  }).catch((error: unknown) => {
    throw StartError.healthPort(options.healthPort, error);
  });
  logger.info(
    { version, server: connection.server, namespace: options.namespace ?? 'all', healthPort: health.port },
    'longshore starts',
  );

  const ended = new AbortController();
  signal.addEventListener('abort', () => ended.abort(), { once: true });
  try {
    await kindsInstalled(client, logger, options.namespace, signal);
    const watching = operator.watch(ended.signal);
    await (options.leaderElect ? elector.run(signal) : lead(signal));
    ended.abort();
    await watching;
  } finally {
    ended.abort();
    eventLoop.stop();
    await Promise.all([health.stop(), client.close(), leaseClient.close()]);
    logger.info({}, 'longshore has stopped');
  }
}

function deadWatches(caches: readonly CacheState[]): string | undefined {
  const dead = caches.filter(({ silentMs }) => silentMs > WATCH_DEAD_MS).map(({ resource }) => resource);
  return dead.length === 0 ? undefined : `nothing heard from ${dead.join(', ')}`;
}

/** A watch that fails for a while leaves its cache usable; one that is not allowed any more does not. */
function incompleteCaches(caches: readonly CacheState[]): string | undefined {
  const waiting = caches
    .filter(({ synced, problem, optional }) => !optional && (!synced || problem?.forbidden))
    .map(({ resource, problem }) => (problem === undefined ? resource : `${resource} (${problem.message})`));
  return waiting.length === 0 ? undefined : `waiting for ${waiting.join(', ')}`;
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
      [taskDefinitions, services, batchJobs, tasks, clusters].map((kind) =>
        client.list(kind, at, { limit: 1 }, { signal }),
      ),
    );
    if (!answers.some((answer) => answer.status === 'rejected' && isNotFound(answer.reason))) return;
    if (!said)
      logger.warn({}, "Longshore's kinds are not installed in this cluster: waiting for `kubectl apply -f crds`");
    await delay(2000, undefined, { signal }).catch(() => {});
  }
}
