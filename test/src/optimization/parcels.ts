/** A pipeline and measurements of it, as executions of that time and size would have left them. */
import { z } from 'zod';
import { defineFilter, defineFunction, definePipeline, specOf } from '@autoflow/pipeline';
import type { InvocationRow, Store } from '@autoflow/store';
import type pg from 'pg';

const weigh = defineFunction('weigh', {
  effect: 'pure',
  reads: z.object({ grams: z.int() }),
  writes: z.object({ kilos: z.number() }),
  handle: ({ grams }) => ({ kilos: grams / 1000 }),
});
const findDepot = defineFunction('find-depot', {
  effect: 'read',
  reads: z.object({ town: z.string() }),
  writes: z.object({ depotId: z.int() }),
  handle: () => ({ depotId: 1 }),
});
const isHeavy = defineFilter('is-heavy', { reads: z.object({ kilos: z.number() }), keep: ({ kilos }) => (kilos > 1 ? true : 'a letter') });
const book = defineFunction('book', {
  effect: 'idempotent-write',
  reads: z.object({ depotId: z.int(), kilos: z.number() }),
  writes: z.object({ booked: z.boolean() }),
  handle: () => ({ booked: true }),
});

/** As a hurried author writes it: the filter comes late. */
export const parcelsSpec = specOf(
  definePipeline(
    'parcels',
    {
      input: z.object({ id: z.string(), grams: z.int(), town: z.string() }),
      key: 'id',
      output: z.object({ id: z.string(), booked: z.boolean() }),
    },
    (parcel) => book(isHeavy(findDepot(weigh(parcel)))),
  ),
);
export const RELEASE = 'a'.repeat(64);
const STAGES = ['weigh', 'find-depot', 'is-heavy', 'book'];
const SECONDS_APART = 0.5;
const FIRST_S = 12;

/** Executions of so many records, one after the other, begun `ago` seconds ago; each stage takes `slower` times what it should. */
export function invocations(name: string, sizes: readonly number[], { ago = 600, slower = 1 } = {}): InvocationRow[] {
  const begin = Date.now() - 1000 * ago;
  return sizes.flatMap((records, e) =>
    STAGES.map((stage, s): InvocationRow => {
      const cpuMs = slower * (2 + 0.5 * records + 0.1 * ((e + s) % 3));
      const counts = { recordsIn: records, recordsOut: records, filtered: 0, dead: 0, retried: 0 };
      return {
        runId: `${name}-${e}`,
        activityId: `${s}`,
        attempt: 1,
        executionId: `${name}-${e}`,
        pipeline: 'parcels',
        release: RELEASE,
        version: 'v1',
        stage,
        scope: 'live',
        batchId: `${name}-${e}`,
        host: 'host-1',
        startedAt: new Date(begin + 1000 * SECONDS_APART * e + s * (cpuMs + 15)),
        queueMs: 5,
        gateMs: 0,
        cold: false,
        coldStartMs: 0,
        durationMs: cpuMs + 3,
        cpuMs: cpuMs + 1,
        runQueueMs: 0,
        peakMemoryMb: 70,
        memoryMb: 1024,
        enforcement: 'soft',
        ...counts,
        bytesIn: 500 * records,
        bytesOut: 540 * records,
        outcome: 'ok',
        costUsd: 1e-6,
        spans: [{ node: stage, ...counts, wallMs: cpuMs + 0.5, cpuMs }],
      };
    }),
  );
}

/** Batches of one record each with its outcome: what the version did with records that came evenly. They have all ended now: see `endedAfter`. */
export async function settle({ ledger }: Pick<Store, 'ledger'>, executions: number): Promise<void> {
  const began = Date.now() - 1000 * FIRST_S;
  for (let e = 0; e < executions; e++) {
    const key = `p-${e}`;
    await ledger.open({
      batch: {
        id: `s-${e}`,
        pipeline: 'parcels',
        version: 'v1',
        release: RELEASE,
        scope: 'live',
        executionId: `s-${e}`,
        ref: { ref: `file:${e}`, bytes: 500, counts: { records: 1, live: 1, filtered: 0, dying: 0 } },
        memoryMb: {},
      },
      records: [
        {
          index: 0,
          key,
          arrivedAt: new Date(began + (1000 * FIRST_S * e) / executions).toISOString(),
          fields: { id: key, grams: 2000, town: 'Delft' },
        },
      ],
      replace: false,
    });
    await ledger.close({
      batchId: `s-${e}`,
      outcomes: [{ key, state: 'completed', output: { id: key, booked: true } }],
      inputs: new Map(),
    });
  }
}

/** As if each had taken so long. */
export const endedAfter = (sql: pg.Pool, ms: number) =>
  sql.query(`update autoflow.records set ended_at = arrived_at + $1 * interval '1 millisecond'`, [ms]);
