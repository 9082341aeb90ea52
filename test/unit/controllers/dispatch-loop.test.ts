import { expect, it } from 'vitest';
import { DispatchLoop } from '../../../src/controllers/batch/dispatch-loop.ts';
import type { Demand } from '../../../src/controllers/batch/dispatcher.ts';

const demand = (job: string): Demand => ({
  job,
  name: job,
  queue: 'ns/q',
  need: { vcpus: 1, memory: 16 },
  count: 1,
  retries: 0,
  submittedAt: 0,
  share: '',
  schedulingPriority: 0,
});

function loopOfOne(): { readonly loop: DispatchLoop; readonly told: Promise<string> } {
  const { promise: told, resolve: tell } = Promise.withResolvers<string>();
  const loop = new DispatchLoop({
    scene: () => ({
      queues: [{ key: 'ns/q', namespace: 'ns', priority: 1, createdAt: 0, environments: ['one'] }],
      environments: [{ name: 'one', isEnabled: true, limit: { vcpus: 1, memory: 16 } }],
    }),
    ran: (jobs) => {
      for (const job of jobs) tell(job);
    },
    now: () => 0,
  });
  return { loop, told };
}

it('what a job has started counts although the job is deleted, until its pods are seen', async () => {
  const { loop, told } = loopOfOne();
  const { promise: posted, resolve: post } = Promise.withResolvers<void>();
  const { promise: seen, resolve: see } = Promise.withResolvers<void>();
  const { promise: granted, resolve: grant } = Promise.withResolvers<unknown>();
  const pass = loop.pass('deleted', async () => {
    grant(await loop.ask(demand('deleted')));
    await posted;
    return {};
  });
  expect(await granted).toEqual([{ environment: 'one', count: 1 }]);
  let unseen: Promise<void> | undefined;
  const gone = loop.gone('deleted', () => unseen);
  expect(await loop.ask(demand('next'))).toEqual([]);
  unseen = seen;
  post();
  await pass;
  expect(await loop.ask(demand('next'))).toEqual([]);
  unseen = undefined;
  see();
  await gone;
  expect(await told).toBe('next');
  expect(loop.dispatcher.take('next')).toEqual([{ environment: 'one', count: 1 }]);
});

it('a job that asks for nothing in a pass gives back what it was granted, unless it cannot tell yet', async () => {
  const { loop, told } = loopOfOne();
  await loop.pass('first', async () => {
    await loop.ask(demand('first'));
    return {};
  });
  expect(await loop.ask(demand('second'))).toEqual([]);
  await loop.pass('first', async () => ({ requeueWhen: Promise.resolve() }));
  expect(await loop.ask(demand('second'))).toEqual([]);
  await loop.pass('first', async () => ({}));
  expect(await told).toBe('second');
});
