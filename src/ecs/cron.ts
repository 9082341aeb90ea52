/** EventBridge's cron(), put into the words of croner, which finds the times. */
import { Cron } from 'croner';
import { type CronField, MONTHS, WEEKDAYS } from '../api/schedule-expression.ts';

/** Fields of numbers: the least and the most, and names of the numbers from `first` on. */
interface Numbers {
  readonly least: number;
  readonly most: number;
  readonly names?: readonly string[];
}

const NUMBERS: Readonly<Record<CronField, Numbers>> = {
  minutes: { least: 0, most: 59 },
  hours: { least: 0, most: 23 },
  'day-of-month': { least: 1, most: 31 },
  month: { least: 1, most: 12, names: MONTHS },
  'day-of-week': { least: 1, most: 7, names: WEEKDAYS },
  year: { least: 1970, most: 2199 },
};

const numberOf = (text: string, { least, names = [] }: Numbers): number => {
  const named = names.indexOf(text.toUpperCase());
  return named < 0 ? Number(text) : named + least;
};

/**
 * The numbers that an item stands for: `*`, `7`, `2-5`, each with `/step`. `7/3` goes on from 7 to the end; a range that
 * goes down, such as FRI-MON or 22-5, goes on over the end.
 */
function expand(item: string, numbers: Numbers): number[] {
  const { least, most } = numbers;
  const [range = '', step = '1'] = item.split('/');
  const [from = '', to = ''] = range.split('-');
  const first = from === '*' ? least : numberOf(from, numbers);
  const open = from === '*' || (to === '' && item.includes('/'));
  const last = open ? most : to === '' ? first : numberOf(to, numbers);
  const end = last < first ? last + (most - least + 1) : last;
  const found: number[] = [];
  for (let value = first; value <= end; value += Number(step))
    found.push(value > most ? value - most + least - 1 : value);
  return found;
}

/** croner has the wildcards L, W and # as well; the day L of the week is the last one, Saturday. */
function translate(name: CronField, text: string): string {
  if (text === '?' || text === '*') return text;
  const numbers = NUMBERS[name];
  return text
    .split(',')
    .flatMap((item): (string | number)[] => {
      const [, of = '', special = ''] = /^([A-Z]{3}|\d*)(L|W|LW|#\d)$/i.exec(item) ?? [];
      if (special === '') return expand(item, numbers);
      if (name === 'day-of-month') return [`${of}${special}`];
      return of === '' ? [numbers.most] : [`${numberOf(of, numbers)}${special}`];
    })
    .join(',');
}

/** Times of a clock that shows UTC, as epoch milliseconds, whole minutes. */
export interface CronTimes {
  /** The first after this one. */
  after(wall: number): number | undefined;
  /** The last before this one. */
  before(wall: number): number | undefined;
}

/** @param fields as the schema has accepted them. */
export function cronTimes(fields: Readonly<Record<CronField, string>>): CronTimes {
  const pattern = ['minutes', 'hours', 'day-of-month', 'month', 'day-of-week', 'year'] as const;
  const cron = new Cron(`0 ${pattern.map((name) => translate(name, fields[name])).join(' ')}`, {
    timezone: 'UTC',
    mode: '7-part',
    alternativeWeekdays: true,
  });
  return {
    after: (wall) => cron.nextRun(new Date(wall))?.getTime(),
    before: (wall) => cron.previousRuns(1, new Date(wall))[0]?.getTime(),
  };
}
