/** JobQueues and ComputeEnvironments that break one rule each. */
import type { BrokenRule } from './broken-rules.ts';
import { computeEnvironment, jobQueue } from './samples.ts';

type Fields = Record<string, unknown>;

const tags = { 'AWS:x': 'y' };
const tagKeys =
  'keys of tags have 1 to 128 characters, and neither keys nor values start with aws:, in any case of letters';

const ofQueue = (field: string, message: string, fields: Fields): BrokenRule => ({
  kind: 'JobQueue',
  path: `spec.${field}`,
  message,
  spec: jobQueue(fields),
});

const ofEnvironment = (field: string, message: string, fields: Fields): BrokenRule => ({
  kind: 'ComputeEnvironment',
  path: `spec.${field}`,
  message,
  spec: computeEnvironment(fields),
});

const shares = (...identifiers: string[]): Fields => ({
  schedulingPolicy: {
    fairsharePolicy: { shareDistribution: identifiers.map((shareIdentifier) => ({ shareIdentifier })) },
  },
});

export const brokenQueues: readonly BrokenRule[] = [
  ofQueue(
    'schedulingPolicyArn',
    'schedulingPolicyArn names what is not in this cluster; write the policy into schedulingPolicy',
    { schedulingPolicyArn: 'arn:aws:batch:eu-west-1:111122223333:scheduling-policy/fair' },
  ),
  ...[
    ['UserA*', 'UserA1'],
    ['red', 'UserA1', 'UserA*', 'User*'],
  ].map((identifiers) =>
    ofQueue(
      'schedulingPolicy.fairsharePolicy.shareDistribution',
      "share identifiers must not overlap: others begin as 'UserA*' does",
      shares(...identifiers),
    ),
  ),
  ...[0, 1000].map((weightFactor) =>
    ofQueue('schedulingPolicy.fairsharePolicy.shareDistribution[0].weightFactor', 'must be from 0.0001 to 999.9999', {
      schedulingPolicy: { fairsharePolicy: { shareDistribution: [{ shareIdentifier: 'a', weightFactor }] } },
    }),
  ),
  ofQueue('tags', tagKeys, { tags }),
  ofEnvironment('computeResources', 'a MANAGED compute environment needs computeResources', {
    computeResources: null,
  }),
  ofEnvironment('computeResources', 'an UNMANAGED compute environment has no computeResources', { type: 'UNMANAGED' }),
  ofEnvironment('unmanagedvCpus', 'unmanagedvCpus is for the type UNMANAGED', { unmanagedvCpus: 0 }),
  ofEnvironment('computeResources.minvCpus', 'minvCpus must not be greater than maxvCpus', {
    computeResources: { type: 'EC2', maxvCpus: 4, minvCpus: 5 },
  }),
  ofEnvironment('computeResources.desiredvCpus', 'desiredvCpus must not be greater than maxvCpus', {
    computeResources: { type: 'EC2', maxvCpus: 4, desiredvCpus: 5 },
  }),
  ofEnvironment('tags', tagKeys, { tags }),
];
