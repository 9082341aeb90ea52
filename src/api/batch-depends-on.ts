/** What a job waits for. AWS: JobDependency (`ecs-semantics` §5.7). */
import { z } from 'zod';
import { list, type Parsed, type Rule, withRules } from './schema.ts';

const dependencySchema = withRules(
  z.strictObject({
    jobId: z
      .string()
      .min(1)
      .max(258)
      .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,252}(:[0-9]{1,4})?$/)
      .optional()
      .describe(
        'Name or UID of a BatchJob in the same namespace; NAME:INDEX or UID:INDEX for one child of an array. It may not exist yet.',
      ),
    type: z
      .enum(['N_TO_N', 'SEQUENTIAL'])
      .optional()
      .describe(
        'N_TO_N: each child waits for the child of the same index of that array. SEQUENTIAL: each child waits for the one before it. Default: the job waits for the whole other job.',
      ),
  }),
  {
    message: 'a dependency names a jobId, or has the type SEQUENTIAL',
    holds: ({ jobId, type }) => jobId !== undefined || type === 'SEQUENTIAL',
    cel: "has(self.jobId) || (has(self.type) && self.type == 'SEQUENTIAL')",
    field: 'jobId',
  },
  {
    message: 'a dependency of type SEQUENTIAL is among the children of the job itself, so that it names no jobId',
    holds: ({ jobId, type }) => jobId === undefined || type !== 'SEQUENTIAL',
    cel: "!has(self.jobId) || !has(self.type) || self.type != 'SEQUENTIAL'",
    field: 'jobId',
  },
  {
    message: 'a dependency of type N_TO_N names a whole array, not one child of it',
    holds: ({ jobId, type }) => type !== 'N_TO_N' || jobId?.includes(':') !== true,
    cel: "!has(self.jobId) || !has(self.type) || self.type != 'N_TO_N' || !self.jobId.contains(':')",
    field: 'jobId',
  },
).describe('A job that must succeed first. AWS: JobDependency.');

/** What the job waits for before it starts. AWS: JobDependency[]. */
export const dependsOnSchema = () =>
  list(dependencySchema, 20).describe(
    'Jobs that must succeed before this one starts, at most 20; when one fails, this one fails. AWS: JobDependency[].',
  );

export type JobDependency = Parsed<typeof dependencySchema>;

/** A rule of the whole job: which types a dependency may have. */
export const dependencyTypesOfArrays: Rule<{
  readonly dependsOn: readonly JobDependency[];
  readonly arrayProperties?: unknown;
}> = {
  message: 'dependencies of type N_TO_N and SEQUENTIAL are for arrays: give arrayProperties',
  holds: ({ dependsOn, arrayProperties }) =>
    arrayProperties !== undefined || dependsOn.every(({ type }) => type === undefined),
  cel: 'has(self.arrayProperties) || !has(self.dependsOn) || !self.dependsOn.exists(d, has(d.type))',
  field: 'dependsOn',
};
