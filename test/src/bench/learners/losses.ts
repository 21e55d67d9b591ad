/** What a learner lost that was killed, told from what it has shared. */
import type { Push } from './watch.js';

export interface KilledLearner {
  readonly learner: number;
  /** From the kill to the next change that it shared, from the other process. Null: none. */
  readonly resumedAfterSeconds: number | null;
  /** Decisions that it had played and not shared, by its own pace; what it has shared is kept. */
  readonly stepsLost: number;
  /** Changes that it had shared since its checkpoint: by so many its optimizer's memory is older when it goes on. */
  readonly changesSinceCheckpoint: number;
}

export interface KilledAt {
  readonly at: number;
  readonly learner: number;
  /** Undefined: it had none. */
  readonly checkpointAt?: Date;
}

/** A change that was under way reaches the store after the kill all the same; nobody goes on as soon. */
const UNDER_WAY_MS = 1_000;

/** `pushes`: those of all learners, in the order of their versions. */
export function lossesOf(pushes: readonly Push[], { at, learner, checkpointAt }: KilledAt): KilledLearner {
  const own = pushes.filter((push) => push.learner === learner);
  const before = own.filter((push) => push.at.getTime() <= at + UNDER_WAY_MS);
  const next = own[before.length];
  return {
    learner,
    resumedAfterSeconds: next === undefined ? null : (next.at.getTime() - at) / 1000,
    stepsLost: unshared(before, pushes, at),
    changesSinceCheckpoint: checkpointAt === undefined ? before.length : before.filter((push) => push.at > checkpointAt).length,
  };
}

/** At the pace of what it shared before, and no more than it shares at once. */
function unshared(own: readonly Push[], all: readonly Push[], at: number): number {
  const [first, last] = [own[0], own.at(-1)];
  if (first === undefined || last === undefined || first === last) return 0;
  const steps = last.steps - (all.find(({ version }) => version === last.version - 1)?.steps ?? 0);
  const everyMs = (last.at.getTime() - first.at.getTime()) / (own.length - 1);
  const sinceMs = Math.max(0, at - last.at.getTime());
  return Math.round(steps * Math.min(1, sinceMs / everyMs));
}
