import { setTimeout as after } from 'node:timers/promises';
import type { DataConverter } from '@temporalio/common';
import { Worker, type NativeConnection, type WorkerInterceptors } from '@temporalio/worker';
import type { StageAnswer, StageInvocation } from '@autoflow/topology';
import { residentMb } from '../enforcement/soft.js';
import { AdjustableSlots } from './adjustable-slots.js';
import type { Instances } from './instances.js';
import type { Occupancy, OccupancyReading } from './occupancy.js';

export interface PoolOptions {
  readonly taskQueue: string;
  readonly stage: string;
  readonly activity: (invocation: StageInvocation) => Promise<StageAnswer>;
  readonly instances: Instances;
  readonly occupancy: Occupancy;
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly dataConverter?: DataConverter;
  readonly interceptors?: WorkerInterceptors;
  readonly identity: string;
  readonly concurrency: number;
}

/** Of the suppliers that a Worker of activities alone never asks. */
const UNUSED = { type: 'fixed-size', numSlots: 1 } as const;

/**
 * The instances of one (pipeline, version, stage, memory) on this host, and the Worker that fetches for them. Without work it
 * holds no process; its Worker keeps polling. It is removed by draining: a Worker that is shut down while it holds permits strands tasks.
 */
export class Pool {
  readonly #slots: AdjustableSlots;
  readonly #worker: Worker;
  readonly #running: Promise<void>;
  #concurrency: number;
  #paused = false;
  #closed: Promise<true> | undefined;
  #failure: Error | undefined;

  static async create(options: PoolOptions): Promise<Pool> {
    const slots = new AdjustableSlots(options.concurrency);
    const worker = await Worker.create({
      connection: options.connection,
      namespace: options.namespace,
      ...(options.dataConverter !== undefined && { dataConverter: options.dataConverter }),
      ...(options.interceptors !== undefined && { interceptors: options.interceptors }),
      taskQueue: options.taskQueue,
      identity: options.identity,
      activities: { [options.stage]: options.activity },
      tuner: {
        activityTaskSlotSupplier: slots,
        workflowTaskSlotSupplier: UNUSED,
        localActivityTaskSlotSupplier: UNUSED,
        nexusTaskSlotSupplier: UNUSED,
      },
      activityTaskPollerBehavior: { type: 'autoscaling', minimum: 1, initial: 1 },
      // By default heartbeats are held back for 80 % of their timeout: of few seconds that leaves too little.
      maxHeartbeatThrottleInterval: '1s',
    });
    return new Pool(options, slots, worker);
  }

  private constructor(
    private readonly options: PoolOptions,
    slots: AdjustableSlots,
    worker: Worker,
  ) {
    this.#slots = slots;
    this.#worker = worker;
    this.#concurrency = options.concurrency;
    this.#running = worker.run().catch((error: unknown) => void (this.#failure = error as Error));
  }

  get concurrency(): number {
    return this.#concurrency;
  }

  get instances(): number {
    return this.options.instances.count;
  }

  /** Why the Worker stopped by itself; a pool with a failure polls no longer and is to be replaced. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** The Worker is being shut down, or is: the pool cannot be taken back, only replaced. */
  get closing(): boolean {
    return this.#closed !== undefined;
  }

  /** Raised at once; lowered as invocations finish. Takes back a drain, unless the pool is closing. */
  setConcurrency(concurrency: number): void {
    this.#concurrency = concurrency;
    this.#paused = false;
    this.#slots.setLimit(concurrency);
    this.options.instances.shrinkTo(concurrency);
  }

  /** Fetches nothing more until `setConcurrency`; keeps its instances. */
  pause(): void {
    this.#paused = true;
    this.#slots.setLimit(0);
  }

  get paused(): boolean {
    return this.#paused;
  }

  /**
   * Resolves to true when the Worker is shut down and every process is gone: nothing was interrupted, no task is lost.
   * Resolves to false when `setConcurrency` took it back. Open polls are waited for, so it takes up to one long poll;
   * after `withinMs` (without a connection polls never end) the Worker is shut down all the same.
   */
  async drain(withinMs: number): Promise<boolean> {
    if (this.#closed !== undefined) return this.#closed;
    this.#concurrency = 0;
    this.#slots.setLimit(0);
    const timer = new AbortController();
    const late = after(withinMs, true, { signal: timer.signal, ref: false }).catch(() => true);
    const drained = await Promise.race([this.#slots.drained(), this.#running.then(() => true), late]);
    timer.abort();
    if (!drained) return false;
    this.#closed ??= this.#shutDown();
    return this.#closed;
  }

  /** Samples memory, and answers what the pool had and used since the last reading. */
  usage(): OccupancyReading {
    this.sample();
    return this.options.occupancy.read();
  }

  sample(): void {
    this.options.occupancy.sample(this.options.instances.pids().reduce((sum, pid) => sum + residentMb(pid), 0));
  }

  async #shutDown(): Promise<true> {
    if (this.#worker.getState() === 'RUNNING') this.#worker.shutdown();
    await this.#running;
    await this.options.instances.close();
    return true;
  }
}
