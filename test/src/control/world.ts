/** A pipeline whose past is told row by row: intervals pass when a test says so, by the clock of the database. */
import { createRequire } from 'node:module';
import { answerTo, contestants, pretrainedPolicy } from '@autoflow/learning';
import type { Allocator } from '@autoflow/optimizer';
import type { ControlSettings } from '@autoflow/topology/autonomy';
import type { ControlStatus, ControlStepRow } from '@autoflow/store';
import { controlStep, controllerThread, type Controller } from '@autoflow/worker';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { useTestStack } from '@autoflow/local-stack/testing';
import { BY, startPlatform, type Platform } from '../execution/platform.js';

export const PROGRAM = createRequire(import.meta.url).resolve('@autoflow/learning/controller');
export const STAGES = ['measure', 'may-pass', 'perform', 'weigh', 'store'] as const;
/** A freeze that never ends. */
export const ALWAYS = ['Mon', 'Thu'].map((day, i) => ({ window: `${day} 00:00 - ${['Thu', 'Mon'][i]} 00:00`, timeZone: 'UTC' }));
const INTERVAL_S = 15;
/** The service level of whoever has late records. */
export const LATE_MS = 4_000;

/** What an interval shows: batches that come, and until which stage they get. */
export interface Interval {
  readonly batches: number;
  /** Index of the stage in which they stay; default: all are through. */
  readonly stuckIn?: number;
  /** Share of the batches of which there are measurements; default: all. */
  readonly measured?: number;
  readonly heard?: boolean;
  readonly serviceMs?: number;
  readonly cpuMs?: number;
  /** Records that become late in it, long done by then. */
  readonly late?: number;
  readonly peakMemoryMb?: number;
  readonly outOfMemory?: boolean;
  /** Records that come to wait in the inbox. */
  readonly waiting?: number;
  /** Of the instances; default: what is allocated. */
  readonly memoryMb?: number;
}

export class World {
  private ids = 0;
  constructor(
    readonly platform: Platform,
    readonly pipeline = 'acts',
    public version = 'v1',
    readonly controller: Controller = inThisThread(),
    readonly stages: readonly string[] = STAGES,
  ) {}

  async control(control: ControlSettings, autonomy: 'auto' | 'suggest' = 'auto'): Promise<void> {
    await this.platform.store.settings.change({ pipeline: this.pipeline, change: { control, autonomy }, by: BY });
  }

  /** Forgets all that happened, and who controls. */
  async begin(): Promise<void> {
    const { sql } = this.platform;
    await sql.query(
      'truncate autoflow.controls, autoflow.control_steps, autoflow.batches, autoflow.invocations, autoflow.acknowledgements, autoflow.inbox, autoflow.records',
    );
    const { stages } = (await this.platform.store.definitions.version(this.pipeline, this.version))!.topology;
    await this.allocate(Object.fromEntries(stages.map(({ name }) => [name, { memoryMb: 1024, concurrency: 4 }])));
    await this.control({ mode: 'auto' });
  }

  allocation = async () => (await this.platform.store.definitions.allocation(this.pipeline, this.version))!;
  async allocate(stages: Awaited<ReturnType<World['allocation']>>['stages']): Promise<void> {
    await this.platform.store.definitions.setAllocation({ pipeline: this.pipeline, version: this.version, stages, clamps: {}, by: BY });
  }
  concurrency = async () =>
    Object.fromEntries(Object.entries((await this.allocation()).stages).map(([stage, { concurrency }]) => [stage, concurrency]));

  /** An interval passes in which this happens. */
  async pass({
    batches,
    stuckIn = this.stages.length,
    measured = 1,
    heard = true,
    serviceMs = 400,
    cpuMs = 10,
    late = 0,
    peakMemoryMb = 300,
    outOfMemory = false,
    waiting = 0,
    memoryMb,
  }: Interval): Promise<void> {
    const { sql, store } = this.platform;
    await this.shift(INTERVAL_S);
    const { stages: allocated } = await this.allocation();
    const first = this.ids;
    this.ids += batches;
    await sql.query(
      `insert into autoflow.batches (id, pipeline, version, release, scope, execution_id, state, ref, memory_mb, opened_at, closed_at, arm, completed)
       select 'b' || n, $1, $2, 'r', 'live', 'e' || n, $3, '{"counts":{"records":1}}', '{}', now() - interval '9 seconds', case when $3 = 'closed' then now() - interval '4 seconds' end, 'stable', ($3 = 'closed')::int
         from generate_series($4::int, $5::int) n`,
      [this.pipeline, this.version, stuckIn < this.stages.length ? 'open' : 'closed', first, first + batches - 1],
    );
    if (measured > 0)
      await store.metering.writeInvocations(
        Array.from({ length: Math.round(measured * batches) }, (_, i) => first + i).flatMap((n) =>
          this.stages.slice(0, stuckIn).map((stage) => ({
            ...INVOCATION,
            runId: `r${n}`,
            activityId: stage,
            executionId: `e${n}`,
            batchId: `b${n}`,
            pipeline: this.pipeline,
            version: this.version,
            stage,
            startedAt: new Date(Date.now() - 6_000),
            durationMs: serviceMs,
            cpuMs,
            peakMemoryMb,
            memoryMb: memoryMb ?? allocated[stage]?.memoryMb ?? INVOCATION.memoryMb,
            ...(outOfMemory && { outcome: 'out-of-memory' as const }),
          })),
        ),
      );
    await sql.query(
      `insert into autoflow.inbox (pipeline, scope, key, record, digest, bytes, bucket)
       select $1, 'live', gen_random_uuid(), '{}', '', 2, 5000 from generate_series(1, $2::int)`,
      [this.pipeline, waiting],
    );
    await sql.query(
      `insert into autoflow.records (pipeline, scope, key, state, batch_id, version, release, arrived_at, ended_at)
       select $1, 'live', gen_random_uuid(), 'completed', 'b', $2, 'r', now() - $3::float8 * interval '1 millisecond' - interval '5 seconds', now()
         from generate_series(1, $4::int)`,
      [this.pipeline, this.version, LATE_MS, late],
    );
    if (heard) await this.acknowledge();
  }

