/** What the kubelet and Prometheus get, over real HTTP. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Controller } from '../../../src/kube/controller.ts';
import { silentLogger } from '../../../src/kube/logger.ts';
import { eventLoopCheck } from '../../../src/telemetry/event-loop.ts';
import { type HealthServer, startHealthServer } from '../../../src/telemetry/http.ts';
import { Metrics } from '../../../src/telemetry/metrics.ts';

let metrics: Metrics;
let server: HealthServer;
let live: string | undefined;
let ready: string | undefined;

beforeEach(async () => {
  live = undefined;
  ready = 'waiting for pods';
  metrics = new Metrics({ version: '1.2.3', processMetrics: false });
  server = await startHealthServer({
    port: 0,
    host: '127.0.0.1',
    live: { watches: () => live },
    ready: { caches: () => ready },
    registry: metrics.registry,
  });
});
afterEach(() => server.stop());

async function get(path: string): Promise<{ status: number; text: string; type: string | null }> {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
  return { status: response.status, text: await response.text(), type: response.headers.get('content-type') };
}

/** The samples, without their buckets. */
async function samples(): Promise<Record<string, number>> {
  const { text } = await get('/metrics');
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#') && !line.includes('_bucket{'));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

test('/readyz is 503 and says what it waits for until the caches are synced', async () => {
  expect(await get('/readyz')).toMatchObject({ status: 503, text: '[-]caches waiting for pods\nfailed\n' });
  ready = undefined;
  expect(await get('/readyz?verbose')).toMatchObject({ status: 200, text: '[+]caches ok\nok\n' });
});

test('/livez says which check fails', async () => {
  expect(await get('/livez')).toMatchObject({ status: 200 });
  live = 'nothing heard from pods';
  expect(await get('/livez')).toMatchObject({ status: 503, text: '[-]watches nothing heard from pods\nfailed\n' });
});

test('what is not served is 404', async () => {
  expect(await get('/')).toMatchObject({ status: 404 });
});

test('an event loop that stood still is not live until it has turned in time again', async () => {
  const { check, stop } = eventLoopCheck(200, 20);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(check()).toBeUndefined();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  expect(check()).toMatch(/^the event loop was 0\.\d s late$/);
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(check(), 'the first turn after it was the late one').toBeDefined();
  while (check() !== undefined) await new Promise((resolve) => setTimeout(resolve, 20));
  stop();
});

test('a controller’s metrics have the names and labels of controller-runtime and client-go', async () => {
  const stop = new AbortController();
  const held = Promise.withResolvers<void>();
  let calls = 0;
  const controller = new Controller({
    name: 'service',
    workers: 2,
    logger: silentLogger,
    metrics,
    reconcile: async () => {
      calls += 1;
      if (calls === 1) throw new Error('once');
      if (calls === 2) return { requeueAfterMs: 60_000 };
      await held.promise;
    },
  });
  const running = controller.run(stop.signal, ['a/1', 'a/2']);
  // The third call is the first key's second: it is held.
  while (calls < 3) await new Promise((resolve) => setTimeout(resolve, 5));
  controller.enqueue('a/1');
  expect(await samples()).toMatchObject({
    [`longshore_build_info{version="1.2.3",node_version="${process.version}"}`]: 1,
    'workqueue_depth{name="service"}': 0,
    'workqueue_adds_total{name="service"}': 4,
    'workqueue_retries_total{name="service"}': 2,
    'workqueue_queue_duration_seconds_count{name="service"}': 3,
    'workqueue_work_duration_seconds_count{name="service"}': 2,
    'workqueue_unfinished_work_seconds{name="service"}': expect.closeTo(0, 0),
    'workqueue_longest_running_processor_seconds{name="service"}': expect.closeTo(0, 0),
    'controller_runtime_reconcile_total{controller="service",result="success"}': 0,
    'controller_runtime_reconcile_total{controller="service",result="requeue"}': 0,
    'controller_runtime_reconcile_total{controller="service",result="requeue_after"}': 1,
    'controller_runtime_reconcile_total{controller="service",result="error"}': 1,
    'controller_runtime_reconcile_errors_total{controller="service"}': 1,
    'controller_runtime_reconcile_time_seconds_count{controller="service"}': 2,
    'controller_runtime_active_workers{controller="service"}': 1,
    'controller_runtime_max_concurrent_reconciles{controller="service"}': 2,
  });
  stop.abort();
  held.resolve();
  await running;
});

test('requests, leadership, caches and events are told too', async () => {
  const onCall = metrics.requestsTo('https://10.0.0.1:6443/');
  onCall({ verb: 'create', method: 'POST', resource: 'pods', code: 201, seconds: 0.1 });
  onCall({ verb: 'watch', method: 'GET', resource: 'pods', code: 'ECONNRESET', seconds: 300 });
  metrics.leading('longshore', true);
  metrics.watch(
    () => [{ resource: 'pods', size: 7, lists: 2 }],
    () => 3,
  );
  metrics.restarts(() => ({ granted: 5, waiting: 2 }));
  expect(await samples()).toMatchObject({
    'rest_client_requests_total{code="201",method="POST",host="10.0.0.1:6443"}': 1,
    'rest_client_requests_total{code="<error>",method="GET",host="10.0.0.1:6443"}': 1,
    'rest_client_request_duration_seconds_count{verb="POST",host="10.0.0.1:6443"}': 1,
    'longshore_api_requests_total{verb="watch",resource="pods",code="ECONNRESET"}': 1,
    'leader_election_master_status{name="longshore"}': 1,
    'longshore_cache_objects{resource="pods"}': 7,
    'longshore_cache_lists_total{resource="pods"}': 2,
    longshore_events_dropped_total: 3,
    longshore_restarts_total: 5,
    longshore_restarts_waiting: 2,
  });
  expect((await get('/metrics')).type).toContain('text/plain');
  expect(Object.keys(await samples()).filter((name) => name.startsWith('rest_client_request_duration'))).toHaveLength(
    2,
  );
});
