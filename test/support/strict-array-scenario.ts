/** An array under Strict accounting whose pods somebody deletes as well; every exit is known, whatever happens on the way. */
import {
  forgottenChildren,
  isRecorded,
  miscounted,
  podsBySeat,
  type Result,
  releasedUnrecorded,
  resultsOf,
  seatOf,
  TRACKED,
} from './batch-results.ts';
import type { CrashPoints } from './crash-points.ts';
import { duplicates, isEnded, rerunsAfterSuccess } from './invariants.ts';
import { kwok } from './manifests.ts';
import type { NamespaceHistory, Pod } from './recorder.ts';
import type { Suite, TestNamespace } from './suite.ts';

type Scenario = Omit<ConstructorParameters<typeof CrashPoints>[1], 'sample'>;

const NAME = 'strict';
/** Exit codes by `<index>.<attempt>`. */
const CODES: Readonly<Record<string, number>> = { '0.1': 0, '1.1': 3, '1.2': 0, '2.1': 4, '2.2': 5 };
/** These are deleted as soon as they have ended, whether the operator has looked or not. */
const DELETED = ['0.1', '1.1', '2.2'];

const job = {
  kind: 'BatchJob',
  name: NAME,
  spec: {
    arrayProperties: { size: 3 },
    retryStrategy: { attempts: 2 },
    containerProperties: {
      image: 'busybox:1.36',
      resourceRequirements: [
        { type: 'VCPU', value: '0.25' },
        { type: 'MEMORY', value: '16' },
      ],
    },
    kubernetes: { accounting: 'Strict', podAnnotations: kwok({ exitAfter: '1h' }) },
  },
} as const;

const podAt = (history: NamespaceHistory, seat: string): Pod | undefined =>
  history.all('pods').find((pod) => seatOf(pod) === seat);

async function end(ns: TestNamespace, seat: string, exitCode: number): Promise<void> {
  const pod = await ns.until(`${seat} to run`, () => {
    const found = podAt(ns.history, seat);
    return found?.status?.phase === 'Running' && found;
  });
  await ns.patch('pods', pod.metadata.name, { metadata: { annotations: kwok({ exitAfter: '1ms', exitCode }) } });
  if (!DELETED.includes(seat)) return;
  await ns.until(`${seat} to have ended`, () => {
    const found = podsBySeat(ns.history, NAME).get(seat);
    return found !== undefined && isEnded(found);
  });
  await ns.kubectl(['delete', 'pod', pod.metadata.name, '--wait=false', '--ignore-not-found']);
}

/** @param suite gives the API server, for what is on record in ConfigMaps. */
export function strictArray(suite: () => Suite): Scenario {
  const results = new WeakMap<NamespaceHistory, ReadonlyMap<string, Result>>();
  const of = (history: NamespaceHistory) => results.get(history) ?? new Map<string, Result>();
  return {
    run: async (ns) => {
      const [made] = await ns.create(job);
      // One after the other, so that the writes are the same from run to run.
      for (const [seat, code] of Object.entries(CODES)) {
        await end(ns, seat, code);
        await ns.until(`${seat} to be counted`, () => isRecorded(ns.history.get('batchjobs', NAME)?.status, seat));
      }
      await ns.until('the job to be FAILED', () => ns.history.get('batchjobs', NAME)?.status?.status === 'FAILED');
      await ns.until('no pod to have the finalizer', () =>
        ns.history.all('pods').every(({ metadata }) => !metadata.finalizers?.includes(TRACKED)),
      );
      results.set(ns.history, await resultsOf(suite().api, ns.name, made?.metadata.uid ?? ''));
    },
    end: (history) => {
      const {
        succeededIndexes,
        failedIndexes,
        childAttempts,
        failedAttempts = [],
      } = history.get('batchjobs', NAME)?.status ?? {};
      return {
        succeededIndexes,
        failedIndexes,
        childAttempts,
        failures: failedAttempts.map(({ index, attempt, exitCode }) => `${index}.${attempt}: ${exitCode}`).sort(),
        results: Object.fromEntries([...of(history)].map(([seat, { exitCode }]) => [seat, exitCode]).sort()),
        pods: history.all('pods').map(seatOf).sort(),
      };
    },
    undisturbed: {
      succeededIndexes: '0-1',
      failedIndexes: '2',
      childAttempts: [
        { attempts: 1, indexes: '0' },
        { attempts: 2, indexes: '1-2' },
      ],
      failures: ['1.1: 3', '2.1: 4', '2.2: 5'],
      results: CODES,
      pods: Object.keys(CODES).filter((seat) => !DELETED.includes(seat)),
    },
    violations: (history) => [
      ...duplicates(history),
      ...rerunsAfterSuccess(history),
      ...miscounted(history, NAME, of(history)),
      ...releasedUnrecorded(history, NAME),
      ...forgottenChildren(history, NAME),
    ],
    writes: 18,
  };
}
