import { expect, test } from 'vitest';
import { Controller, type ControllerOptions } from '../../../src/kube/controller.ts';
import { ApiError, NotYetError } from '../../../src/kube/errors.ts';
import { silentLogger } from '../../../src/kube/logger.ts';

const exists = new ApiError(
  { method: 'POST', path: '/x' },
  { status: 409, reason: 'AlreadyExists', message: 'exists' },
);
const conflict = new ApiError({ method: 'PUT', path: '/x' }, { status: 409, reason: 'Conflict', message: 'modified' });

/** Runs a controller until `reconcile` has called `enough`; returns what it reported. */
async function run(
  reconcile: (key: string, enough: () => void, controller: Controller) => ReturnType<ControllerOptions['reconcile']>,
  keys: readonly string[],
  workers = 1,
) {
  const stop = new AbortController();
  const outcomes: string[] = [];
  const logged: object[] = [];
  const controller = new Controller({
    name: 'test',
    workers,
    reconcile: (key) => reconcile(key, () => stop.abort(), controller),
    logger: { ...silentLogger, error: (fields) => logged.push(fields) },
    metrics: {
      controller: () => ({ added() {}, taken() {}, done() {}, retried() {} }),
      reconciled: (_controller, result) => outcomes.push(result),
    },
  });
  await controller.run(stop.signal, keys);
  return { outcomes, logged };
}

test('each key is reconciled, and a key that failed again after its backoff', async () => {
  const seen: string[] = [];
  const { outcomes, logged } = await run(
    async (key, enough) => {
      seen.push(key);
      if (seen.length === 1) throw new Error('first time');
      if (seen.filter((other) => other === 'a').length === 2) enough();
    },
    ['a', 'b'],
  );
  expect(seen).toEqual(['a', 'b', 'a']);
  expect(outcomes).toEqual(['error', 'success', 'success']);
  expect(logged).toMatchObject([{ controller: 'test', key: 'a' }]);
});

test.each([
  ['a conflict', conflict],
  ['an object of that name that has not gone yet', exists],
  ['what is not there yet', new NotYetError('the secret is being synced')],
])('%s is tried again without counting as an error', async (_what, error) => {
  let calls = 0;
  const { outcomes, logged } = await run(
    async (_key, enough) => {
      calls += 1;
      if (calls === 1) throw error;
      enough();
    },
    ['a'],
  );
  expect(outcomes).toEqual(['requeue', 'success']);
  expect(logged).toEqual([]);
});

test('a reconcile may ask to be called again', async () => {
  let calls = 0;
  const { outcomes } = await run(
    async (_key, enough) => {
      calls += 1;
      if (calls === 2) enough();
      return { requeueAfterMs: 1 };
    },
    ['a'],
  );
  expect(outcomes).toEqual(['requeue_after', 'requeue_after']);
});

test('no two workers hold the same key', async () => {
  const held = new Set<string>();
  let calls = 0;
  await run(
    async (key, enough, controller) => {
      expect(held.has(key)).toBe(false);
      held.add(key);
      controller.enqueue(key);
      await new Promise((resolve) => setImmediate(resolve));
      held.delete(key);
      calls += 1;
      if (calls === 200) enough();
    },
    ['a', 'b', 'c'],
    4,
  );
});

test('a key with an interval is reconciled once for all that was added meanwhile', async () => {
  const stop = new AbortController();
  const at: number[] = [];
  const controller = new Controller({
    name: 'test',
    logger: silentLogger,
    minIntervalMs: (key) => (key === 'large' ? 50 : 0),
    reconcile: async (key) => {
      if (key === 'small') {
        // Until the other one has come again, which it would have done at once.
        if (at.length < 3) setImmediate(() => controller.enqueue('small'));
        else stop.abort();
        controller.enqueue('large');
      } else at.push(performance.now());
    },
  });
  await controller.run(stop.signal, ['large', 'small']);
  expect(at).toHaveLength(3);
  for (const [index, time] of at.entries()) if (index > 0) expect(time - (at[index - 1] ?? 0)).toBeGreaterThan(45);
});

test('stopped, it waits for the reconcile under way and drops the rest', async () => {
  const ended: string[] = [];
  await run(
    async (key, enough) => {
      enough();
      await new Promise((resolve) => setImmediate(resolve));
      ended.push(key);
    },
    ['a', 'b', 'c'],
  );
  expect(ended).toEqual(['a']);
});

test('what it is told before it runs is forgotten: it begins with all keys there are', async () => {
  const seen: string[] = [];
  const stop = new AbortController();
  const controller = new Controller({
    name: 'test',
    reconcile: async (key) => {
      seen.push(key);
      stop.abort();
    },
    logger: silentLogger,
  });
  controller.enqueue('gone since');
  await controller.run(stop.signal, ['a']);
  expect(seen).toEqual(['a']);
});

test('a namespace that is being deleted ends the work on its keys, without an error', async () => {
  const terminating = new ApiError(
    { method: 'POST', path: '/x' },
    { status: 403, reason: 'Forbidden', message: 'm', details: { causes: [{ reason: 'NamespaceTerminating' }] } },
  );
  const seen: string[] = [];
  const { outcomes, logged } = await run(
    async (key, enough) => {
      seen.push(key);
      if (key === 'b') return enough();
      throw terminating;
    },
    ['a', 'b'],
  );
  expect(seen).toEqual(['a', 'b']);
  expect(outcomes).toEqual(['success', 'success']);
  expect(logged).toEqual([]);
});

test.each([
  ['in no time', { requeueAfterMs: 0 }],
  ['when something is done that already is', { requeueWhen: Promise.resolve() }],
])('a key that is to come back %s, again and again, leaves others their turn', async (_what, requeue) => {
  let reconciles = 0;
  let others = 0;
  const other = setInterval(() => (others += 1), 0);
  await run(
    async (_key, enough) => {
      reconciles += 1;
      if (others > 2 || reconciles === 100_000) enough();
      return requeue;
    },
    ['a'],
  );
  clearInterval(other);
  expect(others).toBeGreaterThan(2);
});
