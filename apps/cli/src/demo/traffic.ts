/** Invoices that arrive while the versions change beneath them. */
import type { Version } from '@autoflow/client';
import type { Fields } from '@autoflow/pipeline';
import { constant, rateTrace } from '@autoflow/twin';
import { systemClock } from '../load/clock.js';
import { offer, type Sent, type Submitter } from '../load/open-loop.js';
import { recordsOfFile } from '../load/source-records.js';
import type { Load } from './run-version.js';

export interface Traffic {
  readonly ratePerSecond: number;
  readonly sent: () => Pick<Sent, 'accepted' | 'refused' | 'failed'>;
  /** Resolves when the last post is answered. */
  stop(): Promise<void>;
}

/** Longer than any demo. */
const AT_MOST_MS = 3_600_000;
const SEED = 1;

/** The invoices of the source over and over, each time with a number of their own, by the clock of a Poisson process and whatever is answered. */
export async function startTraffic({ release }: Version, load: Load, ratePerSecond: number): Promise<Traffic> {
  const { client, ingest, pipeline, source, signal } = load;
  const scope = `${load.scope}-traffic`;
  const { spec } = await client.releases.show(pipeline, release);
  const { records } = await recordsOfFile(source as Parameters<typeof recordsOfFile>[0], spec);
  const submitter: Submitter<Fields> = {
    async submit(posted) {
      const { accepted, known, conflict, invalid } = (await ingest.records.submit(pipeline, posted, { scope })).counts;
      return { accepted: accepted + known, refused: conflict + invalid };
    },
  };
  const over = new AbortController();
  let sent: Sent = { offered: 0, accepted: 0, refused: 0, failed: 0 };
  const flowing = offer({
    trace: rateTrace('poisson', constant(ratePerSecond, AT_MOST_MS), 'poisson'),
    seed: SEED,
    record: (number) => {
      const fields = records[number % records.length]!;
      return { ...fields, [spec.key]: `${String(fields[spec.key])}~${number}` };
    },
    submitter,
    clock: systemClock,
    windowMs: 20,
    signal: AbortSignal.any([signal, over.signal]),
    onSent: (now) => (sent = now),
  });
  return {
    ratePerSecond,
    sent: () => sent,
    stop: async () => {
      over.abort();
      sent = await flowing;
    },
  };
}
