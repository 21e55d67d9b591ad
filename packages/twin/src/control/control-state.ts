import type { ControlledPipeline, ControlTick, StageTick } from './tick.js';

/** Intervals that a peak looks back on: 5 and 15 minutes at 15 s. */
export const SHORT_PEAK = 20;
export const LONG_PEAK = 60;
/** Intervals of arrivals that are remembered. */
const ARRIVALS = 24;
const FAST = 0.4;
const SLOW = 0.08;

/**
 * What the intervals so far add up to, the same for the twin and for a live pipeline: whoever is given the same ticks knows the same. A
 * controller that starts anew is given the last `LONG_PEAK` ticks again. Loads are in instances: arrivals · service / interval.
 */
export class ControlState {
  ticks = 0;
  /** The latest. */
  tick: ControlTick | undefined;
  /** By stage. */
  readonly load: Float64Array;
  readonly loadBefore: Float64Array;
  readonly fastLoad: Float64Array;
  readonly slowLoad: Float64Array;
  /** Largest load of the last `SHORT_PEAK` and `LONG_PEAK` intervals. */
  readonly shortPeak: Float64Array;
  readonly longPeak: Float64Array;
  readonly utilisation: Float64Array;
  readonly queued: Float64Array;
  readonly starting: Float64Array;
  readonly concurrency: Float64Array;
  readonly memoryMb: Float64Array;
  /** Time of an invocation on an instance, smoothed. */
  readonly serviceMs: Float64Array;
  /** Batches of the latest intervals; the last one is the latest. */
  readonly arrived: number[] = [];
  /** Share of the batches of an interval that became late in the latest one. */
  lateShare = 0;
  private readonly loads: Float64Array;

  /** `serviceMs` is what is known before anything was measured, from the model of the functions. */
  constructor(
    readonly pipeline: ControlledPipeline,
    serviceMs: readonly number[],
  ) {
    const count = pipeline.stages.length;
    const zeros = (): Float64Array => new Float64Array(count);
    this.load = zeros();
    this.loadBefore = zeros();
    this.fastLoad = zeros();
    this.slowLoad = zeros();
    this.shortPeak = zeros();
    this.longPeak = zeros();
    this.utilisation = zeros();
    this.queued = zeros();
    this.starting = zeros();
    this.concurrency = zeros();
    this.memoryMb = zeros();
    this.serviceMs = Float64Array.from(serviceMs);
    this.loads = new Float64Array(LONG_PEAK * count);
  }

  get stages(): number {
    return this.load.length;
  }

  observe(tick: ControlTick): void {
    for (let s = 0; s < this.stages; s++) this.observeStage(s, tick.stages[s]!);
    this.arrived.push(tick.arrived);
    if (this.arrived.length > ARRIVALS) this.arrived.shift();
    this.lateShare = tick.late / this.meanArrived;
    this.tick = tick;
    this.ticks++;
  }

  /** Per interval; half a batch keeps it from zero. */
  get meanArrived(): number {
    return this.arrived.reduce((sum, count) => sum + count, 0) / Math.max(1, this.arrived.length) + 0.5;
  }

  /** Instances that would serve what comes and what waits within one interval. */
  need(s: number): number {
    return this.load[s]! + this.backlog(s);
  }
  backlog(s: number): number {
    return (this.queued[s]! * this.serviceMs[s]!) / this.pipeline.intervalMs;
  }

  private observeStage(s: number, tick: StageTick): void {
    const { intervalMs } = this.pipeline;
    if (tick.served > 0) {
      const weight = Math.min(0.3, tick.served / 50);
      this.serviceMs[s]! += weight * (tick.serviceMs / tick.served - this.serviceMs[s]!);
    }
    const load = (tick.arrivals * this.serviceMs[s]!) / intervalMs;
    this.loadBefore[s] = this.ticks === 0 ? load : this.load[s]!;
    this.load[s] = load;
    this.fastLoad[s] = this.ticks === 0 ? load : this.fastLoad[s]! + FAST * (load - this.fastLoad[s]!);
    this.slowLoad[s] = this.ticks === 0 ? load : this.slowLoad[s]! + SLOW * (load - this.slowLoad[s]!);
    this.utilisation[s] = tick.busyMs / Math.max(1, tick.provisionedMs);
    this.queued[s] = tick.queued;
    this.starting[s] = tick.starting;
    this.concurrency[s] = tick.concurrency;
    this.memoryMb[s] = tick.memoryMb;
    const at = s * LONG_PEAK;
    this.loads[at + (this.ticks % LONG_PEAK)] = load;
    let [short, long] = [0, 0];
    const known = Math.min(this.ticks + 1, LONG_PEAK);
    for (let back = 0; back < known; back++) {
      const past = this.loads[at + ((this.ticks - back) % LONG_PEAK)]!;
      if (past > long) long = past;
      if (back < SHORT_PEAK && past > short) short = past;
    }
    this.shortPeak[s] = short;
    this.longPeak[s] = long;
  }
}
