import type { Problem } from '../topology.js';
import type { FreezeWindow } from './settings.js';
import { firstInstantOf, isTimeZone, lastInstantOf, wallOf } from './wall-clock.js';

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
const TIME = String.raw`(Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([01]\d|2[0-3]):([0-5]\d)`;
const WINDOW = new RegExp(`^${TIME} *[-–] *${TIME}$`);

/** Why a window cannot be one, all reasons at once. */
export function freezeProblems({ window, timeZone }: FreezeWindow): Problem[] {
  const parsed = parse(window);
  return [
    ...(parsed === undefined
      ? [{ code: 'BAD_WINDOW', pointer: '/window', message: `a window is like "Fri 16:00 - Mon 08:00", not ${JSON.stringify(window)}` }]
      : parsed.from === parsed.to
        ? [
            {
              code: 'EMPTY_WINDOW',
              pointer: '/window',
              message: 'a window begins and ends at different times; switch autonomy off instead',
            },
          ]
        : []),
    ...(isTimeZone(timeZone)
      ? []
      : [
          {
            code: 'BAD_TIME_ZONE',
            pointer: '/timeZone',
            message: `there is no time zone ${JSON.stringify(timeZone)}; one is Europe/Berlin`,
          },
        ]),
  ];
}

/**
 * When the window that holds now ends; undefined when none holds. A window is one stretch of time per week, also where clocks change in it:
 * it begins when the clock first shows its beginning, and ends when it shows its end for the last time. Throws for a window that
 * `freezeProblems` complains of.
 */
export function frozenUntil({ window, timeZone }: FreezeWindow, now: Date): Date | undefined {
  const parsed = parse(window);
  if (parsed === undefined) throw new RangeError(`${JSON.stringify(window)} is no freeze window`);
  const { from, to } = parsed;
  const length = (to - from + WEEK_MS) % WEEK_MS;
  const monday = mondayBefore(wallOf(now.getTime(), timeZone));
  for (const week of [monday - WEEK_MS, monday, monday + WEEK_MS]) {
    const end = lastInstantOf(week + from + length, timeZone);
    if (firstInstantOf(week + from, timeZone) <= now.getTime() && now.getTime() < end) return new Date(end);
  }
  return undefined;
}

/** Milliseconds since Monday, 00:00. */
function parse(window: string): { from: number; to: number } | undefined {
  const [, fromDay, fromHour, fromMinute, toDay, toHour, toMinute] = WINDOW.exec(window.trim()) ?? [];
  if (toMinute === undefined) return undefined;
  return { from: timeOfWeek(fromDay!, fromHour!, fromMinute!), to: timeOfWeek(toDay!, toHour!, toMinute) };
}

function timeOfWeek(day: string, hour: string, minute: string): number {
  return DAYS.indexOf(day as (typeof DAYS)[number]) * DAY_MS + (Number(hour) * 60 + Number(minute)) * MINUTE_MS;
}

/** 1 January 1970 was a Thursday. */
function mondayBefore(wall: number): number {
  const sinceMonday = (((wall + 3 * DAY_MS) % WEEK_MS) + WEEK_MS) % WEEK_MS;
  return wall - sinceMonday;
}
