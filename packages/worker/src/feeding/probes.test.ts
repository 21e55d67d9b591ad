import { expect, it } from 'vitest';
import type { Claim, Store, Stream } from '@autoflow/store';
import { PIPELINE, useTwoReleases } from '../testing/two-releases.js';
import type { Versions } from '../versions.js';
import { PipelineFeed } from './pipeline-feed.js';

const context = useTwoReleases();

/** A version whose batches have ten records. */
const tens: Versions = {
  async resolve(pipeline, version) {
    const resolved = await context.versions.resolve(pipeline, version);
    const topology = { ...resolved.version.topology, batch: { records: 10, bytes: 1_000_000 } };
    return { ...resolved, version: { ...resolved.version, topology } };
  },
};

it('sends one batch in twenty as a probe of one record', async () => {
  const claims: Claim[] = [];
  // What the feeder asks for; it gets nothing, so each pass asks once.
  const feeder = {
    ...context.store.feeder,
    claim: (claim: Claim) => {
      claims.push(claim);
      return Promise.resolve(undefined);
    },
  } as Store['feeder'];
  for (const random of [0.049, 0.051]) {
    const ports = { batches: context.batches, versions: tens, start: () => {}, leaseMs: 10_000, random: () => random };
    const feed = new PipelineFeed(PIPELINE, { ...ports, store: { arms: context.store.arms, feeder } });
    const stream: Stream = { pipeline: PIPELINE, stream: 'any', scope: 'live' };
    await feed.pass([stream]);
  }
  expect(claims.map(({ probe, bounds, arm }) => [probe, bounds.records, arm])).toEqual([
    [true, 1, 'stable'],
    [false, 10, 'stable'],
  ]);
});
