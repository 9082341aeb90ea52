/** Retry strategies and dependencies of a BatchJob that break one rule each. */
import type { BrokenRule } from './broken-rules.ts';
import { job } from './samples.ts';

type Fields = Record<string, unknown>;

const onExit = (field: string, message: string, rule: Fields): BrokenRule => ({
  kind: 'BatchJob',
  path: `spec.retryStrategy.evaluateOnExit[0]${field}`,
  message,
  spec: job({ retryStrategy: { attempts: 2, evaluateOnExit: [rule] } }),
});

const dependency = (fields: Fields, message: string): BrokenRule => ({
  kind: 'BatchJob',
  path: 'spec.dependsOn[0].jobId',
  message,
  spec: job({ arrayProperties: { size: 2 }, dependsOn: [fields] }),
});

const TEXT = 'letters, digits, ., : and white space, and * only at the end';

export const brokenRetryAndDependencies: readonly BrokenRule[] = [
  ...['retry!', 'RETRYING', ''].map((action) =>
    onExit('.action', 'action must be RETRY or EXIT, in any case of letters', { action, onReason: '*' }),
  ),
  onExit('', 'a rule of evaluateOnExit needs at least one of onExitCode, onReason and onStatusReason', {
    action: 'EXIT',
  }),
  ...['1x', '*1', '1**', '-1', ' 1'].map((onExitCode) =>
    onExit('.onExitCode', 'onExitCode takes digits, and * only at the end', { action: 'EXIT', onExitCode }),
  ),
  ...['*error', 'a*b', 'Host (EC2)', 'a\u00a0b', 'a\u000bb', 'Unterkühlung'].map((onReason) =>
    onExit('.onReason', `onReason takes ${TEXT}`, { action: 'EXIT', onReason }),
  ),
  onExit('.onStatusReason', `onStatusReason takes ${TEXT}`, { action: 'EXIT', onStatusReason: 'Host EC2?' }),
  {
    kind: 'BatchJob',
    path: 'spec.retryStrategy.attempts',
    message: 'evaluateOnExit needs attempts to be given',
    spec: job({ retryStrategy: { evaluateOnExit: [{ action: 'EXIT', onReason: '*' }] } }),
  },
  dependency({}, 'a dependency names a jobId, or has the type SEQUENTIAL'),
  dependency({ type: 'N_TO_N' }, 'a dependency names a jobId, or has the type SEQUENTIAL'),
  dependency(
    { jobId: 'build', type: 'SEQUENTIAL' },
    'a dependency of type SEQUENTIAL is among the children of the job itself, so that it names no jobId',
  ),
  dependency(
    { jobId: 'build:3', type: 'N_TO_N' },
    'a dependency of type N_TO_N names a whole array, not one child of it',
  ),
  {
    kind: 'BatchJob',
    path: 'spec.dependsOn',
    message: 'dependencies of type N_TO_N and SEQUENTIAL are for arrays: give arrayProperties',
    spec: job({ dependsOn: [{ type: 'SEQUENTIAL' }] }),
  },
];
