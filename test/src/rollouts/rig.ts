/** Releases of one pipeline that behave differently, and traffic that does not stop. */
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildRelease } from '@autoflow/function-host';
import type { PipelineSpec } from '@autoflow/pipeline';
import { recordDigest, type RolloutRow } from '@autoflow/store';
import {
  asWritten,
  defaultAllocation,
  defaultEnvelope,
  hashVersion,
  ROLLOUT_DEFAULTS,
  type RolloutSettings,
  type Topology,
} from '@autoflow/topology';
import { RolloutUpdate, rolloutWorkflowId } from '@autoflow/workflows';
import { runRollout } from '@autoflow/workflows/runs';
import { BY, type Platform } from '../execution/platform.js';

export const PIPELINE = 'orders';

/** Everything in a second or so; margins that some hundred records can be shown to be within: of p99 there is none. */
export const QUICK: RolloutSettings = {
  ...ROLLOUT_DEFAULTS,
  steps: [50],
  periodMs: 500,
  blockMs: 500,
  warmupMs: 1_000,
  maximumMs: 200_000,
  minimumRecords: 100,
  margins: { dead: 0.03, errors: 0.03, p95: 3, p99: null, cost: 0.1 },
  shadowRecords: 0,
};

/** A version of the release of that module: its functions one after another, or fused at a good deal less. */
export async function register(platform: Platform, module: string, fused: boolean, lingerMs = 600): Promise<string> {
  const path = fileURLToPath(new URL(`./releases/${module}${extname(import.meta.url)}`, import.meta.url));
  const { hash, specs } = await buildRelease(path, platform.options.releases);
  const spec = specs.find(({ name }) => name === PIPELINE)!;
  const topology: Topology = { ...topologyOf(spec, fused), batch: { records: 400, bytes: 1 << 20 }, lingerMs };
  const envelope = defaultEnvelope(spec, topology);
  const allocation = defaultAllocation(spec, topology, envelope);
  const { definitions } = platform.store;
  await definitions.registerRelease({ release: { pipeline: PIPELINE, hash, spec }, topology, envelope, allocation, by: BY });
  const { version } = await definitions.registerVersion({
    pipeline: PIPELINE,
    hash: hashVersion({ release: hash, topology, envelope }),
    ...{ release: hash, topology, envelope, allocation, by: BY },
  });
  return version.name;
}

function topologyOf(spec: PipelineSpec, fused: boolean): Topology {
  const written = asWritten(spec);
  if (!fused) return written;
  const nodes = written.stages.flatMap((stage) => stage.nodes);
  return { ...written, stages: [{ name: nodes.join('+'), nodes, after: [], partitions: 1 }] };
}

export interface Traffic {
  readonly accepted: () => number;
  stop(): Promise<void>;
}

const EVERY_MS = 50;

/** So many records per second, in portions, whatever becomes of them. `insists`: what is not accepted, because the database is away, is sent again. */
export function traffic({ store }: Platform, ratePerSecond: number, { insists = false }: { readonly insists?: boolean } = {}): Traffic {
  let accepted = 0;
  let stopped = false;
  const began = performance.now();
  const flowing = (async () => {
    while (!stopped) {
      const due = Math.floor(((performance.now() - began) / 1_000) * ratePerSecond);
      const records = Array.from({ length: due - accepted }, (_, i) => {
        const record = { id: `order-${accepted + i}`, n: accepted + i };
        return { key: record.id, record, digest: recordDigest(record), bytes: 60 };
      });
      try {
        if (records.length > 0) await store.inbox.accept({ pipeline: PIPELINE, scope: 'live', records });
        accepted = due;
      } catch (error) {
        if (!insists) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  })();
  return {
    accepted: () => accepted,
    stop: async () => {
      stopped = true;
      await flowing;
    },
  };
}

let count = 0;

/** Starts a rollout as the control plane does. */
export async function begin(
  { store, client }: Platform,
  version: string,
  settings: Partial<RolloutSettings> = {},
  own = false,
): Promise<string> {
  const id = `ro-${++count}`;
  await store.rollouts.create({ id, pipeline: PIPELINE, version, own, settings: { ...QUICK, ...settings } }, BY);
  await runRollout(client, PIPELINE, id);
  return id;
}

/** The row, once it is so; it fails when the rollout has ended, and is charged, without. */
export async function until({ store }: Platform, id: string, is: (row: RolloutRow) => boolean): Promise<RolloutRow> {
  for (;;) {
    const row = (await store.rollouts.get(id))!;
    if (is(row)) return row;
    if (row.endedAt !== undefined && (row.steps.length === 0 || row.harm !== undefined))
      throw new Error(`${id} has ended: ${row.state}, ${row.outcome}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Once it has ended, and what its canary did is measured. */
export async function ended(platform: Platform, id: string): Promise<RolloutRow> {
  const row = await until(platform, id, ({ endedAt }) => endedAt !== undefined);
  return row.steps.length === 0 ? row : until(platform, id, ({ harm }) => harm !== undefined);
}

export function tell({ client }: Platform, rollout: string, update: keyof typeof RolloutUpdate): Promise<unknown> {
  return client.workflow
    .getHandle(rolloutWorkflowId(PIPELINE))
    .executeUpdate(RolloutUpdate[update], { args: [{ rollout, actor: 'tester', reason: `told to ${update}` }] });
}
