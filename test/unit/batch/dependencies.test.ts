import { describe, expect, it } from 'vitest';
import type { JobDependency } from '../../../src/api/batch-depends-on.ts';
import { type DependencyView, resolveDependencies } from '../../../src/batch/dependencies.ts';

const NONE = new Set<number>();

function view(name: string, fields: Partial<DependencyView> = {}): DependencyView {
  return { name, uid: `${name}-uid`, status: 'PENDING', succeeded: NONE, failed: NONE, dependsOn: [], ...fields };
}

const on = (...jobIds: string[]): JobDependency[] => jobIds.map((jobId) => ({ jobId }));

function resolve(job: Partial<DependencyView>, ...others: DependencyView[]) {
  const own = view('a', job);
  const all = [own, ...others];
  return resolveDependencies(own, (reference) =>
    all.filter(({ name, uid }) => name === reference || uid === reference),
  );
}

describe('what a job waits for is said', () => {
  it.each([
    ['waiting for job b (RUNNING)', on('b'), [view('b', { status: 'RUNNING' })]],
    ['waiting for job b, which does not exist yet', on('b'), []],
    ['waiting for job b:1 (PENDING)', on('b:1'), [view('b', { size: 2 })]],
    [
      'waiting for job c, which does not exist yet, and for 1 more',
      on('b', 'c', 'd'),
      [view('b', { status: 'SUCCEEDED' }), view('d')],
    ],
  ])('%s', (because, dependsOn, others) => {
    expect(resolve({ dependsOn }, ...others)).toMatchObject({ kind: 'waiting', because });
  });

  it('of a child, where the job as a whole does not wait', () => {
    const dependsOn: JobDependency[] = [{ jobId: 'b', type: 'N_TO_N' }, { type: 'SEQUENTIAL' }];
    expect(resolve({ size: 2, dependsOn }, view('b', { size: 2 }))).toMatchObject({
      kind: 'open',
      byIndex: 'waiting for the same child of job b (PENDING), and for the child before it',
    });
  });

  it('and which job failed, whatever else is waited for', () => {
    expect(resolve({ dependsOn: on('x', 'b') }, view('b', { status: 'FAILED' }))).toMatchObject({
      kind: 'failed',
      because: 'it depends on job b (FAILED)',
    });
  });
});

describe('a reference', () => {
  it('is a UID as well as a name', () => {
    expect(resolve({ dependsOn: on('b-uid') }, view('b', { status: 'SUCCEEDED' })).kind).toBe('open');
  });

  it('to a name of several jobs asks for a UID', () => {
    const two = [view('b', { uid: 'one' }), view('b', { uid: 'two' })];
    expect(resolve({ dependsOn: on('b') }, ...two)).toMatchObject({
      kind: 'refused',
      reason: 'AmbiguousDependency',
      message: '2 jobs have the name b; name one by its UID: one, two',
    });
    expect(resolve({ dependsOn: on('two') }, ...two).kind).toBe('waiting');
  });

  it('to many jobs names five', () => {
    const many = Array.from({ length: 9 }, (_, index) => view('b', { uid: `${index}` }));
    expect(resolve({ dependsOn: on('b') }, ...many)).toMatchObject({
      message: '9 jobs have the name b; name one by its UID: 0, 1, 2, 3, 4, …',
    });
  });

  it.each<[string, JobDependency, Partial<DependencyView>, string, string]>([
    [
      'N_TO_N to an array of another size',
      { jobId: 'b', type: 'N_TO_N' },
      { size: 5 },
      'DependencyOfOtherSize',
      'N_TO_N needs arrays of one size: job b has 5 children, this one 4',
    ],
    [
      'N_TO_N to a single job',
      { jobId: 'b', type: 'N_TO_N' },
      {},
      'DependencyNotAnArray',
      'job b is no array, so that a dependency on it cannot have the type N_TO_N',
    ],
    [
      'to a child of a single job',
      { jobId: 'b:0' },
      {},
      'DependencyNotAnArray',
      'job b is no array: it has no child 0',
    ],
    [
      'to a child too many',
      { jobId: 'b:4' },
      { size: 4 },
      'DependencyHasNoSuchChild',
      'job b has the children 0 to 3, and no child 4',
    ],
  ])('%s is refused, also when that job is over', (_, dependency, fields, reason, message) => {
    for (const status of ['PENDING', 'SUCCEEDED'] as const) {
      const dependencies = resolve({ size: 4, dependsOn: [dependency] }, view('b', { ...fields, status }));
      expect(dependencies).toMatchObject({ kind: 'refused', reason, message });
      expect(dependencies.gate(0, { succeeded: NONE, failed: NONE })).toBe('waiting');
    }
  });
});

