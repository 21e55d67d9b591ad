/** Clocks on the wall and instants. In a time zone the same time may come twice (clocks go back), or not at all (they go forward). */

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

export function isTimeZone(name: string): boolean {
  try {
    return /^[A-Za-z]/.test(name) && formatOf(name) !== undefined;
  } catch {
    return false;
  }
}

/** What the clock shows at an instant, as if it were UTC. */
export function wallOf(instant: number, timeZone: string): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of formatOf(timeZone).formatToParts(instant)) if (type !== 'literal') parts[type] = Number(value);
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) + (((instant % 1000) + 1000) % 1000);
}

/** The instant at which the clock first shows this time; where it is skipped, the first after it. */
export function firstInstantOf(wall: number, timeZone: string): number {
  const { shown, before, after } = candidates(wall, timeZone);
  return shown.length > 0 ? Math.min(...shown) : skippedTo(wall, Math.min(before, after), timeZone);
}

/** The instant at which the clock shows this time for the last time; where it is skipped, the first after it. */
export function lastInstantOf(wall: number, timeZone: string): number {
  const { shown, before, after } = candidates(wall, timeZone);
  return shown.length > 0 ? Math.max(...shown) : skippedTo(wall, Math.min(before, after), timeZone);
}

/** Clocks change less than once in two days, so the offsets of a day before and a day after are all that can hold. */
function candidates(wall: number, timeZone: string): { shown: readonly number[]; before: number; after: number } {
  const withOffsetAt = (instant: number) => wall - (wallOf(instant, timeZone) - instant);
  const [before, after] = [withOffsetAt(wall - DAY_MS), withOffsetAt(wall + DAY_MS)];
  return { shown: [before, after].filter((instant) => wallOf(instant, timeZone) === wall), before, after };
}

/** Clocks jump at whole minutes. */
function skippedTo(wall: number, earliest: number, timeZone: string): number {
  let instant = earliest;
  while (wallOf(instant, timeZone) < wall) instant += MINUTE_MS;
  return instant;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(timeZone, format);
  }
  return format;
}
