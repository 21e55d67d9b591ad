import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import type { DesiredPool } from '@autoflow/store';
import { poolQueue } from '@autoflow/topology';
import type { FunctionHost, FunctionHostOptions } from './contract.js';
import { createEnforcer } from './enforcement/detect.js';
import type { Enforcer } from './enforcement/enforcer.js';
import { declaredSecrets, InstalledReleases } from './installed-releases.js';
import { FleetShares } from './shares/fleet-shares.js';
import { gateKeysOf, wantedLimits } from './shares/wanted-limits.js';
import { Gate } from './pool/gate.js';
import { Instances } from './pool/instances.js';
import { Occupancy } from './pool/occupancy.js';
import { Pool } from './pool/pool.js';
import { stageActivity } from './pool/stage-activity.js';
import { InstanceProcess, type InstanceOptions } from './process/instance-process.js';
import { endOrphans } from './process/orphans.js';
import { programFile } from './programs.js';
import { singleFlight } from './single-flight.js';

const RECONCILE_EVERY_MS = 3_000;
const SAMPLE_EVERY_MS = 1_000;
const USAGE_EVERY_MS = 5_000;
const LOAD_WITHIN_MS = 30_000;
const GRACE_MS = 2_000;
/** Characters of JSON that an instance tells of one invocation. */
const RECORDED_AT_MOST = 512 * 1024;

/**
 * Runs the stages that the desired pools name, and follows them as they change. Libraries' errors go to the log; it keeps going.
 * Of each stage it runs as many instances as is its share of the fleet's; without a share it has no pool of the stage at all.
 */
export function createFunctionHost(options: FunctionHostOptions): FunctionHost {
  return new Host(options, createEnforcer(options.enforcement, options.log));
}

interface RunningPool {
  readonly wanted: Pick<DesiredPool, 'pipeline' | 'version' | 'stage' | 'memoryMb' | 'resources'>;
  readonly pool: Pool;
}

class Host implements FunctionHost {
  readonly enforcement: FunctionHost['enforcement'];
  readonly #releases: InstalledReleases;
  /** By task queue. */
  readonly #pools = new Map<string, RunningPool>();
  /** Memory classes of a stage share its concurrency; all stages of all versions of a pipeline share the limits of its resources. */
  readonly #shares: FleetShares;
  /**
   * Starting an instance is CPU alone, and one core stays for what serves. On two cores, with two at once, second records started second instances
   * beside the first: twenty for eight stages instead of ten, and the first invocation on a new release came a second later (benchmark `deploy`).
   */
  readonly #starting = new Gate(Math.max(1, availableParallelism() - 1));
  readonly #draining = new Map<string, Promise<void>>();
  readonly #reconcile = singleFlight(() => this.#follow());
  readonly #timers: NodeJS.Timeout[] = [];
  #desired: readonly DesiredPool[] | undefined;
  #unsubscribe: (() => Promise<void>) | undefined;
  #stopping = false;

  constructor(
    private readonly options: FunctionHostOptions,
    private readonly enforcer: Enforcer,
  ) {
    const { kind, cpuFollowsMemory, why } = enforcer;
    this.enforcement = { kind, cpuFollowsMemory, why };
    this.#releases = new InstalledReleases(resolve(options.releases), options.releaseSource);
    this.#shares = new FleetShares(options.shares, (lapsed) => this.#sharesChanged(lapsed));
  }