describe('jobs that wait for each other', () => {
  const cycle = (...names: string[]) => ({
    kind: 'refused',
    reason: 'DependencyCycle',
    message: `jobs wait for each other in a cycle: ${names.join(' → ')}`,
  });

  it('are refused with the way round', () => {
    const others = [view('b', { dependsOn: on('c') }), view('c', { dependsOn: on('x', 'a-uid') })];
    expect(resolve({ dependsOn: on('b') }, ...others)).toMatchObject(cycle('a', 'b', 'c', 'a'));
  });

  it('are named by the shortest way', () => {
    const others = [view('b', { dependsOn: on('c', 'a') }), view('c', { dependsOn: on('a') })];
    expect(resolve({ dependsOn: on('c', 'b') }, ...others)).toMatchObject(cycle('a', 'c', 'a'));
  });

  it('may be one job alone, or a child of it', () => {
    expect(resolve({ dependsOn: on('a') })).toMatchObject(cycle('a', 'a'));
    expect(resolve({ size: 2, dependsOn: on('a:0') })).toMatchObject(cycle('a', 'a'));
    expect(resolve({ size: 2, dependsOn: [{ jobId: 'a', type: 'N_TO_N' }] })).toMatchObject(cycle('a', 'a'));
  });

  it('are found by children as well', () => {
    const other = view('b', { size: 2, dependsOn: [{ jobId: 'a', type: 'N_TO_N' }] });
    expect(resolve({ size: 2, dependsOn: on('b:1') }, other)).toMatchObject(cycle('a', 'b', 'a'));
  });

  it('leave one that only waits for them waiting', () => {
    const others = [view('b', { dependsOn: on('c') }), view('c', { dependsOn: on('b') })];
    expect(resolve({ dependsOn: on('b') }, ...others).kind).toBe('waiting');
  });

  it('do not when one of them is over', () => {
    const others = [view('b', { dependsOn: on('c') }), view('c', { status: 'SUCCEEDED', dependsOn: on('a') })];
    expect(resolve({ dependsOn: on('b') }, ...others).kind).toBe('waiting');
  });

  it('do not when each child waits for the one before it', () => {
    expect(resolve({ size: 2, dependsOn: [{ type: 'SEQUENTIAL' }] }).kind).toBe('open');
  });
});

describe('the cost of dependencies', () => {
  it('grows with the jobs, not with the ways between them', () => {
    const layers = 30;
    const others = Array.from({ length: layers }, (_, layer) =>
      [0, 1].map((side) =>
        view(`${layer}-${side}`, { dependsOn: layer + 1 < layers ? on(`${layer + 1}-0`, `${layer + 1}-1`) : [] }),
      ),
    ).flat();
    let looks = 0;
    const dependencies = resolveDependencies(view('a', { dependsOn: on('0-0', '0-1') }), (reference) => {
      looks++;
      return others.filter(({ name }) => name === reference);
    });
    expect(dependencies.kind).toBe('waiting');
    expect(looks).toBeLessThanOrEqual(4 * layers);
  });

  it('is bounded for a chain of any length', () => {
    const byName = new Map(
      Array.from({ length: 20_000 }, (_, index) => [
        `${index}`,
        view(`${index}`, { dependsOn: on(index === 19_999 ? 'a' : `${index + 1}`) }),
      ]),
    );
    const own = view('a', { dependsOn: on('0') });
    byName.set('a', own);
    const found = resolveDependencies(own, (reference) => [byName.get(reference)].filter((job) => job !== undefined));
    expect(found).toMatchObject({ reason: 'DependencyCycle' });
  });
});
