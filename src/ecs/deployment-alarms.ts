/**
 * Deployment alarms and their bake time (`ecs-semantics §3.9`). What has been seen is a record that outlives the
 * operator: an alarm that fired once is not forgotten, nor one that was in ALARM when the deployment began.
 */

/** As CloudWatch has them; a source that cannot be read says nothing: INSUFFICIENT_DATA. */
export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

/** The states of all alarms of a service, asked for at one time. */
export interface AlarmReading {
  /** When they were asked for, epoch milliseconds. */
  readonly at: number;
  readonly states: ReadonlyMap<string, AlarmState>;
}

/** What is known of the alarms of one deployment. Times: epoch milliseconds. */
export interface AlarmRecord {
  /** When they were first asked for, before the deployment's first task. */
  readonly since: number;
  /** Those in ALARM at that time: for this deployment no alarm counts. */
  readonly ignoredFor?: readonly string[];
  /** When the tasks of the deployment were all healthy and no others left: the bake time begins. */
  readonly bakingSince?: number;
  /** When an alarm was in ALARM. */
  readonly firedAt?: number;
  readonly fired?: readonly string[];
}

export type AlarmPhase =
  /** No alarm counts: one was in ALARM when the deployment began. */
  | 'ignored'
  | 'monitoring'
  /** All is steady, and the alarms are watched for a while longer. */
  | 'baking'
  /** The bake time is over. */
  | 'passed'
  | 'failed';

export interface AlarmVerdict {
  readonly phase: AlarmPhase;
  /** As it is from now on. */
  readonly record: AlarmRecord;
  /** When the bake time ends. */
  readonly bakedAt?: number;
}

/** In minutes, where the service gives no bake time: AWS computes one, "less than 5 minutes" in most cases. */
export const BAKE_TIME_MINUTES = 5;

const inAlarm = ({ states }: AlarmReading): string[] =>
  [...states].filter(([, state]) => state === 'ALARM').map(([name]) => name);

/** A deployment begins with these states. */
export function firstRecord(reading: AlarmReading): AlarmRecord {
  const names = inAlarm(reading);
  return { since: reading.at, ...(names.length > 0 && { ignoredFor: names }) };
}

/**
 * What the alarms say of a deployment in progress.
 * @param reading the newest one.
 * @param steady its tasks are all healthy, and no others are left.
 */
export function judgeAlarms(
  record: AlarmRecord,
  reading: AlarmReading | undefined,
  { steady, bakeTimeMs, now }: { readonly steady: boolean; readonly bakeTimeMs: number; readonly now: number },
): AlarmVerdict {
  if (record.ignoredFor !== undefined) return { phase: 'ignored', record };
  if (record.firedAt !== undefined) return { phase: 'failed', record };
  const names = reading === undefined ? [] : inAlarm(reading);
  if (names.length > 0) return { phase: 'failed', record: { ...record, firedAt: now, fired: names } };
  const bakingSince = record.bakingSince ?? (steady ? now : undefined);
  if (bakingSince === undefined) return { phase: 'monitoring', record };
  const bakedAt = bakingSince + bakeTimeMs;
  // The last word is of a time when the bake time was over.
  const isOver = steady && reading !== undefined && reading.at >= bakedAt;
  return { phase: isOver ? 'passed' : 'baking', record: { ...record, bakingSince }, bakedAt };
}
