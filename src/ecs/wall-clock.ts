/** Clocks of time zones: what they show at an instant, and at which instant they show something. */

const DAY_MS = 86_400_000;

/** The clock of a zone. What it shows is given as epoch milliseconds of a clock that shows UTC. */
export interface WallClock {
  /** What it shows at an instant. */
  wallAt(instant: number): number;
  /**
   * The instant at which it shows this, the first of two where it is set back. Undefined where it never does, since it
   * is set forward over it.
   */
  instantOf(wall: number): number | undefined;
}

/** @param timeZone a name that the runtime's time zone database has. */
export function wallClock(timeZone: string): WallClock {
  if (timeZone === 'UTC') return { wallAt: (instant) => instant, instantOf: (wall) => wall };
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const wallAt = (instant: number): number => {
    const second = Math.floor(instant / 1000) * 1000;
    const part = Object.fromEntries(format.formatToParts(second).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second: seconds = 0 } = part;
    return Date.UTC(year, month - 1, day, hour, minute, seconds) + (instant - second);
  };
  /** No clock is set twice within two days, nor is it a day away from UTC. */
  const instantOf = (wall: number): number | undefined => {
    const candidates = [wall - DAY_MS, wall + DAY_MS].map((instant) => wall - (wallAt(instant) - instant));
    const shown = candidates.filter((instant) => wallAt(instant) === wall);
    return shown.length === 0 ? undefined : Math.min(...shown);
  };
  return { wallAt, instantOf };
}
