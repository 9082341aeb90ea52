import { describe, expect, it } from 'vitest';
import type { JobDependency } from '../../src/api/batch-depends-on.ts';
import type { JobStatus } from '../../src/api/batch-job.ts';
import { type DependencyView, type Gate, type Indexes, resolveDependencies } from '../../src/batch/dependencies.ts';
import { splitIntervals } from '../../src/batch/intervals.ts';

interface Given {
  readonly status: JobStatus;
  readonly size?: number;
  readonly succeeded?: string;
  readonly failed?: string;
}

const indexes = (text: string): Indexes => ({
  has: (index) => splitIntervals(text).some(([from, to]) => from <= index && index <= to),
});

const view = (name: string, { succeeded = '', failed = '', ...job }: Given): DependencyView => ({
  name,
  uid: `uid-of-${name}`,
  succeeded: indexes(succeeded),
  failed: indexes(failed),
  dependsOn: [],
  ...job,
});

interface Row {
  readonly source: string;
  readonly rule: string;
  readonly size?: number;
  readonly dependsOn: readonly JobDependency[];
  readonly jobs?: Readonly<Record<string, Given>>;
  /** Of the job's own children. */
  readonly own?: { readonly succeeded?: string; readonly failed?: string };
  readonly kind: 'open' | 'waiting' | 'failed' | 'refused';
  /** By index, o(pen), w(aiting), f(ailed). */
  readonly gates?: string;
}

const DEPENDENCIES = 'user guide, job_dependencies';
const ARRAYS = 'user guide, array_jobs';
const SUBMIT = 'API reference, SubmitJob';
const STATES = 'user guide, job_states';
/** aws/containers-roadmap#2183: of a SEQUENTIAL array "every job" must be successful for it to go on. */
const ROADMAP = 'aws/containers-roadmap#2183';
/** AWS does not say, or has nothing like it; docs/batch.md has what Longshore does. */
const OPEN = 'open';

const ARRAY = { size: 4 };
const B = [{ jobId: 'b' }];
const N_TO_N = [{ jobId: 'b', type: 'N_TO_N' }] as const;
const SEQUENTIAL = [{ type: 'SEQUENTIAL' }] as const;

