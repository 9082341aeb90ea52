/** The object of a run: its name, and its input with what EventBridge Scheduler puts into it. */
import { uniqueDnsName } from '../api/names.ts';

/**
 * Name of the object of a run, which is the lock against making two.
 * @param schedule name of the ScheduledTask
 * @param scheduledAt time that the schedule has for it, epoch milliseconds
 */
export const runName = (schedule: string, scheduledAt: number): string =>
  `${uniqueDnsName(schedule, 52)}-${Math.floor(scheduledAt / 1000)}`;

export interface RunContext {
  /** AWS name of the schedule. */
  readonly schedule: string;
  /** Name of the run's object. */
  readonly run: string;
  /** Time that the schedule has for it, RFC 3339. */
  readonly time: string;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** managing-schedule-context-attributes: keywords in the payload. A failed invocation is no attempt of a run's own here. */
const keywords = ({ run, time }: RunContext): readonly (readonly [keyword: string, value: string])[] => [
  ['<aws.scheduler.scheduled-time>', time],
  ['<aws.scheduler.execution-id>', run],
  ['<aws.scheduler.attempt-number>', '1'],
];

function filledIn(value: unknown, context: RunContext): unknown {
  if (typeof value === 'string')
    return keywords(context).reduce((text, [keyword, of]) => text.replaceAll(keyword, of), value);
  if (Array.isArray(value)) return value.map((item) => filledIn(item, context));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([field, of]) => [field, filledIn(of, context)]));
}

/**
 * The `spec` of a run's object.
 * @param given `spec` of a ScheduledTask as the API server has it, which is valid.
 */
export function runInput(given: unknown, context: RunContext): object {
  const target: unknown = isObject(given) ? Reflect.get(given, 'target') : undefined;
  const of = (field: string): unknown => (isObject(target) ? (Reflect.get(target, field) ?? undefined) : undefined);
  const runTask = of('runTask');
  const input = filledIn(runTask ?? of('submitJob'), context);
  if (!isObject(input)) throw new Error('a valid target has the input of one action');
  // EventBridge Scheduler says so of itself in the tasks that it runs, in 36 characters.
  const startedBy = `chronos-schedule/${context.schedule.replaceAll('.', '-')}`.slice(0, 36);
  return runTask === undefined ? input : { startedBy, ...withoutNull(input, 'startedBy') };
}

const withoutNull = (input: object, field: string): object =>
  Object.fromEntries(Object.entries(input).filter(([name, value]) => name !== field || value !== null));
