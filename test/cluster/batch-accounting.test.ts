import { describe, expect, it } from 'vitest';
import type { BatchJobStatus } from '../../src/api/batch-job.ts';
import {
  forgottenChildren,
  miscounted,
  podsBySeat,
  releasedUnrecorded,
  resultsOf,
  seatOf,
  TRACKED,
} from '../support/batch-results.ts';
import { duplicates, isEnded, rerunsAfterSuccess } from '../support/invariants.ts';
import { kwok } from '../support/manifests.ts';
import { randomFrom } from '../support/random.ts';
import type { Pod } from '../support/recorder.ts';
import { type Manifest, type TestNamespace, useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: true });

const containerProperties = {
  image: 'busybox:1.36',
  resourceRequirements: [
    { type: 'VCPU', value: '0.25' },
    { type: 'MEMORY', value: '16' },
  ],
};

const job = (name: string, spec: object, kubernetes: object = {}): Manifest => ({
  kind: 'BatchJob',
  name,
  spec: { containerProperties, ...spec, kubernetes },
});

const strict = { accounting: 'Strict' };
/** Containers end when the test says so. */
const held = { podAnnotations: kwok({ exitAfter: '1h' }) };
const failing = { podAnnotations: kwok({ exitAfter: '700ms', exitCode: 6 }) };

const array = (size: number, attempts = 1): object => ({ arrayProperties: { size }, retryStrategy: { attempts } });

const end = (ns: TestNamespace, pod: Pod, exitCode: number) =>
  ns.patch('pods', pod.metadata.name, { metadata: { annotations: kwok({ exitAfter: '1ms', exitCode }) } });

/** As a person does it, who may not wait for the containers to end. */
const deletePod = (name: string, ns: TestNamespace, force = false) =>
  ns.kubectl(['delete', 'pod', name, '--wait=false', '--ignore-not-found', ...(force ? ['--force'] : [])]);

const isOver = (status: BatchJobStatus | undefined): boolean =>
  status?.status === 'SUCCEEDED' || status?.status === 'FAILED';

const untilOver = (ns: TestNamespace, name: string): Promise<BatchJobStatus> =>
  ns.until(
    `job ${name} to be over`,
    () => {
      const status = ns.history.get('batchjobs', name)?.status;
      return isOver(status) ? status : undefined;
    },
    180_000,
  );

const uidOf = (ns: TestNamespace, name: string): string => ns.history.get('batchjobs', name)?.metadata.uid ?? '';

const podsOf = (ns: TestNamespace, name: string): Pod[] =>
  ns.history.all('pods').filter(({ metadata }) => metadata.labels?.['longshore.dev/batch-job'] === name);

/** @param seat `<index>.<attempt>`. */
const untilRunning = (ns: TestNamespace, seat: string, name = 'array'): Promise<Pod> =>
  ns.until(`${seat} of ${name} to run`, () =>
    podsOf(ns, name).find((pod) => seatOf(pod) === seat && pod.status?.phase === 'Running'),
  );

const isTracked = ({ metadata }: Pod): boolean => metadata.finalizers?.includes(TRACKED) === true;

const untilNoneTracked = (ns: TestNamespace): Promise<boolean> =>
  ns.until('no pod to have the finalizer', () => !ns.history.all('pods').some(isTracked), 180_000);

const untilNoPods = (ns: TestNamespace): Promise<boolean> =>
  ns.until('the pods to be gone', () => ns.history.all('pods').length === 0, 180_000);

/** What was wrong on the way, whatever was done to the pods. */
const violations = (ns: TestNamespace, name: string): string[] => [
  ...duplicates(ns.history),
  ...rerunsAfterSuccess(ns.history),
  ...forgottenChildren(ns.history, name),
];

