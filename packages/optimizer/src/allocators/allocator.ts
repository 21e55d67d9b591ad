import type { ControlledPipeline, ControlState, StageTarget } from '@autoflow/twin';
import { withinLimits } from './limits.js';

/**
 * Decides concurrency and memory per stage while a pipeline runs: the port that rules and the learned agent have in common. Each may be
 * tried in the twin and may run a live pipeline; both are shown the same ticks.
 */
export interface Allocator {
  readonly name: string;
  /** For one pipeline, from now on. One that starts anew is shown the latest ticks again, and what it decides of them is dropped. */
  start(pipeline: ControlledPipeline): Controller;
}

export interface Controller {
  /**
   * What is wanted for the next interval, by stage; called once per tick, after `state.observe`. The same ticks lead to the same targets.
   * They lie within the bounds of their stages and of the fleet.
   */
  decide(state: ControlState): readonly StageTarget[];
  /** Why the latest decision is what it is for that stage, in words for the audit row. */
  explain(stage: number): string;
  /** Why the latest decision was left to another one, in words; undefined: it is its own. */
  leftTo?(): string | undefined;
}

/** A rule that wants so many instances of a stage; memory stays. */
export interface ConcurrencyRule {
  readonly name: string;
  start(pipeline: ControlledPipeline): {
    want(state: ControlState): readonly number[];
    explain(stage: number): string;
  };
}

/** As an allocator: bounded, whole, with the memory that is there. */
export function allocatorOf(rule: ConcurrencyRule): Allocator {
  return {
    name: rule.name,
    start(pipeline) {
      const running = rule.start(pipeline);
      return {
        decide: (state) => {
          const wanted = running.want(state);
          return withinLimits(
            pipeline,
            wanted.map((concurrency, s) => ({ concurrency, memoryMb: state.memoryMb[s]! })),
          );
        },
        explain: (stage) => running.explain(stage),
      };
    },
  };
}
