import { expect, test } from 'vitest';
import { ApiError } from '../../../src/kube/errors.ts';
import { slowStart } from '../../../src/kube/slow-start.ts';

const quota = new ApiError(
  { method: 'POST', path: '/api/v1/namespaces/shop/pods' },
  { status: 403, reason: 'Forbidden', message: 'exceeded quota' },
);

/** Runs 100 items of which only the first `allowed` succeed; each entry of `atOnce` is how many were under way before they were answered. */
async function run(allowed: number): Promise<{ asked: number[]; atOnce: number[]; error: unknown }> {
  const asked: number[] = [];
  const atOnce: number[] = [];
  let answers: (() => void)[] = [];
  let over = false;
  const running = slowStart([...Array(100).keys()], async (item) => {
    asked.push(item);
    await new Promise<void>((resolve) => answers.push(resolve));
    if (item >= allowed) throw quota;
  })
    .catch((caught: unknown) => caught)
    .finally(() => {
      over = true;
    });
  while (!over) {
    const given = answers;
    answers = [];
    if (given.length > 0) atOnce.push(given.length);
    for (const answer of given) answer();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { asked, atOnce, error: await running };
}

const first = (count: number): number[] => [...Array(count).keys()];

test('each success lets one more begin, to 32 at once, in their order', async () => {
  expect(await run(100)).toEqual({ asked: first(100), atOnce: [1, 2, 4, 8, 16, 32, 32, 5], error: undefined });
});

test('a quota that is full is asked once', async () => {
  expect(await run(0)).toEqual({ asked: first(1), atOnce: [1], error: quota });
});

test('a quota that fills up is asked no more once it has refused', async () => {
  const { asked, error } = await run(5);
  expect(error).toBe(quota);
  expect(asked.length).toBeLessThanOrEqual(5 + 1 + 2 + 4);
});

test('one that takes long holds up no other', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let done = 0;
  const running = slowStart(first(50), async (item) => {
    if (item === 1) await promise;
    else done += 1;
    if (done === 49) resolve();
  });
  await running;
  expect(done).toBe(49);
});

test('it returns once nothing is under way any more', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let ended = false;
  const running = slowStart([0, 1, 2], async (item) => {
    if (item === 1) throw quota;
    if (item === 2) {
      await promise;
      ended = true;
    }
  });
  setImmediate(resolve);
  await expect(running).rejects.toBe(quota);
  expect(ended).toBe(true);
});

test('begins nothing once its time is over, and one item in any case', async () => {
  const begun: number[] = [];
  await slowStart(
    first(100),
    async (item) => {
      begun.push(item);
      await new Promise((resolve) => setTimeout(resolve, 2));
    },
    { forMs: 1 },
  );
  expect(begun).toEqual([0]);
});

test('nothing to do is done at once', async () => {
  await expect(slowStart([], async () => {})).resolves.toBeUndefined();
});
