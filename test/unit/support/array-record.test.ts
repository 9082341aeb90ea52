import { expect, test } from 'vitest';
import type { BatchJobStatus } from '../../../src/api/batch-job.ts';
import { ArrayRecord } from '../../support/array-record.ts';
import type { KubeApi, KubeObject, WatchEvent } from '../../support/kube-api.ts';

const OWNER = 'uid-of-the-job';
let version = 100;

const metadata = (name: string, uid: string) => {
  version += 1;
  return { name, uid, resourceVersion: `${version}`, creationTimestamp: '' };
};

/** An API server that says what a test has it say. */
class Story implements Pick<KubeApi, 'call' | 'watch'> {
  readonly #watches: ((event: WatchEvent) => void)[] = [];
  readonly results: Record<string, string> = {};

  async call<T>(_method: string, path: string): Promise<T> {
    const chunk = {
      metadata: { ...metadata('chunk', 'c'), ownerReferences: [{ uid: OWNER, kind: 'BatchJob' }] },
      data: this.results,
    };
    return { metadata: { resourceVersion: '1' }, items: path.includes('configmaps') ? [chunk] : [] } as T;
  }

  watch(_path: string, onEvent: (event: WatchEvent) => void): void {
    this.#watches.push(onEvent);
  }

  pod(type: WatchEvent['type'], index: number, attempt: number, exitCode?: number, uid = `${index}-${attempt}`): void {
    const labels = { 'longshore.dev/array-index': `${index}`, 'longshore.dev/attempt': `${attempt}` };
    const phase = exitCode === undefined ? 'Running' : exitCode === 0 ? 'Succeeded' : 'Failed';
    const containerStatuses = [{ name: 'default', state: exitCode === undefined ? {} : { terminated: { exitCode } } }];
    const object = {
      metadata: { ...metadata(`array-${index}-${attempt}`, uid), labels },
      status: { phase, containerStatuses },
    };
    this.#watches[0]?.({ type, object } as WatchEvent);
  }

  /** It is made, and exits. */
  attempt(index: number, attempt: number, exitCode: number): void {
    this.pod('ADDED', index, attempt);
    this.pod('MODIFIED', index, attempt, exitCode);
    this.results[`${index}.${attempt}`] = JSON.stringify({ attempt, exitCode });
  }

  status(
    status: BatchJobStatus['status'],
    succeededIndexes: string,
    failedIndexes: string,
    made: [number, string][],
  ): void {
    const count = (text: string): number => (text === '' ? 0 : text.split(',').length);
    const [SUCCEEDED, FAILED] = [count(succeededIndexes), count(failedIndexes)];
    const object = {
      metadata: metadata('array', OWNER),
      status: {
        status,
        succeededIndexes,
        failedIndexes,
        childAttempts: made.map(([attempts, indexes]) => ({ attempts, indexes })),
        arrayProperties: { size: 3, statusSummary: { SUCCEEDED, FAILED, RUNNING: 3 - SUCCEEDED - FAILED } },
      },
    };
    this.#watches[1]?.({ type: 'MODIFIED', object: object as KubeObject });
  }
}

/** Of 3 children the first fails twice, which is all its attempts; the second once. */
async function violations(change: (story: Story) => void, keptPods = 3): Promise<string[]> {
  const story = new Story();
  const record = await ArrayRecord.start(story, 'default', 'array');
  story.attempt(0, 1, 1);
  story.attempt(1, 1, 1);
  story.attempt(2, 1, 0);
  story.status('PENDING', '2', '', [[1, '0-2']]);
  story.attempt(0, 2, 1);
  story.attempt(1, 2, 0);
  story.status('FAILED', '1,2', '0', [
    [1, '2'],
    [2, '0-1'],
  ]);
  for (const [index, exitCode] of [1, 1].entries()) story.pod('DELETED', index, 1, exitCode);
  change(story);
  return record.violations({ size: 3, attempts: 2, keptPods });
}

test('an array that went as it should violates nothing', async () => {
  expect(await violations(() => {})).toEqual([]);
});

test.each<[string, (story: Story) => void, string]>([
  [
    'runs a child again that had succeeded',
    (story) => story.attempt(2, 2, 0),
    'array-2-2 runs child 2 again, which had succeeded',
  ],
  ['makes an attempt twice', (story) => story.pod('ADDED', 0, 2, 1, 'another'), 'attempt 2 of child 0 was made again'],
  [
    'runs two attempts of a child at once',
    (story) => {
      story.pod('ADDED', 0, 3);
      story.pod('ADDED', 0, 4);
    },
    'array-0-4 was made while another attempt of child 0 ran',
  ],
  ['leaves an attempt out', (story) => story.pod('ADDED', 0, 4), 'array-0-4 is attempt 4, after 2 others'],
  [
    'deletes a pod that runs',
    (story) => {
      story.pod('ADDED', 0, 3);
      story.pod('DELETED', 0, 3);
    },
    'array-0-3 was deleted before it had ended',
  ],
  [
    'forgets a child',
    (story) =>
      story.status('FAILED', '2', '0', [
        [1, '2'],
        [2, '0-1'],
      ]),
    'child 1 is not counted as SUCCEEDED',
  ],
  [
    'takes an end back',
    (story) =>
      story.status('FAILED', '2', '0', [
        [1, '2'],
        [2, '0-1'],
      ]),
    'children 1 are no longer succeeded',
  ],
  [
    'counts a child twice',
    (story) =>
      story.status('FAILED', '0,1,2', '0', [
        [1, '2'],
        [2, '0-1'],
      ]),
    'children 0 have succeeded and failed',
  ],
  [
    'miscounts attempts',
    (story) =>
      story.status('FAILED', '1,2', '0', [
        [1, '2'],
        [2, '0'],
        [3, '1'],
      ]),
    'child 1 had 2 attempts, the status says 3',
  ],
  [
    'says another end',
    (story) =>
      story.status('SUCCEEDED', '1,2', '0', [
        [1, '2'],
        [2, '0-1'],
      ]),
    'the job is SUCCEEDED, and not FAILED',
  ],
  [
    'sweeps what no status has',
    (story) => {
      story.attempt(0, 3, 1);
      story.status('FAILED', '1,2', '', [
        [1, '2'],
        [2, '1'],
        [3, '0'],
      ]);
      story.pod('DELETED', 0, 3, 1);
    },
    'array-0-3 was swept before the status had it',
  ],
  ['loses a result', (story) => void delete story.results['1.2'], 'array-1-2 has no result'],
  [
    'writes another exit code down',
    (story) => {
      story.results['0.1'] = JSON.stringify({ exitCode: 7 });
    },
    'array-0-1 exited with 1, its result says 7',
  ],
])('an array that %s is found out', async (_what, change, violation) => {
  expect((await violations(change)).join('\n')).toContain(violation);
});

test('too many pods that are left are found as well', async () => {
  expect(await violations(() => {}, 2)).toEqual(['3 pods are left, allowed are 2']);
});
