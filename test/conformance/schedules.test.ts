/** Schedule expressions: AWS's documented examples, and ten years of virtual time. */
import { Cron } from 'croner';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidSpecError } from '../../src/api/parse.ts';
import { parseScheduleExpression } from '../../src/api/schedule-expression.ts';
import { parseScheduledTask } from '../../src/api/scheduled-task.ts';
import { type Schedule, type ScheduleRuns, scheduleRuns } from '../../src/ecs/schedule.ts';
import { slowCronTimes } from '../support/slow-cron.ts';

/** docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html */
const TYPES = 'schedule-types';
/** docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html: the same cron(), with more examples. */
const RULES = 'eb-scheduled-rule-pattern';

const at = (time: string): number => Date.parse(time.length > 10 ? `${time}Z` : `${time}T00:00:00Z`);

function schedule(expression: string, others: Partial<Omit<Schedule, 'expression'>> = {}): ScheduleRuns {
  return scheduleRuns({ timeZone: 'UTC', startDate: 0, ...others, expression: parseScheduleExpression(expression) });
}

/** The runs after one time and before another. */
function runs(given: ScheduleRuns, after: number, before: number, most = Infinity): number[] {
  const found: number[] = [];
  for (let run = given.next(after); run !== undefined && run < before; run = given.next(run)) {
    found.push(run);
    if (found.length === most) break;
  }
  return found;
}

const firstRuns = (given: ScheduleRuns, after: string, count: number): string[] =>
  runs(given, at(after), Infinity, count).map((run) => new Date(run).toISOString().slice(0, 16));

function refusal(expression: string): string {
  try {
    parseScheduledTask({ scheduleExpression: expression, target: { runTask: { taskDefinition: 'web' } } });
  } catch (error) {
    if (error instanceof InvalidSpecError) return error.message;
    throw error;
  }
  return '';
}

describe("AWS's examples of cron()", () => {
  // 2022-11-18 is a Friday.
  it.each<[source: string, expression: string, meaning: string, first: string[]]>([
    [RULES, 'cron(0 10 * * ? *)', '10:00 every day', ['2022-11-18T10:00', '2022-11-19T10:00']],
    [RULES, 'cron(15 12 * * ? *)', '12:15 every day', ['2022-11-18T12:15', '2022-11-19T12:15']],
    [RULES, 'cron(0 18 ? * MON-FRI *)', '18:00 Monday through Friday', ['2022-11-18T18:00', '2022-11-21T18:00']],
    [RULES, 'cron(0 8 1 * ? *)', '8:00 every first day of the month', ['2022-12-01T08:00', '2023-01-01T08:00']],
    [RULES, 'cron(0/15 * * * ? *)', 'every 15 minutes', ['2022-11-18T00:15', '2022-11-18T00:30', '2022-11-18T00:45']],
    [RULES, 'cron(0/10 * ? * MON-FRI *)', 'every 10 minutes Monday through Friday', ['2022-11-18T00:10']],
    [
      RULES,
      'cron(0/5 8-17 ? * MON-FRI *)',
      'every 5 minutes Monday through Friday between 8:00 and 17:55',
      ['2022-11-18T08:00', '2022-11-18T08:05'],
    ],
    [
      RULES,
      'cron(0/30 20-2 ? * MON-FRI *)',
      'a range over midnight, on each of the days',
      [
        '2022-11-18T00:30',
        '2022-11-18T01:00',
        '2022-11-18T01:30',
        '2022-11-18T02:00',
        '2022-11-18T02:30',
        '2022-11-18T20:00',
      ],
    ],
    [RULES, 'cron(5,35 14 * * ? *)', '14:05 and 14:35 every day', ['2022-11-18T14:05', '2022-11-18T14:35']],
    [
      TYPES,
      'cron(15 10 ? * 6L 2022-2023)',
      '10:15 on the last Friday of each month of 2022 and 2023',
      ['2022-11-25T10:15', '2022-12-30T10:15', '2023-01-27T10:15'],
    ],
    [
      TYPES,
      'cron(1/10 3 * * ? *)',
      'the 11th, 21st and 31st minute',
      ['2022-11-18T03:01', '2022-11-18T03:11', '2022-11-18T03:21'],
    ],
    [
      TYPES,
      'cron(0 0 1 JAN,FEB,MAR ? *)',
      'January, February and March',
      ['2023-01-01T00:00', '2023-02-01T00:00', '2023-03-01T00:00'],
    ],
    [
      TYPES,
      'cron(0 0 3W * ? *)',
      'the weekday closest to the third of the month',
      ['2022-12-02T00:00', '2023-01-03T00:00', '2023-02-03T00:00', '2023-03-03T00:00', '2023-04-03T00:00'],
    ],
    [TYPES, 'cron(0 0 ? * 3#2 *)', 'the second Tuesday of the month', ['2022-12-13T00:00', '2023-01-10T00:00']],
    [
      TYPES,
      'cron(0 0 L * ? *)',
      'the last day of the month',
      ['2022-11-30T00:00', '2022-12-31T00:00', '2023-01-31T00:00', '2023-02-28T00:00'],
    ],
    [TYPES, 'cron(0 0 ? * L *)', 'the last day of the week', ['2022-11-19T00:00', '2022-11-26T00:00']],
    [TYPES, 'cron(30 8 * * ?)', 'without a year, which is optional', ['2022-11-18T08:30', '2022-11-19T08:30']],
  ])('%s: %s is %s', (_source, expression, _meaning, first) => {
    expect(refusal(expression)).toBe('');
    expect(firstRuns(schedule(expression), '2022-11-18', first.length)).toEqual(first);
  });

  it(`${TYPES}: 8:30 in New York is 12:30 in summer and 13:30 in winter`, () => {
    const daily = schedule('cron(30 8 * * ? *)', { timeZone: 'America/New_York' });
    expect(firstRuns(daily, '2022-11-05', 2)).toEqual(['2022-11-05T12:30', '2022-11-06T13:30']);
  });
});

