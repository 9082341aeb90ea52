import { describe, expect, it } from 'vitest';
import {
  array,
  attemptOf,
  begun,
  end,
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

const on = (...jobIds: string[]): object => ({ dependsOn: jobIds.map((jobId) => ({ jobId })) });
const N_TO_N = { dependsOn: [{ jobId: 'first', type: 'N_TO_N' }] };

describe.concurrent('a BatchJob that depends on others', () => {
  it('waits for them, says for which, and starts when all have succeeded', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(heldJob('build'), heldJob('fetch'), heldJob('test', on('build', 'fetch')));
    const waiting = await untilStatus(ns, 'test', 'to say so', ({ statusReason = '' }) =>
      statusReason.startsWith('waiting for job build (RUNNING)'),
    );
    expect(waiting.status).toBe('PENDING');
    await endNext(ns, 'build', 0);
    await untilStatus(ns, 'test', 'to wait for the other', ({ statusReason = '' }) =>
      statusReason.startsWith('waiting for job fetch (RUNNING)'),
    );
    expect(podsOf(ns, 'test')).toEqual([]);
    await endNext(ns, 'fetch', 0);
    await endNext(ns, 'test', 0);
    await untilIs(ns, 'test', 'SUCCEEDED');
  });

  it('fails with one of them, and so does all that depends on it in turn', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(
      heldJob('first'),
      heldJob('other'),
      heldJob('second', on('other', 'first')),
      heldJob('third', { ...array(3), ...on('second') }),
    );
    await endNext(ns, 'first', 4);
    const failed = { status: 'FAILED', statusReason: 'Dependent Job failed' };
    expect(await untilIs(ns, 'second', 'FAILED')).toMatchObject({ ...failed, attempts: [] });
    expect(await untilIs(ns, 'third', 'FAILED')).toMatchObject({ ...failed, failedIndexes: '0-2' });
    expect(begun(ns, 'second')).toEqual([]);
    expect(begun(ns, 'third')).toEqual([]);
    expect(statusOf(ns, 'other').status).toBe('RUNNING');
  });

  it('waits for one that does not exist, and takes it by its UID as well', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(heldJob('second', on('first')));
    await untilStatus(
      ns,
      'second',
      'to say so',
      ({ statusReason }) => statusReason === 'waiting for job first, which does not exist yet',
    );
    const [first] = await ns.create(heldJob('first'));
    await ns.create(heldJob('third', on(first?.metadata.uid ?? '')));
    await endNext(ns, 'first', 0);
    await Promise.all([endNext(ns, 'second', 0), endNext(ns, 'third', 0)]);
    await untilIs(ns, 'second', 'SUCCEEDED');
    await untilIs(ns, 'third', 'SUCCEEDED');
  });

  it('N_TO_N starts each child after its twin, and fails those whose twin has failed', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(heldJob('first', array(3)), heldJob('second', { ...array(3), ...N_TO_N }));
    await endNext(ns, 'first', 0, 1);
    await endNext(ns, 'second', 0, 1);
    await untilStatus(ns, 'second', 'child 1 to succeed', ({ succeededIndexes }) => succeededIndexes === '1');
    expect(begun(ns, 'second')).toEqual([1]);
    await endNext(ns, 'first', 3, 0);
    await untilStatus(ns, 'second', 'child 0 to fail', ({ failedIndexes }) => failedIndexes === '0');
    await endNext(ns, 'first', 0, 2);
    await untilIs(ns, 'first', 'FAILED');
    await endNext(ns, 'second', 0, 2);
    expect(await untilIs(ns, 'second', 'FAILED')).toMatchObject({
      statusReason: 'Array Child Job failed',
      succeededIndexes: '1-2',
      failedIndexes: '0',
    });
    expect(begun(ns, 'second')).toEqual([1, 2]);
  });

  it('N_TO_N on an array of another size is refused', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(heldJob('first', array(2)), heldJob('second', { ...array(3), ...N_TO_N }));
    const ready = await ns.until('the refusal', () => {
      const condition = readyCondition(ns.history.get('batchjobs', 'second'));
      return condition?.reason === 'DependencyOfOtherSize' && condition;
    });
    expect(ready.message).toBe('N_TO_N needs arrays of one size: job first has 2 children, this one 3');
    expect(begun(ns, 'second')).toEqual([]);
  });

  it('SEQUENTIAL runs its children one after another, and none after one that failed', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(heldJob('row', { ...array(5), dependsOn: [{ type: 'SEQUENTIAL' }] }));
    for (const index of [0, 1]) {
      const pod = await untilRuns(ns, 'row');
      expect(begun(ns, 'row')).toEqual(Array.from({ length: index + 1 }, (_, each) => each));
      await end(ns, pod, 0);
      await ns.until(`child ${index} to have ended`, () => statusOf(ns, 'row').succeededIndexes?.endsWith(`${index}`));
    }
    await endNext(ns, 'row', 1, 2);
    expect(await untilIs(ns, 'row', 'FAILED')).toMatchObject({ succeededIndexes: '0-1', failedIndexes: '2-4' });
    expect(begun(ns, 'row')).toEqual([0, 1, 2]);
  });

  it('waits for one child of an array, by its number', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(heldJob('first', array(2)), heldJob('second', on('first:1')));
    await endNext(ns, 'first', 0, 1);
    await endNext(ns, 'second', 0);
    await untilIs(ns, 'second', 'SUCCEEDED');
    expect(statusOf(ns, 'first').status).toBe('PENDING');
  });

  it('is refused where it waits for itself by a detour, which is named', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(heldJob('a', on('b')), heldJob('b', on('c')), heldJob('c', on('a')));
    const ready = await ns.until('the refusal', () => {
      const condition = readyCondition(ns.history.get('batchjobs', 'a'));
      return condition?.reason === 'DependencyCycle' && condition;
    });
    expect(ready.message).toBe('jobs wait for each other in a cycle: a → b → c → a');
    expect(ns.history.all('pods')).toEqual([]);
  });
});

