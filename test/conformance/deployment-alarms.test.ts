/** The sentences of the developer guide's deployment-alarm-failure page, each as a course of states (`ecs-semantics §3.9`). */
import { describe, expect, it } from 'vitest';
import {
  type AlarmPhase,
  type AlarmRecord,
  type AlarmState,
  firstRecord,
  judgeAlarms,
} from '../../src/ecs/deployment-alarms.ts';

const MINUTE = 60_000;

/** What is seen at one minute: the states of the alarms, in the order of their names, and whether the service is steady. */
type Moment = readonly [minute: number, states: readonly AlarmState[], steady: 'steady' | 'rolling', phase: AlarmPhase];

interface Row {
  readonly title: string;
  readonly source: string;
  readonly bakeMinutes: number;
  /** At the start of the deployment. */
  readonly first: readonly AlarmState[];
  readonly course: readonly Moment[];
}

const rows: readonly Row[] = [
  {
    title: 'any of the alarms in ALARM fails the deployment',
    source: 'the deployment is set to failed when a specified CloudWatch alarm has gone into the ALARM state',
    bakeMinutes: 5,
    first: ['OK', 'OK'],
    course: [
      [1, ['OK', 'OK'], 'rolling', 'monitoring'],
      [2, ['OK', 'ALARM'], 'rolling', 'failed'],
      // The alarm may be gone while the verdict is being written.
      [3, ['OK', 'OK'], 'rolling', 'failed'],
    ],
  },
  {
    title: 'an alarm in ALARM at the start has the whole configuration ignored',
    source: 'if an alarm is in ALARM at the start of a deployment, ECS does not monitor alarms for its duration',
    bakeMinutes: 5,
    first: ['ALARM', 'OK'],
    course: [
      [1, ['OK', 'ALARM'], 'rolling', 'ignored'],
      [2, ['ALARM', 'ALARM'], 'steady', 'ignored'],
    ],
  },
  {
    title: 'the deployment is not over before the bake time is',
    source:
      'when the service reaches a steady state and the bake time is complete, the rollout state becomes COMPLETED',
    bakeMinutes: 5,
    first: ['OK'],
    course: [
      [2, ['OK'], 'steady', 'baking'],
      [6, ['OK'], 'steady', 'baking'],
      [7, ['OK'], 'steady', 'passed'],
    ],
  },
  {
    title: 'an alarm during the bake time fails the deployment',
    source: 'during the bake time ECS continues to monitor the alarms',
    bakeMinutes: 5,
    first: ['OK'],
    course: [
      [2, ['OK'], 'steady', 'baking'],
      [4, ['ALARM'], 'steady', 'failed'],
    ],
  },
  {
    title: 'a task that is replaced during the bake time does not begin it anew, but is waited for',
    source: 'the bake time begins after the new version has scaled out and the old one in',
    bakeMinutes: 5,
    first: ['OK'],
    course: [
      [2, ['OK'], 'steady', 'baking'],
      [7, ['OK'], 'rolling', 'baking'],
      [8, ['OK'], 'steady', 'passed'],
    ],
  },
  {
    title: 'an alarm without data is no alarm',
    source: 'CloudWatch: INSUFFICIENT_DATA is a state of its own, besides OK and ALARM',
    bakeMinutes: 0,
    first: ['INSUFFICIENT_DATA'],
    course: [
      [1, ['INSUFFICIENT_DATA'], 'rolling', 'monitoring'],
      [2, ['INSUFFICIENT_DATA'], 'steady', 'passed'],
    ],
  },
  {
    title: 'without a bake time it is over once it is steady',
    source: 'bakeTimeInMinutes 0',
    bakeMinutes: 0,
    first: ['OK'],
    course: [
      [1, ['OK'], 'rolling', 'monitoring'],
      [2, ['OK'], 'steady', 'passed'],
    ],
  },
];

const reading = (minute: number, states: readonly AlarmState[]) => ({
  at: minute * MINUTE,
  states: new Map(states.map((state, index) => [`alarm-${index}`, state] as const)),
});

describe('deployment alarms', () => {
  it.each(rows)('$title ($source)', ({ bakeMinutes, first, course }) => {
    let record: AlarmRecord = firstRecord(reading(0, first));
    for (const [minute, states, steady, phase] of course) {
      const given = { steady: steady === 'steady', bakeTimeMs: bakeMinutes * MINUTE, now: minute * MINUTE };
      const verdict = judgeAlarms(record, reading(minute, states), given);
      expect(verdict.phase, `minute ${minute}`).toBe(phase);
      // Whoever comes next has only what was written.
      record = JSON.parse(JSON.stringify(verdict.record)) as AlarmRecord;
    }
  });

  it('name those that fired, and those for which they are ignored', () => {
    const before = firstRecord(reading(0, ['OK', 'ALARM']));
    expect(before).toEqual({ since: 0, ignoredFor: ['alarm-1'] });
    const given = { steady: false, bakeTimeMs: 0, now: 3 * MINUTE };
    const { record } = judgeAlarms(firstRecord(reading(0, ['OK', 'OK'])), reading(3, ['OK', 'ALARM']), given);
    expect(record).toEqual({ since: 0, firedAt: 3 * MINUTE, fired: ['alarm-1'] });
  });

  it('let no deployment pass on a state that was asked for before the bake time was over', () => {
    const given = { steady: true, bakeTimeMs: 5 * MINUTE, now: 20 * MINUTE };
    const record = { since: 0, bakingSince: MINUTE };
    expect(judgeAlarms(record, reading(5, ['OK']), given).phase).toBe('baking');
    expect(judgeAlarms(record, undefined, given).phase).toBe('baking');
    expect(judgeAlarms(record, reading(6, ['OK']), given).phase).toBe('passed');
  });
});
