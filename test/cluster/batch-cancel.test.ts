import { describe, expect, it } from 'vitest';
import {
  annotate,
  array,
  begun,
  endNext,
  heldJob,
  podsOf,
  statusOf,
  untilIs,
  untilRuns,
  untilStatus,
} from '../support/held-jobs.ts';
import { readyCondition } from '../support/services.ts';
import { useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: true });

const retryStrategy = { attempts: 3 };
const NOWHERE = { kubernetes: { nodeSelector: { nowhere: 'yes' } }, retryStrategy };
const cancelled = { status: 'FAILED', statusReason: 'not needed', isCancelled: true };
const terminated = { status: 'FAILED', statusReason: 'wrong input', isTerminated: true };

describe.concurrent('a BatchJob that is cancelled', () => {
  it('while RUNNABLE is FAILED with the reason, and never runs', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(heldJob('job', NOWHERE), heldJob('many', { ...NOWHERE, ...array(3) }));
    await untilStatus(
      ns,
      'job',
      'to have no node',
      ({ statusReason }) => statusReason?.startsWith('CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY') === true,
    );
    await untilStatus(
      ns,
      'many',
      'to have no node',
      ({ statusReason }) => statusReason?.startsWith('CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY') === true,
    );
    await Promise.all([annotate(ns, 'job', 'cancel', 'not needed'), annotate(ns, 'many', 'cancel', 'not needed')]);
    expect(await untilIs(ns, 'job', 'FAILED')).toMatchObject(cancelled);
    expect(await untilIs(ns, 'many', 'FAILED')).toMatchObject({ ...cancelled, failedIndexes: '0-2' });
    await ns.until('its pods to be gone', () => ns.history.all('pods').length === 0);
  });

  it('while it waits for others is FAILED once these have ended', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(heldJob('first'), heldJob('job', { dependsOn: [{ jobId: 'first' }] }));
    await untilStatus(ns, 'job', 'to wait', ({ statusReason }) => statusReason === 'waiting for job first (RUNNING)');
    const told = await annotate(ns, 'job', 'cancel', 'not needed');
    expect(told).toBeDefined();
    await endNext(ns, 'first', 0);
    expect(await untilIs(ns, 'job', 'FAILED')).toMatchObject(cancelled);
    const [first, job] = ['first', 'job'].map((name) => Date.parse(statusOf(ns, name).stoppedAt ?? ''));
    expect(job).toBeGreaterThanOrEqual(first ?? Number.NaN);
    expect(begun(ns, 'job')).toEqual([]);
  });

  it('while it waits for one that does not exist is FAILED at once', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(heldJob('job', { dependsOn: [{ jobId: 'never' }] }));
    await untilIs(ns, 'job', 'PENDING');
    await annotate(ns, 'job', 'cancel', 'not needed');
    expect(await untilIs(ns, 'job', 'FAILED')).toMatchObject(cancelled);
  });

  it('while RUNNING goes on, and is not tried again', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(heldJob('good', { retryStrategy }), heldJob('bad', { retryStrategy }));
    for (const [name, code, end] of [
      ['good', 0, 'SUCCEEDED'],
      ['bad', 9, 'FAILED'],
    ] as const) {
      await untilRuns(ns, name);
      await untilIs(ns, name, 'RUNNING');
      await annotate(ns, name, 'cancel', 'not needed');
      await endNext(ns, name, code);
      const { attempts } = await untilIs(ns, name, end);
      expect(attempts).toMatchObject([{ attempt: 1, exitCode: code }]);
    }
  });
});

describe.concurrent('a BatchJob that is terminated', () => {
  it('is stopped with the reason, and not tried again', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(heldJob('job', { retryStrategy }), heldJob('many', { ...array(3), retryStrategy }));
    await untilIs(ns, 'job', 'RUNNING');
    await ns.until('all children to run', () => statusOf(ns, 'many').arrayProperties?.statusSummary?.RUNNING === 3);
    await Promise.all([
      annotate(ns, 'job', 'terminate', 'wrong input'),
      annotate(ns, 'many', 'terminate', 'wrong input'),
    ]);
    const { attempts, ...job } = await untilIs(ns, 'job', 'FAILED');
    expect(job).toMatchObject(terminated);
    expect(attempts).toMatchObject([{ attempt: 1, statusReason: 'wrong input' }]);
    expect(await untilIs(ns, 'many', 'FAILED')).toMatchObject({ ...terminated, failedIndexes: '0-2' });
    expect(podsOf(ns, 'many')).toHaveLength(3);
  });

  it('by the numbers of its children ends these, and no others', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(heldJob('many', { ...array(5), retryStrategy }));
    await ns.until('all children to run', () => statusOf(ns, 'many').arrayProperties?.statusSummary?.RUNNING === 5);
    await annotate(ns, 'many', 'terminate-indexes', '0,2-3');
    await untilStatus(ns, 'many', 'three to have FAILED', ({ failedIndexes }) => failedIndexes === '0,2-3');
    expect(statusOf(ns, 'many').arrayProperties?.statusSummary).toMatchObject({ RUNNING: 2, FAILED: 3 });
    await Promise.all([endNext(ns, 'many', 0, 1), endNext(ns, 'many', 0, 4)]);
    expect(await untilIs(ns, 'many', 'FAILED')).toMatchObject({
      statusReason: 'Array Child Job failed',
      succeededIndexes: '1,4',
      failedIndexes: '0,2-3',
    });
    expect(podsOf(ns, 'many')).toHaveLength(5);
  });

  it('by numbers that it does not have is told so, and goes on', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(heldJob('many', array(2)));
    await annotate(ns, 'many', 'terminate-indexes', '1-2');
    const ready = await ns.until('the answer', () => {
      const condition = readyCondition(ns.history.get('batchjobs', 'many'));
      return condition?.reason === 'InvalidTerminateIndexes' && condition;
    });
    expect(ready.message).toContain('there is no child 2; the children are 0 to 1');
    await Promise.all([endNext(ns, 'many', 0, 0), endNext(ns, 'many', 0, 1)]);
    await untilIs(ns, 'many', 'SUCCEEDED');
  });
});