describe.concurrent('a BatchJob with evaluateOnExit', () => {
  it('is tried again after the exits that its rules say, and no others', async (context) => {
    const ns = await suite().namespace(context);
    const evaluateOnExit = [
      { action: 'retry', onExitCode: '7*', onStatusReason: 'Essential container in task exited' },
      { action: 'EXIT', onReason: '*' },
    ];
    await ns.create(heldJob('job', { retryStrategy: { attempts: 5, evaluateOnExit } }));
    for (const [attempt, code] of [7, 77, 8].entries()) {
      await end(ns, await untilRuns(ns, 'job', (pod) => attemptOf(pod) === attempt + 1), code);
    }
    const { attempts } = await untilIs(ns, 'job', 'FAILED');
    expect(attempts?.map(({ attempt, exitCode }) => [attempt, exitCode])).toEqual([
      [1, 7],
      [2, 77],
      [3, 8],
    ]);
  });

  it('is tried again after the loss of its host only, as the best practices of AWS have it', async (context) => {
    const ns = await suite().namespace(context);
    const evaluateOnExit = [
      { action: 'RETRY', onStatusReason: 'Host EC2*' },
      { action: 'EXIT', onReason: '*' },
    ];
    await ns.create(heldJob('job', { retryStrategy: { attempts: 5, evaluateOnExit } }));
    const lost = await untilRuns(ns, 'job');
    await untilIs(ns, 'job', 'RUNNING');
    await ns.kubectl(['delete', 'pod', lost.metadata.name, '--force', '--grace-period=0']);
    await end(ns, await untilRuns(ns, 'job', (pod) => attemptOf(pod) === 2), 1);
    const { attempts } = await untilIs(ns, 'job', 'FAILED');
    expect(attempts).toMatchObject([
      { attempt: 1, statusReason: `Host EC2 (instance ${lost.spec.nodeName}) terminated.` },
      { attempt: 2, exitCode: 1 },
    ]);
  });
});
