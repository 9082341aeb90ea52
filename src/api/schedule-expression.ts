/** EventBridge Scheduler's schedule expressions: cron(), rate() and at(). What they mean is in `ecs/schedule.ts`. */
import { z } from 'zod';
import { type Rule, withControllerRule, withRules } from './schema.ts';

/** Fields of cron() in their order. */
export const CRON_FIELDS = ['minutes', 'hours', 'day-of-month', 'month', 'day-of-week', 'year'] as const;
export type CronField = (typeof CRON_FIELDS)[number];

export type ScheduleExpression =
  | { readonly kind: 'cron'; readonly fields: Readonly<Record<CronField, string>> }
  /** Milliseconds from one run to the next. */
  | { readonly kind: 'rate'; readonly periodMs: number }
  /** What the clock shows then, as epoch milliseconds of a clock that shows UTC. */
  | { readonly kind: 'at'; readonly wallMs: number };

export const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
export const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

const inAnyCase = (names: readonly string[]): string =>
  names.map((name) => [...name].map((letter) => `[${letter}${letter.toLowerCase()}]`).join('')).join('|');

/** `*`, values, ranges and steps, with commas between; `more` are the wildcards of the field. */
const listOf = (value: string, ...more: string[]): string => {
  const item = `(${[`([*]|(${value})(-(${value}))?)(/[1-9][0-9]{0,3})?`, ...more].join('|')})`;
  return `${item}(,${item})*`;
};

const DAY = '0?[1-9]|[12][0-9]|3[01]';
const WEEKDAY = `[1-7]|${inAnyCase(WEEKDAYS)}`;

const PATTERNS: Readonly<Record<CronField, string>> = {
  minutes: listOf('[0-5]?[0-9]'),
  hours: listOf('[01]?[0-9]|2[0-3]'),
  'day-of-month': `[?]|${listOf(DAY, 'L', 'LW', `(${DAY})W`)}`,
  month: listOf(`0?[1-9]|1[0-2]|${inAnyCase(MONTHS)}`),
  'day-of-week': `[?]|(${WEEKDAY})#[1-5]|${listOf(WEEKDAY, 'L', `(${WEEKDAY})L`)}`,
  year: listOf('19[7-9][0-9]|2[01][0-9][0-9]'),
};

const ALLOWED: Readonly<Record<CronField, string>> = {
  minutes: '0-59 with , - * /',
  hours: '0-23 with , - * /',
  'day-of-month': '1-31 with , - * ? / L W',
  month: '1-12 or JAN-DEC with , - * /',
  'day-of-week': '1-7 or SUN-SAT with , - * ? / L #, and nothing beside a #',
  year: '1970-2199 with , - * /',
};

const CRON = '^cron[(][^ ()]+( +[^ ()]+){4,5}[)]$';
const RATE = '^rate[(][^()]*[)]$';
const AT = '^at[(][^()]*[)]$';
const DATE_AND_TIME =
  '(19[7-9][0-9]|2[01][0-9][0-9])-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]';

const matches = (pattern: string) => {
  const expression = new RegExp(pattern);
  return (text: string): boolean => expression.test(text);
};

/** Says of a text of one form that it must be of a narrower one, so that each mistake is named by one rule. */
const narrowed = (form: string, pattern: string, message: string): Rule<string> => {
  const [isOfForm, holds] = [matches(form), matches(pattern)];
  return {
    message,
    holds: (text) => !isOfForm(text) || holds(text),
    cel: `!self.matches(${JSON.stringify(form)}) || self.matches(${JSON.stringify(pattern)})`,
  };
};

const field = '[^ ()]+ +';
const given = '[^ ?()][^ ()]*';

const rules: readonly Rule<string>[] = [
  {
    message:
      'must be cron(minutes hours day-of-month month day-of-week year), rate(value unit) or at(yyyy-mm-ddThh:mm:ss)',
    holds: matches(`${CRON}|${RATE}|${AT}`),
    cel: `self.matches(${JSON.stringify(`${CRON}|${RATE}|${AT}`)})`,
  },
  narrowed(
    CRON,
    `^cron[(]${field}${field}([?] +${field}${given}|${given} +${field}[?])( .*)?[)]$`,
    'one of day-of-month and day-of-week of cron() must be ?, and the other must not',
  ),
  ...CRON_FIELDS.map((name, index) =>
    narrowed(
      // Of all but the last: the year may be left out.
      index < 5 ? CRON : '^cron[(][^ ()]+( +[^ ()]+){5}[)]$',
      `^cron[(](${field}){${index}}(${PATTERNS[name]})( .*)?[)]$`,
      `${name} of cron() must be ${ALLOWED[name]}`,
    ),
  ),
  narrowed(
    RATE,
    '^rate[(](1 +(minute|hour|day)s?|([2-9]|[1-9][0-9]{1,6}) +(minute|hour|day)s)[)]$',
    'rate() takes a whole number from 1 to 9999999 and minutes, hours or days, such as rate(5 minutes); minute, hour and day only with 1',
  ),
  narrowed(AT, `^at[(]${DATE_AND_TIME}[)]$`, 'at() takes a date and a time, such as at(2026-11-20T13:00:00)'),
];

function noSuchDate(text: string): string | undefined {
  if (!matches(`^at[(]${DATE_AND_TIME}[)]$`)(text)) return undefined;
  const [date = ''] = text.slice('at('.length).split('T');
  return new Date(`${date}T00:00:00Z`).toISOString().startsWith(date) ? undefined : `there is no ${date}`;
}

/** `scheduleExpression`; Java's pattern of AWS's says no more than its length. */
export const scheduleExpressionSchema = () =>
  withControllerRule(withRules(z.string().min(1).max(256), ...rules), noSuchDate);

const UNITS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** Takes an expression apart that `scheduleExpressionSchema` has accepted. */
export function parseScheduleExpression(text: string): ScheduleExpression {
  const [form = '', inner = ''] = text.slice(0, -1).split('(');
  const parts = inner.split(/ +/);
  if (form === 'at') return { kind: 'at', wallMs: Date.parse(`${inner}Z`) };
  if (form === 'rate') {
    const [value = '', unit = ''] = parts;
    return { kind: 'rate', periodMs: Number(value) * (UNITS[unit.replace(/s$/, '')] ?? 0) };
  }
  const [minutes = '*', hours = '*', dayOfMonth = '*', month = '*', dayOfWeek = '?', year = '*'] = parts;
  return {
    kind: 'cron',
    fields: { minutes, hours, 'day-of-month': dayOfMonth, month, 'day-of-week': dayOfWeek, year },
  };
}

/** Whether the runtime's time zone database, IANA's, has a zone of this name. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return /^[A-Za-z]/.test(name);
  } catch {
    return false;
  }
}
