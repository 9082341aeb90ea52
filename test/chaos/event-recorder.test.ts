import { afterEach, beforeEach, expect, test } from 'vitest';
import { KubeClient } from '../../src/kube/client.ts';
import { type EventRecord, EventRecorder } from '../../src/kube/event-recorder.ts';
import { silentLogger } from '../../src/kube/logger.ts';
import { FakeServer, respond, status } from './fake-server.ts';

let server: FakeServer;
let client: KubeClient;
let recorder: EventRecorder;
let errors: string[];

beforeEach(async () => {
  server = await FakeServer.start();
  client = new KubeClient(server.connection());
  recorder = new EventRecorder({
    client,
    reportingController: 'longshore.dev/operator',
    reportingInstance: 'operator-0',
    logger: { ...silentLogger, error: (_fields, message) => errors.push(message) },
  });
  errors = [];
});
afterEach(async () => {
  await client.close();
  await server.stop();
});

function event(note: string, name = 'web'): EventRecord {
  const regarding = {
    apiVersion: 'longshore.dev/v1alpha1',
    kind: 'Service',
    namespace: 'shop',
    name,
    uid: `uid-${name}`,
  };
  return { regarding, type: 'Normal', reason: 'Started', action: 'StartTask', note };
}

const written = () => server.requests.map(({ method, body }) => ({ method, ...JSON.parse(body) }));

test('an event is written in the background, in the namespace of its object', async () => {
  recorder.record(event('has started 1 task'));
  expect(server.requests).toHaveLength(0);
  await server.until(() => server.requests.length === 1);
  expect(server.requests[0]?.path).toBe('/apis/events.k8s.io/v1/namespaces/shop/events');
  expect(written()[0]).toMatchObject({
    metadata: { name: expect.stringMatching(/^web\.[0-9a-f]{16}$/) },
    eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
    regarding: { kind: 'Service', name: 'web' },
    type: 'Normal',
    reason: 'Started',
    action: 'StartTask',
    note: 'has started 1 task',
    reportingController: 'longshore.dev/operator',
    reportingInstance: 'operator-0',
  });
});

test('repeats become the count of one series', async () => {
  recorder.record(event('again'));
  await server.until(() => server.requests.length === 1);
  for (let repeat = 0; repeat < 9; repeat += 1) recorder.record(event('again'));
  await recorder.flush();
  expect(written()).toMatchObject([{ method: 'POST' }, { method: 'PATCH', series: { count: 10 } }]);
});

test('one object may have 25 new events, others are not held up by it', async () => {
  for (let count = 0; count < 100; count += 1) recorder.record(event(`number ${count}`));
  recorder.record(event('other', 'api'));
  await recorder.flush();
  expect(written().filter(({ regarding }) => regarding.name === 'web')).toHaveLength(25);
  expect(written().filter(({ regarding }) => regarding.name === 'api')).toHaveLength(1);
  expect(recorder.dropped).toBe(75);
});

test('five events are written at once, the next ones at five a second', async () => {
  const recorded = performance.now();
  for (let count = 0; count < 7; count += 1) recorder.record(event(`number ${count}`));
  await server.until(() => server.requests.length === 7);
  expect(performance.now() - recorded).toBeGreaterThanOrEqual(395);
});

test('events that are not allowed are said once, not those of a namespace that is being deleted', async () => {
  const causes = [{ reason: 'NamespaceTerminating' }];
  const refusals = [status(403, 'Forbidden', 'terminating', { causes }), status(403, 'Forbidden', 'no')];
  server.inject(
    () => true,
    (_request, response) => respond(response, 403, (refusals.shift() ?? status(403, 'Forbidden', 'no')).body),
    3,
  );
  for (const note of ['one', 'two', 'three', 'four']) {
    recorder.record(event(note));
    await recorder.flush();
  }
  expect(errors).toEqual(['not allowed to create events.events.k8s.io in namespace shop; the API server says: no']);
});

test('an event the server refuses is let go, a series that expired starts anew', async () => {
  const refused = status(403, 'Forbidden', 'no');
  server.inject(
    () => true,
    (_request, response) => respond(response, 403, refused.body),
  );
  recorder.record(event('refused'));
  await recorder.flush();
  recorder.record(event('again'));
  await recorder.flush();
  const name = written().at(-1)?.metadata.name;
  server.remove('/apis/events.k8s.io/v1/events', { namespace: 'shop', name });
  recorder.record(event('again'));
  await recorder.flush();
  recorder.record(event('again'));
  await recorder.flush();
  expect(written().map(({ method }) => method)).toEqual(['POST', 'POST', 'PATCH', 'POST']);
});

test('a note longer than the API allows is cut', async () => {
  recorder.record(event('x'.repeat(3000)));
  await recorder.flush();
  expect(written()[0]?.note).toHaveLength(1024);
});
