import type { Condition } from '../api/status.ts';

/** A condition before its times are known. */
export interface ConditionInput {
  readonly type: string;
  readonly status: boolean;
  /** CamelCase. */
  readonly reason: string;
  readonly message: string;
}

/** Kubernetes keeps the time of the last change of `status`; everything else follows the newest observation. */
export function withTimes(
  inputs: readonly ConditionInput[],
  previous: readonly Condition[] | undefined,
  generation: number,
  now: number,
): Condition[] {
  return inputs.map(({ type, status, reason, message }) => {
    const next = status ? 'True' : 'False';
    const known = previous?.find((condition) => condition.type === type);
    const lastTransitionTime = known?.status === next ? known.lastTransitionTime : rfc3339(now);
    return { type, status: next, reason, message, observedGeneration: generation, lastTransitionTime };
  });
}

/** kstatus' three conditions from one verdict: exactly one of ready, reconciling, stalled is the case. */
export function kstatus(
  verdict: 'ready' | 'reconciling' | 'stalled',
  reason: string,
  message: string,
): ConditionInput[] {
  return [
    { type: 'Ready', status: verdict === 'ready', reason, message },
    { type: 'Reconciling', status: verdict === 'reconciling', reason, message },
    { type: 'Stalled', status: verdict === 'stalled', reason, message },
  ];
}

/** Kubernetes' times have whole seconds. */
export function rfc3339(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d+Z$/, 'Z');
}
