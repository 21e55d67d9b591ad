/** The feeder: opens batches of what waits and starts their executions. Any number of them, in any processes, without a leader. */
import type { BatchRow, BatchStore, HostIdentity, RecordingWriter, Store, Stream } from '@autoflow/store';
import { PROBE_SHARE, type ExecutionActivities, type ExecutionArgument } from '@autoflow/topology';
import type { Log } from '../log.js';
import { repeating } from '../repeating.js';
import { drainLanding, tellStranded } from './landing.js';
import { PipelineFeed, type Passed } from './pipeline-feed.js';
import { reconcile } from './reconciler.js';
import { startExecution, type StartPorts } from './starting.js';
import { Turns } from './turns.js';

export interface FeederPorts extends StartPorts {
  readonly store: Pick<Store, 'arms' | 'backfills' | 'definitions' | 'feeder' | 'inbox' | 'ledger' | 'listen'>;
  readonly batches: BatchStore;
  readonly recordings?: Pick<RecordingWriter, 'input'>;
  readonly settle: ExecutionActivities['settle'];
  /** Told of every batch that is in the books. */
  readonly opened?: (batch: BatchRow) => void;
  /** Told of how many executions may be open, by pipeline and room. */
  readonly bounded?: (bounds: NonNullable<HostIdentity['bounds']>) => void;
  readonly log: Log;
}
export interface FeederOptions {
  /** Of the batches, in [0, 1]: probes of another size than their version's, for the fit of the twin. */
  readonly probeShare?: number;
  /** Decides which; in [0, 1). */
  readonly random?: () => number;
  /** A claim that stands still for so long (ms) is lost. */
  readonly leaseMs?: number;
  /** Looks for work at least so often (ms), should a notification be missed. */
  readonly pollMs?: number;
  /** An open batch is looked at by a reconciler when nobody has for so long (ms). */
  readonly unattendedMs?: number;
}

/** How long a feeder may take for one claim, unless it is told otherwise. */
export const CLAIM_LEASE_MS = 10_000;
const TROUBLE_MS = 1_000;
const LOOK_MS = 1_000;
const TELL_MS = 60_000;

/** Resolves when it feeds. `close` drains: no batch is opened any more, and the starts under way are finished. */
export async function startFeeder(ports: FeederPorts, options: FeederOptions = {}): Promise<{ close(): Promise<void> }> {
  const { store, log } = ports;
  const { probeShare = PROBE_SHARE, random = Math.random, leaseMs = CLAIM_LEASE_MS, pollMs = 1_000, unattendedMs = 5_000 } = options;
  const bell = new Bell();
  const starts = new Set<Promise<void>>();
  const pipelines = new Map<string, PipelineFeed>();
  const start = (row: BatchRow, argument: ExecutionArgument, traces: readonly string[]) => {
    ports.opened?.(row);
    const starting = startExecution(row, argument, ports, traces)
      // It is in the books: a reconciler starts it.
      .catch((error: unknown) => log('warn', 'an execution could not be started and will be', { batch: row.id, error: String(error) }))
      .finally(() => starts.delete(starting));
    starts.add(starting);
  };
  const feedOf = (pipeline: string) => {
    const found = pipelines.get(pipeline) ?? new PipelineFeed(pipeline, { ...ports, start, probeShare, random, leaseMs });
    pipelines.set(pipeline, found);
    return found;
  };

  const pass = async (pipeline: string, streams: readonly Stream[]): Promise<Passed> => {
    try {
      const passed = await feedOf(pipeline).pass(streams);
      ports.bounded?.(Object.fromEntries([...pipelines].map(([name, feed]) => [name, feed.limits()])));
      return passed;
    } catch (error) {
      // Trouble with one is not the others'.
      log('warn', 'a pipeline could not be fed; it is tried again', { pipeline, error: String(error) });
      return { opened: 0, waitMs: TROUBLE_MS, full: true };
    }
  };

  let closed = false;
  const turns = new Turns(pass, () => bell.ring(), pollMs);
  const listening = [
    await store.listen('autoflow_inbox', (pipeline) => turns.rung(pipeline)),
    await store.listen('autoflow_backfills', (pipeline) => turns.rung(pipeline)),
    await store.listen('autoflow_outcomes', (pipeline) => turns.hasRoom(pipeline)),
  ];
  const feeding = (async () => {
    for (; !closed;) {
      bell.reset();
      const streams = await streamsOf(ports);
      if (closed) break;
      if (streams !== undefined) turns.give(streams);
      await bell.rung(streams === undefined ? TROUBLE_MS : pollMs);
    }
    await turns.close();
  })();
  const reconciling = repeating('taking back what was left behind', LOOK_MS, () => reconcile(ports, unattendedMs), log);
  const landing = repeating('taking in what landed', LOOK_MS, () => drainLanding(ports), log);
  const telling = repeating('looking for what landed in vain', TELL_MS, () => tellStranded(ports), log);

  return {
    close: async () => {
      closed = true;
      bell.ring();
      await Promise.all([feeding, reconciling.close(), landing.close(), telling.close(), ...listening.map((stop) => stop())]);
      await Promise.all(starts);
    },
  };
}

async function streamsOf({ store, log }: FeederPorts): Promise<readonly Stream[] | undefined> {
  try {
    return await store.feeder.streams();
  } catch (error) {
    log('warn', 'what waits cannot be read; it is tried again', { error: String(error) });
    return undefined;
  }
}

/** Rung while somebody is busy, it is heard afterwards. */
class Bell {
  private rang = false;
  private wake = () => {};
  reset(): void {
    this.rang = false;
  }
  ring(): void {
    this.rang = true;
    this.wake();
  }
  async rung(atMostMs: number): Promise<void> {
    if (this.rang || atMostMs <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, atMostMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = () => {};
  }
}