describe.concurrent('the results of an array', () => {
  it('have every attempt with its exit code and its times', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(job('array', array(4, 2), held));
    for (const [seat, code] of [
      ['0.1', 0],
      ['1.1', 3],
      ['2.1', 4],
      ['3.1', 5],
      ['1.2', 0],
      ['2.2', 7],
      ['3.2', 0],
    ] as const)
      await end(ns, await untilRunning(ns, seat), code);
    const status = await untilOver(ns, 'array');
    expect(status).toMatchObject({ status: 'FAILED', succeededIndexes: '0-1,3', failedIndexes: '2' });
    const results = await resultsOf(suite().api, ns.name, uidOf(ns, 'array'));
    expect(Object.fromEntries([...results].map(([seat, { exitCode }]) => [seat, exitCode]).sort())).toEqual({
      '0.1': 0,
      '1.1': 3,
      '1.2': 0,
      '2.1': 4,
      '2.2': 7,
      '3.1': 5,
      '3.2': 0,
    });
    for (const [seat, pod] of podsBySeat(ns.history, 'array')) {
      const { startedAt, finishedAt } = pod.status?.containerStatuses?.[0]?.state?.terminated ?? {};
      expect(results.get(seat)).toMatchObject({
        task: pod.metadata.labels?.['longshore.dev/task'],
        statusReason: 'Essential container in task exited',
        startedAt,
        stoppedAt: finishedAt,
      });
    }
    expect([...miscounted(ns.history, 'array', results), ...violations(ns, 'array')]).toEqual([]);
  });

  it('count a running attempt whose pod vanishes as failed with its host, and keep the exit of one that had ended', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(job('array', array(2), held));
    const [running, ended] = [await untilRunning(ns, '0.1'), await untilRunning(ns, '1.1')];
    await deletePod(running.metadata.name, ns, true);
    await ns.until(
      'the first child to have failed',
      () => ns.history.get('batchjobs', 'array')?.status?.failedIndexes === '0',
    );
    await end(ns, ended, 9);
    await ns.until('the second to have ended', () => ns.history.all('pods').some((pod) => isEnded(pod)));
    await deletePod(ended.metadata.name, ns);
    expect(await untilOver(ns, 'array')).toMatchObject({ failedIndexes: '0-1' });
    const results = await resultsOf(suite().api, ns.name, uidOf(ns, 'array'));
    const statusReason = `Host EC2 (instance ${running.spec.nodeName}) terminated.`;
    expect(results.get('0.1')).toMatchObject({ statusReason });
    expect(results.get('0.1')?.exitCode).toBeUndefined();
    expect(results.get('1.1')).toMatchObject({ exitCode: 9 });
    expect(violations(ns, 'array')).toEqual([]);
  });
});

describe.concurrent('a BatchJob with Strict accounting', () => {
  it('that is cancelled before a node has its pod has the reason, as one without has', async (context) => {
    const ns = await suite().namespace(context);
    const nowhere = { nodeSelector: { nowhere: 'yes' } };
    await ns.create(job('strict', {}, { ...strict, ...nowhere }), job('relaxed', {}, nowhere));
    for (const name of ['strict', 'relaxed']) {
      await ns.until(`the pod of ${name} to wait`, () =>
        ns.history.get('batchjobs', name)?.status?.statusReason?.startsWith('CAPACITY:'),
      );
      await ns.patch('batchjobs', name, { metadata: { annotations: { 'longshore.dev/cancel': 'no longer needed' } } });
      expect(await untilOver(ns, name)).toMatchObject({
        status: 'FAILED',
        statusReason: 'no longer needed',
        isCancelled: true,
        attempts: [{ attempt: 1, statusReason: 'no longer needed' }],
      });
    }
    await untilNoPods(ns);
  });

  it('counts every exit once, with the code that it had, while its pods are deleted by hand', async (context) => {
    const ns = await suite().namespace(context);
    const seed = Number(process.env.LONGSHORE_SEED ?? Date.now() % 1_000_000);
    console.info(`deletions of seed ${seed}; LONGSHORE_SEED=${seed} repeats them`);
    const random = randomFrom(seed);
    await ns.create(job('array', array(8, 3), { ...strict, ...failing }));
    const deleted = new Set<string>();
    while (!isOver(ns.history.get('batchjobs', 'array')?.status)) {
      const candidates = ns.history.all('pods').filter(({ metadata }) => !deleted.has(metadata.name));
      const chosen = candidates[Math.floor(random() * candidates.length)];
      if (chosen !== undefined) {
        deleted.add(chosen.metadata.name);
        await deletePod(chosen.metadata.name, ns, random() < 0.3);
      }
      await ns.history.events(1 + Math.floor(random() * 6), 1000);
    }
    await ns.history.caughtUp();
    expect(deleted.size).toBeGreaterThan(0);
    const results = await resultsOf(suite().api, ns.name, uidOf(ns, 'array'));
    // None had time to succeed, so each child used up its attempts.
    expect(results.size).toBe(24);
    expect(ns.history.get('batchjobs', 'array')?.status).toMatchObject({ failedIndexes: '0-7', succeededIndexes: '' });
    await untilNoneTracked(ns);
    expect([
      ...miscounted(ns.history, 'array', results),
      ...releasedUnrecorded(ns.history, 'array'),
      ...violations(ns, 'array'),
    ]).toEqual([]);
  });

  it.for(['background', 'foreground', 'orphan'])('leaves no finalizer when it is deleted: %s', async (how, context) => {
    const ns = await suite().namespace(context);
    await ns.create(job('array', array(3), { ...strict, ...held }));
    for (const seat of ['0.1', '1.1', '2.1']) expect(isTracked(await untilRunning(ns, seat))).toBe(true);
    await ns.kubectl(['delete', 'batchjob', 'array', `--cascade=${how}`, '--timeout=180s']);
    if (how === 'orphan') await untilNoneTracked(ns);
    else await untilNoPods(ns);
    expect(ns.history.all('pods')).toHaveLength(how === 'orphan' ? 3 : 0);
  });

  it('does not hold up the deletion of its namespace', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(job('array', array(3), { ...strict, ...held }));
    for (const seat of ['0.1', '1.1', '2.1']) await untilRunning(ns, seat);
    await ns.kubectl(['delete', 'namespace', ns.name, '--timeout=300s']);
    // The test gives it back.
    await suite().api.call('POST', '/api/v1/namespaces', { metadata: { name: ns.name } });
  });
});

