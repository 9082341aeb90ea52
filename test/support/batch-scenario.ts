/** Jobs that are tried again, depend on each other, and are ended in part; their ends are known, whatever happens on the way. */
import type { CrashPoints } from './crash-points.ts';
import { annotate, array, endNext, heldJob } from './held-jobs.ts';
import { duplicates, rerunsAfterSuccess } from './invariants.ts';
import { kwok } from './manifests.ts';
import type { NamespaceHistory } from './recorder.ts';

type Scenario = Omit<ConstructorParameters<typeof CrashPoints>[1], 'sample'>;

const exits = (exitCode: number) => ({ kubernetes: { podAnnotations: kwok({ exitAfter: '300ms', exitCode }) } });

const JOBS = [
  heldJob('flaky', { ...array(2), ...exits(6), retryStrategy: { attempts: 2 } }),
  heldJob('after', { dependsOn: [{ jobId: 'flaky' }] }),
  heldJob('first', { ...array(2), ...exits(0) }),
  heldJob('twin', { ...array(2), ...exits(0), dependsOn: [{ jobId: 'first', type: 'N_TO_N' }] }),
  heldJob('some', array(3)),
];
const names = JOBS.map(({ name }) => name);

const isOver = (history: NamespaceHistory, name: string): boolean =>
  ['SUCCEEDED', 'FAILED'].includes(history.get('batchjobs', name)?.status?.status ?? '');

/** Children whose outcome changed after it was said. */
const changedOutcomes = (history: NamespaceHistory): string[] =>
  names.flatMap((name) => {
    const said = history.statesOf('batchjobs', name).map(({ status }) => status);
    return said.flatMap((status, at) => {
      const before = said[at - 1];
      return isOver(history, name) && before?.stoppedAt !== undefined && before.stoppedAt !== status?.stoppedAt
        ? [`${name} had ended at ${before.stoppedAt}, and again at ${status?.stoppedAt}`]
        : [];
    });
  });

export const BATCH: Scenario = {
  run: async (ns) => {
    await ns.create(...JOBS);
    await ns.until(
      'all children to run',
      () => ns.history.get('batchjobs', 'some')?.status?.arrayProperties?.statusSummary?.RUNNING === 3,
    );
    await annotate(ns, 'some', 'terminate-indexes', '1');
    await ns.until('child 1 to have ended', () => ns.history.get('batchjobs', 'some')?.status?.failedIndexes === '1');
    await Promise.all([endNext(ns, 'some', 0, 0), endNext(ns, 'some', 0, 2)]);
    await ns.until('all to be over', () => names.every((name) => isOver(ns.history, name)));
  },
  end: (history) =>
    Object.fromEntries(
      names.map((name) => {
        const { status, statusReason, succeededIndexes, failedIndexes, childAttempts, failedAttempts, isTerminated } =
          history.get('batchjobs', name)?.status ?? {};
        const failures = failedAttempts?.map(({ index, attempt, exitCode }) => `${index}.${attempt}: ${exitCode}`);
        const outcome = `${status} ${statusReason ?? ''}`.trim();
        const tried = childAttempts?.map(({ attempts, indexes }) => `${attempts} of ${indexes}`);
        return [name, { outcome, succeededIndexes, failedIndexes, tried, failures: failures?.sort(), isTerminated }];
      }),
    ),
  undisturbed: {
    flaky: {
      outcome: 'FAILED Array Child Job failed',
      succeededIndexes: '',
      failedIndexes: '0-1',
      tried: ['2 of 0-1'],
      failures: ['0.1: 6', '0.2: 6', '1.1: 6', '1.2: 6'],
      isTerminated: undefined,
    },
    after: {
      outcome: 'FAILED Dependent Job failed',
      succeededIndexes: undefined,
      failedIndexes: undefined,
      tried: undefined,
      failures: undefined,
      isTerminated: undefined,
    },
    first: {
      outcome: 'SUCCEEDED',
      succeededIndexes: '0-1',
      failedIndexes: '',
      tried: ['1 of 0-1'],
      failures: [],
      isTerminated: undefined,
    },
    twin: {
      outcome: 'SUCCEEDED',
      succeededIndexes: '0-1',
      failedIndexes: '',
      tried: ['1 of 0-1'],
      failures: [],
      isTerminated: undefined,
    },
    some: {
      outcome: 'FAILED Array Child Job failed',
      succeededIndexes: '0,2',
      failedIndexes: '1',
      tried: ['1 of 0-2'],
      failures: ['1.1: 143'],
      isTerminated: true,
    },
  },
  violations: (history) => [
    ...duplicates(history),
    ...rerunsAfterSuccess(history),
    ...changedOutcomes(history),
    ...(history.all('pods').some(({ metadata }) => metadata.labels?.['longshore.dev/batch-job'] === 'after')
      ? ['a job began though the one before it failed']
      : []),
  ],
  writes: 24,
};