describe("AWS's rules of the clocks", () => {
  const daily = schedule('cron(30 2 * * ? *)', { timeZone: 'America/Los_Angeles' });

  it(`${TYPES}: a time that the clock skips in spring is skipped, and the next day runs as ever`, () => {
    expect(firstRuns(daily, '2022-03-12', 3)).toEqual(['2022-03-12T10:30', '2022-03-14T09:30', '2022-03-15T09:30']);
  });

  it(`${TYPES}: a time that the clock shows twice in autumn is a run before the shift, and none after it`, () => {
    const inNovember = schedule('cron(30 1 * * ? *)', { timeZone: 'America/Los_Angeles' });
    expect(firstRuns(inNovember, '2022-11-05', 3)).toEqual([
      '2022-11-05T08:30',
      '2022-11-06T08:30',
      '2022-11-07T09:30',
    ]);
  });

  it(`${TYPES}: a day of rate() is 24 hours, also where the clocks have one of 23 or 25`, () => {
    const startDate = at('2022-11-05T08:00:00');
    for (const unit of ['rate(1 day)', 'rate(1 days)', 'rate(24 hours)']) {
      const given = schedule(unit, { startDate, timeZone: 'America/New_York' });
      expect(firstRuns(given, '2022-11-01', 3)).toEqual(['2022-11-05T08:00', '2022-11-06T08:00', '2022-11-07T08:00']);
    }
  });

  it(`${TYPES}: at() is once, in its time zone, and does not know startDate and endDate`, () => {
    const once = schedule('at(2022-11-20T13:00:00)', {
      timeZone: 'America/Los_Angeles',
      startDate: at('2023-01-01'),
      endDate: at('2022-01-01'),
    });
    expect(firstRuns(once, '2022-11-01', 5)).toEqual(['2022-11-20T21:00']);
    expect(once.due(at('2022-11-01'), at('2022-12-01'), 10)).toEqual({
      newest: at('2022-11-20T21:00:00'),
      count: 1,
      more: false,
    });
    const skipped = schedule('at(2022-03-13T02:30:00)', { timeZone: 'America/Los_Angeles' });
    expect(skipped.next(0)).toBeUndefined();
  });

  it(`${TYPES}: rate() begins at its start date, and nothing runs from the end date on`, () => {
    const dates = { startDate: at('2022-11-18T00:01:00'), endDate: at('2022-11-18T00:11:00') };
    expect(firstRuns(schedule('rate(5 minutes)', dates), '2022-11-01', 9)).toEqual([
      '2022-11-18T00:01',
      '2022-11-18T00:06',
    ]);
    expect(firstRuns(schedule('cron(* * * * ? *)', dates), '2022-11-01', 99)).toHaveLength(10);
  });
});

