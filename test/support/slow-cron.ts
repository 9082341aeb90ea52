/** The grammar of EventBridge's cron() read word by word, slowly, and without anything of ours or of croner. */
const MONTHS = 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ');
const DAYS = 'SUN MON TUE WED THU FRI SAT'.split(' ');

interface Day {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
  /** 1 is Sunday. */
  readonly weekday: number;
  readonly daysOfMonth: number;
}

function dayOf(midnight: number): Day {
  const date = new Date(midnight);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() + 1];
  return {
    year,
    month,
    day: date.getUTCDate(),
    weekday: date.getUTCDay() + 1,
    daysOfMonth: new Date(Date.UTC(year, month, 0)).getUTCDate(),
  };
}

function isIn(text: string, value: number, least: number, most: number, names: readonly string[] = []): boolean {
  const read = (word: string) => (names.includes(word) ? names.indexOf(word) + least : Number(word));
  return text.split(',').some((item) => {
    if (item === '*' || item === '?') return true;
    const [range = '', step] = item.split('/');
    if (range !== '*' && !range.includes('-') && step === undefined) return read(range) === value;
    const [from, to] = range === '*' ? [least, most] : range.split('-').map(read);
    const first = from ?? least;
    const size = most - least + 1;
    const last = to ?? most;
    const length = last >= first ? last - first : last + size - first;
    const distance = value >= first ? value - first : value + size - first;
    return distance <= length && distance % Number(step ?? 1) === 0;
  });
}

const isWeekday = (weekday: number): boolean => weekday >= 2 && weekday <= 6;

/** The weekday of the same month that is closest to a day, and at 1 the weekday of the first. */
function nearestWeekday({ weekday, day, daysOfMonth }: Day, target: number): number {
  const weekdayOf = (other: number) => ((((weekday - 1 + other - day) % 7) + 7) % 7) + 1;
  for (const distance of [0, 1, 2]) {
    for (const candidate of [target - distance, target + distance]) {
      if (candidate >= 1 && candidate <= daysOfMonth && isWeekday(weekdayOf(candidate))) return candidate;
    }
  }
  throw new Error('a month has weekdays');
}

function isDayOfMonth(text: string, of: Day): boolean {
  return text.split(',').some((item) => {
    if (item === 'L') return of.day === of.daysOfMonth;
    if (item === 'LW') {
      const after = Array.from({ length: of.daysOfMonth - of.day }, (_, index) => ((of.weekday + index) % 7) + 1);
      return isWeekday(of.weekday) && !after.some(isWeekday);
    }
    if (item.endsWith('W')) {
      const target = Number(item.slice(0, -1));
      return target <= of.daysOfMonth && nearestWeekday(of, target) === of.day;
    }
    return isIn(item, of.day, 1, 31);
  });
}

function isDayOfWeek(text: string, of: Day): boolean {
  return text.split(',').some((item) => {
    if (item === 'L') return of.weekday === 7;
    if (item.endsWith('L')) return isIn(item.slice(0, -1), of.weekday, 1, 7, DAYS) && of.day + 7 > of.daysOfMonth;
    const [day = '', nth] = item.split('#');
    return isIn(day, of.weekday, 1, 7, DAYS) && (nth === undefined || Math.ceil(of.day / 7) === Number(nth));
  });
}

/** Every time of a clock from one midnight of UTC to another, as epoch milliseconds. */
export function slowCronTimes(expression: string, from: number, until: number): number[] {
  const [minutes = '', hours = '', days = '', months = '', weekdays = '', years = '*'] = expression
    .slice('cron('.length, -1)
    .split(' ');
  const minutesOfDay = Array.from({ length: 1440 }, (_, minute) => minute).filter(
    (minute) => isIn(hours, Math.floor(minute / 60), 0, 23) && isIn(minutes, minute % 60, 0, 59),
  );
  const times: number[] = [];
  for (let midnight = from; midnight < until; midnight += 86_400_000) {
    const day = dayOf(midnight);
    if (!isIn(years, day.year, 1970, 2199) || !isIn(months, day.month, 1, 12, MONTHS)) continue;
    if (!isDayOfMonth(days, day) || !isDayOfWeek(weekdays, day)) continue;
    for (const minute of minutesOfDay) times.push(midnight + minute * 60_000);
  }
  return times;
}
