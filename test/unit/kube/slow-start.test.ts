import { expect, test } from 'vitest';
import { ApiError } from '../../../src/kube/errors.ts';
import { slowStart } from '../../../src/kube/slow-start.ts';

const quota = new ApiError(
  { method: 'POST', path: '/api/v1/namespaces/shop/pods' },
  { status: 403, reason: 'Forbidden', message: 'exceeded quota' },
);

/** Runs 100 items of which only the first `allowed` succeed; each entry of `batches` is what ran at once. */
async function run(allowed: number): Promise<{ asked: number; batches: number[]; error: unknown }> {
  const batches: number[] = [];
  let asked = 0;
  let inBatch = 0;
  const error = await slowStart([...Array(100).keys()], async () => {
    asked += 1;
    inBatch += 1;
    const mine = asked;
    await new Promise((resolve) => setImmediate(resolve));
    if (inBatch > 0) batches.push(inBatch);
    inBatch = 0;
    if (mine > allowed) throw quota;
  }).catch((caught: unknown) => caught);
  return { asked, batches, error };
}

test('batches double from one', async () => {
  expect(await run(100)).toEqual({ asked: 100, batches: [1, 2, 4, 8, 16, 32, 37], error: undefined });
});

test('a quota that is full is asked once', async () => {
  expect(await run(0)).toEqual({ asked: 1, batches: [1], error: quota });
});

test('a quota that fills up is not asked beyond the batch that met it', async () => {
  expect(await run(5)).toEqual({ asked: 7, batches: [1, 2, 4], error: quota });
});

test('nothing to do is done at once', async () => {
  await expect(slowStart([], async () => {})).resolves.toBeUndefined();
});
