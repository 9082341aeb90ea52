/** What a user asks of a job that is there, by annotations: CancelJob and TerminateJob (`ecs-semantics §5.8`). */
import { ANNOTATIONS } from '../../api/meta.ts';
import type { JobTask } from '../../batch/attempt.ts';
import { type Interval, splitIntervals } from '../../batch/intervals.ts';
import type { JobPlanInput } from '../../batch/job.ts';
import type { BatchJobRecord } from '../runtime.ts';

export interface Asked extends Pick<JobPlanInput<JobTask>, 'cancel' | 'terminate' | 'terminateChildren'> {
  /** What is asked makes no sense; the rest is done. */
  readonly problem?: { readonly reason: string; readonly message: string; readonly stalled: boolean };
}

/** AWS needs a reason; an annotation may be without one. */
const reasonOf = (text: string | undefined, verb: string): string | undefined =>
  text === undefined ? undefined : text.trim() || `Job ${verb} by user`;

export function askedOf({ name, annotations, spec }: BatchJobRecord): Asked {
  const asked = {
    cancel: reasonOf(annotations[ANNOTATIONS.cancel], 'cancelled'),
    terminate: reasonOf(annotations[ANNOTATIONS.terminate], 'terminated'),
  };
  const text = annotations[ANNOTATIONS.terminateIndexes];
  if (text === undefined) return asked;
  const size = spec?.arrayProperties?.size;
  const invalid = (message: string): Asked => ({
    ...asked,
    problem: {
      reason: 'InvalidTerminateIndexes',
      message: `BatchJob ${name}: metadata.annotations[${ANNOTATIONS.terminateIndexes}] is ${JSON.stringify(text)}: ${message}`,
      stalled: false,
    },
  });
  if (size === undefined) return invalid(`the job is no array; ${ANNOTATIONS.terminate} ends it as a whole`);
  let intervals: readonly Interval[];
  try {
    intervals = splitIntervals(text);
  } catch (error) {
    return invalid(error instanceof Error ? error.message : String(error));
  }
  const beyond = intervals.find(([, to]) => to >= size);
  if (beyond !== undefined) return invalid(`there is no child ${beyond[1]}; the children are 0 to ${size - 1}`);
  const has = (index: number): boolean => intervals.some(([from, to]) => from <= index && index <= to);
  return { ...asked, terminateChildren: { has, reason: 'Job terminated by user' } };
}
