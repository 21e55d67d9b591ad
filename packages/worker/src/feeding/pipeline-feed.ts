/** Feeds one pipeline: opens what is ripe, as much as the bound allows, live records first. */
import { randomUUID } from 'node:crypto';
import {
  NotRunningError,
  StaleVersionError,
  type Arms,
  type BatchRow,
  type BatchStore,
  type RecordingWriter,
  type Store,
  type Stream,
} from '@autoflow/store';
import { LOAD_WINDOW_MS, probeRecords, type ExecutionArgument } from '@autoflow/topology';
import { executionArgument, startingMemory, type ResolvedVersion, type Versions } from '../versions.js';
import { inputStates } from './input.js';
import { lanesOf, nameOf, type Lane } from './lanes.js';
import { mayWaitMs } from './ripeness.js';
import { Rooms, type Room } from './room.js';

export interface PipelinePorts {
  readonly store: Pick<Store, 'arms' | 'feeder'>;
  readonly batches: BatchStore;
  readonly versions: Versions;
  /** A sample of what is fed goes there. */
  readonly recordings?: Pick<RecordingWriter, 'input'>;
  /** Begins to start it, and does not wait. `traces` are those of its records. */
  readonly start: (row: BatchRow, argument: ExecutionArgument, traces: readonly string[]) => void;
  /** Of the batches, in [0, 1]: probes. */
  readonly probeShare: number;
  /** In [0, 1), for each batch: below the share it is a probe. */
  readonly random?: () => number;
  readonly leaseMs: number;
}
export interface Passed {
  readonly opened: number;
  /** Until something will be ripe (ms), if nothing comes before. */
  readonly waitMs: number;
  /** There is more, but the bound holds it back: the next execution that closes makes room. */
  readonly full: boolean;
}

/** Batches of one pipeline in a row, while others wait. */
const TURN = 8;
const NOTHING = { opened: 0, waitMs: Infinity };

export class PipelineFeed {
  private readonly rooms = new Rooms();
  /** Decided once per batch: asked again at each look, nearly every batch that lingers would become one. */
  private readonly probes = new Map<string, boolean>();
  constructor(
    private readonly pipeline: string,
    private readonly ports: PipelinePorts,
  ) {}

  /** How many executions may be open, by room, as of the last pass. */
  limits(): { readonly [room: string]: number } {
    return this.rooms.limits();
  }

  async pass(streams: readonly Stream[]): Promise<Passed> {
    const { store } = this.ports;
    const [arms, load] = await Promise.all([store.arms.arms(this.pipeline), store.feeder.load(this.pipeline, LOAD_WINDOW_MS)]);
    if (arms === undefined || arms.feedingPaused) return { ...NOTHING, full: false };
    const lanes = streams.flatMap((stream) => lanesOf(stream, arms));
    const room = this.rooms.of(lanes, load, performance.now());
    const isLive = ({ stream }: Lane): boolean => stream.backfill === undefined;
    const first = await this.openFrom(lanes.filter(isLive), arms, room);
    // While live records wait for their next turn, the room that is left is theirs.
    const then = first.more
      ? NOTHING
      : await this.openFrom(
          lanes.filter((lane) => !isLive(lane)),
          arms,
          room,
        );
    return { opened: first.opened + then.opened, waitMs: Math.min(first.waitMs, then.waitMs), full: room.full };
  }

  /** One batch of each lane in turn, so that no arm waits for another one's backlog. */
  private async openFrom(from: readonly Lane[], arms: Arms, room: Room): Promise<{ opened: number; waitMs: number; more: boolean }> {
    let lanes = from;
    let opened = 0;
    let waitMs = Infinity;
    while (lanes.length > 0 && opened < TURN) {
      const again: Lane[] = [];
      for (const lane of lanes) {
        if (!room.has(lane)) continue;
        const next = await this.openNext(lane, arms);
        if (next.opened) {
          room.take(lane);
          opened++;
        }
        if (next.more) again.push(lane);
        waitMs = Math.min(waitMs, next.waitMs);
      }
      lanes = again;
    }
    return { opened, waitMs, more: lanes.length > 0 };
  }

  private async openNext(lane: Lane, arms: Arms): Promise<{ opened: boolean; more: boolean; waitMs: number }> {
    const { store, versions, batches, recordings, leaseMs, start } = this.ports;
    const { stream, arm, buckets } = lane;
    const resolved = await versions.resolve(this.pipeline, lane.version);
    const { batch, lingerMs } = resolved.version.topology;
    const full = { records: stream.backfill?.batchRecords ?? batch.records, bytes: batch.bytes };
    if (full.records > 1 && lingerMs > 0) {
      const waitMs = mayWaitMs(await store.feeder.head(stream, buckets, full), full, lingerMs);
      if (waitMs > 0) return { opened: false, more: false, waitMs };
    }
    const probe = this.isProbe(lane);
    const id = randomUUID();
    const where = { pipeline: this.pipeline, batchId: id, label: 'input' };
    const spec = resolved.release.spec;
    const claimedAt = performance.now();
    const traces = new Set<string>();
    try {
      const row = await store.feeder.claim(
        {
          stream,
          buckets,
          bounds: probe ? { ...full, records: probeRecords(full.records) } : full,
          batch: batchOf(id, stream, resolved),
          arm,
          probe,
          ...(arm !== 'pinned' && { arms }),
          leaseMs,
        },
        (records) => {
          for (const { key, record, arrivedAt, trace, problem } of records) {
            if (trace !== undefined) traces.add(trace);
            if (problem === undefined) recordings?.input({ pipeline: this.pipeline, scope: stream.scope, key, arrivedAt, record });
          }
          return batches.write(where, inputStates(records, spec));
        },
      );
      if (row === undefined) return { opened: false, more: false, waitMs: Infinity };
      this.probes.delete(nameOf(lane));
      // Who was away for so long no longer knows what became of the batch; a reconciler does.
      if (performance.now() - claimedAt < leaseMs) start(row, executionArgument(resolved, stream.scope, id, row.ref), [...traces]);
      return { opened: true, more: true, waitMs: Infinity };
    } catch (error) {
      // The arms have moved, or it was paused, since the pass began: look again.
      if (error instanceof StaleVersionError || error instanceof NotRunningError) return { opened: false, more: false, waitMs: 0 };
      throw error;
    }
  }

  private isProbe(lane: Lane): boolean {
    const name = nameOf(lane);
    const { probeShare, random = Math.random } = this.ports;
    const decided = this.probes.get(name) ?? random() < probeShare;
    this.probes.set(name, decided);
    return decided;
  }
}

function batchOf(id: string, { pipeline, scope }: Stream, { version, plans }: ResolvedVersion) {
  const { name, release } = version;
  return { id, version: name, release, executionId: `${pipeline}/${scope}/${id}`, memoryMb: startingMemory(plans) };
}
