/** What a version says of its batches, against records that wait in a real inbox. */
import { beforeEach, expect, it, vi } from 'vitest';
import { recordDigest, type BatchRow } from '@autoflow/store';
import type { Topology } from '@autoflow/topology';
import { PIPELINE, useTwoReleases } from '../testing/two-releases.js';
import type { Versions } from '../versions.js';
import { PipelineFeed } from './pipeline-feed.js';

const context = useTwoReleases();
const MINUTES_MS = 600_000;

beforeEach(() => context.sql.query('truncate autoflow.inbox, autoflow.records, autoflow.batches cascade'));

/** One pass over what waits: sizes of the batches that it opened, which of them are probes, and when it would look again. */
function passed(batch: Topology['batch'], lingerMs: number, probeShare = 0) {
  return newFeed({ batch, lingerMs }, { probeShare })();
}

function newFeed(rules: Pick<Topology, 'batch' | 'lingerMs'>, chance: { probeShare: number; random?: () => number }) {
  const versions: Versions = {
    async resolve(pipeline, version) {
      const resolved = await context.versions.resolve(pipeline, version);
      return { ...resolved, version: { ...resolved.version, topology: { ...resolved.version.topology, ...rules } } };
    },
  };
  let opened: BatchRow[] = [];
  const { store, batches } = context;
  const feed = new PipelineFeed(PIPELINE, {
    ...{ store, batches, versions, leaseMs: 10_000, ...chance },
    start: (row) => void opened.push(row),
  });
  return async () => {
    opened = [];
    const { waitMs } = await feed.pass(await store.feeder.streams());
    return { sizes: opened.map(({ ref }) => ref.counts.records), probes: opened.map(({ probe }) => probe === true), waitMs };
  };
}

let letters = 0;
async function wait(count: number, more: { readonly withinMs?: number } = {}): Promise<void> {
  const records = Array.from({ length: count }, () => {
    const record = { id: `letter-${letters++}` };
    return { key: record.id, record, digest: recordDigest(record), bytes: 100, ...more };
  });
  await context.store.inbox.accept({ pipeline: PIPELINE, scope: 'live', records });
}

it('a batch lingers for others, but not beyond the deadline of one of its records', async () => {
  await wait(3);
  const before = await passed({ records: 10, bytes: 10_000 }, MINUTES_MS);
  expect([before.sizes, before.waitMs > 0]).toEqual([[], true]);
  await wait(1, { withinMs: 0 });
  expect((await passed({ records: 10, bytes: 10_000 }, MINUTES_MS)).sizes).toEqual([4]);
});

it.each([-MINUTES_MS, MINUTES_MS])('a batch lingers by the clock of the database, when that of the host is off by %d ms', async (off) => {
  const now = Date.now;
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => now() + off);
  try {
    const lingerMs = MINUTES_MS / 2;
    await wait(1);
    expect((await passed({ records: 10, bytes: 10_000 }, lingerMs)).sizes).toEqual([]);
    await wait(1, { withinMs: MINUTES_MS });
    await context.sql.query(`update autoflow.inbox set arrived_at = now() - make_interval(secs => $1)`, [lingerMs / 1000]);
    expect((await passed({ records: 10, bytes: 10_000 }, lingerMs)).sizes).toEqual([2]);
  } finally {
    clock.mockRestore();
  }
});

it('a full batch goes at once, by records or by bytes, and what is left lingers', async () => {
  await wait(7);
  expect((await passed({ records: 3, bytes: 10_000 }, MINUTES_MS)).sizes).toEqual([3, 3]);
  await wait(4);
  expect((await passed({ records: 100, bytes: 250 }, MINUTES_MS)).sizes).toEqual([2, 2]);
  expect((await passed({ records: 100, bytes: 250 }, 0)).sizes).toEqual([1]);
});

it('a probe is one record, or up to eight where the batches of the version have one', async () => {
  await wait(3);
  expect(await passed({ records: 10, bytes: 10_000 }, 0, 1)).toMatchObject({ sizes: [1, 1, 1], probes: [true, true, true] });
  await wait(10);
  expect(await passed({ records: 1, bytes: 10_000 }, 0, 1)).toMatchObject({ sizes: [8, 2], probes: [true, true] });
  await wait(2);
  expect(await passed({ records: 1, bytes: 10_000 }, 0, 0)).toMatchObject({ sizes: [1, 1], probes: [false, false] });
});

it('a batch is a probe when chance falls below the share, decided once however often it is looked at', async () => {
  const draws = [0.04, 0.05, 0.049, 0.99];
  const chance = { probeShare: 0.05, random: () => draws.shift()! };
  await wait(4);
  expect(await newFeed({ batch: { records: 2, bytes: 10_000 }, lingerMs: 0 }, chance)()).toMatchObject({
    sizes: [1, 2, 1],
    probes: [true, false, true],
  });
  // That nothing is left is seen with the last of them.
  expect(draws).toEqual([]);
  draws.push(0.99, 0);
  await wait(1);
  const lingering = newFeed({ batch: { records: 2, bytes: 10_000 }, lingerMs: MINUTES_MS }, chance);
  for (let look = 0; look < 3; look++) expect((await lingering()).sizes).toEqual([]);
  await wait(1);
  expect(await lingering()).toMatchObject({ sizes: [2], probes: [false] });
});
