import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { createOperator } from './controllers/operator.ts';
import { KubeClient } from './kube/client.ts';
import { loadConnection } from './kube/connection.ts';
import { EventRecorder } from './kube/event-recorder.ts';
import { LeaderElector } from './kube/leader-election.ts';
import { parseOptions } from './options.ts';
import { startHealthServer } from './telemetry/http.ts';
import { createLogger } from './telemetry/logger.ts';
import { Metrics } from './telemetry/metrics.ts';

const options = parseOptions(process.argv);
const logger = createLogger({ level: options.logLevel });
const metrics = new Metrics();
const identity = `${hostname()}_${randomUUID()}`;
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

const connection = await loadConnection(options);
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
const health = await startHealthServer({ port: options.healthPort, live: {}, ready, registry: metrics.registry });
logger.info(
  { server: connection.server, namespace: options.namespace ?? 'all', healthPort: health.port },
  'longshore starts',
);

if (options.leaderElect) {
  const leaseClient = new KubeClient(connection, { userAgent: 'longshore-lease', logger, maxConnections: 1 });
  elector = new LeaderElector({
    client: leaseClient,
    namespace: options.leaseNamespace ?? connection.namespace,
    name: 'longshore',
    identity,
    logger,
    onStartedLeading: async (signal) => {
      leading = true;
      metrics.leading(true);
      await operator.run(signal);
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
