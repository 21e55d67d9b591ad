import { InstanceProcess, type Ended } from '../process/instance-process.js';
import type { Gate } from './gate.js';
import { Loads } from './loads.js';
import type { Occupancy } from './occupancy.js';

/** An instance held for one invocation. */
export interface Lease {
  readonly instance: InstanceProcess;
  /** 0 for a warm one. */
  readonly coldStartMs: number;
  /** Gives it back, for reuse or to be closed. One that has ended is forgotten by itself. */
  release(reuse: boolean): void;
}

/** A start that takes longer lets the next begin: it waits for something, or forever. */
const TURN_MS = 5_000;

/** The instance could not be made ready. */
export class InstanceNotReady extends Error {
  constructor(
    readonly ended: Ended,
    readonly coldStartMs: number,
  ) {
    super(ended.message);
  }
}

/**
 * The instances of one pool: reused while warm, the latest used first, so that the others grow idle and end. Where several pools start at the
 * same time, as after a deploy, the first instance of each comes before the second of any; and who waits for a turn takes what grows warm meanwhile.
 * An instance without work for `idleMs` is closed; no instance stays where no work comes.
 */
export class Instances {
  readonly #all = new Set<InstanceProcess>();
  /** Latest used last. */
  readonly #idle = new Map<InstanceProcess, NodeJS.Timeout>();
  readonly #closing = new Set<InstanceProcess>();
  readonly #loads = new Loads();
  /** Those that wait for a turn at starting one. */
  readonly #waiting = new Set<(warm: InstanceProcess) => void>();

  constructor(
    /** Answers what starts an instance, once all is there that it needs. */
    private readonly prepare: (nodes: readonly string[]) => Promise<() => InstanceProcess>,
    /** Of all pools of the host: more at once than it has CPUs to spare would only delay each other, and the host. */
    private readonly starting: Gate,
    private readonly idleMs: number,
    private readonly occupancy: Occupancy,
    private readonly turnMs = TURN_MS,
  ) {}

  get count(): number {
    return this.#all.size;
  }

  pids(): number[] {
    return [...this.#all].map((instance) => instance.pid);
  }

  /** Throws `InstanceNotReady` when a new one does not come up; rejects with the signal's reason when it is aborted meanwhile. */
  async take(nodes: readonly string[], signal: AbortSignal): Promise<Lease> {
    const warm = [...this.#idle.keys()].at(-1);
    if (warm !== undefined) return this.#lease(this.#wake(warm), 0);
    const begin = performance.now();
    const create = await this.prepare(nodes);
    const started = await this.#turn(signal);
    if (started instanceof InstanceProcess) return this.#lease(started, 0);
    const turn = setTimeout(started, this.turnMs);
    try {
      const instance = await this.#start(create, signal, begin);
      return this.#lease(instance, performance.now() - begin);
    } finally {
      clearTimeout(turn);
      started();
    }
  }

  /** Closes idle instances, the longest idle first, until at most so many instances are left. */
  shrinkTo(count: number): void {
    for (const instance of this.#idle.keys()) {
      if (this.#all.size - this.#closing.size <= count) return;
      this.#close(instance);
    }
  }

  /** Closes all; resolves when every process is gone. */
  async close(): Promise<void> {
    this.shrinkTo(0);
    await Promise.all([...this.#all].map((instance) => instance.ended));
  }

  /** A turn at starting an instance, or one that was given back before there was a turn. */
  async #turn(signal: AbortSignal): Promise<(() => void) | InstanceProcess> {
    const enough = new AbortController();
    const abort = (): void => enough.abort(signal.reason);
    let warm: InstanceProcess | undefined;
    const take = (instance: InstanceProcess): void => {
      warm = instance;
      enough.abort();
    };
    this.#waiting.add(take);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    try {
      const leave = await this.starting.enter(enough.signal, () => this.#all.size);
      if (warm === undefined) return leave;
      leave();
    } catch (error) {
      if (warm === undefined) throw error;
    } finally {
      this.#waiting.delete(take);
      signal.removeEventListener('abort', abort);
    }
    if (!signal.aborted) return warm;
    this.#rest(warm);
    throw signal.reason as Error;
  }

  async #start(create: () => InstanceProcess, signal: AbortSignal, begin: number): Promise<InstanceProcess> {
    if (this.#loads.hopeless !== undefined) throw new InstanceNotReady(this.#loads.hopeless, 0);
    const startedAt = performance.now();
    const instance = create();
    this.#add(instance);
    const stop = (): void => instance.kill('cancelled while starting');
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const ended = this.#loads.judge(await instance.start(), startedAt);
    signal.removeEventListener('abort', stop);
    signal.throwIfAborted();
    if (ended !== undefined) throw new InstanceNotReady(ended, performance.now() - begin);
    return instance;
  }

  #add(instance: InstanceProcess): void {
    this.#all.add(instance);
    this.occupancy.instanceAdded();
    void instance.ended.then(() => {
      this.#wake(instance);
      this.#closing.delete(instance);
      this.#all.delete(instance);
      this.occupancy.instanceRemoved();
    });
  }

  #lease(instance: InstanceProcess, coldStartMs: number): Lease {
    this.occupancy.busy(+1);
    return {
      instance,
      coldStartMs,
      release: (reuse) => {
        this.occupancy.busy(-1);
        if (!instance.alive) return;
        if (reuse) this.#rest(instance);
        else this.#close(instance);
      },
    };
  }

  #rest(instance: InstanceProcess): void {
    const [taker] = this.#waiting;
    if (taker !== undefined) {
      this.#waiting.delete(taker);
      return taker(instance);
    }
    this.#idle.set(instance, setTimeout(() => this.#close(instance), this.idleMs).unref());
  }

  #wake(instance: InstanceProcess): InstanceProcess {
    clearTimeout(this.#idle.get(instance));
    this.#idle.delete(instance);
    return instance;
  }

  #close(instance: InstanceProcess): void {
    this.#wake(instance);
    this.#closing.add(instance);
    void instance.close();
  }
}
