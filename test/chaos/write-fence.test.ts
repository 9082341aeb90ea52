/** A leader may be stopped, or be slow, at any point between a decision and the socket: what it sends after its time. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KubeClient } from '../../src/kube/client.ts';
import { NotLeaderError } from '../../src/kube/errors.ts';
import { LeaderElector } from '../../src/kube/leader-election.ts';
import { pods } from '../../src/kube/resource.ts';
import { FakeServer, type Request, respond, status } from './fake-server.ts';

/** So long that no slow test loses the lease by itself. */
const timings = { leaseDurationMs: 60_000, renewDeadlineMs: 40_000, retryPeriodMs: 50 };
const LEASES = '/apis/coordination.k8s.io/v1/leases';

let server: FakeServer;
let elector: LeaderElector;
let clients: KubeClient[];
let stop: AbortController;
let ended: Promise<unknown>;

beforeEach(async () => {
  server = await FakeServer.start();
  clients = [];
  const started = Promise.withResolvers<void>();
  elector = new LeaderElector({
    client: client({ userAgent: 'lease' }),
    namespace: 'default',
    name: 'operator',
    identity: 'one',
    lead: (signal) => {
      started.resolve();
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    },
    timings,
  });
  stop = new AbortController();
  ended = elector.run(stop.signal).catch((error: unknown) => error);
  await started.promise;
});
afterEach(async () => {
  stop.abort();
  await ended;
  await Promise.all(clients.map((one) => one.close()));
  await server.stop();
});

function client(options: ConstructorParameters<typeof KubeClient>[1]): KubeClient {
  const made = new KubeClient(server.connection(), options);
  clients.push(made);
  return made;
}

/** A client whose calls all wait for the one connection it has. */
const fencedClient = (): KubeClient => client({ maxConnections: 1, mayWrite: () => elector.isLeader() });

/** Somebody takes the lease; resolves when the leader knows that it may write no more. */
async function loseLease(): Promise<void> {
  const metadata = { name: 'operator', namespace: 'default' };
  server.put(LEASES, { metadata, spec: { holderIdentity: 'two', leaseDurationSeconds: 60 } });
  await ended;
}

const pod = (name: string) => ({ metadata: { name, namespace: 'default' } });
const isPodCall = ({ path }: Request) => path.includes('/pods');
const podCalls = () => server.requests.filter(isPodCall).map(({ method, path }) => `${method} ${path}`);

const POD = '/api/v1/namespaces/default/pods/other';
const writes: Record<string, (fenced: KubeClient) => Promise<unknown>> = {
  create: (fenced) => fenced.create(pods, { namespace: 'default' }, pod('other')),
  update: (fenced) => fenced.update(pods, { namespace: 'default', name: 'other' }, pod('other')),
  patch: (fenced) => fenced.patch(pods, { namespace: 'default', name: 'other' }, {}),
  delete: (fenced) => fenced.delete(pods, { namespace: 'default', name: 'other' }),
  deletecollection: (fenced) => fenced.deleteCollection(pods, { namespace: 'default' }, { labelSelector: 'a=b' }),
};

for (const [verb, write] of Object.entries(writes)) {
  test(`a ${verb} that waits for a connection while the lease is lost is never sent`, async () => {
    const fenced = fencedClient();
    const held = Promise.withResolvers<() => void>();
    server.inject(isPodCall, (_request, response, carryOut) => {
      held.resolve(() => {
        const { status: code, body } = carryOut();
        respond(response, code, body);
      });
    });
    const first = fenced.create(pods, { namespace: 'default' }, pod('first'));
    const release = await held.promise;
    const second = write(fenced).catch((error: unknown) => error);
    const read = fenced.get(pods, { namespace: 'default', name: 'other' }).catch((error: unknown) => error);
    await loseLease();
    release();

    // What was sent in time gets its answer, and reads go on over the same connection.
    await expect(first).resolves.toMatchObject({ metadata: { name: 'first' } });
    expect(await second).toBeInstanceOf(NotLeaderError);
    expect(await read).toMatchObject({ status: 404 });
    expect(podCalls()).toEqual(['POST /api/v1/namespaces/default/pods', `GET ${POD}`]);
  });
}

test('a write that waits for its credentials while the lease is lost is never sent', async () => {
  const authorized = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const slow = new KubeClient(
    {
      ...server.connection(),
      authorize: () => {
        asked.resolve();
        return authorized.promise;
      },
    },
    { mayWrite: () => elector.isLeader() },
  );
  clients.push(slow);
  const write = slow.create(pods, { namespace: 'default' }, pod('late')).catch((error: unknown) => error);
  await asked.promise;
  await loseLease();
  authorized.resolve();
  expect(await write).toBeInstanceOf(NotLeaderError);
  expect(podCalls()).toEqual([]);
});

test('a write that waits to be sent again while the lease is lost is not; reads go on', async () => {
  const fenced = fencedClient();
  server.inject(isPodCall, (_request, response) => {
    respond(response, 429, status(429, 'TooManyRequests', 'slow down').body, { 'retry-after': '2' });
  });
  const write = fenced.create(pods, { namespace: 'default' }, pod('late')).catch((error: unknown) => error);
  await server.until(() => podCalls().length === 1);
  await loseLease();
  expect(await write).toBeInstanceOf(NotLeaderError);
  await expect(fenced.get(pods, { namespace: 'default', name: 'late' })).rejects.toMatchObject({ status: 404 });
  expect(podCalls()).toHaveLength(2);
});
