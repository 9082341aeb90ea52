/** The planner of BatchJobs over random histories: every exit is counted once, no child is lost or run again after success. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type JobEvent, SimulatedJob } from '../../support/simulated-job.ts';

const pick = fc.nat(200);
const code = fc.constantFrom(0, 0, 1, 13, 137);

const event: fc.Arbitrary<JobEvent> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      diesBefore: fc.option(fc.nat(12), { nil: undefined, freq: 2 }),
      isDebounced: fc.boolean(),
      losesStart: fc.option(fc.nat(3), { nil: undefined, freq: 5 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('place' as const, 'run' as const), pick }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('exit' as const), pick, code }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('vanish' as const, 'appear' as const), pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), seconds: fc.nat(90) }) },
);

/** At most one of them, somewhere. */
const asked: fc.Arbitrary<readonly JobEvent[]> = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.constantFrom([{ kind: 'cancel' as const }], [{ kind: 'terminate' as const }]) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('0', '1-2', '0,2').map((indexes) => [{ kind: 'terminate indexes' as const, indexes }]),
  },
);

const retryStrategy = fc.record({
  attempts: fc.integer({ min: 1, max: 4 }),
  evaluateOnExit: fc.constantFrom(
    [],
    [{ action: 'exit', onExitCode: '13' }],
    [
      { action: 'RETRY', onStatusReason: 'Host EC2*' },
      { action: 'EXIT', onReason: '*' },
    ],
  ),
});

const history = fc.record({
  before: fc.array(event, { maxLength: 40 }),
  asked,
  after: fc.array(event, { maxLength: 40 }),
  codes: fc.array(code, { minLength: 1, maxLength: 7 }),
});

const timeout = fc.option(fc.constant({ attemptDurationSeconds: 60 }), { nil: undefined, freq: 2 });
const size = fc.integer({ min: 2, max: 8 });

type History = typeof history extends fc.Arbitrary<infer T> ? T : never;

function play(job: SimulatedJob, { before, asked: requests, after, codes }: History): void {
  for (const one of [...before, ...requests, ...after]) job.apply(one);
  job.settle((index, attempt) => codes[(index + attempt) % codes.length] ?? 0);
}

const pass: JobEvent = { kind: 'pass', isDebounced: false };
const first = { pick: 0 };
const SEQUENTIAL = {
  arrayProperties: { size: 2 },
  retryStrategy: { attempts: 2 },
  dependsOn: [{ type: 'SEQUENTIAL' }],
};

/** Found at random once. */
const FOUND: readonly (readonly [string, object, readonly JobEvent[]])[] = [
  [
    'the next child, when only memory had the success of the one before it',
    SEQUENTIAL,
    [
      pass,
      { kind: 'place', ...first },
      { kind: 'exit', ...first, code: 0 },
      { kind: 'vanish', ...first },
      { ...pass, diesBefore: 1 },
    ],
  ],
  [
    'an attempt that vanished before anybody wrote it down',
    { retryStrategy: { attempts: 2 } },
    [pass, { kind: 'vanish', ...first }, { ...pass, isDebounced: true }, { kind: 'restart' }],
  ],
  [
    'a pod that turns up when its child was cancelled',
    { arrayProperties: { size: 2 } },
    [{ ...pass, losesStart: 0 }, { kind: 'cancel' }, pass],
  ],
];

describe('loses no count of', () => {
  it.each(FOUND)('%s', (_, spec, events) => {
    const job = new SimulatedJob(spec);
    for (const one of events) job.apply(one);
    job.settle((_index, attempt) => (attempt === 1 ? 1 : 0));
  });
});

describe('whatever happens to its pods and to the operator', () => {
  it('an array counts every exit once, and ends with each child', () => {
    fc.assert(
      fc.property(size, retryStrategy, timeout, history, (children, strategy, limit, given) => {
        play(new SimulatedJob({ arrayProperties: { size: children }, retryStrategy: strategy, timeout: limit }), given);
      }),
      { numRuns: 120 },
    );
  });

  it('a single job does so', () => {
    fc.assert(
      fc.property(retryStrategy, timeout, history, (strategy, limit, given) => {
        play(new SimulatedJob({ retryStrategy: strategy, timeout: limit }), given);
      }),
      { numRuns: 120 },
    );
  });

  it('the children of a SEQUENTIAL array follow each other', () => {
    fc.assert(
      fc.property(size, retryStrategy, history, (children, strategy, given) => {
        const dependsOn = [{ type: 'SEQUENTIAL' }];
        play(new SimulatedJob({ arrayProperties: { size: children }, retryStrategy: strategy, dependsOn }), given);
      }),
      { numRuns: 80 },
    );
  });

  it('a job starts after what it depends on, and fails with it', () => {
    const type = fc.constantFrom(undefined, 'N_TO_N' as const);
    fc.assert(
      fc.property(size, type, retryStrategy, history, history, (children, kind, strategy, given, first) => {
        const arrayProperties = { size: children };
        const build = new SimulatedJob({ arrayProperties, retryStrategy: strategy }, 'build');
        const dependsOn = [{ jobId: 'build', type: kind }];
        const job = new SimulatedJob({ arrayProperties, dependsOn }, 'job', () => [build.view]);
        for (const one of first.before) build.apply(one);
        for (const one of given.before) job.apply(one);
        play(build, { ...first, before: [] });
        play(job, { ...given, before: [], asked: [] });
        for (let index = 0; index < children; index++) {
          const failed = kind === 'N_TO_N' ? build.view.failed.has(index) : build.view.status === 'FAILED';
          expect(!failed || job.view.failed.has(index)).toBe(true);
          expect(failed && job.pods.has(`${index}.1`)).toBe(false);
        }
      }),
      { numRuns: 60 },
    );
  });
});
