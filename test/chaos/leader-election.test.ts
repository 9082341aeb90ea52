import { afterEach, beforeEach, expect, test } from 'vitest';
import { KubeClient } from '../../src/kube/client.ts';
import { LeaderElector, LeadershipLostError } from '../../src/kube/leader-election.ts';
import { FakeServer, type Request, respond, status } from './fake-server.ts';

const LEASE = '/apis/coordination.k8s.io/v1/namespaces/default/leases/operator';
/** The least the API allows: a lease's duration counts whole seconds. */
const timings = { leaseDurationMs: 1000, renewDeadlineMs: 600, retryPeriodMs: 100 };

let server: FakeServer;
let candidates: Candidate[];

interface Candidate {
  readonly elector: LeaderElector;
  readonly stop: AbortController;
  readonly started: Promise<void>;
  /** What it threw, if it did. */
  readonly ended: Promise<unknown>;
  readonly client: KubeClient;
}

beforeEach(async () => {
  server = await FakeServer.start();
  candidates = [];
});
afterEach(async () => {
  for (const { stop } of candidates) stop.abort();
  await Promise.all(candidates.map(({ ended }) => ended));
  await Promise.all(candidates.map(({ client }) => client.close()));
  await server.stop();
});

function candidate(
  identity: string,
  work: (signal: AbortSignal) => Promise<void> = waitForAbort,
  times = timings,
): Candidate {
  const client = new KubeClient(server.connection(), { userAgent: identity });
  const started = Promise.withResolvers<void>();
  const elector = new LeaderElector({
    client,
    namespace: 'default',
    name: 'operator',
    identity,
    lead: (signal) => {
      started.resolve();
      return work(signal);
    },
    timings: times,
  });
  const stop = new AbortController();
  const ended = elector.run(stop.signal).catch((error: unknown) => error);
  const made = { elector, stop, ended, started: started.promise, client };
  candidates.push(made);
  return made;
}

function waitForAbort(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

const by = (identity: string) => (request: Request) => request.headers['user-agent'] === identity;
const spec = () => server.object(LEASE)?.spec as { holderIdentity: string; leaseTransitions: number };

test('one of two candidates leads, and never both, through loss and takeover', async () => {
  const one = candidate('one');
  await one.started;
  const two = candidate('two');
  // Both are looked at whenever the server was asked something, and on every turn of a fine timer between.
  let together = 0;
  const check = () => {
    if (one.elector.isLeader() && two.elector.isLeader()) together += 1;
  };
  const watcher = setInterval(check, 1);
  await server.until(() => {
    check();
    return server.requests.filter(by('two')).length >= 5;
  });
  expect(two.elector.isLeader()).toBe(false);

  server.inject(by('one'), () => {}, 1000);
  await two.started;
  clearInterval(watcher);
  expect(together).toBe(0);
  expect(spec()).toMatchObject({ holderIdentity: 'two', leaseTransitions: 1 });
});

test('a leader whose renewals get no answer fences itself before anybody can take over', async () => {
  const one = candidate('one');
  await one.started;
  const two = candidate('two');
  await server.until(() => server.requests.some(by('two')));
  server.inject(by('one'), () => {}, 1000);
  expect(await one.ended).toBeInstanceOf(LeadershipLostError);
  const fencedAt = performance.now();
  expect(one.elector.isLeader()).toBe(false);
  expect(two.elector.isLeader()).toBe(false);
  await two.started;
  expect(performance.now() - fencedAt).toBeGreaterThan(200);
});

test('a leader whose event loop stood still knows at once that it leads no more', async () => {
  const one = candidate('one');
  await one.started;
  expect(one.elector.isLeader()).toBe(true);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, timings.renewDeadlineMs + 50);
  expect(one.elector.isLeader()).toBe(false);
});

test('a stopped leader lets its work end, then hands over at once', async () => {
  const order: string[] = [];
  const long = { ...timings, leaseDurationMs: 30_000, renewDeadlineMs: 20_000 };
  const one = candidate(
    'one',
    async (signal) => {
      await waitForAbort(signal);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`work ended while ${spec().holderIdentity} holds`);
    },
    long,
  );
  await one.started;
  const two = candidate('two', undefined, long);
  await server.until(() => server.requests.filter(by('two')).length >= 2);
  one.stop.abort();
  await one.ended;
  const released = performance.now();
  expect(order).toEqual(['work ended while one holds']);
  await two.started;
  expect(performance.now() - released).toBeLessThan(long.leaseDurationMs / 2);
});

