/** How many of the latest decisions the average is about. */
export const AVERAGED_STEPS = 16_000;

/**
 * The mean of a learner's parameters over its latest updates (Polyak & Juditsky, 1992; weights fall geometrically): what is validated and kept.
 * At a learning rate that does not fall, parameters of one moment move to and fro around what was learned; their mean does not.
 */
export class AveragedParameters {
  private updates = 0;
  /** Of nothing before the first `add`. */
  readonly parameters: Float32Array;

  constructor(count: number) {
    this.parameters = new Float32Array(count);
  }

  /** After an update by `steps` decisions. The plain mean of all that was added, until they are `AVERAGED_STEPS`. */
  add(parameters: Float32Array, steps: number): void {
    this.updates++;
    const share = Math.min(1, Math.max(1 / this.updates, steps / AVERAGED_STEPS));
    for (let i = 0; i < parameters.length; i++) this.parameters[i]! += share * (parameters[i]! - this.parameters[i]!);
  }
}
