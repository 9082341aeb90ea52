import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseBatchJob } from '../../../src/api/batch-job.ts';
import { InvalidSpecError } from '../../../src/api/parse.ts';
import { EVERY_JOB_FIELD } from '../../support/every-job-field.ts';
import { mutation } from '../api/mutation.ts';
import { samples } from '../api/samples.ts';
import { json, longshore } from './run.ts';

const isAccepted = (spec: unknown): boolean => {
  try {
    parseBatchJob(spec);
    return true;
  } catch (error) {
    if (error instanceof InvalidSpecError) return false;
    throw error;
  }
};

const jobs = [
  ...samples.filter(({ kind, refused }) => kind === 'BatchJob' && refused === undefined).map(({ spec }) => spec),
  ...EVERY_JOB_FIELD,
];

it('jobs that were broken at random are refused by longshore validate when the controller refuses them, and only then', async () => {
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...jobs).chain((spec) => mutation({ kind: 'BatchJob', spec })),
      async ({ spec }) => {
        const metadata = { name: 'sample' };
        const object = { apiVersion: 'longshore.dev/v1alpha1', kind: 'BatchJob', metadata, spec };
        const { code, err } = await longshore(['validate', '-'], json(object));
        if (code !== 0) refused++;
        expect(code === 0, err).toBe(isAccepted(spec));
      },
    ),
    { numRuns: 300 },
  );
  expect(refused).toBeGreaterThan(30);
}, 120_000);
