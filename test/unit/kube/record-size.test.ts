import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { LineSplitter } from '../../../src/kube/line-splitter.ts';
import { Store } from '../../../src/kube/store.ts';
import { type ObservedTask, observePod } from '../../../src/pod/observe.ts';
import { runningPod } from '../../bench/pods.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

const PODS = 4_000;
const CHUNK = 64 * 1024;

/** Bytes of the heap and of buffers outside it, once all garbage is gone. */
function used(): number {
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

test('a pod in the store keeps less than 2 KB of its 6, nothing of the stream it came in', () => {
  const store = new Store<ObservedTask>({ owner: ({ owner }) => [owner] });
  store.upsert(observePod(runningPod(PODS, PODS)));
  const lines = new LineSplitter();
  const before = used();
  let sent = 0;
  let pending = Buffer.alloc(0);
  const read = (chunk: Buffer): void => {
    for (const line of lines.push(chunk)) store.upsert(observePod(JSON.parse(line).object));
  };
  for (let index = 0; index < PODS; index += 1) {
    const line = Buffer.from(`${JSON.stringify({ type: 'ADDED', object: runningPod(index, index) })}\n`);
    sent += line.length;
    pending = Buffer.concat([pending, line]);
    if (pending.length < CHUNK) continue;
    read(pending);
    pending = Buffer.alloc(0);
  }
  read(pending);
  pending = Buffer.alloc(0);
  const kept = (used() - before) / PODS;
  console.info(`${Math.round(kept)} bytes a pod of ${Math.round(sent / PODS)} sent`);
  expect(store.size).toBe(PODS + 1);
  expect(sent / PODS).toBeGreaterThan(6_000);
  expect(kept).toBeLessThan(2_000);
});
