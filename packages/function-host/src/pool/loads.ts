import type { Ended } from '../process/instance-process.js';

/** So many in a row, one after the other: then it is the release, and not this machine. */
const PROOF = 2;
const NOT_TRIED_FOR_MS = 60_000;

/**
 * Tells a release that never ends loading from a machine that is slow for a moment. The first start that is late is for Temporal to try
 * again; the second makes the release broken. For a minute nobody waits for it then, so that what it has is not kept from others.
 */
export class Loads {
  #late = 0;
  #lateAt = -Infinity;
  #broken: Ended | undefined;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Why a start would be in vain. */
  get hopeless(): Ended | undefined {
    return this.#broken !== undefined && this.now() - this.#lateAt < NOT_TRIED_FOR_MS ? this.#broken : undefined;
  }

  /** How a start has ended, undefined for a good one, in the light of those before. Starts side by side are late for the same reason. */
  judge(ended: Ended | undefined, beganAt: number): Ended | undefined {
    if (ended?.why !== 'late') {
      if (ended === undefined) this.#late = 0;
      this.#broken = undefined;
      return ended;
    }
    if (beganAt >= this.#lateAt) this.#late++;
    this.#lateAt = this.now();
    if (this.#late < PROOF) return ended;
    const remedy = 'A pipeline module defines, and opens nothing: resources open in defineResource.';
    return (this.#broken = { why: 'broken', message: `${ended.message}, ${this.#late} times in a row. ${remedy}` });
  }
}
