/**
 * Which parts of which stages may run now. Pure: the same calls in the same order give the same answers, so that it can be
 * replayed, and it is tested without Temporal.
 */

export interface Part {
  readonly stage: string;
  readonly part: number;
  readonly of: number;
}
export type StageState = 'waiting' | 'running' | 'done' | 'skipped';

/**
 * Hands out every part of every stage exactly once, a stage only when all stages in its `after` are done, at most `maximumInFlight`
 * parts at a time. Stages that became ready earlier go first; among equals the order is that of the topology, then of the parts.
 */
export class ReadyQueue {
  private readonly states = new Map<string, StageState>();
  private readonly unfinished = new Map<string, number>();
  private readonly ready: Part[] = [];
  private inFlight = 0;

  constructor(
    private readonly stages: readonly { readonly name: string; readonly after: readonly string[] }[],
    private readonly maximumInFlight: number,
  ) {
    for (const stage of stages) this.states.set(stage.name, 'waiting');
  }

  /**
   * The parts to start now. `partsOf` is asked once per stage, when all that it comes after is done; with 0 the stage is skipped.
   */
  take(partsOf: (stage: string) => number): Part[] {
    this.promote(partsOf);
    const taken = this.ready.splice(0, this.maximumInFlight - this.inFlight);
    this.inFlight += taken.length;
    return taken;
  }

  /** Reports a taken part as done. */
  finish(part: Part): void {
    const left = (this.unfinished.get(part.stage) ?? 0) - 1;
    if (left < 0) throw new Error(`stage ${part.stage} has no part under way`);
    this.inFlight -= 1;
    this.unfinished.set(part.stage, left);
    if (left === 0) this.states.set(part.stage, 'done');
  }

  state(stage: string): StageState {
    return this.states.get(stage) ?? 'waiting';
  }

  /** Skipping a stage may make another one ready: goes round until nothing changes. */
  private promote(partsOf: (stage: string) => number): void {
    for (let changed = true; changed;) {
      changed = false;
      for (const stage of this.stages) {
        if (this.state(stage.name) !== 'waiting' || !stage.after.every((before) => this.isOver(before))) continue;
        const of = partsOf(stage.name);
        this.states.set(stage.name, of === 0 ? 'skipped' : 'running');
        this.unfinished.set(stage.name, of);
        for (let part = 0; part < of; part++) this.ready.push({ stage: stage.name, part, of });
        changed = true;
      }
    }
  }

  private isOver(stage: string): boolean {
    const state = this.state(stage);
    return state === 'done' || state === 'skipped';
  }
}