const rows: readonly Row[] = [
  { source: STATES, rule: 'no dependencies', dependsOn: [], kind: 'open' },
  ...(['SUBMITTED', 'PENDING', 'RUNNABLE', 'STARTING', 'RUNNING'] as const).map(
    (status): Row => ({
      source: DEPENDENCIES,
      rule: `waits for a job that is ${status}`,
      dependsOn: B,
      jobs: { b: { status } },
      kind: 'waiting',
    }),
  ),
  {
    source: DEPENDENCIES,
    rule: 'runs after success',
    dependsOn: B,
    jobs: { b: { status: 'SUCCEEDED' } },
    kind: 'open',
  },
  { source: DEPENDENCIES, rule: 'fails with it', dependsOn: B, jobs: { b: { status: 'FAILED' } }, kind: 'failed' },
  {
    source: DEPENDENCIES,
    rule: 'all must have succeeded',
    dependsOn: [{ jobId: 'b' }, { jobId: 'c' }],
    jobs: { b: { status: 'SUCCEEDED' }, c: { status: 'RUNNING' } },
    kind: 'waiting',
  },
  {
    source: DEPENDENCIES,
    rule: 'one that fails is enough, while others run',
    dependsOn: [{ jobId: 'b' }, { jobId: 'c' }],
    jobs: { b: { status: 'RUNNING' }, c: { status: 'FAILED' } },
    kind: 'failed',
  },
  {
    source: ARRAYS,
    rule: 'a job after an array waits for all of it (JobE after JobD)',
    dependsOn: B,
    jobs: { b: { status: 'PENDING', size: 4, succeeded: '0-2' } },
    kind: 'waiting',
  },
  {
    source: ARRAYS,
    rule: 'an array after a job waits as a whole (JobB after JobA)',
    ...ARRAY,
    dependsOn: B,
    jobs: { b: { status: 'RUNNING' } },
    kind: 'waiting',
    gates: 'wwww',
  },
  {
    source: ARRAYS,
    rule: 'all of an array starts after the job before it',
    ...ARRAY,
    dependsOn: B,
    jobs: { b: { status: 'SUCCEEDED' } },
    kind: 'open',
    gates: 'oooo',
  },
  {
    source: DEPENDENCIES,
    rule: 'all of an array fails with the job before it',
    ...ARRAY,
    dependsOn: B,
    jobs: { b: { status: 'FAILED' } },
    kind: 'failed',
    gates: 'ffff',
  },

  {
    source: ARRAYS,
    rule: 'N_TO_N: B:1 starts when A:1 has succeeded',
    ...ARRAY,
    dependsOn: N_TO_N,
    jobs: { b: { status: 'PENDING', size: 4, succeeded: '1,3' } },
    kind: 'open',
    gates: 'wowo',
  },
  {
    source: `${ARRAYS}, ${DEPENDENCIES}`,
    rule: 'N_TO_N: a child fails with the child of its index only',
    ...ARRAY,
    dependsOn: N_TO_N,
    jobs: { b: { status: 'PENDING', size: 4, succeeded: '1', failed: '2' } },
    kind: 'open',
    gates: 'wofw',
  },
  {
    source: ARRAYS,
    rule: 'N_TO_N: the children whose twins succeeded start though the array failed',
    ...ARRAY,
    dependsOn: N_TO_N,
    jobs: { b: { status: 'FAILED', size: 4, succeeded: '0-1,3', failed: '2' } },
    kind: 'open',
    gates: 'oofo',
  },
  {
    source: SUBMIT,
    rule: 'N_TO_N: waits for each of several arrays',
    ...ARRAY,
    dependsOn: [...N_TO_N, { jobId: 'c', type: 'N_TO_N' }],
    jobs: {
      b: { status: 'PENDING', size: 4, succeeded: '0-1', failed: '3' },
      c: { status: 'PENDING', size: 4, succeeded: '1-2' },
    },
    kind: 'open',
    gates: 'wowf',
  },
  {
    source: SUBMIT,
    rule: 'N_TO_N with a whole job beside it',
    ...ARRAY,
    dependsOn: [...N_TO_N, { jobId: 'c' }],
    jobs: { b: { status: 'SUCCEEDED', size: 4, succeeded: '0-3' }, c: { status: 'RUNNING' } },
    kind: 'waiting',
    gates: 'wwww',
  },
  {
    source: 'ecs-semantics §5.7',
    rule: 'N_TO_N with an array of another size',
    ...ARRAY,
    dependsOn: N_TO_N,
    jobs: { b: { status: 'PENDING', size: 5 } },
    kind: 'refused',
  },
  {
    source: OPEN,
    rule: 'N_TO_N with a job that is no array',
    ...ARRAY,
    dependsOn: N_TO_N,
    jobs: { b: { status: 'RUNNING' } },
    kind: 'refused',
  },

  { source: ARRAYS, rule: 'SEQUENTIAL: child 0 first', ...ARRAY, dependsOn: SEQUENTIAL, kind: 'open', gates: 'owww' },
  {
    source: ARRAYS,
    rule: 'SEQUENTIAL: A:1 cannot start until A:0 has succeeded',
    ...ARRAY,
    dependsOn: SEQUENTIAL,
    own: { succeeded: '0-1' },
    kind: 'open',
    gates: 'ooow',
  },
  {
    source: ROADMAP,
    rule: 'SEQUENTIAL: a child that failed ends those after it',
    ...ARRAY,
    dependsOn: SEQUENTIAL,
    own: { succeeded: '0', failed: '1-2' },
    kind: 'open',
    gates: 'ooff',
  },
  {
    source: ARRAYS,
    rule: 'SEQUENTIAL with a whole job beside it (JobD after JobC)',
    ...ARRAY,
    dependsOn: [...B, ...SEQUENTIAL],
    jobs: { b: { status: 'PENDING', size: 10_000, succeeded: '0-9998' } },
    kind: 'waiting',
    gates: 'wwww',
  },
  {
    source: SUBMIT,
    rule: 'SEQUENTIAL with N_TO_N beside it',
    ...ARRAY,
    dependsOn: [...N_TO_N, ...SEQUENTIAL],
    jobs: { b: { status: 'PENDING', size: 4, succeeded: '0-1,3' } },
    own: { succeeded: '0-1' },
    kind: 'open',
    gates: 'ooww',
  },

  { source: OPEN, rule: 'a job that does not exist yet is waited for', dependsOn: B, kind: 'waiting' },
  {
    source: OPEN,
    rule: 'a child of an array, by its id',
    dependsOn: [{ jobId: 'b:2' }],
    jobs: { b: { status: 'FAILED', size: 4, succeeded: '2', failed: '1' } },
    kind: 'open',
  },
  {
    source: OPEN,
    rule: 'a child that failed',
    dependsOn: [{ jobId: 'b:1' }],
    jobs: { b: { status: 'PENDING', size: 4, failed: '1' } },
    kind: 'failed',
  },
  {
    source: OPEN,
    rule: 'a child that has not ended',
    dependsOn: [{ jobId: 'b:3' }],
    jobs: { b: { status: 'PENDING', size: 4, succeeded: '0-2' } },
    kind: 'waiting',
  },
  {
    source: OPEN,
    rule: 'a child that the array does not have',
    dependsOn: [{ jobId: 'b:4' }],
    jobs: { b: { status: 'PENDING', size: 4 } },
    kind: 'refused',
  },
];

const GATES: Readonly<Record<string, Gate>> = { o: 'open', w: 'waiting', f: 'failed' };

describe('a Batch job that depends on others', () => {
  it.each(rows)('$source: $rule: $kind $gates', ({ size, dependsOn, jobs = {}, own, kind, gates = '' }) => {
    const found = Object.entries(jobs).map(([name, job]) => view(name, job));
    const dependencies = resolveDependencies({ name: 'a', uid: 'uid-of-a', size, dependsOn }, (reference) =>
      found.filter(({ name, uid }) => [name, uid].includes(reference)),
    );
    expect(dependencies.kind).toBe(kind);
    const ended = {
      succeeded: indexes(own?.succeeded ?? ''),
      failed: indexes(own?.failed ?? ''),
    };
    expect([...gates].map((_, index) => dependencies.gate(index, ended))).toEqual([...gates].map((g) => GATES[g]));
  });
});
