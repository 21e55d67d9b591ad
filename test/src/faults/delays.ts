/** Whether a fault delays records: they come in at a steady rate, and the database's clock says how long each took. */
import { setTimeout as delay } from 'node:timers/promises';
import type { FaultyStack } from './stack.js';

/** Milliseconds from acceptance to outcome. */
export interface Delays {
  readonly phase: string;
  readonly records: number;
  readonly median: number;
  readonly p95: number;
  readonly slowest: number;
}

/** A request per record, each at its time, whatever became of those before. */
export async function sendSteadily(
  { ingest }: FaultyStack,
  phase: string,
  { count, everyMs }: { count: number; everyMs: number },
): Promise<void> {
  const began = performance.now();
  const sent: Promise<unknown>[] = [];
  for (let at = 0; at < count; at++) {
    await delay(Math.max(0, began + at * everyMs - performance.now()));
    sent.push(ingest.records.submit('acts', { id: `${phase}/${at}`, act: 'pass' }));
  }
  await Promise.all(sent);
}

/** Of the phase's records, once so many have completed. */
export async function delaysOf({ platform: { sql } }: FaultyStack, phase: string, count: number): Promise<Delays> {
  for (;;) {
    const { rows } = await sql.query<Delays>(
      `select $1 as phase, count(*)::int as records, percentile_disc(0.5) within group (order by ms) as median,
              percentile_disc(0.95) within group (order by ms) as p95, max(ms) as slowest
         from (select extract(epoch from ended_at - arrived_at)::float8 * 1000 as ms from autoflow.records
                where scope = 'live' and starts_with(key, $1 || '/') and state = 'completed') took`,
      [phase],
    );
    if (rows[0]!.records === count) return rows[0]!;
    await delay(100);
  }
}

export function delayLine({ phase, records, median, p95, slowest }: Delays): string {
  const [typical, most, worst] = [median, p95, slowest].map((ms) => Math.round(ms));
  return `${phase}: ${records} records, median ${typical} ms, p95 ${most} ms, slowest ${worst} ms`;
}