test('a follower sees a handover at once, not at its next attempt', async () => {
  const slow = { ...timings, leaseDurationMs: 60_000, renewDeadlineMs: 40_000, retryPeriodMs: 20_000 };
  const one = candidate('one', waitForAbort, slow);
  await one.started;
  const two = candidate('two', waitForAbort, slow);
  await server.nextWatch(1);
  const stopped = performance.now();
  one.stop.abort();
  await two.started;
  expect(performance.now() - stopped).toBeLessThan(slow.retryPeriodMs);
  expect(spec()).toMatchObject({ holderIdentity: 'two', leaseTransitions: 1 });
});

test('a follower whose watch is refused still takes over by asking', async () => {
  server.inject(
    (request) => by('two')(request) && request.query.has('watch'),
    (_request, response) => respond(response, 403, status(403, 'Forbidden', 'no watch').body),
    1000,
  );
  const one = candidate('one');
  await one.started;
  const two = candidate('two');
  await server.until(() => server.requests.filter(by('two')).length >= 2);
  one.stop.abort();
  await two.started;
  expect(spec().holderIdentity).toBe('two');
});

test('a leader whose work breaks gives the lease up and says why', async () => {
  const one = candidate('one', async () => {
    throw new Error('no work to be had');
  });
  expect(await one.ended).toMatchObject({ message: 'no work to be had' });
  expect(spec().holderIdentity).toBe('');
});

test('work that does not end keeps the lease from being released', async () => {
  const one = candidate('one', () => new Promise(() => {}));
  await one.started;
  one.stop.abort();
  await one.ended;
  expect(spec().holderIdentity).toBe('one');
  expect(one.elector.isLeader()).toBe(false);
});

test('a renewal whose response was lost is renewed again without losing the lease', async () => {
  const one = candidate('one');
  await one.started;
  server.inject(
    ({ method }) => method === 'PUT',
    (_request, response, carryOut) => {
      carryOut();
      response.destroy();
    },
  );
  await server.until(() => server.requests.filter(({ method }) => method === 'PUT').length >= 4);
  expect(one.elector.isLeader()).toBe(true);
});

test('a lease somebody deleted is made again by its leader', async () => {
  const one = candidate('one');
  await one.started;
  server.remove('/apis/coordination.k8s.io/v1/leases', { namespace: 'default', name: 'operator' });
  await server.until(() => server.object(LEASE) !== undefined);
  expect(one.elector.isLeader()).toBe(true);
});

test('a lease somebody deleted is not taken while its holder may not know of it', async () => {
  const long = { ...timings, leaseDurationMs: 60_000, renewDeadlineMs: 40_000 };
  const one = candidate('one', waitForAbort, long);
  await one.started;
  const two = candidate('two', waitForAbort, long);
  await server.until(() => server.requests.filter(by('two')).length >= 2);
  server.inject(by('one'), () => {}, 1000);
  server.remove('/apis/coordination.k8s.io/v1/leases', { namespace: 'default', name: 'operator' });
  const before = server.requests.length;
  await server.until(() => server.requests.slice(before).filter(by('two')).length >= 5);
  expect(one.elector.isLeader()).toBe(true);
  expect(two.elector.isLeader()).toBe(false);
});

test('a lease somebody took away ends the leadership at the next renewal', async () => {
  // Long before its own deadline would end it.
  const one = candidate('one', waitForAbort, { ...timings, leaseDurationMs: 60_000, renewDeadlineMs: 40_000 });
  await one.started;
  const lease = structuredClone(server.object(LEASE));
  if (!lease) throw new Error('no lease');
  server.put('/apis/coordination.k8s.io/v1/leases', {
    ...lease,
    spec: { ...(lease.spec as object), holderIdentity: 'x' },
  });
  expect(await one.ended).toBeInstanceOf(LeadershipLostError);
  expect(one.elector.isLeader()).toBe(false);
});

test('errors of the server do not keep a candidate from trying on', async () => {
  server.inject(
    () => true,
    (_request, response) => respond(response, 500, status(500, 'InternalError', 'etcd').body),
    3,
  );
  const one = candidate('one');
  await one.started;
  expect(spec().holderIdentity).toBe('one');
});

test('a leader stopped in the middle of a renewal that the server carried out still releases the lease', async () => {
  const one = candidate('one');
  await one.started;
  server.inject(
    ({ method }) => method === 'PUT',
    (_request, _response, carryOut) => {
      carryOut();
      one.stop.abort();
    },
  );
  await one.ended;
  expect(spec().holderIdentity).toBe('');
});