describe('a schedule expression is refused', () => {
  const together = 'one of day-of-month and day-of-week of cron() must be ?, and the other must not';
  const forms =
    'must be cron(minutes hours day-of-month month day-of-week year), rate(value unit) or at(yyyy-mm-ddThh:mm:ss)';
  const rate =
    'rate() takes a whole number from 1 to 9999999 and minutes, hours or days, such as rate(5 minutes); minute, hour and day only with 1';
  it.each<[expression: string, message: string]>([
    ['0 10 * * ? *', forms],
    ['cron(0 10 * * *', forms],
    ['cron(0 10 * ?)', forms],
    ['cron(0 0 10 * * ? *)', forms],
    ['every(5 minutes)', forms],
    ['cron(0 10 * * * *)', together],
    ['cron(0 10 ? * ? *)', together],
    ['cron(60 10 * * ? *)', 'minutes of cron() must be 0-59 with , - * /'],
    ['cron(0/0 10 * * ? *)', 'minutes of cron() must be 0-59 with , - * /'],
    ['cron(0 24 * * ? *)', 'hours of cron() must be 0-23 with , - * /'],
    ['cron(0 0 0 * ? *)', 'day-of-month of cron() must be 1-31 with , - * ? / L W'],
    ['cron(0 0 W * ? *)', 'day-of-month of cron() must be 1-31 with , - * ? / L W'],
    ['cron(0 0 1 13 ? *)', 'month of cron() must be 1-12 or JAN-DEC with , - * /'],
    ['cron(0 0 ? * 0 *)', 'day-of-week of cron() must be 1-7 or SUN-SAT with , - * ? / L #, and nothing beside a #'],
    // RULES: "3#1,6#3" is not valid.
    [
      'cron(0 0 ? * 3#1,6#3 *)',
      'day-of-week of cron() must be 1-7 or SUN-SAT with , - * ? / L #, and nothing beside a #',
    ],
    ['cron(0 0 1 * ? 1969)', 'year of cron() must be 1970-2199 with , - * /'],
    ['cron(0 0 1 * ? 2200)', 'year of cron() must be 1970-2199 with , - * /'],
    // eb-rate-expressions: "rate(1 hours)" and "rate(5 hour)" are not valid; schedule-types has "rate(1 days)".
    ['rate(5 hour)', rate],
    ['rate(0 minutes)', rate],
    ['rate(1.5 hours)', rate],
    ['rate(5 seconds)', rate],
    ['at(2022-11-20)', 'at() takes a date and a time, such as at(2026-11-20T13:00:00)'],
    ['at(2022-11-20T13:00:00Z)', 'at() takes a date and a time, such as at(2026-11-20T13:00:00)'],
    ['at(2022-02-30T13:00:00)', 'there is no 2022-02-30'],
  ])('%s', (expression, message) => {
    expect(refusal(expression)).toBe(`spec.scheduleExpression: ${message}`);
  });
});

const EXPRESSIONS = [
  'cron(0 10 * * ? *)',
  'cron(30 2 * * ? *)',
  'cron(0/20 1-3 ? * SAT *)',
  'cron(0 0 LW * ? *)',
  'cron(0 0 L * ? *)',
  'cron(5 4 1W,15W,31W * ? *)',
  'cron(7 23 29 2 ? *)',
  'cron(0 0 ? * 2#5 *)',
  'cron(0 0 ? * SUN,6L *)',
  'cron(59 23 ? * FRI-MON 2021-2027/2)',
  'cron(10-50/13 22-5/3 ? NOV-FEB 3#2 *)',
  'cron(0 12 1/7 1/5 ? *)',
];

const FROM = at('2020-01-01');
const UNTIL = at('2030-01-01');

