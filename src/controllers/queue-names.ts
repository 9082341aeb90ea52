/** JobQueues and ComputeEnvironments by their AWS names. */
import type { ComputeEnvironmentRecord, JobQueueRecord, Stores } from './runtime.ts';

export const jobQueueNameOf = ({ spec, name }: JobQueueRecord): string => spec?.jobQueueName ?? name;

export const computeEnvironmentNameOf = ({ spec, name }: ComputeEnvironmentRecord): string =>
  spec?.computeEnvironmentName ?? name;

const olderFirst = (
  a: { readonly createdAt: number; readonly uid: string },
  b: { readonly createdAt: number; readonly uid: string },
): number => a.createdAt - b.createdAt || (a.uid < b.uid ? -1 : 1);

/** The queue that has an AWS name: the oldest of those that claim it. */
export const jobQueueOf = ({ jobQueues }: Stores, namespace: string, awsName: string): JobQueueRecord | undefined =>
  jobQueues.by('name', `${namespace}/${awsName}`).toSorted(olderFirst)[0];

/** The compute environment that has an AWS name: the oldest of those that claim it. */
export const computeEnvironmentOf = (
  { computeEnvironments }: Stores,
  awsName: string,
): ComputeEnvironmentRecord | undefined => computeEnvironments.by('name', awsName).toSorted(olderFirst)[0];
