import { HOURS, PERIOD } from './statistics.js';

const DAY_MS = 86_400_000;

/**
 * `count` times in ascending order (`2010-12-01 08:26:00`), spread over the days on which the shop was open: the trade grows
 * towards the end of the year, days differ, and within a day it follows the hours.
 */
export function businessTimes(count: number, uniform: () => number): string[] {
  const days = openDays();
  const weights = days.map((_, i) => (0.6 + 0.9 * (i / days.length) ** 2) * (0.6 + 0.8 * uniform() + (uniform() < 0.03 ? 0.3 : 0)));
  const perDay = split(count, weights);
  return days.flatMap((day, i) => dayTimes(perDay[i] ?? 0).map((time) => `${day} ${time}`));
}

function openDays(): string[] {
  const days: string[] = [];
  for (let time = Date.parse(PERIOD.from); time <= Date.parse(PERIOD.to); time += DAY_MS) {
    const day = new Date(time).toISOString().slice(0, 10);
    const isClosed = day >= PERIOD.closed[0] && day <= PERIOD.closed[1];
    if (!isClosed && new Date(time).getUTCDay() !== 6) days.push(day);
  }
  return days;
}

/** The middle of the i-th of n equal parts of the day's trade. */
function dayTimes(n: number): string[] {
  const total = HOURS.reduce((sum: number, weight) => sum + weight, 0);
  return Array.from({ length: n }, (_, i) => {
    let left = ((i + 0.5) / n) * total;
    let hour = 0;
    while (left >= HOURS[hour]! && hour < HOURS.length - 1) left -= HOURS[hour++]!;
    const minute = Math.min(59, Math.floor((left / HOURS[hour]!) * 60));
    return `${String(hour + 6).padStart(2, '0')}:${String(minute).padStart(2, '0')}:00`;
  });
}

/** Whole parts in proportion to the weights, which add up to `count`. */
function split(count: number, weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  let given = 0;
  return weights.map((weight) => {
    sum += weight;
    const upTo = Math.round((sum / total) * count);
    const part = upTo - given;
    given = upTo;
    return part;
  });
}
