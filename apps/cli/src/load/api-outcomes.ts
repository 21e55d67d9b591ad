import type { Fields } from '@autoflow/pipeline';
import { CliError } from '../errors.js';
import { systemClock } from './clock.js';
import { HttpSubmitter, recordsUrl, type IngestAddress } from './http-submitter.js';
import type { EndedRecord } from './measured.js';
import type { Outcomes } from './outcomes.js';

interface Found {
  readonly key: string;
  readonly state: EndedRecord['state'] | 'waiting' | 'running';
  readonly arrivedAt: string;
  readonly endedAt?: string;
}
const PAGE = 1000;

/** As ingest tells them: a run of load has a scope of its own, so its records are one list. */
export function apiOutcomes(address: IngestAddress): Outcomes {
  return {
    areAll: async () => (await isIdle(address)) && isIdle(address),
    async *read() {
      for (let cursor: string | undefined; ;) {
        const { items, next } = await page(address, { limit: PAGE, cursor });
        for (const { key, state, endedAt } of items)
          if (endedAt !== undefined && state !== 'waiting' && state !== 'running') yield { key, state, endedAt: Date.parse(endedAt) };
        if (next === undefined) return;
        cursor = next;
      }
    },
  };
}

/** A record that is claimed between the two is seen by the second; one that goes back into the inbox between them by whoever looks again. */
async function isIdle(address: IngestAddress): Promise<boolean> {
  const has = async (state: Found['state']) => (await page(address, { state, limit: 1 })).items.length > 0;
  return !(await has('waiting')) && !(await has('running'));
}

/**
 * The database's clock minus ours: records sent one by one, each of which bears the database's time of its arrival; of several round trips
 * the shortest. They are records like any other, and not part of the run.
 */
export async function offsetByProbes(address: IngestAddress, probes: readonly Fields[], key: string): Promise<number> {
  const submitter = new HttpSubmitter({ ...address, connections: 1 });
  let best = { tookMs: Infinity, offset: 0 };
  try {
    for (const probe of probes) {
      const before = systemClock.now();
      const { accepted } = await submitter.submit([probe]);
      const tookMs = systemClock.now() - before;
      if (accepted !== 1)
        throw new CliError(
          'LOAD_REFUSED',
          `Ingest refuses the first record of the source (${String(probe[key])}). Try it with autoflow test.`,
        );
      const { arrivedAt } = await show(address, String(probe[key]));
      if (tookMs < best.tookMs) best = { tookMs, offset: Date.parse(arrivedAt) - (before + tookMs / 2) };
    }
    return best.offset;
  } finally {
    submitter.close();
  }
}

async function show(address: IngestAddress, key: string): Promise<Found> {
  const url = recordsUrl(address);
  url.pathname += `/${encodeURIComponent(key)}`;
  return get<Found>(url, address.token);
}

function page(
  address: IngestAddress,
  query: { readonly state?: Found['state']; readonly limit: number; readonly cursor?: string | undefined },
): Promise<{ items: Found[]; next?: string }> {
  const url = recordsUrl(address);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value));
  return get(url, address.token);
}

async function get<T>(url: URL, token: string | undefined): Promise<T> {
  const answer = await fetch(url, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(30_000),
  });
  if (!answer.ok)
    throw new CliError('INGEST_REFUSED', `Ingest answers ${answer.status} to GET ${url.pathname}: ${(await answer.text()).slice(0, 300)}`);
  return (await answer.json()) as T;
}