describe('ten years of virtual time', { timeout: 120_000 }, () => {
  it.each(EXPRESSIONS)('%s has the times of its words, none more and none less', (expression) => {
    expect(runs(schedule(expression), FROM - 1, UNTIL)).toEqual(slowCronTimes(expression, FROM, UNTIL));
  });

  it.each([
    '0 10 * * ? *',
    '*/20 1-3 ? * SAT *',
    '0 0 LW * ? *',
    '5 4 1W,15W,31W * ? *',
    '0 0 ? * MON#5 *',
    '0 0 ? * FRIL *',
  ])('%s is to croner itself what it is here', (pattern) => {
    const cron = new Cron(`0 ${pattern}`, { timezone: 'UTC', mode: '7-part' });
    const given = runs(schedule(`cron(${pattern})`), FROM, UNTIL);
    expect(given).toEqual(cron.nextRuns(given.length, new Date(FROM)).map((run) => run.getTime()));
    expect(given.length).toBeGreaterThan(20);
  });

  const offsets = new Map<string, readonly number[]>();

  /** What a zone adds to UTC, from half hour to half hour: no clock is set but at one. */
  function offsetsOf(timeZone: string): readonly number[] {
    const known = offsets.get(timeZone);
    if (known !== undefined) return known;
    const clock = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
    const found: number[] = [];
    for (let instant = FROM; instant < UNTIL; instant += 1_800_000)
      found.push(at(clock.format(instant).replace(' ', 'T')) - instant);
    offsets.set(timeZone, found);
    return found;
  }

  /** What the clock of a zone shows, minute by minute, and only the first time. */
  function slowRuns(expression: string, timeZone: string): number[] {
    const wanted = new Set(slowCronTimes(expression, FROM - 86_400_000, UNTIL + 86_400_000));
    const found: number[] = [];
    let shown = -Infinity;
    for (const [half, offset] of offsetsOf(timeZone).entries()) {
      for (let minute = 0; minute < 30; minute += 1) {
        const instant = FROM + half * 1_800_000 + minute * 60_000;
        const wall = instant + offset;
        if (wall > shown && wanted.has(wall)) found.push(instant);
        shown = Math.max(shown, wall);
      }
    }
    return found;
  }

  it.each(
    ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe'].flatMap((zone) =>
      ['cron(30 2 * * ? *)', 'cron(15,45 1-3 ? * SUN *)'].map((expression) => [expression, zone]),
    ),
  )('%s in %s is at what the clocks there show', (expression = '', timeZone = '') => {
    expect(runs(schedule(expression, { timeZone }), FROM - 1, UNTIL)).toEqual(slowRuns(expression, timeZone));
  });
});

const anySchedule = fc.record({
  expression: fc.oneof(
    fc.constantFrom(...EXPRESSIONS, 'cron(* * * * ? *)', 'cron(0/15 * * * ? *)'),
    fc
      .tuple(fc.integer({ min: 1, max: 99 }), fc.constantFrom('minutes', 'hours', 'days'))
      .map(([value, unit]) => `rate(${value} ${unit})`),
  ),
  timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Apia'),
  startDate: fc.integer({ min: FROM, max: at('2021-01-01') }),
});
const anyTime = fc.integer({ min: FROM, max: at('2024-01-01') });

describe('the runs of any schedule', { timeout: 120_000 }, () => {
  it('are later and later, and the same from wherever one looks', () => {
    fc.assert(
      fc.property(anySchedule, anyTime, fc.double({ min: 0, max: 1, noNaN: true }), (given, after, share) => {
        const made = schedule(given.expression, given);
        const first = made.next(after);
        if (first === undefined) return;
        expect(first).toBeGreaterThan(after);
        // Nothing lies between: from any time before the run it is the next one.
        const between = after + Math.floor((first - 1 - after) * share);
        expect(made.next(between)).toBe(first);
        expect(made.due(after, first - 1, 10)).toBeUndefined();
        expect(made.due(after, first, 10)).toEqual({ newest: first, count: 1, more: false });
      }),
      { numRuns: 100 },
    );
  });

  it('that are due are those after one time and up to another, the newest however many there are', () => {
    fc.assert(
      fc.property(anySchedule, anyTime, fc.integer({ min: 0, max: 86_400_000 }), (given, since, length) => {
        const made = schedule(given.expression, given);
        const all = runs(made, since, since + length + 1, 300);
        if (all.length === 300) return;
        const newest = all.at(-1);
        const expected =
          newest === undefined ? undefined : { newest, count: Math.min(all.length, 20), more: all.length > 20 };
        expect(made.due(since, since + length, 20)).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });
});