  async start(): Promise<void> {
    const orphans = endOrphans();
    if (orphans.length > 0) this.options.log('warn', 'instances had outlived their host; they are ended', { pids: orphans });
    const every = (ms: number, work: () => void): void => void this.#timers.push(setInterval(work, ms).unref());
    every(RECONCILE_EVERY_MS, () => void this.#reconcile());
    every(SAMPLE_EVERY_MS, () => this.#sample());
    every(USAGE_EVERY_MS, () => this.#meterUsage());
    await this.#reconcile();
    while (this.#desired === undefined && !this.#stopping) {
      await after(SAMPLE_EVERY_MS);
      await this.#reconcile();
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    for (const timer of this.#timers) clearInterval(timer);
    await this.#unsubscribe?.().catch((error: unknown) => this.#warn('unsubscribing from desired pools failed', error));
    await this.#shares.resign();
    while (this.#pools.size > 0) {
      await this.#reconcile();
      await Promise.all(this.#draining.values());
    }
    await this.#acknowledge();
    this.#shares.close();
    this.enforcer.close();
  }

  /** One step from the pools there are to the pools that are desired. */
  async #follow(): Promise<void> {
    await this.#subscribe();
    const desired = this.#stopping ? [] : await this.#read();
    if (desired === undefined) return;
    for (const { release } of desired) this.#releases.prepare(release);
    if (!this.#stopping) {
      await this.#shares.want(wantedLimits(desired));
      // Pools stand as they are, and fetch nothing, until it is known what the share is now.
      if (this.#shares.lapsed) return;
    }
    const shared = desired.filter((each) => this.#concurrencyOf(each) > 0);
    const byQueue = new Map(shared.map((each) => [poolQueue(each.pipeline, each.version, each.stage, each.memoryMb), each]));
    for (const [queue, wanted] of byQueue)
      await this.#ensure(queue, wanted).catch((error: unknown) => this.#warn(`pool ${queue} could not be made`, error));
    for (const queue of this.#pools.keys()) if (!byQueue.has(queue)) this.#remove(queue);
    this.#forgetGates();
    await this.#acknowledge();
  }

  async #subscribe(): Promise<void> {
    if (this.#unsubscribe !== undefined || this.#stopping) return;
    try {
      this.#unsubscribe = await this.options.desired.onChange(() => void this.#reconcile());
    } catch (error) {
      this.#warn('no notification of changes for now; desired pools are read every few seconds', error);
    }
  }

  /** The last answer stands while the store is down: pools go on as they are. */
  async #read(): Promise<readonly DesiredPool[] | undefined> {
    try {
      this.#desired = await this.options.desired.read();
    } catch (error) {
      this.#warn('desired pools cannot be read; the last ones stand', error);
    }
    return this.#desired;
  }

  #sharesChanged(lapsed: boolean): void {
    if (!lapsed) return void this.#reconcile();
    this.options.log('warn', 'the lease of this host is over: nothing new is begun until the store has renewed it');
    for (const { pool } of this.#pools.values()) pool.pause();
  }

  async #ensure(queue: string, wanted: DesiredPool): Promise<void> {
    const there = this.#pools.get(queue)?.pool;
    if (there?.failure !== undefined) {
      this.#warn(`the Worker of pool ${queue} failed; it is replaced`, there.failure);
      return this.#remove(queue);
    }
    // A closing pool is replaced when it is gone: two Workers on one queue are refused.
    if (there?.closing === true) return;
    const concurrency = this.#concurrencyOf(wanted);
    if (there === undefined) this.#pools.set(queue, { wanted, pool: await this.#createPool(queue, wanted, concurrency) });
    else if (there.concurrency !== concurrency || there.paused) there.setConcurrency(concurrency);
  }

  /** How many instances of the stage this host may have: its share, and no more than it may use of a resource. */
  #concurrencyOf(wanted: DesiredPool): number {
    return Math.min(...gateKeysOf(wanted).map((key) => this.#shares.limitOf(key)));
  }

  #createPool(taskQueue: string, wanted: DesiredPool, concurrency: number): Promise<Pool> {
    const { host, connection, namespace, idleMs = 60_000, strictSample = 0.01, cost, metering } = this.options;
    const { stage, memoryMb } = wanted;
    const occupancy = new Occupancy();
    const instances = new Instances((nodes) => this.#prepareInstance(wanted, nodes), this.#starting, idleMs, occupancy);
    const activity = stageActivity({
      gates: gateKeysOf(wanted).map((key) => this.#shares.gate(key)),
      instances,
      memoryMb,
      place: { host, enforcement: this.enforcement.kind },
      strictSample,
      cost,
      meter: (row) => metering.invocation(row),
    });
    return Pool.create({
      taskQueue,
      stage,
      activity,
      instances,
      occupancy,
      connection,
      namespace,
      ...(this.options.dataConverter !== undefined && { dataConverter: this.options.dataConverter }),
      ...(this.options.interceptors !== undefined && { interceptors: this.options.interceptors }),
      identity: `${host}/${taskQueue}`,
      concurrency,
    });
  }

  /** Fetching a release takes no turn at starting: a host that waits for one goes on starting others. */
  async #prepareInstance({ pipeline, release, memoryMb, stage }: DesiredPool, nodes: readonly string[]): Promise<() => InstanceProcess> {
    const { releases, batchStore, secret, instanceEnvironment = {}, loadWithinMs = LOAD_WITHIN_MS, recordings, log } = this.options;
    const { bundle, spec, functions } = await this.#releases.find(release, pipeline);
    const program = await programFile('instance/main', resolve(releases));
    const options = {
      program,
      settings: {
        pipeline,
        bundle,
        batchStore,
        secrets: declaredSecrets(spec, nodes, secret),
        ...(recordings && recordings.share > 0 && { recorder: { share: recordings.share, bound: RECORDED_AT_MOST } }),
      },
      memoryMb,
      enforcer: this.enforcer,
      environment: instanceEnvironment,
      startWithinMs: loadWithinMs,
      graceMs: GRACE_MS,
      recorded: (found, scope) => {
        for (const { node, key, calls } of found) {
          const hash = functions[node];
          if (hash !== undefined) recordings?.calls({ pipeline, scope, key, function: hash, node, calls });
        }
      },
      use: (uses, signal) => this.#shares.use({ pipeline, release }, uses, signal),
      log: (level, message, details) => log(level, message, { pipeline, stage, ...details }),
    } satisfies InstanceOptions;
    return () => new InstanceProcess(options);
  }

  /** Drains in the background; reconciliation goes on meanwhile, and may take the pool back. */
  #remove(queue: string): void {
    const running = this.#pools.get(queue);
    if (running === undefined || this.#draining.has(queue)) return;
    const drained = running.pool
      .drain(this.options.drainWithinMs ?? 120_000)
      .catch((error: unknown) => this.#warn(`draining pool ${queue} failed`, error))
      .then((gone) => {
        this.#draining.delete(queue);
        if (gone !== false) this.#forget(queue, running);
      });
    this.#draining.set(queue, drained);
  }

  #forget(queue: string, running: RunningPool): void {
    this.#meterUsageOf(running);
    this.#pools.delete(queue);
    this.#forgetGates();
    if (!this.#stopping) void this.#reconcile();
  }

  #forgetGates(): void {
    this.#shares.keep(new Set([...this.#pools.values()].flatMap(({ wanted }) => gateKeysOf(wanted))));
  }

  async #acknowledge(): Promise<void> {
    const pools = [...this.#pools.values()].map(({ wanted: { pipeline, version, stage, memoryMb }, pool }) => {
      return { pipeline, version, stage, memoryMb, concurrency: pool.concurrency, instances: pool.instances };
    });
    await this.options.acknowledge(pools).catch((error: unknown) => this.#warn('pools could not be acknowledged', error));
  }

  #sample(): void {
    for (const { pool } of this.#pools.values()) pool.sample();
  }

  #meterUsage(): void {
    for (const running of this.#pools.values()) this.#meterUsageOf(running);
  }

  #meterUsageOf({ wanted: { pipeline, version, stage, memoryMb }, pool }: RunningPool): void {
    const usage = pool.usage();
    if (usage.provisionedS === 0) return;
    this.options.metering.poolUsage({
      host: this.options.host,
      pipeline,
      version,
      stage,
      memoryMb,
      ...usage,
      provisionedMbS: usage.provisionedS * memoryMb,
    });
  }

  #warn(message: string, error: unknown): void {
    this.options.log('warn', message, { error: error instanceof Error ? error.message : String(error) });
  }
}