  /** Everything lies so much further back. */
  async shift(seconds: number): Promise<void> {
    const { sql, store } = this.platform;
    const back = `interval '${seconds} seconds'`;
    // Partitions come with the first row of a day.
    const { rows } = await sql.query<{ at: Date }>(
      `select distinct date_trunc('day', started_at - ${back}, 'UTC') as at from autoflow.invocations where pipeline = $1`,
      [this.pipeline],
    );
    await store.metering.writeInvocations(rows.map(({ at }) => ({ ...ELSEWHERE, startedAt: at })));
    await sql.query(`update autoflow.control_steps set at = at - ${back}`);
    await sql.query(`update autoflow.batches set opened_at = opened_at - ${back}, closed_at = closed_at - ${back}`);
    await sql.query(`update autoflow.invocations set started_at = started_at - ${back} where pipeline = $1`, [this.pipeline]);
    await sql.query(`update autoflow.records set arrived_at = arrived_at - ${back}, ended_at = ended_at - ${back}`);
    await sql.query(`update autoflow.acknowledgements set at = at - ${back}`);
  }

  async acknowledge(): Promise<void> {
    const { store } = this.platform;
    const pools = Object.entries((await this.allocation()).stages).map(([stage, { memoryMb, concurrency }]) => {
      return { pipeline: this.pipeline, version: this.version, stage, memoryMb, concurrency, instances: 1 };
    });
    await store.hosts.acknowledge('host-1', pools);
  }

  step(holder = 'one', controller = this.controller): Promise<{ waitMs?: number }> {
    return controlStep({ pipeline: this.pipeline, holder }, { store: this.platform.store, controller, log: () => undefined });
  }

  /** So many intervals of the same, each decided. */
  async run(intervals: number, of: Interval): Promise<ControlStepRow> {
    for (let i = 0; i < intervals; i++) {
      await this.pass(of);
      await this.step();
    }
    return this.last();
  }

  async last(): Promise<ControlStepRow> {
    return (await this.platform.store.control.latest(this.pipeline, 1))[0]!;
  }
  async status(): Promise<ControlStatus> {
    return (await this.platform.store.control.get(this.pipeline))!.state!;
  }
  /** As if the agent had been promoted. */
  async trust(): Promise<void> {
    await this.platform.sql.query(`update autoflow.controls set state = state || '{"agentStands":true}' where pipeline = $1`, [
      this.pipeline,
    ]);
  }
}

/** As the thread answers, without its start. */
export function inThisThread(policy: Parameters<typeof contestants>[0] = pretrainedPolicy(), fallback?: Allocator): Controller {
  const between = contestants(policy, fallback);
  return {
    decide: (observed, lateCost) => Promise.resolve(answerTo({ kind: 'decide', id: 0, observed, lateCost }, between) as never),
    compare: (observed, lateCost) => Promise.resolve(answerTo({ kind: 'compare', id: 0, observed, lateCost }, between) as never),
    close: () => Promise.resolve(),
  };
}

export const thread = (policy?: string): Controller => controllerThread({ program: PROGRAM, ...(policy !== undefined && { policy }) });

const INVOCATION = {
  attempt: 1,
  release: 'r',
  scope: 'live',
  host: 'host-1',
  queueMs: 1,
  gateMs: 0,
  cold: false,
  coldStartMs: 0,
  cpuMs: 10,
  runQueueMs: 0,
  memoryMb: 1024,
  enforcement: 'soft',
  recordsIn: 1,
  recordsOut: 1,
  filtered: 0,
  dead: 0,
  retried: 0,
  bytesIn: 1,
  bytesOut: 1,
  outcome: 'ok',
  costUsd: 0,
  spans: [],
} as const;

const ELSEWHERE = {
  ...INVOCATION,
  runId: 'r',
  activityId: 'a',
  executionId: 'e',
  batchId: 'b',
  pipeline: 'another',
  version: 'v',
  stage: 's',
  durationMs: 1,
  peakMemoryMb: 1,
};

/** A platform and its world for the tests of a file, each of which begins as if nothing had been before; answers the stack that they are on. */
export function useWorld(begun: (of: { readonly platform: Platform; readonly world: World }) => void): ReturnType<typeof useTestStack> {
  const stack = useTestStack();
  let platform: Platform | undefined;
  let world: World;
  beforeAll(async () => {
    platform = await startPlatform(stack);
    world = new World(platform);
    await platform.store.metering.maintain(30);
    begun({ platform, world });
  });
  afterAll(() => platform?.stop());
  beforeEach(() => world.begin());
  return stack;
}
