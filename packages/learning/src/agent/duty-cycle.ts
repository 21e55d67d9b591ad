import { cpus } from 'node:os';

/** What is asked of the machine; all times in milliseconds. */
export interface Machine {
  now(): number;
  /** That this process has computed so far. */
  computed(): number;
  cores(): CoreUse;
  sleep(ms: number): void;
}

/** Of all cores so far, in milliseconds of one. */
export interface CoreUse {
  readonly count: number;
  readonly busy: number;
  /** Of it: by who runs with a lower priority than usual, as learners do. */
  readonly nice: number;
}

/** Of a core: what a learner uses beside others, unless it is told otherwise. */
export const USUAL_BESIDE = 1 / 32;
const LOOK_MS = 500;
/** Idle servers of Temporal and Postgres take 0.1 to 0.2 of a core, with a training that keeps its parameters there. */
const MOST_WAITING = 0.3;

/**
 * Keeps a process out of the way of those who serve records. A low priority alone does not: who wakes where the cores are taken waits for a slice of
 * the scheduler, and finds the caches cold. While too many would wait for a core beside it, the process uses the share `beside` of one, above 0 and at
 * most 1, and rests after every piece for it; otherwise it takes what it gets. The others are all of the machine that run with the usual priority: learners do not hold
 * each other up.
 */
export class DutyCycle {
  private share: number;
  private rested: number;
  private looked: { readonly at: number; readonly computed: number; readonly use: CoreUse };

  constructor(
    private readonly beside = USUAL_BESIDE,
    private readonly machine: Machine = THIS_MACHINE,
  ) {
    this.share = beside;
    this.rested = machine.computed();
    this.looked = { at: machine.now(), computed: this.rested, use: machine.cores() };
  }

  /** To be called after each piece of some milliseconds; returns when it is time for the next. */
  rest(): void {
    const computed = this.machine.computed();
    if (this.beside < 1 && this.machine.now() - this.looked.at >= LOOK_MS) this.look(computed);
    const ms = (computed - this.rested) * (1 / this.share - 1);
    if (ms > 0) this.machine.sleep(ms);
    this.rested = computed;
  }

  private look(computed: number): void {
    const [at, use] = [this.machine.now(), this.machine.cores()];
    const { looked } = this;
    // Not every system counts by priority; what this process did itself is known.
    const low = Math.max(use.nice - looked.use.nice, computed - looked.computed);
    const others = Math.max(0, use.busy - looked.use.busy - low) / (at - looked.at);
    this.share = waiting(others, use.count - 1) > MOST_WAITING ? this.beside : 1;
    this.looked = { at, computed, use };
  }
}

/** The share of arrivals that find all cores busy where `load` of them are on average: Erlang's C; 1 from as much load as there are cores. */
export function waiting(load: number, cores: number): number {
  const servers = Math.max(1, cores);
  if (load >= servers) return 1;
  let blocked = 1; // Erlang's B, of no server.
  for (let n = 1; n <= servers; n++) blocked = (load * blocked) / (n + load * blocked);
  return blocked / (1 - (load / servers) * (1 - blocked));
}

const NEVER = new Int32Array(new SharedArrayBuffer(4));
const THIS_MACHINE: Machine = {
  now: () => performance.now(),
  computed: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  },
  cores: () => {
    const times = cpus().map((core) => core.times);
    const sum = (of: (time: (typeof times)[number]) => number): number => times.reduce((all, time) => all + of(time), 0);
    return { count: times.length, busy: sum(({ user, nice, sys, irq }) => user + nice + sys + irq), nice: sum(({ nice }) => nice) };
  },
  sleep: (ms) => void Atomics.wait(NEVER, 0, 0, ms),
};