describe.concurrent('a BatchJob with ttlSecondsAfterFinished', () => {
  const ttl = (seconds: number): object => ({ retention: { ttlSecondsAfterFinished: seconds } });

  const untilDeleted = (ns: TestNamespace, name: string): Promise<boolean> =>
    ns.until(`job ${name} to be deleted`, () => ns.history.get('batchjobs', name) === undefined, 180_000);

  it('goes after its end, not before, and its pods and results with it', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(job('array', array(2), { ...ttl(3), ...strict }), job('stays', {}));
    await untilDeleted(ns, 'array');
    const states = ns.history.statesOf('batchjobs', 'array');
    const { status } = states.at(-1) ?? {};
    expect(status).toMatchObject({ status: 'SUCCEEDED', succeededIndexes: '0-1' });
    const gone = ns.history.entries.find(
      ({ kind, type, object }) => kind === 'batchjobs' && type === 'DELETED' && object.metadata.name === 'array',
    );
    // The record is later than the deletion itself, and its stop was cut to whole seconds.
    expect(gone?.seenAt).toBeGreaterThanOrEqual(Date.parse(status?.stoppedAt ?? '') + 3000);
    await ns.until('its pods to be gone', () => podsOf(ns, 'array').length === 0, 180_000);
    await untilOver(ns, 'stays');
    expect(ns.history.get('batchjobs', 'stays')).toBeDefined();
  });

  it('of 0 goes at once, but not before the jobs that depend on it have ended', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(job('first', {}, ttl(0)), job('second', { dependsOn: [{ jobId: 'first' }] }, held));
    await untilOver(ns, 'first');
    await end(ns, await untilRunning(ns, '.1', 'second'), 0);
    await untilOver(ns, 'second');
    await untilDeleted(ns, 'first');
    const over = ns.history.entries.find(
      ({ kind, object }) => kind === 'batchjobs' && object.metadata.name === 'second' && isOver(object.status),
    );
    const gone = ns.history.entries.find(
      ({ kind, type, object }) => kind === 'batchjobs' && type === 'DELETED' && object.metadata.name === 'first',
    );
    expect(gone?.resourceVersion).toBeGreaterThan(over?.resourceVersion ?? 0n);
  });
});

describe('a BatchJob with Strict accounting, while no operator runs', () => {
  it('loses no exit, and leaves no finalizer where it is deleted', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(job('kept', array(2, 2), { ...strict, ...held }), job('deleted', array(2), { ...strict, ...held }));
    const [first, second] = [await untilRunning(ns, '0.1', 'kept'), await untilRunning(ns, '1.1', 'kept')];
    for (const seat of ['0.1', '1.1']) await untilRunning(ns, seat, 'deleted');
    await suite().operator.kill('SIGKILL');
    await end(ns, first, 4);
    await ns.until('it to have ended', () => podsOf(ns, 'kept').some((pod) => isEnded(pod)));
    for (const { metadata } of [first, second]) await deletePod(metadata.name, ns);
    await ns.kubectl(['delete', 'batchjob', 'deleted', '--cascade=background']);
    await ns.until('the second to have ended', () => podsOf(ns, 'kept').every((pod) => isEnded(pod)));
    expect(podsOf(ns, 'deleted')).toHaveLength(2);
    await suite().startOperator();
    for (const seat of ['0.2', '1.2']) await end(ns, await untilRunning(ns, seat, 'kept'), 0);
    expect(await untilOver(ns, 'kept')).toMatchObject({ status: 'SUCCEEDED', succeededIndexes: '0-1' });
    const results = await resultsOf(suite().api, ns.name, uidOf(ns, 'kept'));
    expect([results.get('0.1')?.exitCode, results.get('1.1')?.exitCode]).toEqual([4, 143]);
    await untilNoneTracked(ns);
    await ns.until('the pods of the other to be gone', () => podsOf(ns, 'deleted').length === 0, 180_000);
    expect([
      ...miscounted(ns.history, 'kept', results),
      ...releasedUnrecorded(ns.history, 'kept'),
      ...violations(ns, 'kept'),
    ]).toEqual([]);
  });
});
